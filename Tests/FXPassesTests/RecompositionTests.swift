import FXCore
import FXPasses
import Testing

struct RecompositionTests {
  /// Graphs that compute `%y` from `%x: f32[2, 4]`, and what they amount to.
  private static func unary(_ name: String, _ lines: String, _ call: String) -> PassCase {
    PassCase(
      name, "graph @main(%x: f32[2, 4]) {\n\(lines)\nreturn %y\n}",
      "graph @main(%x: f32[2, 4]) {\n%y: f32[2, 4] = \(call)\nreturn %y\n}")
  }

  static let cases = [
    unary(
      "gelu, divided by √2, the half last",
      """
      %a: f32[2, 4] = div(%x, 1.4142135381698608)
      %b: f32[2, 4] = erf(%a)
      %c: f32[2, 4] = add(%b, 1.0)
      %d: f32[2, 4] = mul(%x, %c)
      %y: f32[2, 4] = mul(%d, 0.5)
      """, "gelu(%x)"),
    unary(
      "gelu, multiplied by √½, the half first, sums turned round",
      """
      %h: f32[2, 4] = mul(%x, 0.5)
      %a: f32[2, 4] = mul(0.7071067811865476, %x)
      %b: f32[2, 4] = erf(%a)
      %c: f32[2, 4] = add(1, %b)
      %y: f32[2, 4] = mul(%c, %h)
      """, "gelu(%x)"),
    unary(
      "gelu by tanh",
      """
      %h: f32[2, 4] = mul(%x, 0.5)
      %a: f32[2, 4] = pow(%x, 3.0)
      %b: f32[2, 4] = mul(%a, 0.044715)
      %c: f32[2, 4] = add(%x, %b)
      %d: f32[2, 4] = mul(%c, 0.7978845608028654)
      %e: f32[2, 4] = tanh(%d)
      %f: f32[2, 4] = add(%e, 1.0)
      %y: f32[2, 4] = mul(%h, %f)
      """, "gelu(%x) {approximate = \"tanh\"}"),
    unary(
      "silu",
      """
      %a: f32[2, 4] = sigmoid(%x)
      %y: f32[2, 4] = mul(%a, %x)
      """, "silu(%x)"),
    unary(
      "silu of a multiple",
      """
      %b: f32[2, 4] = mul(%x, 1.702)
      %a: f32[2, 4] = sigmoid(%b)
      %y: f32[2, 4] = mul(%x, %a)
      """, "silu(%x) {alpha = 1.702}"),
    unary(
      "mish",
      """
      %a: f32[2, 4] = softplus(%x)
      %b: f32[2, 4] = tanh(%a)
      %y: f32[2, 4] = mul(%x, %b)
      """, "mish(%x)"),
    unary(
      "hard sigmoid, by its bounds",
      """
      %a: f32[2, 4] = add(%x, 3.0)
      %b: f32[2, 4] = clip(%a, 0.0, 6.0)
      %y: f32[2, 4] = div(%b, 6.0)
      """, "hard_sigmoid(%x) {alpha = 0.16666667, beta = 0.5}"),
    unary(
      "hard swish, by the bounds of its gate, the division last",
      """
      %a: f32[2, 4] = add(%x, 3.0)
      %b: f32[2, 4] = clip(%a, 0.0, 6.0)
      %c: f32[2, 4] = mul(%x, %b)
      %y: f32[2, 4] = div(%c, 6.0)
      """, "hard_swish(%x)"),
    unary(
      "hard swish",
      """
      %a: f32[2, 4] = hard_sigmoid(%x) {alpha = 0.16666667}
      %y: f32[2, 4] = mul(%x, %a)
      """, "hard_swish(%x)"),
    PassCase(
      "layer normalization",
      """
      graph @main(%x: f32[2, 4]) {
        parameter @s: f32[4] weight = [1, 2, 3, 4]
        parameter @b: f32[4] weight = [4, 3, 2, 1]
        parameter @axes: i64[1] constant = [-1]
        parameter @eps: f32[] constant = [1e-5]
        %m: f32[2, 1] = reduce_mean(%x, @axes)
        %d: f32[2, 4] = sub(%x, %m)
        %q: f32[2, 4] = pow(%d, 2.0)
        %v: f32[2, 1] = reduce_mean(%q, @axes)
        %e: f32[2, 1] = add(%v, @eps)
        %r: f32[2, 1] = sqrt(%e)
        %n: f32[2, 4] = div(%d, %r)
        %p: f32[2, 4] = mul(%n, @s)
        %y: f32[2, 4] = add(%p, @b)
        return %y
      }
      """,
      """
      graph @main(%x: f32[2, 4]) {
        parameter @s: f32[4] weight = [1, 2, 3, 4]
        parameter @b: f32[4] weight = [4, 3, 2, 1]
        parameter @axes: i64[1] constant = [-1]
        parameter @eps: f32[] constant = [1e-5]
        %y: f32[2, 4] = layer_normalization(%x, @s, @b)
        return %y
      }
      """),
    PassCase(
      "normalization by squares, in three ways, with a scale and without",
      """
      graph @main(%x: f32[2, 4]) {
        parameter @s: f32[4] weight = [1, 2, 3, 4]
        parameter @axes: i64[1] constant = [1]
        %q: f32[2, 4] = pow(%x, 2.0)
        %v: f32[2, 1] = reduce_mean(%q, @axes)
        %e: f32[2, 1] = add(%v, 1e-5)
        %r: f32[2, 1] = sqrt(%e)
        %i: f32[2, 1] = reciprocal(%r)
        %n: f32[2, 4] = mul(%x, %i)
        %a: f32[2, 4] = mul(@s, %n)
        %q2: f32[2, 4] = mul(%a, %a)
        %v2: f32[2, 1] = reduce_mean(%q2, @axes)
        %e2: f32[2, 1] = add(1e-6, %v2)
        %r2: f32[2, 1] = sqrt(%e2)
        %b: f32[2, 4] = div(%a, %r2)
        %q3: f32[2, 4] = mul(%b, %b)
        %v3: f32[2, 1] = reduce_mean(%q3, @axes)
        %e3: f32[2, 1] = add(%v3, 1e-6)
        %r3: f32[2, 1] = sqrt(%e3)
        %i3: f32[2, 1] = div(1.0, %r3)
        %y: f32[2, 4] = mul(%i3, %b)
        return %y
      }
      """,
      """
      graph @main(%x: f32[2, 4]) {
        parameter @s: f32[4] weight = [1, 2, 3, 4]
        parameter @axes: i64[1] constant = [1]
        parameter @ones: f32[4] constant = [1, 1, 1, 1]
        parameter @ones_3: f32[4] constant = [1, 1, 1, 1]
        %a: f32[2, 4] = rms_normalization(%x, @s)
        %b: f32[2, 4] = rms_normalization(%a, @ones) {epsilon = 1e-6}
        %y: f32[2, 4] = rms_normalization(%b, @ones_3) {epsilon = 1e-6}
        return %y
      }
      """),
    PassCase(
      "parts that are used elsewhere, numbers that differ",
      """
      graph @main(%x: f32[2, 4]) {
        %a: f32[2, 4] = sigmoid(%x)
        %b: f32[2, 4] = mul(%a, %x)
        %c: f32[2, 4] = hard_sigmoid(%x)
        %d: f32[2, 4] = mul(%x, %c)
        return %a, %b, %d
      }
      """, declined: ["silu: what is computed on the way is used elsewhere"]),
  ]

  @Test(arguments: cases) func recognizes(_ test: PassCase) throws { try expect(RecompositionPass(), test) }
}
