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
