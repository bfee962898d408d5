import FXCore
import FXPasses
import FXQuant
import FXTestSupport
import Testing

@Suite struct QuantizationParamsTests {
  @Test func rangesAreCovered() throws {
    let u8 = try QuantizationParams(covering: [-1...3], as: .uint8, .asymmetric)
    #expect(u8.scale == 4 / 255 && u8.zeroPoint == 64 && u8.scheme == .asymmetric)
    let i8 = try QuantizationParams(covering: [-1...3], as: .int8, .symmetric)
    #expect(i8.scale == 3 / 127 && i8.zeroPoint == 0 && i8.scheme == .symmetric)
    let i16 = try QuantizationParams(covering: [-2...2], as: .int16, .symmetric)
    #expect(i16.scale == Float(2) / 32767)
    // 0 is always an integer, whatever the range; constants have a scale.
    #expect(try QuantizationParams(covering: [2...3], as: .uint8, .asymmetric).zeroPoint == 0)
    #expect(try QuantizationParams(covering: [0...0], as: .uint8, .asymmetric).scale == 1)
    #expect(try QuantizationParams(covering: [-5...(-5)], as: .uint8, .asymmetric).zeroPoint == 255)
    let four = try QuantizationParams(covering: [-7...7, 0...14], as: .int4, .symmetric, granularity: .perChannel(axis: 0))
    #expect(four.scales == [1, 2] && four.zeroPoints == [0, 0])
  }

  @Test func tutorialsParams() throws {
    let params = try QuantizationParams(bits: 8, scale: 0.1, zeroPoint: 128, scheme: .symmetric)
    #expect(params.elementType == .uint8 && params.scheme == .symmetric && params.bits == 8)
    #expect(try QuantizationParams(bits: 4, scale: 1).elementType == .int4)
    #expect(try QuantizationParams(bits: 8, scale: 1, zeroPoint: 3, scheme: .asymmetric).elementType == .uint8)
  }

  static let refused: [(@Sendable () throws -> QuantizationParams, String)] = [
    ({ try QuantizationParams(bits: 7, scale: 1) }, "7 bits: one of 2, 4, 8 and 16 was expected"),
    ({ try QuantizationParams(bits: 8, scale: 0) }, "the scale 0.0 is not positive and finite"),
    ({ try QuantizationParams(bits: 8, scale: .nan) }, "the scale nan is not positive and finite"),
    (
      { try QuantizationParams(bits: 8, scale: 1, zeroPoint: 5, scheme: .symmetric) },
      "the zero point 5 is not that of the symmetric scheme: 0, or 128 for unsigned integers"
    ),
    (
      { try QuantizationParams(bits: 8, scale: 1, zeroPoint: 256, scheme: .asymmetric) }, "the zero point 256 is no u8"
    ),
    ({ try QuantizationParams(.float32, scales: [1]) }, "f32 is no integer type of 2 to 16 bits"),
    ({ try QuantizationParams(.int8, scales: [1, 2]) }, "2 scales for a whole tensor, which has one"),
    ({ try QuantizationParams(.int8, scales: [1, 2], zeroPoints: [0]) }, "2 scales with 1 zero points"),
    ({ try QuantizationParams(.int8, scales: [1], granularity: .perChannel(axis: -1)) }, "the axis -1 is negative"),
    ({ try QuantizationParams(.int8, scales: [1], granularity: .perBlock(axis: 0, size: 0)) }, "blocks of 0 elements"),
    (
      { try QuantizationParams(covering: [-1...Float.infinity], as: .uint8, .asymmetric) }, "the range -1.0...inf is not finite"
    ),
    (
      {
        try QuantizationParams(covering: [0...1, -Float.infinity...0], as: .int8, .symmetric, granularity: .perChannel(axis: 0))
      },
      "the range -inf...0.0 is not finite"
    ),
  ]

  @Test(arguments: refused.indices) func wrongParamsAreRefused(index: Int) throws {
    let (make, message) = Self.refused[index]
    do {
      _ = try make()
      Issue.record("nothing was thrown")
    } catch {
      #expect("\(error)" == message)
    }
  }

  @Test func tensorsRoundTrip() throws {
    let x = try Tensor([2, 3], [-1, 0.26, 5, 10, -0.5, 0.1] as [Float])
    let perTensor = try QuantizationParams(.uint8, scales: [0.1], zeroPoints: [10])
    #expect(try perTensor.quantize(x).elements(UInt8.self) == [0, 13, 60, 110, 5, 11])
    let perRow = try QuantizationParams(.int8, scales: [0.1, 1], granularity: .perChannel(axis: 0))
    #expect(try perRow.quantize(x).elements(Int8.self) == [-10, 3, 50, 10, 0, 0])
    let blocks = try QuantizationParams(.int4, scales: [1, 2, 4, 8], granularity: .perBlock(axis: 1, size: 2))
    #expect(try blocks.dequantize(blocks.quantize(x)).elements(Float.self) == [-1, 0, 4, 8, 0, 0])
    #expect(throws: QuantizationError.params(.doesNotFit(scales: 2, [3, 3]))) {
      try perRow.quantize(Tensor(zeros: .float32, [3, 3]))
    }
  }

  @Test func annotationsSurvivePassesAndFormats() throws {
    var graph = try Graph(
      text: """
        fx 1
        graph @main(%x: f32[1, 2, 4, 4]) {
          parameter @w: f32[3, 2, 1, 1] weight = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
          parameter @s: f32[3] weight = [1.0, 2.0, 3.0]
          parameter @m: f32[3] buffer = [0.5, 0.5, 0.5]
          %node_3 = conv(%x, @w)
          %b = batch_normalization(%node_3, @s, @s, @m, @s)
          return %b
        }
        """)
    let convolution = try #require(graph.nodes(calling: .conv).first)
    let norm = try #require(graph.nodes(calling: .batchNormalization).first)
    let params = try QuantizationParams(.uint8, scales: [0.30000001], zeroPoints: [7])
    let rows = try QuantizationParams(
      .int8, scales: [0.1, 1e-9, 2], zeroPoints: [0, 0, 0], granularity: .perChannel(axis: 1))
    try graph.annotate(QuantizationAnnotation(convolution, params))
    try graph.annotate(QuantizationAnnotation(norm, rows, quantizesWeights: false))
    #expect(
      try graph.quantizationAnnotations() == [
        QuantizationAnnotation(convolution, params), QuantizationAnnotation(norm, rows, quantizesWeights: false),
      ])
    for copy in [try Graph(text: graph.text()), try Graph(json: graph.json()), try Graph(binary: graph.binary())] {
      let found = try copy.quantizationAnnotations()
      #expect(found.map(\.params) == [params, rows] && found.map(\.quantizesWeights) == [true, false])
      #expect(try found.map { try copy[$0.node].op } == [.conv, .batchNormalization])
    }
    try PassManager.defaultOptimizationPasses().run(&graph)
    let left = try graph.quantizationAnnotations()
    #expect(left.map(\.params) == [params])
    graph.removeQuantizationAnnotations()
    #expect(try graph.quantizationAnnotations().isEmpty)
    graph.metadata["fx.quantization.node_3"] = "weights u8 tensor 0 0"
    #expect(throws: QuantizationError.annotation(node: "node_3", text: "weights u8 tensor 0 0")) {
      try graph.quantizationAnnotations()
    }
  }
}
