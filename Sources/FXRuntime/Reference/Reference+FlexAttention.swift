import FXCore
import Foundation

/// One call of `flex_attention`. Source of the steps' precision: ONNX's reference of `FlexAttention`.
struct FlexAttentionCall {
  private let context: ReferenceContext
  private let products: HeadProducts
  private let scoreType: ElementType

  init(_ context: ReferenceContext) throws {
    self.context = context
    products = try HeadProducts(context.tensor(0), context.tensor(1), context.tensor(2))
    scoreType = FlexAttention.scoreType(context[FlexAttention.softmaxPrecision], operand: products.q.elementType)
  }

  func results() throws -> [RuntimeValue] {
    let shape = [products.batch, products.heads, products.queries, products.keys]
    let scale = context[FlexAttention.scale].map(Double.init) ?? 1 / Double(products.size).squareRoot()
    let product = try products.scores(scale: scale)
    let scores = try modified(by: 0, Tensor(scoreType, shape, numbers: .floats(product), saturating: false))
    let probabilities = try softmax(scores.numbers().doubles)
    let weights = try modified(by: 1, Tensor(scoreType, shape, numbers: .floats(probabilities), saturating: false))
    return [.tensor(try products.weighted(weights.numbers().doubles))]
  }

  /// What a region makes of the tensor, which keeps its type and shape.
  private func modified(by region: Int, _ tensor: Tensor) throws -> Tensor {
    let results = try context.run(region: region, [.tensor(tensor)] + context.values(from: 3))
    guard results.count == 1, let result = results[0].tensor, result.elementType == tensor.elementType,
      result.shape == tensor.shape
    else {
      let types = results.map { "\($0.type)" }.joined(separator: ", ")
      throw KernelError.invalid("a region gives \(types) for \(tensor.type)")
    }
    return result
  }

  private func softmax(_ scores: [Double]) throws -> [Double] {
    let precision = HalfPrecision(scoreType)
    let keys = products.keys
    var result = scores
    for row in 0..<(keys == 0 ? 0 : scores.count / keys) {
      let range = row * keys..<(row + 1) * keys
      let largest = scores[range].reduce(-.infinity) { max($0, $1) }
      for index in range { result[index] = precision(exp(precision(scores[index] - largest))) }
      let sum = precision.sum(result[range])
      for index in range { result[index] = precision(result[index] / sum) }
    }
    return result
  }
}
