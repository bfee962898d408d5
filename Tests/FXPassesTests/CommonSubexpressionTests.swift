import FXCore
import FXPasses
import Testing

struct CommonSubexpressionTests {
  static let cases = [
    PassCase(
      "equal calls, commutative operands in either order",
      """
      graph @main(%x: f32[4], %y: f32[4]) {
        %a = add(%x, %y)
        %b = add(%y, %x)
        %c = mul(%a, %b)
        return %c
      }
      """,
      """
      graph @main(%x: f32[4], %y: f32[4]) {
        %a = add(%x, %y)
        %c = mul(%a, %a)
        return %c
      }
      """),
    PassCase(
      "merging goes on through users",
      """
      graph @main(%x: f32[4]) {
        %a = exp(%x)
        %b = exp(%x)
        %c = neg(%a)
        %d = neg(%b)
        return %c, %d
      }
      """,
      """
      graph @main(%x: f32[4]) {
        %a = exp(%x)
        %c = neg(%a)
        return %c, %c as "d"
      }
      """),
    PassCase(
      "operands that may not be swapped, other literals and other attributes differ",
      """
      graph @main(%x: f32[4], %y: f32[4]) {
        %a = sub(%x, %y)
        %b = sub(%y, %x)
        %c = add(%a, 1)
        %d = add(%a, 2)
        %e = cast(%b) {to = i32}
        %f = cast(%b) {to = i64}
        return %c, %d, %e, %f
      }
      """, runs: false),
    PassCase(
      "constants of equal contents are one; weights are not",
      """
      graph @main(%x: f32[2]) {
        parameter @a: f32[2] constant = [1, 2]
        parameter @b: f32[2] constant = [1, 2]
        parameter @c: f32[2] constant = [1, 3]
        parameter @v: f32[2] weight = [1, 2]
        parameter @w: f32[2] weight = [1, 2]
        %p = add(%x, @a)
        %q = add(%x, @b)
        %r = add(%x, @c)
        %s = add(%x, @v)
        %t = add(%x, @w)
        return %p, %q, %r, %s, %t
      }
      """,
      """
      graph @main(%x: f32[2]) {
        parameter @a: f32[2] constant = [1, 2]
        parameter @b: f32[2] constant = [1, 2]
        parameter @c: f32[2] constant = [1, 3]
        parameter @v: f32[2] weight = [1, 2]
        parameter @w: f32[2] weight = [1, 2]
        %p = add(%x, @a)
        %r = add(%x, @c)
        %s = add(%x, @v)
        %t = add(%x, @w)
        return %p, %p as "q", %r, %s, %t
      }
      """),
    PassCase(
      "unregistered operators may do anything",
      """
      graph @main(%x: f32[4]) {
        %a = ?vendor::next(%x)
        %b = ?vendor::next(%x)
        return %a, %b
      }
      """, runs: false),
  ]

  @Test(arguments: cases) func merges(_ test: PassCase) throws {
    try expect(CommonSubexpressionEliminationPass(), test)
  }
}
