import FXCore

/// How long an operator may take to evaluate, before it is evaluated.
enum EvaluationWork {
  /// An upper bound of the multiplications, or of what takes as long; `Int.max` for more than can be counted.
  ///
  /// Most operators take time in proportion to what they read and write. In the families of products, windows and
  /// transforms a result's element may take as many steps as there are elements, or as a window has places.
  static func estimate(_ node: Node, operands: [ValueType], results: [ValueType]) -> Int {
    let read = operands.map(elements), written = results.map(elements)
    let linear = (read + written).reduce(0, saturatingSum)
    guard let family = node.op.schema?.family else { return .max }
    switch family {
    // A pattern may be matched in more ways than can be tried.
    case .text where node.op.name == "regex_full_match": return .max
    case .linearAlgebra where ["matmul", "gemm", "linear"].contains(node.op.name):
      let depth = operands.first?.tensorType?.shape?.dimensions.map { $0.size ?? .max }.max() ?? .max
      return saturatingSum(linear, product(written.max() ?? 0, depth))
    case .linearAlgebra, .convolution, .pooling, .attention, .recurrent, .signal, .image, .trees, .training:
      let widest = max(read.max() ?? 0, written.max() ?? 0)
      return product(saturatingSum(linear, product(written.max() ?? 0, widest)), windowSize(node))
    default:
      return linear
    }
  }

  /// The elements of a tensor; 1 where the type does not tell, `Int.max` for more than can be counted.
  static func elements(_ type: ValueType) -> Int {
    guard let type = type.tensorType, let sizes = type.shape?.sizes else { return 1 }
    return (try? Tensor.elementCount(of: sizes, type.elementType)) ?? .max
  }

  /// Places of a window that the operands do not show.
  private static func windowSize(_ node: Node) -> Int {
    guard case .ints(let sizes)? = node.attributes["kernel_shape"] else { return 1 }
    return sizes.reduce(1) { product($0, max(1, $1)) }
  }

  private static func product(_ a: Int, _ b: Int) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? .max : product
  }

  private static func saturatingSum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
  }
}
