import FXCore
import FXShapes
import Testing

/// Rules of the families that compute: elementwise to quantization.
@Suite struct ComputingRulesTests {
  static let elementwise: [RuleCase] = [
    .init("symbols broadcast", .add, [.f32("b", 1, 4), .f32("s", 1)], [:], ["f32[b, s, 4]"]),
    .init("a symbol beside a number", .mul, [.f32("b"), .f32(4)], [:], ["f32[4]"]),
    .init("two symbols", .add, [.f32("a"), .f32("b")], [:], ["f32[?]"]),
    .init("sizes that differ", .sub, [.f32(2), .f32(3)], [:], nil),
    .init("element types that differ", .add, [.f32(2), .ints(1, 2)], [:], nil),
    .init("an element type that is not allowed", .sqrt, [.ints(1, 2)], [:], nil),
    .init("pow keeps the base's type", .pow, [.f32("n"), .int(2)], [:], ["f32[n]"]),
    .init("cast", .cast, [.f32("n")], ["to": .elementType(.int8)], ["i8[n]"]),
    .init("bit cast to another width", .bitCast, [.f32("n")], ["to": .elementType(.int8)], nil),
    .init("where", .where_, [.of(.tensor(.bool, ["n", 1])), .f32(3), .f32()], [:], ["f32[n, 3]"]),
    .init("a comparison", .less, [.f32("n", 1), .f32(3)], [:], ["bool[n, 3]"]),
    .init("softmax beyond the rank", .softmax, [.f32("n")], ["axis": 1], nil),
    .init("prelu does not widen", .prelu, [.f32(3), .f32(2, 3)], [:], nil),
  ]

  static let products: [RuleCase] = [
    .init("matmul", .matmul, [.f32("b", 12, "s", 64), .f32("b", 12, 64, "t")], [:], ["f32[b, 12, s, t]"]),
    .init("matmul of vectors", .matmul, [.f32("n"), .f32("n")], [:], ["f32[]"]),
    .init("a column", .matmul, [.f32("b", 3, 4), .f32(4)], [:], ["f32[b, 3]"]),
    .init("matmul of sizes that differ", .matmul, [.f32(2, 3), .f32(4, 5)], [:], nil),
    .init("gemm", .gemm, [.f32("b", 784), .f32(10, 784), .f32(10)], ["transB": true], ["f32[b, 10]"]),
    .init("gemm of three axes", .gemm, [.f32("b", 1, 2), .f32(2, 3)], [:], nil),
    .init("gemm's c is not widened", .gemm, [.f32(2, 3), .f32(3, 4), .f32(5)], [:], nil),
    .init("linear", .linear, [.f32("b", "s", 768), .f32(3072, 768), .f32(3072)], [:], ["f32[b, s, 3072]"]),
    .init("a residual", .fusedLinear, [.f32("b", 3), .f32(2, 3), .none, .f32("b", 2)], ["activation": "relu"], ["f32[b, 2]"]),
    .init("a residual that does not fit", .fusedMatmul, [.f32(2, 3), .f32(3, 2), .f32(3)], [:], nil),
    .init(
      "einsum", .einsum, [.f32("b", "h", "s", 64), .f32("b", "h", "t", 64)], ["equation": "bhsd,bhtd->bhst"], ["f32[b, h, s, t]"]),
    .init(
      "einsum of an ellipsis", .einsum, [.f32("b", 2, 3, 4), .f32(4, 5)], ["equation": "...ij,jk->...ik"], ["f32[b, 2, 3, 5]"]),
    .init("einsum with too many subscripts", .einsum, [.f32(2)], ["equation": "ij->i"], nil),
    .init("det", .det, [.f32("b", "n", "n")], [:], ["f32[b]"]),
    .init("integer matmul", .matmulInteger, [.of(.tensor(.uint8, ["m", 4])), .of(.tensor(.int8, [4, 5]))], [:], ["i32[m, 5]"]),
  ]

  static let reductions: [RuleCase] = [
    .init("sum", .reduceSum, [.f32("b", "s", 3), .ints(-1)], [:], ["f32[b, s, 1]"]),
    .init("sum without the axis", .reduceSum, [.f32("b", "s", 3), .ints(1, 2)], ["keepdims": false], ["f32[b]"]),
    .init("sum of all", .reduceMean, [.f32("b", "s")], ["keepdims": false], ["f32[]"]),
    .init("no axes, none", .reduceMax, [.f32("b")], ["noop_with_empty_axes": true], ["f32[b]"]),
    .init("unknown axes", .reduceSum, [.f32("b", "s", 3), .open(2)], ["keepdims": false], ["f32[?]"]),
    .init("how many axes is unknown", .reduceSum, [.f32("b", "s"), .open("r")], ["keepdims": false], ["f32[*]"]),
    .init("an axis twice", .reduceSum, [.f32("b", "s"), .ints(0, -2)], [:], nil),
    .init("argmax", .argmax, [.f32("b", 10)], ["axis": -1, "keepdims": false], ["i64[b]"]),
    .init("cumsum beyond the rank", .cumsum, [.f32("b"), .int(1)], [:], nil),
  ]

  static let normalizations: [RuleCase] = [
    .init(
      "layer", .layerNormalization, [.f32("b", "s", 64), .f32(64), .f32(64)], [:],
      ["f32[b, s, 64]", "f32[b, s, 1]", "f32[b, s, 1]"]),
    .init("a scale that does not fit", .layerNormalization, [.f32("b", 64), .f32(32)], [:], nil),
    .init(
      "batch", .batchNormalization, [.f32("b", "c", 7, 7), .f32(64), .f32(64), .f32(64), .f32(64)], [:], ["f32[b, c, 7, 7]"]),
    .init("batch of other channels", .batchNormalization, [.f32("b", 3), .f32(4), .f32(4), .f32(4), .f32(4)], [:], nil),
    .init("groups that do not divide", .groupNormalization, [.f32("b", 4, 2), .f32(4), .f32(4)], ["num_groups": 3], nil),
    .init(
      "attention with a cache", .attention,
      [.f32("b", 1, 768), .f32("b", 1, 768), .f32("b", 1, 768), .none, .f32("b", 12, "past", 64), .f32("b", 12, "past", 64)],
      ["q_num_heads": 12, "kv_num_heads": 12],
      ["f32[b, 1, 768]", "f32[b, 12, past + 1, 64]", "f32[b, 12, past + 1, 64]", "f32[b, 12, 1, past + 1]"]),
    .init("attention without heads", .attention, [.f32(1, 2, 8), .f32(1, 2, 8), .f32(1, 2, 8)], [:], nil),
    .init(
      "rotation", .rotaryEmbedding, [.f32("b", "s", 64), .f32("p", 8), .f32("p", 8), .of(.tensor(.int64, ["b", "s"]))],
      ["num_heads": 4], ["f32[b, s, 64]"]),
    .init("dropout", .dropout, [.f32("b", 2)], [:], ["f32[b, 2]", "bool[b, 2]"]),
    .init("random", .randomNormal, [], ["shape": .ints([2, 3]), "dtype": .elementType(.float16)], ["f16[2, 3]"]),
    .init("bernoulli", .bernoulli, [.f32("b")], ["dtype": .elementType(.bool)], ["bool[b]"]),
    .init("multinomial", .multinomial, [.f32("b", 10)], ["sample_size": 3], ["i32[b, 3]"]),
    .init("quantize", .quantizeLinear, [.f32("b", 8), .f32(8), .of(.tensor(.int8, [8]))], [:], ["i8[b, 8]"]),
    .init("quantize by too many scales", .quantizeLinear, [.f32("b", 8), .f32(7)], [:], nil),
    .init("dequantize", .dequantizeLinear, [.of(.tensor(.int4, ["b", 8])), .of(.tensor(.float16, []))], [:], ["f16[b, 8]"]),
  ]

  @Test(arguments: elementwise + products + reductions + normalizations) func gives(_ example: RuleCase) throws {
    try example.check()
  }

  /// Integers computed from sizes are known: what a reshape to them gives shows it.
  @Test func sizesAreFollowed() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, ["b", "s", 768]))
    let shape = try graph.call(.shape, [.value(x)])
    let product = try graph.call(.reduceProd, [.value(shape)])
    // The product of all over what is to be the last dimension, and where a wildcard stands, that.
    let rows = try graph.call(.div, [.value(product), .literal(768)])
    let target = graph.addConstant(Tensor(vector: [-1, 768]))
    let isWildcard = try graph.call(.equal, [.parameter(target), .literal(-1)])
    let sizes = try graph.call(.where_, [.value(isWildcard), .value(rows), .parameter(target)])
    let doubled = try graph.call(.mul, [.value(sizes), .parameter(graph.addConstant(Tensor(vector: [1, 1])))])
    let result = try graph.call(.expand, [.literal(1.0), .value(doubled)])
    try ShapeInference().run(&graph)
    #expect(try graph.type(of: result).description == "f32[b*s, 768]")
  }

  /// Numbers that the run wraps are not followed.
  @Test func overflowIsLeftToTheRun() throws {
    var graph = Graph()
    let a = graph.addConstant(Tensor(vector: [Int.max]))
    let sum = try graph.call(.add, [.parameter(a), .literal(1)])
    let result = try graph.call(.constantOfShape, [.value(sum)])
    try ShapeInference().run(&graph)
    #expect(try graph.type(of: result).shape?[0].size == nil)
  }
}
