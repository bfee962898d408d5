import FXCore
import FXPasses

/// Writes pairs of `quantize_linear` and `dequantize_linear` as arithmetic in floating point, through which gradients go:
/// clip(round(x ÷ s), low, high) × s, with the zero point in the limits.
///
/// Before:
/// ```
/// graph @main(%x: f32[4]) {
///   %q = quantize_linear(%x, @s, @z)
///   %y = dequantize_linear(%q, @s, @z)
///   return %y
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[4]) {
///   %a = div(%x, @s)
///   %b = round(%a)
///   %c = clip(%b, @low, @high)
///   %y = mul(%c, @s)
///   return %y
/// }
/// ```
///
/// Declines: zero points that are not known or differ along an axis, blocks, integers that others read too.
public struct FakeQuantizationPass: Pass {
  public let name = "fake-quantization"
  public let contract = NumericContract.exact

  /// The pass, which has no options.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for id in graph.bodyNodes where graph.contains(id) {
      let node = try graph[id]
      guard node.op == .dequantizeLinear, let integers = node.operands[0].value,
        let producer = try graph.producer(of: integers), case let quantize = try graph[producer],
        quantize.op == .quantizeLinear
      else { continue }
      if let reason = try write(quantize, node, &graph) {
        outcome.decline(id, in: graph, reason)
      } else {
        outcome.change("pairs written as arithmetic")
      }
    }
    return outcome
  }

  /// Writes one pair; why not, if it cannot.
  private func write(_ quantize: Node, _ dequantize: Node, _ graph: inout Graph) throws -> String? {
    guard quantize.operands.dropFirst() == dequantize.operands.dropFirst() else { return "the pair has two scales" }
    guard quantize[Quantize.blockSize] == 0 else { return "its scales are of blocks" }
    guard let tensor = graph.tensor(of: quantize.operand(2)), let zeroPoint = try tensor.numbers().doubles.first,
      try tensor.numbers().doubles.allSatisfy({ $0 == zeroPoint }), let range = tensor.elementType.integerRange
    else { return "its zero points are not known or differ" }
    guard let rank = graph.type(of: quantize.operands[0]).shape?.rank,
      let scaleShape = graph.type(of: quantize.operand(1)).shape?.sizes
    else { return "its rank is not known" }
    let type = graph.type(of: quantize.operands[0])
    let point = InsertionPoint.before(dequantize.id)
    func add(_ op: Operator, _ operands: [Operand]) throws -> Operand {
      .value(try graph.call(op, operands, type: type, at: point, location: quantize.location))
    }
    var scale = quantize.operand(1)
    if scaleShape.count == 1, scaleShape[0] != 1 || rank > 1 {
      let axis = quantize[Quantize.axis] < 0 ? quantize[Quantize.axis] + rank : quantize[Quantize.axis]
      let sizes = (0..<rank).map { $0 == axis ? scaleShape[0] : 1 }
      let shape = graph.addConstant(Tensor(vector: sizes), name: "scale_shape")
      scale = .value(
        try graph.call(.reshape, [scale, .parameter(shape)], type: .tensor(.float32, Shape(sizes)), at: point))
    }
    let low = graph.addConstant(Tensor(Float(range.lowerBound) - Float(zeroPoint)), name: "low")
    let high = graph.addConstant(Tensor(Float(range.upperBound) - Float(zeroPoint)), name: "high")
    let steps = try add(.round, [add(.div, [quantize.operands[0], scale])])
    let result = try add(.mul, [add(.clip, [steps, .parameter(low), .parameter(high)]), scale])
    try graph.replace(dequantize.id, with: [result])
    if try graph.uses(of: quantize.results[0]).isEmpty { try graph.erase(quantize.id) }
    return nil
  }
}

extension Differentiation {
  /// Gradients that go straight through rounding, so that what is quantized can be trained: inside the integers' range the
  /// slope of a fake quantization is 1, outside 0; that of its scale s is (round(x ÷ s) − x ÷ s) inside, the limit outside.
  ///
  /// Source: Bengio, Léonard and Courville 2013 (the straight-through estimator); Esser, McKinstry, Bablani, Appuswamy and
  /// Modha 2020, "Learned Step Size Quantization".
  public static var straightThrough: Differentiation {
    var rules = GradientRules.standard
    rules[.round] = .cotangents { context in [context.cotangent()] }
    return Differentiation(rules: rules)
  }
}
