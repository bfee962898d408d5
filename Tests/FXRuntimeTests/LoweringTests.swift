import FXCore
import FXTestSupport
import Testing

@testable import FXRuntime

/// Composite operators without a fast kernel become what has one, and give what the reference gives.
@Suite struct LoweringTests {
  static let calls: [(text: String, inputs: [[Int]])] = [
    (
      """
      graph @main(%a: f32[2, 5, 3, 4], %b: f32[2, 7, 3, 4]) {
      %y: f32[2, 3, 5, 7] = einsum(%a, %b) {equation = "bqhd,bkhd->bhqk"}
      return %y
      }
      """, [[2, 5, 3, 4], [2, 7, 3, 4]]
    ),
    ("graph @main(%a: f32[s, 9]) {\n%y: f32[s, 9] = trilu(%a)\nreturn %y\n}", [[6, 9]]),
    (
      "graph @main(%a: f32[2, 3, 4, 5]) {\n%y: f32[2, 3, 4, 5] = mean_variance_normalization(%a)\nreturn %y\n}",
      [[2, 3, 4, 5]]
    ),
    ("graph @main(%a: f32[4, 6], %b: f32[4, 6]) {\n%y: f32[4, 6] = swiglu(%a, %b)\nreturn %y\n}", [[4, 6], [4, 6]]),
  ]

  @Test(arguments: calls.indices) func hasOnlyFastSteps(_ index: Int) throws {
    let (text, shapes) = Self.calls[index]
    let graph = try Graph(text: "fx 1\n" + text)
    var random = RandomSource(seed: UInt64(index))
    let inputs = try shapes.map { shape in
      let values = (0..<shape.reduce(1, *)).map { _ in Float(random.double(in: -1...1)) }
      return RuntimeValue.tensor(try Tensor(shape, values))
    }
    let expected = try ReferenceExecutor().run(graph, inputs: inputs)
    let compiled = try CPUBackend().compiled(graph)
    #expect(try compiled.planSummary(for: inputs).evaluatedSteps == 0)
    let results = try compiled.run(inputs)
    let found = try #require(results[0].tensor).elements(Float.self)
    let right = try #require(expected[0].tensor).elements(Float.self)
    #expect(found.count == right.count && zip(found, right).allSatisfy { abs($0 - $1) <= 1e-5 })
  }

  /// Parts of operators that refuse sizes which their parts would take stay whole while sizes are open.
  @Test func openSizesStayChecked() throws {
    let text = "fx 1\ngraph @main(%a: f32[s, 6], %b: f32[s, 6]) {\n%y: f32[s, 6] = swiglu(%a, %b)\nreturn %y\n}"
    let compiled = try CPUBackend().compiled(try Graph(text: text))
    #expect(compiled.graph.operatorCounts.contains { $0.op == .swiglu && $0.count == 1 })
  }
}
