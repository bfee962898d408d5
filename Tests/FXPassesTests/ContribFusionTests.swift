import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import Testing

/// ONNX Runtime's operators in place of several calls. The graphs do not run; written and read again, they do.
struct ContribFusionTests {
  static let cases = [
    PassCase(
      "a convolution, its residual and its activation",
      """
      graph @main(%x: f32[1, 2, 4, 4]) {
        parameter @w: f32[2, 2, 1, 1] weight = [1, -2, 3, 4]
        parameter @b: f32[2] weight = [1, -1]
        %a: f32[1, 2, 4, 4] = fused_conv(%x, @w, @b, %x) {activation = "clip", activation_params = [0.0, 6.0]}
        return %a
      }
      """,
      """
      graph @main(%x: f32[1, 2, 4, 4]) {
        parameter @w: f32[2, 2, 1, 1] weight = [1, -2, 3, 4]
        parameter @b: f32[2] weight = [1, -1]
        parameter @bound: f32[] constant = [0]
        parameter @bound_3: f32[] constant = [6]
        %a: f32[1, 2, 4, 4] = ?com.microsoft::FusedConv(%x, @w, @b, %x) {activation = "Clip", activation_params = [0.0, 6.0],
          auto_pad = "NOTSET", group = 1}
        return %a
      }
      """),
    PassCase(
      "a product, what is added, and an activation",
      """
      graph @main(%x: f32[n, 3]) {
        parameter @w: f32[3, 2] weight = [1, -2, 3, 4, 5, 6]
        parameter @b: f32[2] weight = [1, -1]
        %a: f32[n, 2] = fused_matmul(%x, @w, @b) {activation = "tanh"}
        return %a
      }
      """,
      """
      graph @main(%x: f32[n, 3]) {
        parameter @w: f32[3, 2] weight = [1, -2, 3, 4, 5, 6]
        parameter @b: f32[2] weight = [1, -1]
        %a: f32[n, 2] = ?com.microsoft::FusedGemm(%x, @w, @b) {activation = "Tanh", alpha = 1.0, beta = 1.0, transA = false,
          transB = false}
        return %a
      }
      """),
    PassCase(
      "a normalized sum that is used again, with a bias; a normalized sum without; gelu of a sum",
      """
      graph @main(%x: f32[b, n, 2], %y: f32[b, n, 2]) {
        parameter @s: f32[2] weight = [1, 2]
        parameter @t: f32[2] weight = [3, 4]
        parameter @b: f32[2] weight = [5, 6]
        %a: f32[b, n, 2] = add(%x, @b)
        %c: f32[b, n, 2] = add(%a, %y)
        %d: f32[b, n, 2] = layer_normalization(%c, @s, @t)
        %e: f32[b, n, 2] = add(%c, %d)
        %f: f32[b, n, 2] = rms_normalization(%e, @s)
        %g: f32[b, n, 2] = add(%f, @b)
        %h: f32[b, n, 2] = gelu(%g)
        %i: f32[b, n, 2] = silu(%h)
        return %i
      }
      """,
      """
      graph @main(%x: f32[b, n, 2], %y: f32[b, n, 2]) {
        parameter @s: f32[2] weight = [1, 2]
        parameter @t: f32[2] weight = [3, 4]
        parameter @b: f32[2] weight = [5, 6]
        %d: f32[b, n, 2], %node_8.1, %node_8.2, %c: f32[b, n, 2] = ?com.microsoft::SkipLayerNormalization(%x, %y, @s, @t, @b) {epsilon = 1e-05}
        %f: f32[b, n, 2] = ?com.microsoft::SkipSimplifiedLayerNormalization(%c, %d, @s) {epsilon = 1e-05}
        %h: f32[b, n, 2] = ?com.microsoft::BiasGelu(%f, @b)
        %i: f32[b, n, 2] = quick_gelu(%h) {alpha = 1.0}
        return %i
      }
      """),
    PassCase(
      "a linear on three axes, and its bias apart",
      """
      graph @main(%x: f32[b, n, 3]) {
        parameter @w: f32[2, 3] weight = [1, -2, 3, 4, 5, 6]
        parameter @b: f32[2] weight = [1, -1]
        %a: f32[b, n, 2] = fused_linear(%x, @w, @b) {activation = "gelu_tanh"}
        return %a
      }
      """,
      """
      graph @main(%x: f32[b, n, 3]) {
        parameter @w: f32[2, 3] weight = [1, -2, 3, 4, 5, 6]
        parameter @b: f32[2] weight = [1, -1]
        %node_3: f32[b, n, 2] = scaled_matmul(%x, @w) {transB = true}
        %a: f32[b, n, 2] = ?com.microsoft::FastGelu(%node_3, @b)
        return %a
      }
      """),
    PassCase(
      "other types, sums that broadcast, axes other than the last",
      """
      graph @main(%x: f64[1, 2, 4, 4], %y: f32[b, n, 2], %z: f32[1, 1, 2]) {
        parameter @w: f64[2, 2, 1, 1] weight = [1, -2, 3, 4]
        parameter @s: f32[2] weight = [1, 2]
        %a: f64[1, 2, 4, 4] = conv(%x, @w)
        %c: f64[1, 2, 4, 4] = relu(%a)
        %d: f32[b, n, 2] = add(%y, %z)
        %e: f32[b, n, 2] = layer_normalization(%d, @s)
        return %c, %e
      }
      """),
  ]

  @Test(arguments: cases) func names(_ test: PassCase) throws {
    let before = try graph(test.before)
    var after = before
    let outcome = try ContribFusionPass().apply(to: &after)
    try after.verify(.typed)
    let expected = try graph(test.after)
    #expect(after == expected, "\(after)")
    #expect((outcome.changes > 0) == (before != after))
    let once = after
    #expect(try ContribFusionPass().apply(to: &after).changes == 0 && after == once)

    var read = try OnnxImporter().graph(from: exportToOnnx(once))
    try ShapeInference().run(&read)
    try expectEqualOutputs(before, read, .reassociates, InputSampler(sizes: ["b": 2, "n": 3]))
  }
}
