import FXCore
import FXPasses
import FXQuant
import FXRuntime
import FXTestSupport
import FXTrace
import Testing

/// `docs/Quantization.md`: its programs, run.
@Suite struct QuantizationPageTests {
  @Test func everyBlockStandsHere() throws { try expectProgramsOfPage("docs/Quantization.md", in: [#filePath]) }

  private func model() throws -> (Graph, [[Tensor]]) {
    let (graph, x) = try QuantizedModelTests.network()
    return (graph, [[x]])
  }

  @Test func afterTraining() throws {
    let (model, samples) = try model()

    let quantization = StaticQuantization(quantizer: CPUQuantizer(), executor: CPUBackend())
    let quantized = try quantization.quantize(model, samples: samples)
    let report = try quantized.report(on: samples)
    print(report)

    #expect(report.outputs[0].ratio.decibels > 25)

    let dynamic = try DynamicQuantization(executor: CPUBackend()).quantize(model)
    let blocks = try WeightOnlyQuantization(bits: 4, blockSize: 32, executor: CPUBackend()).quantize(model)

    #expect(dynamic.graph.nodes(calling: .matmulInteger).count == 1)
    #expect(blocks.graph.nodes(calling: .matmulNBits).count == 1)
  }

  /// Convolutions alone, with 4-bit weights.
  struct ConvolutionQuantizer: Quantizer {
    func annotate(_ graph: Graph) throws -> QuantizationPlan {
      var quantizer = CPUQuantizer()
      quantizer.weight = QuantizationSpec(.int4, .symmetric, observer: .meanSquaredError)
      return try quantizer.annotate(graph).excluding("this engine has convolutions only") { node in
        (try? graph[node].op) != .conv
      }
    }
  }

  @Test func ownQuantizer() throws {
    let (model, samples) = try model()
    let quantized = try StaticQuantization(quantizer: ConvolutionQuantizer(), executor: CPUBackend())
      .quantize(model, samples: samples)
    #expect(quantized.plan.nodes.count == 3)
    #expect(quantized.plan.kept.contains { $0.reason == "this engine has convolutions only" })
  }

  @Test func accuracyTools() throws {
    let (model, samples) = try model()
    let exact = try CPUBackend().run(model, samples[0][0])[0]
    @Sendable func accuracy(_ graph: Graph) throws -> Double {
      var ratio = SignalToNoise()
      try ratio.add(exact, CPUBackend().run(graph, samples[0][0])[0])
      return min(ratio.decibels, 30)
    }

    var careful = StaticQuantization(executor: CPUBackend())
    careful.preparations = [CrossLayerEqualization(), SmoothQuant(samples: samples, executor: CPUBackend())]
    careful.correctsBias = true
    let mixed = try MixedPrecision(careful, maximumDrop: 1) { candidate in
      try accuracy(candidate)
    }.quantize(model, samples: samples)
    print(mixed.kept)

    #expect(mixed.final >= 29)
  }

  @Test func training() throws {
    var options = TraceOptions()
    options.outputNames = ["scores", "loss"]
    let inputs: [TraceInput] = [
      .tensor(.float32, [2, 3, 8, 8], name: "images"), .tensor(.float32, [2, 10], name: "targets"),
    ]
    var network = try trace(QuantizedModelTests.Network(), inputs, options: options) { network, x in
      let scores = network(x[0])
      return [scores, mean(sum(logSoftmax(scores) * x[1], axes: [1])) * -1.0]
    }
    try network.initializeParameters(seed: 1)
    let targets = try Tensor([2, 10], (0..<20).map { Float($0 % 11 == 0 ? 1 : 0) })
    let batches = Array(repeating: [try QuantizedModelTests.input([2, 3, 8, 8]), targets], count: 20)
    let before = try CPUBackend().run(network, batches[0][0], batches[0][1])[1].elements(Float.self)[0]

    try QATUtils.prepareQAT(&network, samples: batches, executor: CPUBackend())
    let step = try QATUtils.trainingStep(network, loss: "loss", optimizer: Adam(learningRate: 1e-3))
    var trainer = try Trainer(step, on: CPUBackend())
    for batch in batches { try trainer.train(batch[0], batch[1]) }
    try trainer.apply(to: &network)
    let integers = try QATUtils.convertToQuantized(network)

    let after = try CPUBackend().run(integers, batches[0][0], batches[0][1])[1].elements(Float.self)[0]
    #expect(after < before)
  }
}
