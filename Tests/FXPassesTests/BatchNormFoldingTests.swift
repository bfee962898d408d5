import FXCore
import FXPasses
import Testing

struct BatchNormFoldingTests {
  private static let statistics = """
      parameter @scale: f32[2] weight = [3, 1.5]
      parameter @offset: f32[2] weight = [0.5, -1]
      parameter @mean: f32[2] buffer = [1, 2]
      parameter @var: f32[2] buffer = [2.25, 1]
    """

  static let cases = [
    PassCase(
      "weights and bias of a gemm",
      """
      graph @main(%x: f32[4, 1]) {
      \(statistics)
        parameter @w: f32[2, 1] weight = [1, -2]
        parameter @b: f32[2] weight = [4, 5]
        %a: f32[4, 2] = gemm(%x, @w, @b) {transB = true}
        %y: f32[4, 2] = batch_normalization(%a, @scale, @offset, @mean, @var) {epsilon = 0.0}
        return %y
      }
      """,
      """
      graph @main(%x: f32[4, 1]) {
      \(statistics)
        parameter @w: f32[2, 1] weight = [2, -3]
        parameter @b: f32[2] weight = [6.5, 3.5]
        %a: f32[4, 2] = gemm(%x, @w, @b) {transB = true}
        return %a as "y"
      }
      """),
    PassCase(
      "convolutions and their transposes, in groups",
      """
      graph @main(%x: f32[1, 2, 3]) {
      \(statistics)
        parameter @w: f32[2, 1, 2] weight = [1, -2, 3, 4]
        parameter @v: f32[2, 1, 1] weight = [5, 6]
        %a: f32[1, 2, 2] = conv(%x, @w) {group = 2}
        %b: f32[1, 2, 2] = batch_normalization(%a, @scale, @offset, @mean, @var) {epsilon = 0.0}
        %c: f32[1, 2, 2] = conv_transpose(%b, @v) {group = 2}
        %d: f32[1, 2, 2] = batch_normalization(%c, @scale, @offset, @mean, @var) {epsilon = 0.0}
        return %d
      }
      """,
      """
      graph @main(%x: f32[1, 2, 3]) {
      \(statistics)
        parameter @w: f32[2, 1, 2] weight = [2, -4, 4.5, 6]
        parameter @w.bias: f32[2] constant = [-1.5, -4]
        parameter @v: f32[2, 1, 1] weight = [10, 9]
        parameter @v.bias: f32[2] constant = [-1.5, -4]
        %a: f32[1, 2, 2] = conv(%x, @w, @w.bias) {group = 2}
        %c: f32[1, 2, 2] = conv_transpose(%a, @v, @v.bias) {group = 2}
        return %c as "d"
      }
      """),
    PassCase(
      "a linear without bias gets one",
      """
      graph @main(%x: f32[4, 1]) {
      \(statistics)
        parameter @w: f32[2, 1] weight = [1, -2]
        %node_0: f32[4, 2] = linear(%x, @w)
        %y: f32[4, 2] = batch_normalization(%node_0, @scale, @offset, @mean, @var) {epsilon = 0.0}
        return %y
      }
      """,
      """
      graph @main(%x: f32[4, 1]) {
      \(statistics)
        parameter @w: f32[2, 1] weight = [2, -3]
        parameter @w.bias: f32[2] constant = [-1.5, -4]
        %y: f32[4, 2] = linear(%x, @w, @w.bias)
        return %y
      }
      """),
    PassCase(
      "shared weights, other users, training",
      """
      graph @main(%x: f32[4, 2]) {
      \(statistics)
        parameter @w: f32[2, 2] weight = [1, -2, 3, 4]
        parameter @v: f32[2, 2] weight = [1, -2, 3, 4]
        parameter @u: f32[2, 2] weight = [1, -2, 3, 4]
        %a: f32[4, 2] = linear(%x, @w)
        %b: f32[4, 2] = batch_normalization(%a, @scale, @offset, @mean, @var)
        %c: f32[4, 2] = linear(%b, @w)
        %d: f32[4, 2] = linear(%c, @v)
        %e: f32[4, 2] = batch_normalization(%d, @scale, @offset, @mean, @var)
        %f: f32[4, 2] = linear(%e, @u)
        %g: f32[4, 2], %m: f32[2], %s: f32[2] = batch_normalization(%f, @scale, @offset, @mean, @var) {training_mode = true}
        return %g, %d
      }
      """, declined: ["'w' is used elsewhere", "is an output", "training mode"]),
  ]

  @Test(arguments: cases) func folds(_ test: PassCase) throws { try expect(BatchNormFoldingPass(), test) }
}
