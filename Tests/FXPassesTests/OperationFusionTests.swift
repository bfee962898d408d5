import FXCore
import FXPasses
import Testing

struct OperationFusionTests {
  static let cases = [
    PassCase(
      "the tutorial's first graph: three nodes are left of four",
      """
      graph @main(%x) {
        parameter @node_0.weight: f32[*] weight
        parameter @node_0.bias: f32[*] weight
        %node_0 = linear(%x, @node_0.weight, @node_0.bias)
        %node_1 = relu(%node_0)
        return %node_1
      }
      """,
      """
      graph @main(%x) {
        parameter @node_0.weight: f32[*] weight
        parameter @node_0.bias: f32[*] weight
        %node_2 = fused_linear(%x, @node_0.weight, @node_0.bias) {activation = "relu"}
        return %node_2 as "node_1"
      }
      """, runs: false),
    PassCase(
      "bias into its operand, then an activation with a parameter",
      """
      graph @main(%x: f32[2, 3]) {
        parameter @w: f32[2, 3] weight = [1, -2, 3, -4, 5, -6]
        parameter @b: f32[1, 2] weight = [1, 2]
        %a: f32[2, 2] = linear(%x, @w)
        %b: f32[2, 2] = add(@b, %a)
        %c: f32[2, 2] = leaky_relu(%b) {alpha = 0.2}
        return %c
      }
      """,
      """
      graph @main(%x: f32[2, 3]) {
        parameter @w: f32[2, 3] weight = [1, -2, 3, -4, 5, -6]
        parameter @b: f32[1, 2] weight = [1, 2]
        parameter @b.bias: f32[2] constant = [1, 2]
        %c: f32[2, 2] = fused_linear(%x, @w, @b.bias) {activation = "leaky_relu", activation_params = [0.2]}
        return %c
      }
      """),
    PassCase(
      "a residual that is computed later",
      """
      graph @main(%x: f32[n, 3], %w: f32[3, 3]) {
        %a: f32[n, 3] = matmul(%x, %w)
        %r: f32[n, 3] = exp(%x)
        %b: f32[n, 3] = add(%a, %r)
        %c: f32[n, 3] = clip(%b, 0, 6)
        return %c
      }
      """,
      """
      graph @main(%x: f32[n, 3], %w: f32[3, 3]) {
        %r: f32[n, 3] = exp(%x)
        %c: f32[n, 3] = fused_matmul(%x, %w, %r) {activation = "clip", activation_params = [0.0, 6.0]}
        return %c
      }
      """),
    PassCase(
      "a bias needs to be known to fit, the sizes it does not meet do not",
      """
      graph @main(%x: f32[?, 3], %y: f32[?, 3]) {
        parameter @w: f32[3, 2] weight = [1, -2, 3, -4, 5, -6]
        parameter @b: f32[2] weight = [1, 2]
        %a: f32[?, 2] = matmul(%x, @w)
        %c: f32[?, 2] = add(%a, @b)
        %d: f32[?, 2] = matmul(%y, @w)
        %e: f32[?, 2] = add(%c, %d)
        return %e
      }
      """,
      """
      graph @main(%x: f32[?, 3], %y: f32[?, 3]) {
        parameter @w: f32[3, 2] weight = [1, -2, 3, -4, 5, -6]
        parameter @b: f32[2] weight = [1, 2]
        %c: f32[?, 2] = fused_matmul(%x, @w, @b)
        %d: f32[?, 2] = matmul(%y, @w)
        %e: f32[?, 2] = add(%c, %d)
        return %e
      }
      """, declined: ["is not known to have the shape"]),
    PassCase(
      "the end of a residual block",
      """
      graph @main(%x: f32[1, 2, 4]) {
        parameter @w: f32[2, 2, 3] weight = [1, 2, 3, -4, 5, 6, 7, -8, 9, 10, 11, -12]
        parameter @v: f32[2, 2, 1] weight = [1, -1, 2, 1]
        parameter @b: f32[2, 1] weight = [1, -1]
        %a: f32[1, 2, 4] = conv(%x, @w) {pads = [1, 1]}
        %c: f32[1, 2, 4] = add(%a, @b)
        %d: f32[1, 2, 4] = conv(%x, @v)
        %e: f32[1, 2, 4] = add(%c, %d)
        %f: f32[1, 2, 4] = relu(%e)
        return %f
      }
      """,
      """
      graph @main(%x: f32[1, 2, 4]) {
        parameter @w: f32[2, 2, 3] weight = [1, 2, 3, -4, 5, 6, 7, -8, 9, 10, 11, -12]
        parameter @v: f32[2, 2, 1] weight = [1, -1, 2, 1]
        parameter @b: f32[2, 1] weight = [1, -1]
        parameter @b.bias: f32[2] constant = [1, -1]
        %d: f32[1, 2, 4] = conv(%x, @v)
        %f: f32[1, 2, 4] = fused_conv(%x, @w, @b.bias, %d) {activation = "relu", pads = [1, 1]}
        return %f
      }
      """),
    PassCase(
      "activations that are calls of their own",
      """
      graph @main(%x: f32[2, 3], %w: f32[3, 3]) {
        %a: f32[2, 3] = gemm(%x, %w)
        %b: f32[2, 3] = gelu(%a) {approximate = "tanh"}
        return %b
      }
      """,
      """
      graph @main(%x: f32[2, 3], %w: f32[3, 3]) {
        %b: f32[2, 3] = fused_gemm(%x, %w) {activation = "gelu_tanh"}
        return %b
      }
      """),
    PassCase(
      "other users and outputs keep the result",
      """
      graph @main(%x: f32[2, 3], %w: f32[3, 3]) {
        %a: f32[2, 3] = matmul(%x, %w)
        %b: f32[2, 3] = relu(%a)
        %c: f32[2, 3] = neg(%a)
        %d: f32[2, 3] = matmul(%c, %w)
        %e: f32[2, 3] = tanh(%d)
        return %b, %d, %e
      }
      """, declined: ["has 2 uses", "is an output"]),
    PassCase(
      "a sum that is larger than the product is no residual; integers are not fused",
      """
      graph @main(%x: f32[1, 3], %w: f32[3, 3], %r: f32[4, 3], %i: i32[2, 2]) {
        %a: f32[1, 3] = matmul(%x, %w)
        %b: f32[4, 3] = add(%a, %r)
        %c: i32[2, 2] = matmul(%i, %i)
        %d: i32[2, 2] = relu(%c)
        return %b, %d
      }
      """, declined: ["is not known to have the shape"]),
  ]

  @Test(arguments: cases) func fuses(_ test: PassCase) throws { try expect(OperationFusionPass(), test) }

  @Test func tutorialGraphShrinks() throws {
    var graph = try graph(Self.cases[0].before)
    #expect(graph.nodeCount == 4)
    try PassManager.defaultOptimizationPasses().run(&graph)
    #expect(graph.nodeCount == 3)
    try PassManager.aggressiveOptimizationPasses().run(&graph)
    #expect(graph.nodeCount == 3)
  }

  /// What fusion makes, defusion takes apart, to the same numbers.
  @Test(arguments: cases.filter(\.runs)) func defuses(_ test: PassCase) throws {
    let before = try graph(test.after)
    var after = before
    try DecompositionPass.defusion.apply(to: &after)
    try after.verify(.typed)
    #expect(!after.operatorCounts.contains { $0.op.name.hasPrefix("fused_") })
    try expectEqualOutputs(before, after, .reassociates)
  }
}
