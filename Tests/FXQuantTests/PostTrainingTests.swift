import FXCore
import FXPasses
import FXQuant
import FXRuntime
import FXTestSupport
import Testing

@Suite struct PostTrainingTests {
  static let backend = CPUBackend()

  @Test func residualNetworkIsQuantizedWhole() throws {
    let graph = try QuantModels.residual()
    let samples = try QuantModels.samples(graph, count: 4)
    let model = try StaticQuantization(executor: Self.backend).quantize(graph, samples: samples)
    try model.graph.verify(.typed)
    // Three convolutions, the linear layer; the sum, the concatenation and both poolings between them.
    let ops = try model.plan.nodes.map { try model.original[$0.node].op.description }.sorted()
    #expect(
      ops == ["add", "concat", "conv", "conv", "conv", "flatten", "global_average_pool", "linear", "max_pool"])
    #expect(model.graph.nodes(calling: .batchNormalization).isEmpty)
    // Weights are bytes, biases 32-bit integers.
    let types = try model.graph.parameterIDs.map { try model.graph[$0].type.elementType }
    #expect(types.count { $0 == .int8 } == 8 && types.count { $0 == .int32 } >= 4)
    // What moves numbers has one scale before and after.
    let pool = try #require(model.graph.nodes(calling: .maxPool).first)
    let concat = try #require(model.graph.nodes(calling: .concat).first)
    let shared = try [model.original[concat].operands[0], model.original[concat].operands[1], model.original[pool].operands[0]]
      .compactMap(\.value).map { model.activationParams[$0] }
    #expect(Set(shared).count == 1 && shared.count == 3)
    #expect(try QuantModels.decibels(graph, model.graph, samples) > 25)
  }

  static let schemes: [(String, CPUQuantizer, Double)] = [
    ("per tensor", CPUQuantizer(isPerChannel: false), 25),
    (
      "symmetric bytes",
      CPUQuantizer(activation: QuantizationSpec(.int8, .symmetric, observer: .meanSquaredError)), 25
    ),
    (
      "asymmetric weights",
      CPUQuantizer(weight: QuantizationSpec(.uint8, .asymmetric)), 25
    ),
    ("16-bit activations", CPUQuantizer(activation: QuantizationSpec(.int16, .symmetric)), 35),
    ("unsigned 16-bit activations", CPUQuantizer(activation: QuantizationSpec(.uint16, .asymmetric)), 35),
    ("4-bit weights", CPUQuantizer(weight: QuantizationSpec(.int4, .symmetric, observer: .meanSquaredError)), 8),
    (
      "percentile", CPUQuantizer(activation: QuantizationSpec(.uint8, .asymmetric, observer: .percentile(0.9999))), 20
    ),
    ("entropy", CPUQuantizer(activation: QuantizationSpec(.uint8, .asymmetric, observer: .entropy)), 10),
  ]

  @Test(arguments: 0..<8) func schemesKeepTheirSignal(index: Int) throws {
    let (name, quantizer, decibels) = Self.schemes[index]
    for graph in try [QuantModels.residual(), QuantModels.attention()] {
      let samples = try QuantModels.samples(graph, count: 3)
      let model = try StaticQuantization(quantizer: quantizer, executor: Self.backend).quantize(graph, samples: samples)
      try model.graph.verify(.typed)
      let found = try QuantModels.decibels(graph, model.graph, samples)
      #expect(found > decibels, "\(name): \(found)")
    }
  }

  /// Integer operators compute what the pairs around them say, to one quantum of the last requantization.
  @Test func integerOperatorsAgree() throws {
    for graph in try [QuantModels.residual(), QuantModels.attention()] {
      let samples = try QuantModels.samples(graph, count: 3)
      var quantization = StaticQuantization(executor: Self.backend)
      let pairs = try quantization.quantize(graph, samples: samples)
      quantization.format = .qoperator
      let integers = try quantization.quantize(graph, samples: samples)
      try integers.graph.verify(.typed)
      #expect(integers.graph.nodes(calling: .conv).isEmpty && integers.graph.nodes(calling: .linear).isEmpty)
      #expect(try QuantModels.decibels(pairs.graph, integers.graph, samples) > 40)
    }
  }

  @Test func reportNamesLayersAndReasons() throws {
    let graph = try QuantModels.attention()
    let samples = try QuantModels.samples(graph, count: 2)
    let quantizer = CPUQuantizer(excluded: [])
    let all = try StaticQuantization(quantizer: quantizer, executor: Self.backend).quantize(graph, samples: samples)
    let layer = try #require(all.plan.nodes.first { (try? all.original[$0.node].op) == .linear })
    let name = all.original.name(of: layer.node)
    var excluding = quantizer
    excluding.excluded = [name]
    let model = try StaticQuantization(quantizer: excluding, executor: Self.backend).quantize(graph, samples: samples)
    let report = try model.report(on: samples)
    #expect(report.kept.map(\.name) == [name] && report.kept.map(\.reason) == ["excluded by name"])
    #expect(report.layers.count == model.plan.nodes.count)
    for layer in report.layers where layer.op == "linear" || layer.op == "matmul" {
      #expect(layer.own.decibels > 20 && layer.own.decibels < 70, "\(layer.name)")
      #expect(layer.accumulated.decibels <= layer.own.decibels + 6, "\(layer.name)")
    }
    #expect(report.quantizedBytes < report.originalBytes)
    let text = report.description
    #expect(text.contains("not quantized: '\(name)' (linear): excluded by name"))
    #expect(text.hasPrefix("layer") && text.contains("parameters: \(report.originalBytes) → "))
  }

  @Test func annotationsAreFollowed() throws {
    var graph = try QuantModels.residual()
    let convolutions = graph.bodyNodes.filter { (try? graph[$0].op) == .conv }
    try graph.annotate(QuantizationAnnotation(convolutions[1], quantizesWeights: false))
    let relu = try #require(graph.bodyNodes.first { (try? graph[$0].op) == .relu })
    let params = try QuantizationParams(.uint8, scales: [0.125], zeroPoints: [0])
    try graph.annotate(QuantizationAnnotation(relu, params))
    let samples = try QuantModels.samples(graph, count: 2)
    let model = try StaticQuantization(executor: Self.backend).quantize(graph, samples: samples)
    #expect(model.plan.kept.map(\.reason) == ["annotated to keep its weights"])
    let reluResult = try model.original[
      model.original.nodes(calling: .relu).first { model.original.name(of: $0) == graph.name(of: relu) } ?? relu
    ].results[0]
    #expect(model.activationParams[reluResult] == params)
  }

  @Test func dynamicNeedsNoSamples() throws {
    let graph = try QuantModels.attention()
    let model = try DynamicQuantization(executor: Self.backend).quantize(graph)
    try model.graph.verify(.typed)
    #expect(model.graph.nodes(calling: .matmulInteger).count == 5 && model.graph.nodes(calling: .linear).isEmpty)
    // Query, key and value read one quantized value.
    #expect(model.graph.nodes(calling: .dynamicQuantizeLinear).count == 3)
    #expect(model.plan.kept.contains { $0.reason == "both operands are computed" })
    #expect(try QuantModels.decibels(graph, model.graph, QuantModels.samples(graph, count: 3)) > 25)
    #expect(throws: QuantizationError.option("dynamic quantization has 8-bit weights, not i4")) {
      try DynamicQuantization(weight: QuantizationSpec(.int4, .symmetric), executor: Self.backend).quantize(graph)
    }
  }

  @Test(arguments: [4, 8], QuantizationParams.Scheme.allCases) func weightsInBlocks(
    bits: Int, scheme: QuantizationParams.Scheme
  ) throws {
    let graph = try QuantModels.attention()
    let model = try WeightOnlyQuantization(bits: bits, blockSize: 16, scheme: scheme, executor: Self.backend).quantize(graph)
    try model.graph.verify(.typed)
    #expect(model.graph.nodes(calling: .matmulNBits).count == 5)
    let found = try QuantModels.decibels(graph, model.graph, QuantModels.samples(graph, count: 3))
    #expect(found > (bits == 4 ? 15 : 38), "\(found)")
    #expect(throws: QuantizationError.self) {
      try WeightOnlyQuantization(bits: 4, blockSize: 20, executor: Self.backend).quantize(graph)
    }
  }

  /// A table of rows that is also, transposed, the matrix of the last product: the product's copy is quantized.
  @Test func tiedWeights() throws {
    let graph = try Graph(
      text: """
        fx 1
        graph @main(%ids: i64[2]) {
          parameter @w: f32[3, 2] weight = [1.0, -0.5, 0.25, 0.125, -1.0, 0.75]
          %x: f32[2, 2] = gather(@w, %ids)
          %t: f32[2, 3] = transpose(@w) {perm = [1, 0]}
          %y: f32[2, 3] = matmul(%x, %t)
          return %y
        }
        """)
    let model = try WeightOnlyQuantization(bits: 8, blockSize: 16, executor: Self.backend).quantize(graph)
    let counts = [Operator.matmulNBits, .matmul, .linear, .transpose].map { model.graph.nodes(calling: $0).count }
    #expect(counts == [1, 0, 0, 0])
    let ids = RuntimeValue.tensor(Tensor(vector: [Int64(2), 0]))
    let expected = try #require(Self.backend.run(graph, inputs: [ids])[0].tensor)
    let actual = try #require(Self.backend.run(model.graph, inputs: [ids])[0].tensor)
    for (a, e) in zip(try actual.numbers().doubles, try expected.numbers().doubles) { #expect(abs(a - e) < 0.02) }
  }

  static let quantizations: [@Sendable (Graph) throws -> QuantizedModel] = [
    { try StaticQuantization(executor: backend).quantize($0, samples: QuantModels.samples($0, count: 1)) },
    { try DynamicQuantization(executor: backend).quantize($0) },
    { try WeightOnlyQuantization(scheme: .symmetric, executor: backend).quantize($0) },
    { try WeightOnlyQuantization(scheme: .asymmetric, executor: backend).quantize($0) },
  ]

  /// y = linear(x, w).
  static func layer(_ weights: Tensor) throws -> Graph {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, Shape([1, weights.shape[1]])))
    let y = try graph.call(.linear, [.value(x), .parameter(graph.addParameter("w", weights))], name: "y")
    try graph.addOutput(y, name: "y")
    return graph
  }

  @Test(arguments: quantizations.indices, [Float.nan, .infinity, -.infinity]) func weightsThatAreNotFiniteAreNamed(
    index: Int, number: Float
  ) throws {
    for place in [0, 3] {
      var weights: [Float] = [1, 2, 3, 4]
      weights[place] = number
      let graph = try Self.layer(Tensor([2, 2], weights))
      do {
        _ = try Self.quantizations[index](graph)
        Issue.record("nothing was thrown")
      } catch {
        #expect("\(error)" == "node 'y' (linear): its weights 'w' hold numbers that are NaN or infinite")
      }
    }
  }

  @Test(arguments: quantizations.indices) func weightsWithoutElementsStay(index: Int) throws {
    let model = try Self.quantizations[index](Self.layer(Tensor([0, 2], [Float]())))
    #expect(model.plan.kept.map(\.reason) == ["its weights have no elements"])
    #expect(model.graph.nodes(calling: .linear).count == 1)
  }

  @Test func plansThatDoNotFitAreRefused() throws {
    struct Wrong: Quantizer {
      let operands: @Sendable (Node) -> [Int: OperandQuantization]
      func annotate(_ graph: Graph) throws -> QuantizationPlan {
        QuantizationPlan(
          nodes: try graph.nodes(calling: .linear).prefix(1).map { NodeQuantization($0, operands: operands(try graph[$0])) })
      }
    }
    let graph = try Graph(
      text: """
        fx 1
        graph @main(%x: f32[1, 2]) {
          parameter @w: f32[2, 2] weight = [1.0, 2.0, 3.0, 4.0]
          %y = linear(%x, @w)
          return %y
        }
        """)
    let bytes = QuantizationSpec(.int8, .symmetric)
    let cases: [([Int: OperandQuantization], String)] = [
      ([7: .activation(bytes)], "node 'y' (linear): the plan quantizes operand 7, which is no float32 tensor of the node"),
      ([1: .activation(bytes)], "node 'y' (linear): the plan quantizes operand 1, which is no float32 tensor of the node"),
      ([0: .weight(bytes, axis: 0)], "node 'y' (linear): the plan quantizes operand 0 as weights, which are not known"),
      ([1: .weight(bytes, axis: 2)], "node 'y' (linear): the plan has scales along axis 2 of weights with 2 axes"),
      (
        [0: .activation(QuantizationSpec(.float16, .symmetric))],
        "node 'y' (linear): f16 is no integer type of 2 to 16 bits"
      ),
    ]
    for (operands, message) in cases {
      do {
        _ = try StaticQuantization(quantizer: Wrong { _ in operands }, executor: Self.backend)
          .quantize(graph, samples: QuantModels.samples(graph, count: 1))
        Issue.record("nothing was thrown: \(message)")
      } catch {
        #expect("\(error)" == message)
      }
    }
  }
}
