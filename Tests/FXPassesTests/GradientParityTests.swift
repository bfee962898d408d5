import FXCore
import FXPasses
import FXRuntime
import FXTrace
import Testing

/// The gradient of every core operator beside PyTorch's, in float64 (scripts/make-gradient-cases.py).
@Suite struct GradientParityTests {
  static let contents = try? Safetensors.contents("\(TrainingTests.folder)/gradients.safetensors")
  static let names = contents.map { $0.metadata.keys.sorted() } ?? []

  @Test(arguments: names) func isPyTorchs(_ name: String) throws {
    let contents = try #require(Self.contents)
    var graph = try Graph(text: try #require(contents.metadata[name]))
    let inputs = try graph.inputs.indices.map { try #require(contents.tensors["\(name).x\($0)"]) }
    try expectClose(try ReferenceExecutor().run(graph, inputs: inputs.map(RuntimeValue.tensor)).compactMap(\.tensor), name, "y")
    var loss: Operand?
    for (index, output) in graph.outputs.enumerated() {
      let weights = graph.addConstant(try #require(contents.tensors["\(name).c\(index)"]))
      let product = try graph.call(.mul, [output, .parameter(weights)])
      let sum = Operand.value(try graph.call(.reduceSum, [.value(product)], attributes: ["keepdims": false]))
      loss = try loss.map { .value(try graph.call(.add, [$0, sum])) } ?? sum
    }
    try graph.setResults(of: graph.body, [try #require(loss)], names: ["loss"])
    let gradient = try graph.gradient(of: "loss", wrt: inputs.indices.map { "x\($0)" })
    try gradient.verify(.executable)
    let results = try ReferenceExecutor().run(gradient, inputs: inputs.map(RuntimeValue.tensor)).compactMap(\.tensor)
    try expectClose(Array(results.dropFirst()), name, "g")
  }

  private func expectClose(_ tensors: [Tensor], _ name: String, _ kind: String) throws {
    for (index, tensor) in tensors.enumerated() {
      let expected = try #require(Self.contents?.tensors["\(name).\(kind)\(index)"])
      #expect(tensor.type == expected.type, "\(kind)\(index)")
      guard tensor.type == expected.type else { continue }
      let (a, b): ([Double], [Double]) = (try tensor.elements(), try expected.elements())
      for (position, (x, y)) in zip(a, b).enumerated() where !(abs(x - y) <= 1e-9 * max(1, abs(y))) {
        Issue.record("\(kind)\(index)[\(position)] is \(x), PyTorch's \(y)")
        return
      }
    }
  }

  /// Nothing that has a gradient is left out: what is not here has none, or gives integers or truth values.
  @Test func everyCoreOperatorIsThere() throws {
    var called: Set<String> = []
    for text in try #require(Self.contents).metadata.values {
      for entry in try Graph(text: text).operatorCounts { called.insert(entry.op.description) }
    }
    let missing = OperatorTable.standard.operators.filter { op in
      guard op.has(.core), !called.contains(op.description) else { return false }
      if case .zero? = GradientRules.standard[op] { return false }
      return GradientTests.exceptions[op.description] == nil
    }
    #expect(missing.isEmpty, "\(missing)")
  }
}
