import FXCore
import FXPasses
import FXRuntime
import Testing

/// Algebraic simplification, slices merged, and control flow that is known.
struct SimplificationTests {
  static let algebraic = [
    PassCase(
      "zeros added, factors after each other",
      """
      graph @main(%x: f32[4, 3], %y: f32[3]) {
        parameter @b: f32[3] weight = [0, 0, 0]
        %a: f32[4, 3] = add(%x, @b)
        %m: f32[4, 3] = mul(%a, 2.0)
        %n: f32[4, 3] = mul(4.0, %m)
        return %n
      }
      """,
      """
      graph @main(%x: f32[4, 3], %y: f32[3]) {
        parameter @b: f32[3] weight = [0, 0, 0]
        parameter @factor: f32[] constant = [8]
        %n: f32[4, 3] = mul(%x, @factor)
        return %n
      }
      """),
    PassCase(
      "zeros that enlarge, products that overflow",
      """
      graph @main(%x: f32[3], %c: bool[3]) {
        parameter @b: f32[2, 3] weight = [0, 0, 0, 0, 0, 0]
        parameter @t: bool[] constant = [true]
        %a: f32[2, 3] = add(%x, @b)
        %m: f32[3] = mul(%x, 1e30)
        %n: f32[3] = mul(%m, 1e30)
        %d: bool[3] = and(@t, %c)
        %e: bool[3] = or(@t, %c)
        %f: bool[3] = not(%d)
        return %a, %n, %e, %f
      }
      """,
      """
      graph @main(%x: f32[3], %c: bool[3]) {
        parameter @b: f32[2, 3] weight = [0, 0, 0, 0, 0, 0]
        parameter @t: bool[] constant = [true]
        %a: f32[2, 3] = add(%x, @b)
        %m: f32[3] = mul(%x, 1e30)
        %n: f32[3] = mul(%m, 1e30)
        %e: bool[3] = or(@t, %c)
        %f: bool[3] = not(%c)
        return %a, %n, %e, %f
      }
      """),
    PassCase(
      "an expansion that broadcasting makes again, one that it does not",
      """
      graph @main(%x: f32[1, 3], %y: f32[2, 3]) {
        parameter @s: i64[2] constant = [2, 3]
        %a: f32[2, 3] = expand(%x, @s)
        %b: f32[2, 3] = mul(%a, %y)
        %c: f32[2, 3] = mul(%a, 2.0)
        return %b, %c
      }
      """,
      """
      graph @main(%x: f32[1, 3], %y: f32[2, 3]) {
        parameter @s: i64[2] constant = [2, 3]
        %a: f32[2, 3] = expand(%x, @s)
        %b: f32[2, 3] = mul(%x, %y)
        %c: f32[2, 3] = mul(%a, 2.0)
        return %b, %c
      }
      """),
    PassCase(
      "a state that is zero",
      """
      graph @main(%x: f32[5, b, 2], %w: f32[1, 3, 2], %r: f32[1, 3, 3]) {
        parameter @o: i64[1] constant = [1]
        parameter @h: i64[1] constant = [3]
        %s: i64[1] = shape(%x) {end = 2, start = 1}
        %c: i64[3] = concat(@o, %s, @h) {axis = 0}
        %z: f32[1, b, 3] = constant_of_shape(%c)
        %y: f32[5, 1, b, 3] = rnn(%x, %w, %r, none, none, %z) {hidden_size = 3}
        return %y
      }
      """,
      """
      graph @main(%x: f32[5, b, 2], %w: f32[1, 3, 2], %r: f32[1, 3, 3]) {
        parameter @o: i64[1] constant = [1]
        parameter @h: i64[1] constant = [3]
        %s: i64[1] = shape(%x) {end = 2, start = 1}
        %c: i64[3] = concat(@o, %s, @h) {axis = 0}
        %z: f32[1, b, 3] = constant_of_shape(%c)
        %y: f32[5, 1, b, 3] = rnn(%x, %w, %r) {hidden_size = 3}
        return %y
      }
      """),
  ]

  @Test(arguments: algebraic) func algebra(_ test: PassCase) throws { try expect(AlgebraicSimplificationPass(), test) }

  static let slices = [
    PassCase(
      "two parts of an axis, and parts that overlap",
      """
      graph @main(%x: f32[2, 6], %y: f32[2, 6]) {
        parameter @zero: i64[1] constant = [0]
        parameter @two: i64[1] constant = [2]
        parameter @end: i64[1] constant = [9223372036854775807]
        parameter @axis: i64[1] constant = [-1]
        %a: f32[2, 4] = slice(%x, @two, @end, @axis)
        %b: f32[2, 2] = slice(%x, @zero, @two, @axis)
        %c: f32[2, 6] = slice(%y, @zero, @end, @axis)
        %d: f32[2, 4] = slice(%y, @two, @end, @axis)
        return %a, %b, %c, %d
      }
      """,
      """
      graph @main(%x: f32[2, 6], %y: f32[2, 6]) {
        parameter @zero: i64[1] constant = [0]
        parameter @two: i64[1] constant = [2]
        parameter @end: i64[1] constant = [9223372036854775807]
        parameter @axis: i64[1] constant = [-1]
        parameter @sizes: i64[2] constant = [2, 4]
        %b: f32[2, 2], %a: f32[2, 4] = split(%x, @sizes) {axis = 1}
        %c: f32[2, 6] = slice(%y, @zero, @end, @axis)
        %d: f32[2, 4] = slice(%y, @two, @end, @axis)
        return %a, %b, %c, %d
      }
      """)
  ]

  @Test(arguments: slices) func merging(_ test: PassCase) throws { try expect(SliceMergingPass(), test) }

  static let controlFlow = [
    PassCase(
      "the branch that is taken",
      """
      graph @main(%x: f32[4]) {
        parameter @p: bool[] constant = [false]
        %y: f32[4] = cond(@p, %x) then(%s: f32[4]) {
          %a: f32[4] = relu(%s)
          return %a
        } else(%s: f32[4]) {
          %b: f32[4] = neg(%s)
          return %b
        }
        return %y
      }
      """,
      """
      graph @main(%x: f32[4]) {
        parameter @p: bool[] constant = [false]
        %b: f32[4] = neg(%x)
        return %b as "y"
      }
      """),
    PassCase(
      "a loop of two steps with a capture and a scan output; one that may end, one that is long",
      """
      graph @main(%x: f32[2], %y: f32[2], %q: bool[]) {
        parameter @two: i64[] constant = [2]
        parameter @many: i64[] constant = [1000]
        parameter @t: bool[] constant = [true]
        %z: f32[2], %r: f32[2, 2] = loop(@two, none, %x, %y) {state_count = 1}
          body(%i: i64[], %c: bool[], %s: f32[2], %k: f32[2]) {
          %e: f32[2] = add(%s, %k)
          return %c, %e, %s
        }
        %u: f32[2] = loop(@two, @t, %x, %q) {state_count = 1} body(%i: i64[], %c: bool[], %s: f32[2], %k: bool[]) {
          %e: f32[2] = neg(%s)
          return %k, %e
        }
        %v: f32[2] = loop(@many, none, %x) {state_count = 1} body(%i: i64[], %c: bool[], %s: f32[2]) {
          %e: f32[2] = neg(%s)
          return @t, %e
        }
        return %z, %r, %u, %v
      }
      """,
      """
      graph @main(%x: f32[2], %y: f32[2], %q: bool[]) {
        parameter @two: i64[] constant = [2]
        parameter @many: i64[] constant = [1000]
        parameter @t: bool[] constant = [true]
        parameter @true: bool[] constant = [true]
        parameter @step: i64[] constant = [0]
        parameter @step_5: i64[] constant = [1]
        parameter @axis: i64[1] constant = [0]
        %e: f32[2] = add(%x, %y)
        %z: f32[2] = add(%e, %y)
        %node_8: f32[1, 2] = unsqueeze(%x, @axis)
        %node_9: f32[1, 2] = unsqueeze(%e, @axis)
        %r: f32[2, 2] = concat(%node_8, %node_9) {axis = 0}
        %u: f32[2] = loop(@two, @t, %x, %q) {state_count = 1} body(%i: i64[], %c: bool[], %s: f32[2], %k: bool[]) {
          %e: f32[2] = neg(%s)
          return %k, %e
        }
        %v: f32[2] = loop(@many, none, %x) {state_count = 1} body(%i: i64[], %c: bool[], %s: f32[2]) {
          %e: f32[2] = neg(%s)
          return @t, %e
        }
        return %z, %r, %u, %v
      }
      """, declined: ["more than 64 nodes", "may end it"]),
  ]

  @Test(arguments: controlFlow) func branchesAndLoops(_ test: PassCase) throws {
    try expect(ControlFlowSimplificationPass(), test)
  }

  static let invariants = [
    PassCase(
      "what depends on a capture alone; what depends on the state, or may fail",
      """
      graph @main(%n: i64[], %x: f32[2], %y: f32[2], %j: i64[2]) {
        %z: f32[2], %w: i64[2] = loop(%n, none, %x, %j, %y, %j) {state_count = 2}
          body(%i: i64[], %c: bool[], %s: f32[2], %o: i64[2], %k: f32[2], %l: i64[2]) {
          %e: f32[2] = exp(%k)
          %g: f32[2] = neg(%e)
          %t: f32[2] = add(%s, %g)
          %d: i64[2] = div(%l, %l)
          %m: i64[2] = add(%o, %d)
          return %c, %t, %m
        }
        return %z, %w
      }
      """,
      """
      graph @main(%n: i64[], %x: f32[2], %y: f32[2], %j: i64[2]) {
        %node_6: f32[2] = exp(%y)
        %node_7: f32[2] = neg(%node_6)
        %z: f32[2], %w: i64[2] = loop(%n, none, %x, %j, %y, %j, %node_6, %node_7) {state_count = 2}
          body(%i: i64[], %c: bool[], %s: f32[2], %o: i64[2], %k: f32[2], %l: i64[2], %arg_6: f32[2], %arg_7: f32[2]) {
          %t: f32[2] = add(%s, %arg_7)
          %d: i64[2] = div(%l, %l)
          %m: i64[2] = add(%o, %d)
          return %c, %t, %m
        }
        return %z, %w
      }
      """, runs: false)
  ]

  @Test(arguments: invariants) func invariantMotion(_ test: PassCase) throws { try expect(LoopInvariantMotionPass(), test) }
}
