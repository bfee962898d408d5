import FXCore
import FXPasses
import FXRuntime
import Testing

/// What random graphs showed, each in the smallest graph that does.
@Suite struct FuzzRegressionTests {
  struct Example: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// What it was that went wrong; the CPU backend if `nil`.
    let pass: (any Pass)?
    let text: String

    init(_ name: String, _ pass: (any Pass)?, _ text: String) { (testDescription, self.pass, self.text) = (name, pass, text) }
  }

  private static let folding = ConstantFoldingPass(executor: ReferenceExecutor())

  static let examples: [Example] = [
    Example(
      "a single index has no axis that the depth gives it", DecompositionPass(),
      """
      graph @main(%i: i64[]) {
        parameter @depth: i64[] constant = [3]
        parameter @values: f64[2] constant = [0.0, 1.0]
        %y: f64[3] = one_hot(%i, @depth, @values)
        return %y
      }
      """),
    Example(
      "what lacked types is decomposed once those before it have them", DecompositionPass(),
      """
      graph @main(%x: f64[n, 3]) {
        parameter @w: f64[3] constant = [0.25, -0.5, 1.0]
        %a = celu(%x) {alpha = 0.75}
        %b = layer_normalization(%a, @w, @w) {epsilon = 0.01, stash_type = f64}
        return %b
      }
      """),
    Example(
      "a number beside values of unknown type is of no type yet", DecompositionPass(),
      """
      graph @main(%x: f64[2, 2, 4]) {
        parameter @w: f64[3, 2, 1] weight = [0.25, -0.5, 0.125, 0.75, 1.0, 0.5]
        %a = tan(%x)
        %b = leaky_relu(%a) {alpha = 0.5}
        %c = conv(%b, @w)
        return %c
      }
      """),
    Example(
      "nor is an integer", DecompositionPass(),
      """
      graph @main(%x: f32[3]) {
        parameter @k: i64[1] constant = [2]
        %a, %b = topk(%x, @k)
        %c = softplus(%a)
        return %c
      }
      """),
    Example(
      "statistics keep the precision in which they are spelt out", RecompositionPass(),
      """
      graph @main(%x: f64[2, 3]) {
        parameter @w: f64[3] constant = [0.25, -0.5, 1.0]
        parameter @axes: i64[1] constant = [-1]
        %mean: f64[2, 1] = reduce_mean(%x, @axes)
        %c: f64[2, 3] = sub(%x, %mean)
        %s: f64[2, 3] = mul(%c, %c)
        %v: f64[2, 1] = reduce_mean(%s, @axes)
        %e: f64[2, 1] = add(%v, 0.015625)
        %r: f64[2, 1] = sqrt(%e)
        %d: f64[2, 3] = div(%c, %r)
        %m: f64[2, 3] = mul(%d, @w)
        %y: f64[2, 3] = add(%m, @w)
        return %y
      }
      """),
    Example(
      "a sixth in float32 is none in float64", RecompositionPass(),
      """
      graph @main(%x: f64[3]) {
        %a: f64[3] = hard_sigmoid(%x) {alpha = 0.16666667}
        %b: f64[3] = mul(%x, %a)
        return %b
      }
      """),
    Example(
      "sizes that inference knows make constants at once", folding,
      """
      graph @main(%x: f32[2, 3]) {
        %s: i64[2] = shape(%x)
        %y: f32[2, 3] = constant_of_shape(%s) {value = tensor f32[1] [0.5]}
        return %y
      }
      """),
    Example(
      "weights are one's own once the others' calls are folded", folding,
      """
      graph @main() {
        parameter @w: f64[3, 2] weight = [0.25, 0.5, 0.75, -0.25, -0.5, -0.75]
        %a: i64[3] = argmax(@w) {axis = 1, keepdims = false}
        %y: f64[3], %p: f64[3, 2] = softmax_cross_entropy_loss(@w, %a) {reduction = "none"}
        return %y, %p
      }
      """),
    Example(
      "what gradients are made of is decomposed, nothing else", GradientExpansionPass(),
      """
      graph @main(%x: f32[3], %w: f32[]) {
        %y: f32[3] = mish(%x)
        %g: f32[3] = gradient(%x, %w) {with_respect_to = 1} body(%a: f32[3], %b: f32[]) {
          %c: f32[3] = mul(%a, %b)
          %d: f32[3] = mish(%c)
          %e: f32[] = reduce_sum(%d) {keepdims = false}
          return %e
        }
        return %y, %g
      }
      """),
    Example(
      "numbers beside what a loop gives", nil,
      """
      graph @main(%x: f16[2]) {
        parameter @zero: i64[] constant = [0]
        parameter @one: i64[] constant = [1]
        %a, %b = while_loop(@zero, %x) condition(%i: i64[], %s: f16[2]) {
          %c: bool[] = less(%i, @one)
          return %c
        } body(%i: i64[], %s: f16[2]) {
          %j: i64[] = add(%i, @one)
          %t: f16[2] = tanh(%s)
          return %j, %t
        }
        %y = clip(%b, -4.0, 4.0)
        return %y
      }
      """),
    Example(
      "heads of one element, which do not lie next to each other", nil,
      """
      graph @main(%x: f32[3, 3, 2]) {
        %y: f32[3, 3, 2] = attention(%x, %x, %x) {is_causal = true, kv_num_heads = 2, q_num_heads = 2}
        return %y
      }
      """),
  ]

  @Test(arguments: examples) func holds(_ example: Example) throws {
    let graph = try graph(example.text)
    let trial = PassTrial(executor: ReferenceExecutor())
    if let pass = example.pass {
      try trial.check(pass, on: graph)
    } else {
      try trial.check(CPUBackend(.init(threads: 1, optimizes: false)), named: "CPU", on: graph)
    }
  }

  @Test func gradientsLeaveTheRestAlone() throws {
    var graph = try graph(try #require(Self.examples.first { $0.pass is GradientExpansionPass }).text)
    try GradientExpansionPass().apply(to: &graph)
    #expect(graph.nodes(calling: .mish).count == 1)
  }
}
