import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXTrace
import Foundation
import Testing

/// The README's programs. Each Swift block of the README must stand in this file line for line, and these tests run it.
@Suite(.serialized) struct ReadmeTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test func everyBlockStandsInThisFile() throws {
    let readme = try String(contentsOf: Self.root.appendingPathComponent("README.md"), encoding: .utf8)
    let code = try String(contentsOfFile: #filePath, encoding: .utf8).split(separator: "\n").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    let blocks = readme.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    #expect(blocks.count >= 3)
    // The block for Package.swift is checked by `make consumer`.
    for block in blocks where !block.hasPrefix(".package") {
      for line in block.split(separator: "\n").map({ $0.trimmingCharacters(in: .whitespaces) }) where !line.isEmpty {
        #expect(code.contains(line), "the README has a line that no test runs: \(line)")
      }
    }
  }

  /// Figures are those of the tables that measuring wrote.
  @Test func figures() throws {
    func text(_ page: String) throws -> String { try String(contentsOf: Self.root.appendingPathComponent(page), encoding: .utf8) }
    func withComma(_ number: Substring) -> String { "\(number.dropLast(3)),\(number.suffix(3))" }
    let table = try text("docs/Conformance.md")
    func passed(_ mode: String) throws -> String {
      let row = try #require(table.split(separator: "\n").first { $0.hasPrefix("| \(mode) |") })
      return withComma(try #require(row.matches(of: /[0-9]+/).first).output)
    }
    // Lines may end anywhere.
    let readme = try text("README.md").split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(readme.contains("All \(try passed("run")) of ONNX's backend cases pass"))
    #expect(readme.contains("\(try passed("decomposed")) and \(try passed("symbolic-decomposed")), each miss with its reason"))
    #expect(try text("docs/CheckConformance.md").contains("all \(try passed("run")) in nine modes"))
    // The error of Winograd's convolutions, wherever it is spoken of.
    for page in ["docs/Numerics.md", "docs/Performance.md"] { #expect(try text(page).contains("about 1.7 times that of")) }
  }

  @Test func readOptimizeRunExport() throws {
    // The README's paths are relative to the package, where `make test` runs.
    try #require(FileManager.default.fileExists(atPath: "Models/digits/model.onnx"))

    // Read a model, simplify it (every pass checked by running the graph before and after it), compile it.
    var graph = try OnnxImporter().graph(path: "Models/digits/model.onnx")
    var passes = PassManager.aggressiveOptimizationPasses(executor: CPUBackend())
    passes.validation = PassValidation(executor: CPUBackend())
    let report = try passes.run(&graph)
    let model = try CPUBackend().compiled(graph)

    // Run it on images that training never saw. Batch sizes need no second compilation.
    let images = try Npy.read("Models/digits/images.npy")
    let probabilities = try model.run([.tensor(images)])[0]
    print(report.nodesBefore, "→", report.nodesAfter, "nodes;", probabilities.type)

    // Write it out: ONNX for everybody else, text to read and to diff.
    try exportToOnnx(graph).saveToFile("/tmp/digits.onnx")
    print(graph)

    #expect(report.nodesAfter < report.nodesBefore)
    let labels: [Int64] = try Npy.read("Models/digits/labels.npy").converted(to: .int64).elements()
    let scores = try #require(probabilities.tensor)
    let numbers: [Float] = try scores.elements()
    let right = labels.indices.count { image in
      (0..<10).max { numbers[image * 10 + $0] < numbers[image * 10 + $1] } == Int(labels[image])
    }
    #expect(Double(right) / Double(labels.count) > 0.98)
    let again = try CPUBackend().run(OnnxImporter().graph(path: "/tmp/digits.onnx"), images)[0]
    #expect(zip(try again.elements(Float.self), numbers).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  struct Classifier: Module {
    let hidden = Linear(784, 128)
    let output = Linear(128, 10)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor { softmax(output(relu(hidden(x)))) }
  }

  @Test func traceAModule() throws {
    let classifier = Classifier()
    try classifier.initializeParameters(seed: 42)
    let traced = try trace(classifier, .tensor(.float32, ["batch", 784]))

    let x = try Tensor([3, 784], (0..<(3 * 784)).map { Float($0 % 17) / 17 - 0.5 })
    let sums = try CPUBackend().run(traced, x)[0].elements(Float.self)
    for row in 0..<3 { #expect(abs(sums[row * 10..<row * 10 + 10].reduce(0, +) - 1) < 1e-5) }
  }
}
