import FXCore

/// Which operands of an operator are weights that the flat tracer declares when a call leaves them out, what shapes they
/// have, and what they start with.
///
/// `linear(["x"])` becomes `linear(x, node_0.weight, node_0.bias)`. Sizes come from the operand before the weights, from
/// weights already bound, and from widths the call gives (`out_features`, `out_channels`); what nobody knows stays unknown
/// until `initializeParameters(seed:)`. A value: users extend a copy of `.standard`.
public struct ParameterDeclarations: OperatorRows {
  /// What is declared for each operator; calls of others must give every operand that is required.
  public var rows: [Operator: Entry] = [:]

  /// The declared operands of one operator.
  public struct Entry: Sendable {
    /// In operand order, without gaps, up to the operator's last operand.
    public let parameters: [ParameterDeclaration]
    /// The call's integer attributes that give sizes and are no attributes of the node.
    public let widths: [String]

    /// - Parameter parameters: what is declared, in operand order, without gaps, up to the operator's last operand.
    public init(widths: [String] = [], _ parameters: [ParameterDeclaration]) {
      self.widths = widths
      self.parameters = parameters
    }
  }

  /// A table that declares nothing: `standard` is the one that knows layers.
  public init() {}
}

/// One operand that is declared as a parameter.
public struct ParameterDeclaration: Sendable {
  /// The operand's index, from 0.
  public let operand: Int
  /// What the parameter is called after its node: `weight` in `node_0.weight`.
  public let name: String
  /// Whether the parameter is a weight, which training changes, or a buffer, which it does not.
  public let role: Parameter.Role
  /// Whether the call may do without it, by an attribute of this name set to false.
  public let isOptional: Bool
  let shape: @Sendable (DeclarationContext) -> Shape?
  let initializer: @Sendable (_ shape: [Int], DeclarationContext) -> Initializer

  /// - Parameters:
  ///   - shape: what is known of the shape, with unknown sizes; `nil` if not even the rank is. It is asked at the call, and again
  ///     by `initializeParameters` as more becomes known.
  ///   - initializer: what a parameter of a known shape starts with.
  public init(
    _ operand: Int, _ name: String, role: Parameter.Role = .weight, isOptional: Bool = false,
    shape: @escaping @Sendable (DeclarationContext) -> Shape?,
    initializer: @escaping @Sendable (_ shape: [Int], DeclarationContext) -> Initializer
  ) {
    self.operand = operand
    self.name = name
    self.role = role
    self.isOptional = isOptional
    self.shape = shape
    self.initializer = initializer
  }
}

/// What is known of a call when a declared parameter needs a shape.
public struct DeclarationContext: Sendable {
  /// The node's attributes with their defaults, without the widths.
  public let attributes: Attributes
  /// The widths that the call gave.
  public let widths: [String: Int]
  /// The types of all operands as far as known.
  public let operandTypes: [ValueType]
  /// Whether sizes that nothing determines are to be chosen now.
  public let isFinal: Bool

  /// Dimension `index` of operand `operand`, counted from the end if negative; unknown if it is not known.
  public func dimension(_ index: Int, of operand: Int) -> Dimension {
    guard operandTypes.indices.contains(operand), let shape = operandTypes[operand].shape else { return .unknown }
    let position = index < 0 ? shape.rank + index : index
    return shape.indices.contains(position) ? shape[position] : .unknown
  }

  /// The rank of operand `operand`; `nil` if it is not known or there is no such operand.
  public func rank(of operand: Int) -> Int? {
    operandTypes.indices.contains(operand) ? operandTypes[operand].shape?.rank : nil
  }

  /// The first of the dimensions that has a size, else unknown.
  public func first(_ candidates: Dimension...) -> Dimension { candidates.first { $0.size != nil } ?? .unknown }

  /// A width of the call, such as `out_features`; unknown if the call gave none, and after the call was made.
  public func width(_ name: String) -> Dimension { widths[name].map(Dimension.init(_:)) ?? .unknown }
}
