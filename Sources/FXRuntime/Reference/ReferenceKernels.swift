import FXCore

/// Computes a node's results from its operands, slowly and plainly: the definition of the operator.
public typealias ReferenceKernel = @Sendable (ReferenceContext) throws -> [RuntimeValue]

/// The reference kernel of each operator. A value: users extend a copy of `.standard`.
public struct ReferenceKernels: OperatorRows {
  /// The kernels by operator.
  public var rows: [Operator: ReferenceKernel] = [:]

  /// A table without kernels.
  public init() {}
}

/// What a reference kernel sees of a node.
public struct ReferenceContext {
  /// The node that is computed.
  public let node: Node
  /// The operands' values; `nil` where an optional operand is left out. Literals are scalars of the type their node gives them.
  public let operands: [RuntimeValue?]
  /// How many results the node has.
  public var resultCount: Int { node.results.count }
  /// What the node's random numbers derive from: the executor's seed and the node's place in the graph.
  public let seed: UInt64
  var runRegion: (RegionID, [RuntimeValue]) throws -> [RuntimeValue]
  /// The types of a region's results for arguments of some types: what loops that make no turn give.
  var regionTypes: (RegionID, [ValueType]) -> [ValueType] = { _, _ in [] }

  /// Where what was made of attributes is kept from run to run; `nil` where a graph runs once.
  var cache: WeightCache?

  /// What the kernel makes of the node's attributes, kept from run to run where the graph is compiled.
  func prepared<Value: Sendable>(_ make: () throws -> Value) throws -> Value {
    try cache.map { try $0.prepared(for: node.id, make) } ?? make()
  }

  /// The value of a typed attribute.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { node.attributes[key] }

  /// Whether operand `index` is there: given and not left out.
  public func has(_ index: Int) -> Bool { index < operands.count && operands[index] != nil }

  /// Operand `index`.
  /// - Throws: `KernelError.missingOperand`.
  public func value(_ index: Int) throws -> RuntimeValue {
    guard index < operands.count, let value = operands[index] else { throw KernelError.missingOperand(index) }
    return value
  }

  /// Operand `index`, which must be a tensor.
  /// - Throws: `KernelError.missingOperand`, `.notATensor`.
  public func tensor(_ index: Int) throws -> Tensor {
    guard let tensor = try value(index).tensor else { throw KernelError.notATensor(index) }
    return tensor
  }

  /// Operand `index` if it is there; it must be a tensor then.
  public func optionalTensor(_ index: Int) throws -> Tensor? { has(index) ? try tensor(index) : nil }

  /// The elements of an integer operand.
  public func integers(_ index: Int) throws -> [Int] { try tensor(index).integers() }

  /// Checks the operands' element types against the operator's schema, so that kernels need not.
  /// - Throws: `KernelError.elementType`, `.elementTypesDiffer`.
  func checkElementTypes() throws {
    switch node.op.schema?.mismatch(of: operands.map { $0?.tensor?.elementType }) {
    case nil: break
    case .notAllowed(_, _, let actual): throw KernelError.elementType(actual)
    case .differ(_, let expected, let actual): throw KernelError.elementTypesDiffer(expected, actual)
    }
  }

  /// Runs one of the node's regions.
  public func run(region index: Int, _ arguments: [RuntimeValue]) throws -> [RuntimeValue] {
    guard node.regions.indices.contains(index) else { throw KernelError.invalid("there is no region \(index)") }
    return try runRegion(node.regions[index], arguments)
  }
}

/// Why a kernel cannot compute, as facts.
public enum KernelError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The operand at this index, which the operator requires, is left out.
  case missingOperand(Int)
  /// The operand at this index is a sequence, an optional or a map.
  case notATensor(Int)
  /// The operator is not defined on elements of this type; for indices also a `uint64` that exceeds `Int`.
  case elementType(ElementType)
  /// Two operands must have one element type.
  case elementTypesDiffer(ElementType, ElementType)
  /// Two shapes do not broadcast, or not to what the operator asks.
  case notBroadcastable([Int], [Int])
  /// There is no such axis in a tensor of `rank` axes.
  case axis(Int, rank: Int)
  /// What else is wrong, in words.
  case invalid(String)

  public var description: String {
    switch self {
    case .missingOperand(let index): "operand \(index) is missing"
    case .notATensor(let index): "operand \(index) is not a tensor"
    case .elementType(let type): "not defined on \(type.rawValue)"
    case .elementTypesDiffer(let a, let b): "operands hold \(a.rawValue) and \(b.rawValue), which must be one type"
    case .notBroadcastable(let a, let b): "shapes \(a) and \(b) do not broadcast"
    case .axis(let axis, let rank): "axis \(axis) is out of range for rank \(rank)"
    case .invalid(let reason): reason
    }
  }
}

extension Tensor {
  /// The elements of an integer tensor.
  /// - Throws: `KernelError.elementType` for other types, and for `uint64` elements beyond `Int`.
  func integers() throws -> [Int] {
    switch try numbers() {
    case .signed(let x): return x.map(Int.init)
    case .unsigned(let x):
      return try x.map {
        guard let value = Int(exactly: $0) else { throw KernelError.elementType(.uint64) }
        return value
      }
    case .floats: throw KernelError.elementType(elementType)
    }
  }
}
