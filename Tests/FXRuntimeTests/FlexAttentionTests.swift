import FXCore
import FXRuntime
import FXShapes
import FXTestSupport
import Testing

/// The official cases have no captures, and no region for each of both places at once.
@Suite struct FlexAttentionTests {
  /// Two regions of which one captures a bias, beside the operators that make it up.
  static let text = """
    fx 1
    graph @flex(%q: f32[2, 4, 3, 8], %k: f32[2, 2, 5, 8], %v: f32[2, 2, 5, 6], %bias: f32[3, 5]) {
      parameter @groups: i64[5] constant = [2, 2, 2, 5, 8]
      parameter @heads: i64[4] constant = [2, 4, 5, 8]
      parameter @valueGroups: i64[5] constant = [2, 2, 2, 5, 6]
      parameter @valueHeads: i64[4] constant = [2, 4, 5, 6]
      parameter @two: i64[1] constant = [2]
      %y = flex_attention(%q, %k, %v, %bias) {scale = 0.5} score_mod(%s: f32[*], %b: f32[3, 5]) {
        %sum = add(%s, %b)
        return %sum
      } prob_mod(%p: f32[*], %b2: f32[3, 5]) {
        %t = mul(%p, %b2)
        return %t
      }
      %k1 = unsqueeze(%k, @two)
      %k2 = expand(%k1, @groups)
      %k3 = reshape(%k2, @heads)
      %v1 = unsqueeze(%v, @two)
      %v2 = expand(%v1, @valueGroups)
      %v3 = reshape(%v2, @valueHeads)
      %kt = transpose(%k3) {perm = [0, 1, 3, 2]}
      %scores = matmul(%q, %kt)
      %scaled = mul(%scores, 0.5)
      %biased = add(%scaled, %bias)
      %probs = softmax(%biased)
      %kept = mul(%probs, %bias)
      %z = matmul(%kept, %v3)
      return %y, %z
    }
    """

  private func random(_ type: ValueType, _ source: inout RandomSource) throws -> RuntimeValue {
    let shape = try #require(type.shape).dimensions.compactMap(\.size)
    return .tensor(f(shape, (0..<shape.reduce(1, *)).map { _ in Float(source.below(2001)) / 1000 - 1 }))
  }

  /// Compiled, the regions' nodes stand between products that have fast kernels.
  @Test func regionsChangeScoresAndProbabilities() throws {
    var graph = try Graph(text: Self.text)
    try ShapeInference().run(&graph)
    #expect(graph.type(of: graph.outputs[0]).description == "f32[2, 4, 3, 6]")
    var source = RandomSource(seed: 5)
    let inputs = try graph.inputs.map { try random(graph.type(of: .value($0)), &source) }
    for results in [try ReferenceExecutor().run(graph, inputs: inputs), try CPUBackend().compiled(graph).run(inputs)] {
      let (y, z) = (try #require(results[0].tensor), try #require(results[1].tensor))
      #expect(y.shape == z.shape)
      for (a, b) in zip(try y.elements(Float.self), try z.elements(Float.self)) { #expect(abs(a - b) < 1e-5) }
    }
  }

  /// A region that forgets an axis is refused by the rule, and by the kernel where no shape was inferred.
  @Test func regionsKeepTheirType() throws {
    let text = Self.text.replacingOccurrences(of: "%sum = add(%s, %b)", with: "%sum = reduce_sum(%s) {keepdims = false}")
    var graph = try Graph(text: text)
    var source = RandomSource(seed: 5)
    let inputs = try graph.inputs.map { try random(graph.type(of: .value($0)), &source) }
    #expect(throws: ExecutionError.self) { try ReferenceExecutor().run(graph, inputs: inputs) }
    #expect(throws: ShapeInferenceError.self) { try ShapeInference().run(&graph) }
  }

  @Test(arguments: ["f32[2, 3, 3, 8]", "f32[2, 4, 3, 7]", "f32[1, 4, 3, 8]"]) func sizesThatDoNotFitAreRefused(q: String) throws {
    let graph = try Graph(text: Self.text.replacingOccurrences(of: "%q: f32[2, 4, 3, 8]", with: "%q: \(q)"))
    var source = RandomSource(seed: 5)
    let inputs = try graph.inputs.map { try random(graph.type(of: .value($0)), &source) }
    #expect(throws: (any Error).self) { try ReferenceExecutor().run(graph, inputs: inputs) }
  }
}
