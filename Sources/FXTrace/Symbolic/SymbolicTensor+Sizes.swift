import FXCore

/// Shapes as operands.
extension SymbolicTensor {
  /// A shape operand: a constant where all sizes are known or a single symbolic one can be left open, else computed from
  /// the axes of this tensor and of the graph's inputs that have the sizes.
  /// - Parameters:
  ///   - keepsAxes: whether 0 stands for a size that stays on its axis and −1 for what is left, as in `reshape`.
  ///   - op: whom the shape is for, in a mistake.
  /// - Returns: `nil` after a mistake.
  func sizes(_ shape: Shape, keepsAxes: Bool = true, for op: Operator = .reshape) -> (any SymbolicOperand)? {
    if let sizes = shape.sizes { return Tensor(vector: sizes) }
    let open = shape.indices.filter { shape[$0].size == nil }
    // A size that stays on its axis is written as 0.
    if keepsAxes, open.allSatisfy({ !shape[$0].isUnknown && shape[$0] == dimension($0) }), !shape.contains(Dimension(0)) {
      return Tensor(vector: shape.map { $0.size ?? 0 })
    }
    if keepsAxes, open.count == 1, !shape.contains(Dimension(-1)) {
      return Tensor(vector: shape.map { $0.size ?? -1 })
    }
    var parts: [SymbolicTensor] = []
    for dimension in shape {
      guard let part = size(dimension) else {
        session.fail(
          TraceError.Reason.invalid(
            dimension.isUnknown
              ? "a size in \(shape) is not known: write -1 for what is left, or name the input's size"
              : "the size \(dimension) in \(shape) is that of no axis of the operand or of an input"
          ).error, op: op, operands: [symbolicOperand], at: nil)
        return nil
      }
      parts.append(part)
    }
    guard let first = parts.first else { return nil }
    var attributes = Attributes()
    attributes[Concat.axis] = 0
    return first.apply(.concat, Array(parts.dropFirst()), attributes: attributes)
  }

  /// A size as an i64[1].
  private func size(_ dimension: Dimension) -> SymbolicTensor? {
    if let size = dimension.size { return lift(Tensor(vector: [size])) }
    guard !dimension.isUnknown else { return nil }
    if let axis = shape?.firstIndex(of: dimension) { return lift(sizeOperand(axis)) }
    for input in session.graph.inputs {
      guard let axis = session.graph.type(of: .value(input)).shape?.firstIndex(of: dimension) else { continue }
      return lift(SymbolicTensor(session, .value(input)).sizeOperand(axis))
    }
    // A sum of products is computed from its symbols, as far as each is the size of an axis.
    guard dimension.symbol == nil, let terms = dimension.terms else { return nil }
    var sum: SymbolicTensor?
    for term in terms {
      var product = lift(Tensor(vector: [term.coefficient]))
      for case let factor in term.factors {
        guard case .symbol(let name) = factor, let size = size(Dimension(symbol: name)) else { return nil }
        product = product * size
      }
      sum = sum.map { $0 + product } ?? product
    }
    return sum
  }
}
