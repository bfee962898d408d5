import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import Foundation
import Testing

/// The same networks in the forms of every operator set, which `scripts/make-opset-cases.py` wrote, give the same results.
@Suite struct OpsetCaseTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases/opsets").path
  static let cases = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()
  static let networks = ["assorted", "cnn", "rnn", "transformer"]

  /// How a model is run.
  enum Mode: CaseIterable { case run, reference, optimized, roundtrip }

  @Test func everyOperatorSetIsThere() {
    for network in Self.networks {
      let names = (1...28).map { $0 < 10 ? "\(network)_0\($0)" : "\(network)_\($0)" } + ["\(network)_ir1"]
      #expect(Self.cases.filter { $0.hasPrefix(network) } == names)
    }
  }

  @Test(arguments: networks, Mode.allCases) func allOperatorSetsAgree(_ network: String, _ mode: Mode) throws {
    var first: [[Double]]?
    for name in Self.cases where name.hasPrefix(network) {
      let results = try Self.results(name, mode)
      // They agree with ONNX Runtime's results...
      let expected = try results.indices.map { index in
        try #require(try OnnxValues.read(path: "\(Self.root)/\(name)/test_data_set_0/output_\(index).pb", as: .unknown).tensor)
      }
      #expect(results.map(\.type) == expected.map(\.type), "\(name)")
      try #require(results.count == expected.count)
      let numbers = try results.map { try $0.numbers().doubles }
      Self.compare(numbers, try expected.map { try $0.numbers().doubles }, atol: 1e-5, name)
      // ... and more closely with one another.
      if let first { Self.compare(numbers, first, atol: 2e-6, "\(name) and the first") } else { first = numbers }
    }
  }

  private static func results(_ name: String, _ mode: Mode) throws -> [Tensor] {
    var graph = try OnnxImporter().graph(path: "\(root)/\(name)/model.onnx")
    try ShapeInference().run(&graph)
    let inputs = try graph.inputs.enumerated().map { index, input in
      try OnnxValues.read(path: "\(root)/\(name)/test_data_set_0/input_\(index).pb", as: graph.type(of: input))
    }
    switch mode {
    case .run, .reference: break
    case .optimized: try PassManager.aggressiveOptimizationPasses(executor: CPUBackend()).run(&graph)
    case .roundtrip:
      graph = try OnnxImporter().graph(from: OnnxDocument(bytes: try exportToOnnx(graph).serialized()))
      try ShapeInference().run(&graph)
    }
    try graph.verify(.typed)
    let results =
      mode == .reference
      ? try ReferenceExecutor().run(graph, inputs: inputs) : try CPUBackend().compiled(graph).run(inputs)
    return try results.map { try #require($0.tensor) }
  }

  private static func compare(_ results: [[Double]], _ expected: [[Double]], atol: Double, _ name: String) {
    for (index, pair) in zip(results, expected).enumerated() {
      let wrong = zip(pair.0, pair.1).enumerated().first { !(abs($1.0 - $1.1) <= atol + 1e-4 * abs($1.1)) }
      #expect(wrong == nil, "\(name), output \(index): element \(wrong?.offset ?? 0) is \(wrong?.element ?? (0, 0))")
    }
  }
}
