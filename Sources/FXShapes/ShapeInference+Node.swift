import FXCore

/// What shape inference tells of one node's results.
public struct InferredResults: Sendable {
  public var types: [ValueType]
  /// For integer and `bool` results of rank 0 or 1: their elements as far as known.
  public var contents: [[Dimension]?]
}

extension ShapeInference {
  /// The results of one node without regions, apart from any graph: what executors ask when sizes are at hand.
  /// - Parameters:
  ///   - operandTypes: `nil` where an optional operand is left out; literals have the type their node gives them.
  ///   - operandTensors: the operands whose elements are known.
  /// - Returns: `nil` if the operator has no rule, or owns regions.
  /// - Throws: `ShapeError`.
  public func results(
    of node: Node, operandTypes: [ValueType?], operandTensors: [Tensor?]
  ) throws(ShapeError) -> InferredResults? {
    guard let rule = rules[node.op], node.regions.isEmpty else { return nil }
    var context = InferenceContext(
      node: node, operandTypes: operandTypes, operandContents: operandTensors.map { $0.flatMap(contents(of:)) },
      operandTensors: operandTensors, inferRegion: { _, _, _ in .init(types: [], contents: []) },
      freshSymbol: { .unknown })
    try context.checked(by: node.op.schema).get()
    let types = try rule(&context)
    return InferredResults(
      types: node.results.indices.map { $0 < types.count ? types[$0] : .unknown },
      contents: node.results.indices.map { context.resultContents[$0] })
  }

  /// The elements of an integer or `bool` tensor of rank 0 or 1 that is small enough to follow.
  func contents(of tensor: Tensor) -> [Dimension]? {
    guard tensor.elementType.isInteger || tensor.elementType == .bool, tensor.shape.count <= 1,
      tensor.elementCount <= contentLimit,
      case .signed(let numbers)? = try? tensor.numbers()
    else { return nil }
    return numbers.map { Dimension(Int($0)) }
  }
}
