import FXCore
import FXPasses
import FXQuant
import FXRuntime
import FXTestSupport
import Foundation
import Testing

@Suite(.serialized) struct QuantizationAwareTrainingTests {
  @Test func fakeQuantizationsAreInserted() throws {
    var graph = try QuantModels.residual()
    let before = graph.nodeCount
    let plan = try QATUtils.prepareQAT(&graph)
    try graph.verify(.typed)
    #expect(graph.nodeCount > before && graph.nodes(calling: .batchNormalization).isEmpty)
    // Four layers with weights, and the values that the plan's nodes read.
    let values = try plan.observedValues(of: graph).count
    #expect(graph.nodes(calling: .quantizeLinear).count >= 4 + values - 2)
    #expect(graph.nodes(calling: .quantizeLinear).count == graph.nodes(calling: .dequantizeLinear).count)
    let again = try QATUtils.convertToQuantized(graph)
    try again.verify(.typed)
    #expect(again.nodes(calling: .quantizeLinear).count == graph.nodes(calling: .quantizeLinear).count - 4)
    #expect(again.nodes(calling: .exp).isEmpty)
  }

  /// Weights to which nothing is bound can be prepared and converted.
  @Test func unboundWeights() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, [1, 4]))
    let weight = try graph.addParameter("w", unbound: TensorType(.float32, [3, 4]))
    try graph.addOutput(graph.call(.linear, [.value(x), .parameter(weight)]), name: "y")
    try QATUtils.prepareQAT(&graph)
    let converted = try QATUtils.convertToQuantized(graph)
    #expect(converted.nodes(calling: .quantizeLinear).count == 2)
    try converted.verify(.typed)
  }

  /// The slope is 1 inside the range and 0 outside; a scale's is round(x ÷ s) − x ÷ s inside, and the limit outside.
  @Test func gradientsGoStraightThrough() throws {
    var graph = try Graph(
      text: """
        fx 1
        graph @main(%x: f32[5]) {
          parameter @s: f32[] weight = [0.5]
          parameter @z: i8[] constant = [0]
          %q: i8[5] = quantize_linear(%x, @s, @z)
          %y: f32[5] = dequantize_linear(%q, @s, @z)
          %sum: f32[] = reduce_sum(%y) {keepdims = false}
          return %sum
        }
        """)
    let exact = try CPUBackend().run(graph, Tensor(vector: [0.3, -0.6, 100, -100, 0.75] as [Float]))
    try FakeQuantizationPass().apply(to: &graph)
    #expect(graph.nodes(calling: .quantizeLinear).isEmpty)
    let gradients = try graph.gradient(of: "sum", wrt: ["x", "s"], by: .straightThrough)
    let results = try CPUBackend().run(gradients, Tensor(vector: [0.3, -0.6, 100, -100, 0.75] as [Float]))
    #expect(results[0] == exact[0])
    #expect(try results[1].elements(Float.self) == [1, 1, 0, 0, 1])
    // (1 − 0.6) + (−1 + 1.2) + 127 − 128 + (2 − 1.5)
    #expect(abs(try results[2].elements(Float.self)[0] - 0.1) < 1e-5)
  }

  /// Arithmetic that gradients go through computes what the pair of calls does, per channel too.
  @Test func fakeQuantizationIsExact() throws {
    var graph = try QuantModels.residual()
    let samples = try QuantModels.samples(graph, count: 2)
    try QATUtils.prepareQAT(&graph, samples: samples, executor: CPUBackend())
    var written = graph
    let outcome = try FakeQuantizationPass().apply(to: &written)
    #expect(outcome.declined.isEmpty && written.nodes(calling: .dequantizeLinear).isEmpty)
    try written.verify(.typed)
    #expect(try QuantModels.decibels(graph, written, samples) > 90)
  }

  @Test func convertedAgreesWithPrepared() throws {
    let experiment = try DigitsExperiment()
    var graph = try experiment.graph(.convolutional, seed: 3)
    try QATUtils.prepareQAT(&graph, samples: experiment.samples(), executor: experiment.backend)
    let converted = try QATUtils.convertToQuantized(graph)
    #expect(try converted.parameterIDs.contains { try converted[$0].type.elementType == .int8 })
    // Every activation's integers.
    let calls = converted.nodes(calling: .quantizeLinear).sorted { converted.name(of: $0) < converted.name(of: $1) }
    #expect(calls.count == 9)
    let test = 0..<64
    let runs = try [graph, converted].map { graph in
      var graph = graph
      try graph.setResults(of: graph.body, calls.map { .value(try graph[$0].results[0]) })
      return try experiment.backend.run(graph, experiment.pixels(test), experiment.targets(test))
    }
    for (a, b) in zip(runs[0], runs[1]) {
      let (x, y) = (try a.elements(UInt8.self), try b.elements(UInt8.self))
      #expect(zip(x, y).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
      #expect(zip(x, y).count { $0 == $1 } > x.count * 99 / 100)
    }
    let (a, b) = (try experiment.scores(graph).elements(Float.self), try experiment.scores(converted).elements(Float.self))
    // A quantum of scores that were quantized too.
    let quantum = ((a.max() ?? 0) - (a.min() ?? 0)) / 255
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < quantum })
  }

  /// One seed of what `make quantization` does with five.
  @Test func trainingRecoversWhatFewBitsLose() throws {
    let result = try DigitsExperiment().result(.convolutional, seed: 1, epochs: 6, tuning: 3)
    #expect(result.float > 94)
    #expect(result.float - result.eightBits < 1)
    #expect(result.fourBits < result.float - 1)
    #expect(result.fourBitsTrained - result.fourBits >= (result.float - result.fourBits) / 2, "\(result)")
  }

  /// The table of docs/Quantization.md.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["FX_QUANTIZATION"] != nil, "`make quantization` writes it"))
  func table() throws {
    let experiment = try DigitsExperiment()
    var lines = [
      "| network | seed | float32 | int8 | 4 bits | 4 bits, trained | recovered |", "|---|---|---|---|---|---|---|",
    ]
    func percent(_ x: Double) -> String { String(format: "%.2f", x) }
    for network in DigitsExperiment.Network.allCases {
      var results: [DigitsExperiment.Result] = []
      for seed in 1...5 {
        let result = try experiment.result(network, seed: UInt64(seed), epochs: 10, tuning: 6)
        results.append(result)
        #expect(result.float - result.eightBits < 1, "\(network) \(seed)")
        lines.append(
          "| \(network.rawValue) | \(seed) | \(percent(result.float)) | \(percent(result.eightBits)) | "
            + "\(percent(result.fourBits)) | \(percent(result.fourBitsTrained)) | |")
        print(lines.last ?? "")
      }
      func mean(_ part: (DigitsExperiment.Result) -> Double) -> Double { results.map(part).reduce(0, +) / Double(results.count) }
      let (float, four, trained) = (mean(\.float), mean(\.fourBits), mean(\.fourBitsTrained))
      let share = (trained - four) / (float - four)
      #expect(share >= 0.5, "\(network)")
      lines.append(
        "| \(network.rawValue) | mean | \(percent(float)) | \(percent(mean(\.eightBits))) | \(percent(four)) | "
          + "\(percent(trained)) | \(String(format: "%.0f", 100 * share)) % |")
      print(lines.last ?? "")
    }
    guard ProcessInfo.processInfo.environment["FX_WRITE_DOCS"] != nil else { return }
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../docs/Quantization.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    let parts = text.components(separatedBy: "<!-- table -->\n")
    try #require(parts.count == 3)
    let new = [parts[0], lines.joined(separator: "\n") + "\n", parts[2]].joined(separator: "<!-- table -->\n")
    try new.write(to: page, atomically: true, encoding: .utf8)
  }
}
