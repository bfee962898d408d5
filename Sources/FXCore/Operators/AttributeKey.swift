/// A Swift type that an attribute can have.
public protocol AttributeConvertible: Sendable {
  /// The kind that values of the type are stored as; schemas list it and graphs check it.
  static var attributeKind: AttributeValue.Kind { get }
  /// The value of an attribute; `nil` if it is of another kind.
  init?(attribute: AttributeValue)
  /// `nil` removes the attribute: an optional that is not there.
  var attribute: AttributeValue? { get }
  /// What a required attribute reads as on a node that lacks it.
  static var emptyAttribute: Self { get }
}

/// An attribute of an operator, with its Swift type and default: `node[Softmax.axis]` is an `Int`.
///
/// A key of optional type names an attribute that may be absent; a key without default and of another type is required.
public struct AttributeKey<Value: AttributeConvertible>: Sendable {
  /// The attribute's name in nodes, text and JSON, such as `axis`.
  public let name: String
  /// What a node has that is not given the attribute; `nil` for none.
  public let defaultValue: Value?
  /// The values that strings may have; empty if any.
  public let allowed: [String]
  /// One line on what it means; may be empty.
  public let summary: String

  /// A key. `allowed` restricts strings; `summary` goes to the schema.
  public init(_ name: String, default defaultValue: Value? = nil, allowed: [String] = [], _ summary: String = "") {
    self.name = name
    self.defaultValue = defaultValue
    self.allowed = allowed
    self.summary = summary
  }

  var fallback: Value { defaultValue ?? Value.emptyAttribute }

  /// The key without its Swift type, as schemas list it.
  public var specification: AttributeSpecification {
    AttributeSpecification(
      name: name, kind: Value.attributeKind, defaultValue: defaultValue?.attribute,
      isRequired: defaultValue == nil && Value.emptyAttribute.attribute != nil, allowed: allowed, summary: summary)
  }
}

/// What a schema says of an attribute.
public struct AttributeSpecification: Sendable {
  /// The attribute's name in nodes, text and JSON.
  public let name: String
  /// The kind that a value must be of; another is `GraphError.badAttribute`.
  public let kind: AttributeValue.Kind
  /// What a new node has that is not given the attribute; `nil` for none.
  public let defaultValue: AttributeValue?
  /// Whether a call without it throws: there is no default and its type is not optional.
  public let isRequired: Bool
  /// The strings it may be; empty if any.
  public let allowed: [String]
  /// One line on what it means; may be empty.
  public let summary: String
}

extension Int: AttributeConvertible {
  public static var attributeKind: AttributeValue.Kind { .int }
  public init?(attribute: AttributeValue) {
    guard case .int(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .int(self) }
  public static var emptyAttribute: Int { 0 }
}

extension Float: AttributeConvertible {
  public static var attributeKind: AttributeValue.Kind { .float }
  public init?(attribute: AttributeValue) {
    guard case .float(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .float(self) }
  public static var emptyAttribute: Float { 0 }
}

extension Bool: AttributeConvertible {
  public static var attributeKind: AttributeValue.Kind { .bool }
  public init?(attribute: AttributeValue) {
    guard case .bool(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .bool(self) }
  public static var emptyAttribute: Bool { false }
}

extension String: AttributeConvertible {
  public static var attributeKind: AttributeValue.Kind { .string }
  public init?(attribute: AttributeValue) {
    guard case .string(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .string(self) }
  public static var emptyAttribute: String { "" }
}

extension ElementType: AttributeConvertible {
  /// Stored as `.elementType`.
  public static var attributeKind: AttributeValue.Kind { .elementType }
  /// The type that an `.elementType` holds; `nil` for other kinds.
  public init?(attribute: AttributeValue) {
    guard case .elementType(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .elementType(self) }
  public static var emptyAttribute: ElementType { .float32 }
}

extension ValueType: AttributeConvertible {
  /// Stored as `.type`.
  public static var attributeKind: AttributeValue.Kind { .type }
  /// The type that a `.type` holds; `nil` for other kinds.
  public init?(attribute: AttributeValue) {
    guard case .type(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .type(self) }
  public static var emptyAttribute: ValueType { .unknown }
}

extension Tensor: AttributeConvertible {
  /// Stored as `.tensor`.
  public static var attributeKind: AttributeValue.Kind { .tensor }
  /// The tensor that a `.tensor` holds; `nil` for other kinds.
  public init?(attribute: AttributeValue) {
    guard case .tensor(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .tensor(self) }
  public static var emptyAttribute: Tensor { Tensor(vector: [Float]()) }
}

/// Elements of list attributes.
public protocol AttributeListElement: Sendable {
  /// The kind that lists of the type are stored as.
  static var listKind: AttributeValue.Kind { get }
  /// The elements of a list attribute; `nil` if it is of another kind.
  static func list(_ attribute: AttributeValue) -> [Self]?
  /// A list of elements as an attribute.
  static func attribute(_ list: [Self]) -> AttributeValue
}

extension Int: AttributeListElement {
  public static var listKind: AttributeValue.Kind { .ints }
  public static func list(_ attribute: AttributeValue) -> [Int]? {
    if case .ints(let values) = attribute { values } else { nil }
  }
  public static func attribute(_ list: [Int]) -> AttributeValue { .ints(list) }
}

extension Float: AttributeListElement {
  public static var listKind: AttributeValue.Kind { .floats }
  public static func list(_ attribute: AttributeValue) -> [Float]? {
    if case .floats(let values) = attribute { values } else { nil }
  }
  public static func attribute(_ list: [Float]) -> AttributeValue { .floats(list) }
}

extension String: AttributeListElement {
  public static var listKind: AttributeValue.Kind { .strings }
  public static func list(_ attribute: AttributeValue) -> [String]? {
    if case .strings(let values) = attribute { values } else { nil }
  }
  public static func attribute(_ list: [String]) -> AttributeValue { .strings(list) }
}

extension Tensor: AttributeListElement {
  /// Lists are stored as `.tensors`.
  public static var listKind: AttributeValue.Kind { .tensors }
  /// The tensors that a `.tensors` holds; `nil` for other kinds.
  public static func list(_ attribute: AttributeValue) -> [Tensor]? {
    if case .tensors(let values) = attribute { values } else { nil }
  }
  /// The tensors as `.tensors`.
  public static func attribute(_ list: [Tensor]) -> AttributeValue { .tensors(list) }
}

extension Array: AttributeConvertible where Element: AttributeListElement {
  public static var attributeKind: AttributeValue.Kind { Element.listKind }
  public init?(attribute: AttributeValue) {
    guard let values = Element.list(attribute) else { return nil }
    self = values
  }
  public var attribute: AttributeValue? { Element.attribute(self) }
  public static var emptyAttribute: [Element] { [] }
}

extension Optional: AttributeConvertible where Wrapped: AttributeConvertible {
  public static var attributeKind: AttributeValue.Kind { Wrapped.attributeKind }
  public init?(attribute: AttributeValue) {
    guard let value = Wrapped(attribute: attribute) else { return nil }
    self = .some(value)
  }
  public var attribute: AttributeValue? { self?.attribute }
  public static var emptyAttribute: Wrapped? { nil }
}
