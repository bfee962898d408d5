/// The value of an attribute: a fact about a node that is known when the graph is made.
public enum AttributeValue: Sendable, Equatable {
  /// A truth value. ONNX has integers 0 and 1 for these.
  case bool(Bool)
  /// A 64-bit integer.
  case int(Int)
  /// 32 bits, as in ONNX.
  case float(Float)
  /// Text, or one of the names that `AttributeSpecification.allowed` lists.
  case string(String)
  /// Integers, such as axes, sizes and strides; may be empty.
  case ints([Int])
  /// Numbers of 32 bits, as `float`.
  case floats([Float])
  /// Texts, such as class labels and the words of a vocabulary.
  case strings([String])
  /// The element type that a node converts to or makes.
  case elementType(ElementType)
  /// The type of a value, such as that of what `recv` gives.
  case type(ValueType)
  /// Types of several values. No operator of this framework has such an attribute; others' may.
  case types([ValueType])
  /// A tensor: a constant's value, a tree's thresholds. Bytes are shared as `Tensor` shares them.
  case tensor(Tensor)
  /// Several tensors. No operator of this framework has such an attribute; others' may.
  case tensors([Tensor])

  public static func == (a: AttributeValue, b: AttributeValue) -> Bool {
    switch (a, b) {
    case (.bool(let x), .bool(let y)): x == y
    case (.int(let x), .int(let y)): x == y
    case (.float(let x), .float(let y)): x.bitPattern == y.bitPattern
    case (.string(let x), .string(let y)): x == y
    case (.ints(let x), .ints(let y)): x == y
    case (.floats(let x), .floats(let y)): x.count == y.count && zip(x, y).allSatisfy { $0.bitPattern == $1.bitPattern }
    case (.strings(let x), .strings(let y)): x == y
    case (.elementType(let x), .elementType(let y)): x == y
    case (.type(let x), .type(let y)): x == y
    case (.types(let x), .types(let y)): x == y
    case (.tensor(let x), .tensor(let y)): x == y
    case (.tensors(let x), .tensors(let y)): x == y
    default: false
    }
  }

  /// The kind of value, as schemas and messages name it.
  public enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
    /// `true` or `false`.
    case bool
    /// A 64-bit integer.
    case int
    /// A number of 32 bits.
    case float
    /// Text.
    case string
    /// A list of integers.
    case ints
    /// A list of numbers of 32 bits.
    case floats
    /// A list of texts.
    case strings
    /// An `ElementType`.
    case elementType
    /// A `ValueType`.
    case type
    /// A list of `ValueType`s.
    case types
    /// A `Tensor`.
    case tensor
    /// A list of `Tensor`s.
    case tensors
  }

  /// Which case it is.
  public var kind: Kind {
    switch self {
    case .bool: .bool
    case .int: .int
    case .float: .float
    case .string: .string
    case .ints: .ints
    case .floats: .floats
    case .strings: .strings
    case .elementType: .elementType
    case .type: .type
    case .types: .types
    case .tensor: .tensor
    case .tensors: .tensors
    }
  }
}

/// A node's attributes: a dictionary sorted by name. Lookup is O(log n).
public struct Attributes: Sendable, Equatable {
  /// A name and its value.
  public struct Entry: Sendable, Equatable {
    /// The attribute's name, by which the entries are sorted; that of a key such as `Softmax.axis`.
    public let name: String
    /// What the attribute is.
    public var value: AttributeValue
  }
  /// All attributes, sorted by name, each name once.
  public private(set) var entries: [Entry] = []

  /// No attributes.
  public init() {}

  /// The last of equal names wins.
  public init(_ pairs: [(String, AttributeValue)]) {
    for (name, value) in pairs { self[name] = value }
  }

  private func position(of name: String) -> (index: Int, found: Bool) {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].name < name { low = middle + 1 } else { high = middle }
    }
    return (low, low < entries.count && entries[low].name == name)
  }

  /// The value of the attribute called `name`, `nil` if there is none; `nil` removes it. Setting another name is O(n).
  public subscript(name: String) -> AttributeValue? {
    get {
      let (index, found) = position(of: name)
      return found ? entries[index].value : nil
    }
    set {
      let (index, found) = position(of: name)
      switch (newValue, found) {
      case (let value?, true): entries[index].value = value
      case (let value?, false): entries.insert(Entry(name: name, value: value), at: index)
      case (nil, true): entries.remove(at: index)
      case (nil, false): break
      }
    }
  }

  /// The value of a typed key: the attribute, else the key's default, else the type's empty value.
  public subscript<Value>(key: AttributeKey<Value>) -> Value {
    get { self[key.name].flatMap(Value.init(attribute:)) ?? key.fallback }
    set { self[key.name] = newValue.attribute }
  }
}

extension Attributes: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { entries.count }
  public subscript(position: Int) -> Entry { entries[position] }
}

extension Attributes: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, AttributeValue)...) { self.init(elements) }
}

extension AttributeValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByBooleanLiteral
{
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(floatLiteral value: Float) { self = .float(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}
