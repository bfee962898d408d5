import FXCore
import FXTestSupport
import Testing

/// Builds graphs as quantizers write them: every operator on numbers between `dequantize_linear` and `quantize_linear`.
struct QuantizedGraph {
  var graph = Graph()
  var random = RandomSource(seed: 5)
  /// Of the tensors between operators.
  let type: ElementType
  let weightType: ElementType
  let isPerChannel: Bool

  init(_ type: ElementType = .uint8, weights: ElementType = .int8, isPerChannel: Bool = false) {
    self.type = type
    weightType = weights
    self.isPerChannel = isPerChannel
  }

  static func input(_ shape: [Int]) throws -> Tensor {
    var random = RandomSource(seed: 9)
    return try Tensor(shape, (0..<shape.reduce(1, *)).map { _ in Float(random.double(in: -4...4)) })
  }

  private var zero: Int { type == .int8 ? -3 : 120 }

  mutating func constant(_ type: ElementType, _ shape: [Int], _ numbers: [Double]) throws -> Operand {
    .parameter(graph.addConstant(try Tensor(.float64, shape, numbers: .floats(numbers)).converted(to: type)))
  }

  mutating func input(_ shape: [Int]) throws -> Operand {
    .value(try graph.addInput("x", .tensor(.float32, Shape(shape))))
  }

  /// x quantized and dequantized. The scale is a power of two.
  mutating func through(_ x: Operand, scale: Double = 0.125, zero: Int? = nil) throws -> Operand {
    let parameters = [try constant(.float32, [], [scale]), try constant(type, [], [Double(zero ?? self.zero)])]
    let q = try graph.call(.quantizeLinear, [x] + parameters)
    return .value(try graph.call(.dequantizeLinear, [.value(q)] + parameters))
  }

  /// Weights whose first axis, or `axis`, has a scale for each position where weights have one per channel.
  mutating func weights(_ shape: [Int], axis: Int = 0) throws -> Operand {
    let range: ClosedRange<Double> = weightType == .int8 ? -128...127 : 0...255
    let count = shape.reduce(1, *)
    let numbers = (0..<count).map { _ in random.double(in: range).rounded() }
    let channels = isPerChannel ? shape[axis] : 1
    let scales = (0..<channels).map { [0.0078125, 0.015625, 0.00390625][$0 % 3] }
    let zeros = Array(repeating: weightType == .int8 ? 0.0 : 128, count: channels)
    let of = isPerChannel ? [channels] : []
    return .value(
      try graph.call(
        .dequantizeLinear,
        [
          try constant(weightType, shape, numbers), try constant(.float32, of, scales), try constant(weightType, of, zeros),
        ], attributes: ["axis": .int(axis)]))
  }

  /// A bias of integers in units of 0.125 × the weights' scales.
  mutating func bias(_ count: Int) throws -> Operand {
    let scales = (0..<(isPerChannel ? count : 1)).map { [0.0078125, 0.015625, 0.00390625][$0 % 3] * 0.125 }
    let numbers = (0..<count).map { _ in random.double(in: -2000...2000).rounded() }
    return .value(
      try graph.call(
        .dequantizeLinear,
        [try constant(.int32, [count], numbers), try constant(.float32, isPerChannel ? [count] : [], scales)],
        attributes: ["axis": .int(0)]))
  }

  mutating func call(_ op: Operator, _ operands: [Operand], _ attributes: Attributes = [:]) throws -> Operand {
    .value(try graph.call(op, operands, attributes: attributes))
  }

  /// A network with every kind of operator that runs on bytes: images [n, 3, 13, 11] to 5 numbers.
  static func network(
    _ type: ElementType = .uint8, weights: ElementType = .int8, isPerChannel: Bool = true
  ) throws -> Graph {
    var g = QuantizedGraph(type, weights: weights, isPerChannel: isPerChannel)
    var x = try g.through(g.input([2, 3, 13, 11]))
    // Windows with padding, strides, groups and dilation, each channel alone, and pixels alone.
    x = try g.through(
      g.call(.relu, [g.call(.conv, [x, g.weights([24, 3, 3, 3]), g.bias(24)], ["pads": .ints([1, 1, 1, 1])])]))
    let shortcut = x
    x = try g.through(g.call(.conv, [x, g.weights([24, 1, 3, 3]), g.bias(24)], ["group": 24, "pads": .ints([1, 1, 1, 1])]))
    let dilated: Attributes = ["group": 2, "pads": .ints([2, 2, 2, 2]), "dilations": .ints([2, 2])]
    x = try g.call(.conv, [x, g.weights([24, 12, 3, 3])], dilated)
    x = try g.through(g.call(.clip, [x, .literal(.float(0)), .literal(.float(6))]))
    x = try g.through(g.call(.relu, [g.call(.add, [x, shortcut])]), scale: 0.25)
    x = try g.through(
      g.call(.maxPool, [x], ["kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "pads": .ints([1, 1, 1, 1])]), scale: 0.25)
    x = try g.through(g.call(.sigmoid, [x]), scale: 0.00390625)
    x = try g.through(g.call(.concat, [x, x], ["axis": 1]), scale: 0.00390625)
    x = try g.through(
      g.call(.averagePool, [x], ["kernel_shape": .ints([2, 2]), "strides": .ints([1, 1])]), scale: 0.00390625)
    x = try g.through(g.call(.conv, [x, g.weights([33, 48, 1, 1])], ["strides": .ints([2, 2])]))
    x = try g.through(g.call(.mul, [x, x]), scale: 0.5)
    x = try g.through(g.call(.globalAveragePool, [x]))
    x = try g.through(g.call(.flatten, [x]))
    x = try g.through(g.call(.gemm, [x, g.weights([5, 33]), g.bias(5)], ["transB": true]), scale: 0.5)
    try g.graph.addOutput(x)
    return g.graph
  }
}
