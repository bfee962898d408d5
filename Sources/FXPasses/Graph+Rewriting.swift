import FXCore
import FXShapes

extension Graph {
  /// Adds a call with one result in front of a node, with the node's location.
  /// - Parameter type: the result's type; inferred if `nil`, as far as possible.
  mutating func insert(
    _ op: Operator, _ operands: [Operand], attributes: Attributes = [:], type: ValueType? = nil, before node: NodeID
  ) throws -> ValueID {
    let location = try self[node].location
    let value = try call(op, operands, attributes: attributes, type: type ?? .unknown, at: .before(node), location: location)
    if type == nil, let call = try producer(of: value),
      let inferred = try? ShapeInference().resultTypes(of: call, in: self).first
    {
      try setType(of: value, to: inferred)
    }
    return value
  }

  /// Replaces the first result of a node whose other results nobody uses, and erases the node.
  mutating func replace(_ node: NodeID, byFirstResult operand: Operand) throws {
    try removeResults(of: node, at: Set(self[node].results.indices.dropFirst()))
    try replace(node, with: [operand])
  }

  /// The call that an operand is a result of; `nil` for arguments and what is no value.
  func call(producing operand: Operand) -> Node? {
    guard let value = operand.value, let id = try? producer(of: value) else { return nil }
    return try? self[id]
  }

  /// The number that an operand is: a literal, or a bound parameter with one element.
  func scalar(of operand: Operand) -> Double? {
    switch operand {
    case .literal(.bool(let x)): x ? 1 : 0
    case .literal(.int(let x)): Double(x)
    case .literal(.float(let x)): x
    case .parameter: tensor(of: operand).flatMap { $0.elementCount == 1 ? try? $0.numbers().doubles.first : nil }
    case .value, .none: nil
    }
  }

  /// The elements of an operand that is a bound integer parameter or an integer literal.
  func integers(of operand: Operand) -> [Int]? {
    if case .literal(.int(let x)) = operand { return [Int(x)] }
    guard let tensor = tensor(of: operand), case .signed(let numbers)? = try? tensor.numbers() else { return nil }
    return numbers.map(Int.init)
  }

  /// Why a result cannot be taken into the only node that uses it; `nil` if it can.
  func reasonToKeep(_ value: ValueID) throws -> String? {
    let uses = try uses(of: value)
    if uses.contains(where: { isTerminator($0.node) }) { return "its result is an output" }
    return uses.count == 1 ? nil : "its result has \(uses.count) uses"
  }
}

extension ValueType {
  /// Whether every dimension is a size or an expression of symbols.
  var hasKnownShape: Bool { shape?.allSatisfy { !$0.isUnknown } ?? false }
}
