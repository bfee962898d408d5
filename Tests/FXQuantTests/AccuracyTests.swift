import FXCore
import FXPasses
import FXQuant
import FXRuntime
import FXTestSupport
import FXTrace
import Testing

/// Each tool on a case that it is for.
@Suite struct AccuracyTests {
  static let backend = CPUBackend()

  static func linear(_ graph: inout Graph, _ x: ValueID, _ name: String, _ shape: [Int], _ weights: [Float]) throws -> ValueID {
    let weight = try graph.addParameter("\(name).weight", try Tensor(shape, weights))
    let bias = try graph.addParameter("\(name).bias", try Tensor(zeros: .float32, [shape[0]]))
    return try graph.call(.linear, [.value(x), .parameter(weight), .parameter(bias)])
  }

  static func random(_ count: Int, seed: UInt64, _ scale: (Int) -> Float = { _ in 1 }) -> [Float] {
    var random = RandomSource(seed: seed)
    return (0..<count).map { Float(random.double(in: -1...1)) * scale($0) }
  }

  /// Channels of very different size between two layers, and weights with one scale per tensor.
  static func unevenChannels() throws -> Graph {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, ["n", 8]))
    let sizes: [Float] = (0..<16).map { Float(1 << ($0 % 8)) / 16 }
    let hidden = try linear(&graph, x, "first", [16, 8], random(128, seed: 1) { sizes[$0 / 8] })
    let active = try graph.call(.relu, [.value(hidden)])
    let y = try linear(&graph, active, "second", [4, 16], random(64, seed: 2) { 1 / sizes[$0 % 16] })
    try graph.addOutput(y, name: "y")
    try ShapeInferencePass().apply(to: &graph)
    return graph
  }

  @Test func crossLayerEqualization() throws {
    let graph = try Self.unevenChannels()
    let samples = try QuantModels.samples(graph, count: 8)
    var equalized = graph
    let outcome = try CrossLayerEqualization().apply(to: &equalized)
    #expect(outcome.changes == 1)
    #expect(try QuantModels.decibels(graph, equalized, samples) > 110)
    #expect(try CrossLayerEqualization().apply(to: &equalized).changes == 0)
    var quantization = StaticQuantization(quantizer: CPUQuantizer(isPerChannel: false), executor: Self.backend)
    let before = try QuantModels.decibels(graph, quantization.quantize(graph, samples: samples).graph, samples)
    quantization.preparations = [CrossLayerEqualization()]
    let after = try QuantModels.decibels(graph, quantization.quantize(graph, samples: samples).graph, samples)
    #expect(after > before + 6, "\(before) → \(after)")
  }

  /// Depthwise convolutions have one kernel per channel on both sides.
  @Test func equalizationKeepsConvolutions() throws {
    struct Separable: Module {
      let first = Conv2d(3, 8, kernel: 1)
      let depthwise = Conv2d(8, 8, kernel: 3, padding: 1, groups: 8)
      let last = Conv2d(8, 4, kernel: 1)
      func forward(_ x: SymbolicTensor) -> SymbolicTensor { last(relu(depthwise(relu(first(x))))) }
    }
    var graph = try trace(Separable(), .tensor(.float32, ["n", 3, 6, 6]))
    try graph.initializeParameters(seed: 4)
    var equalized = graph
    #expect(try CrossLayerEqualization().apply(to: &equalized).changes == 2)
    #expect(try QuantModels.decibels(graph, equalized, QuantModels.samples(graph, count: 2)) > 110)
  }

  /// Rounding that all errs to one side moves a layer's mean.
  @Test func biasCorrection() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, ["n", 16]))
    // One large weight makes a coarse grid, on which all others round down.
    let weights = (0..<64).map { $0 % 16 == 0 ? Float(7) : 0.4 }
    let y = try Self.linear(&graph, x, "layer", [4, 16], weights)
    try graph.addOutput(y, name: "y")
    try ShapeInferencePass().apply(to: &graph)
    var random = RandomSource(seed: 5)
    let samples = try (0..<4).map { _ in
      [try Tensor([4, 16], (0..<64).map { _ in Float(random.double(in: 0.5...1)) })]
    }
    var quantization = StaticQuantization(
      quantizer: CPUQuantizer(weight: QuantizationSpec(.int4, .symmetric), isPerChannel: false), executor: Self.backend)
    let before = try QuantModels.decibels(graph, quantization.quantize(graph, samples: samples).graph, samples)
    quantization.correctsBias = true
    let after = try QuantModels.decibels(graph, quantization.quantize(graph, samples: samples).graph, samples)
    #expect(after > before + 6, "\(before) → \(after)")
  }

  /// A sum that overflows on a sample has no mean that a bias could be moved by.
  @Test func biasesOfResultsThatAreNotFiniteStay() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, ["n", 2]))
    try graph.addOutput(Self.linear(&graph, x, "layer", [1, 2], [7, 0.4]), name: "y")
    try ShapeInferencePass().apply(to: &graph)
    let samples = [[try Tensor([2, 2], [1e38, 2e38, 3e38, 1e38] as [Float])]]
    var quantization = StaticQuantization(executor: Self.backend)
    let kept = try quantization.quantize(graph, samples: samples)
    quantization.correctsBias = true
    #expect(try quantization.quantize(graph, samples: samples).graph.text() == kept.graph.text())
  }

  /// Activations with channels a hundred times as large as the others, as language models have them.
  static func outlierChannels() throws -> (Graph, [[Tensor]]) {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, ["n", 32]))
    let weight = try graph.addParameter("norm.weight", try Tensor([32], (0..<32).map { $0 % 16 == 3 ? Float(80) : 1 }))
    let bias = try graph.addParameter("norm.bias", try Tensor(zeros: .float32, [32]))
    let norm = try graph.append(
      .layerNormalization, [.value(x), .parameter(weight), .parameter(bias)], results: [.unknown])
    let y = try linear(&graph, graph[norm].results[0], "layer", [8, 32], random(256, seed: 7) { $0 % 16 == 3 ? 0.02 : 1 })
    let z = try linear(&graph, graph[norm].results[0], "other", [8, 32], random(256, seed: 8) { $0 % 16 == 3 ? 0.02 : 1 })
    try graph.addOutput(y, name: "y")
    try graph.addOutput(z, name: "z")
    try ShapeInferencePass().apply(to: &graph)
    return (graph, try QuantModels.samples(graph, count: 8))
  }

  @Test func smoothQuant() throws {
    let (graph, samples) = try Self.outlierChannels()
    let smooth = SmoothQuant(alpha: 0.5, samples: samples, executor: Self.backend)
    var smoothed = graph
    #expect(try smooth.apply(to: &smoothed).changes == 1)
    // The division went into the normalization.
    #expect(smoothed.nodes(calling: .mul).isEmpty && smoothed.nodeCount == graph.nodeCount)
    #expect(try QuantModels.decibels(graph, smoothed, samples) > 100)
    let quantizer = CPUQuantizer(
      activation: QuantizationSpec(.uint8, .asymmetric), weight: QuantizationSpec(.int8, .symmetric))
    var quantization = StaticQuantization(quantizer: quantizer, executor: Self.backend)
    let before = try QuantModels.decibels(graph, quantization.quantize(graph, samples: samples).graph, samples)
    quantization.preparations = [smooth]
    let after = try QuantModels.decibels(graph, quantization.quantize(graph, samples: samples).graph, samples)
    #expect(after > before + 6, "\(before) → \(after)")
  }

  /// Without a normalization before the product, a multiplication is added.
  @Test func smoothingWithoutNormalization() throws {
    let graph = try Self.unevenChannels()
    let samples = try QuantModels.samples(graph, count: 2)
    var smoothed = graph
    #expect(try SmoothQuant(alpha: 0.5, samples: samples, executor: Self.backend).apply(to: &smoothed).changes == 2)
    #expect(smoothed.nodes(calling: .mul).count == 2)
    try smoothed.verify(.typed)
    #expect(try QuantModels.decibels(graph, smoothed, samples) > 100)
  }

  /// Inputs that hang together: what one weight's rounding is off, others make up for.
  @Test func gptq() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, ["n", 64]))
    try graph.addOutput(Self.linear(&graph, x, "layer", [16, 64], Self.random(1024, seed: 9)), name: "y")
    try ShapeInferencePass().apply(to: &graph)
    var random = RandomSource(seed: 10)
    let mixing = Self.random(64 * 8, seed: 11)
    let samples: [[Tensor]] = try (0..<8).map { _ in
      let rows = (0..<16).flatMap { _ in
        let hidden = (0..<8).map { _ in Float(random.double(in: -1...1)) }
        return (0..<64).map { column in
          (0..<8).reduce(Float(random.double(in: -0.1...0.1))) { $0 + hidden[$1] * mixing[column * 8 + $1] }
        }
      }
      return [try Tensor([16, 64], rows)]
    }
    var quantization = WeightOnlyQuantization(executor: Self.backend)
    let before = try QuantModels.decibels(graph, quantization.quantize(graph).graph, samples)
    quantization.gptq = GPTQ()
    let after = try QuantModels.decibels(graph, quantization.quantize(graph, samples: samples).graph, samples)
    #expect(after > before + 6, "\(before) → \(after)")
    #expect(throws: QuantizationError.calibration(.noSamples(inputs: ["x"]))) { try quantization.quantize(graph) }
  }

  /// What rounding is off may be more than a number of 32 bits can make up for.
  @Test func gptqOfHugeWeights() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, ["n", 32]))
    try graph.addOutput(Self.linear(&graph, x, "layer", [8, 32], Self.random(256, seed: 13) { _ in 1e38 }), name: "y")
    try ShapeInferencePass().apply(to: &graph)
    let small = Self.random(64 * 16, seed: 14)
    let rows = (0..<64).flatMap { row in
      let part = small[row * 16..<(row + 1) * 16]
      return part.map { $0 * 100 } + part
    }
    let quantization = WeightOnlyQuantization(
      blockSize: 16, scheme: .asymmetric, gptq: GPTQ(damping: 1e-6), executor: Self.backend)
    let model = try quantization.quantize(graph, samples: [[Tensor([64, 32], rows)]])
    let product = try #require(model.graph.nodes(calling: .matmulNBits).first)
    let scales = try #require(model.graph.tensor(of: model.graph[product].operands[2]))
    #expect(try scales.elements(Float.self).allSatisfy(\.isFinite))
  }

  /// One layer with weights that 4 bits ruin, behind one that they do not.
  @Test func mixedPrecision() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, ["n", 16]))
    let good = try Self.linear(&graph, x, "good", [16, 16], (0..<256).map { $0 / 16 == $0 % 16 ? 1 : 0 })
    let uneven = Self.random(16 * 16, seed: 12) { $0 % 16 == 0 ? 50 : 0.5 }
    let bad = try Self.linear(&graph, good, "bad", [16, 16], uneven)
    let last = try Self.linear(&graph, bad, "last", [16, 16], (0..<256).map { $0 / 16 == $0 % 16 ? 1 : 0 })
    try graph.addOutput(last, name: "y")
    try ShapeInferencePass().apply(to: &graph)
    // What the large column reads is small.
    let samples = try (0..<4).map { index in
      [try Tensor([4, 16], Self.random(64, seed: 20 + UInt64(index)) { $0 % 16 == 0 ? 0.01 : 1 })]
    }
    let quantizer = CPUQuantizer(
      activation: QuantizationSpec(.uint8, .asymmetric), weight: QuantizationSpec(.int4, .symmetric))
    let exact = graph
    let mixed = MixedPrecision(
      StaticQuantization(quantizer: quantizer, executor: Self.backend), maximumDrop: 200
    ) { candidate in
      // A drop is one of decibels, 200 standing for no error.
      let decibels = try QuantModels.decibels(exact, candidate, samples)
      return decibels.isFinite ? decibels * 10 : 2000
    }
    var strict = mixed
    strict.maximumDrop = 1800
    let result = try strict.quantize(graph, samples: samples)
    #expect(result.full < 200 && result.final >= 200)
    let culprit = try #require(try graph.producer(of: bad))
    #expect(result.kept == [graph.name(of: culprit)])
    #expect(result.model.plan.kept.map(\.reason) == ["it would cost more accuracy than the budget allows"])
    strict.maximumDrop = 2000
    #expect(try strict.quantize(graph, samples: samples).kept.isEmpty)
  }
}
