import FXCore
import FXPasses
import Testing

struct IdentityTests {
  static let cases = [
    PassCase(
      "identity, cast to the same type, dropout outside training",
      """
      graph @main(%x: f32[4]) {
        %a = identity(%x)
        %b: f32[4] = cast(%a) {to = f32}
        %c: f32[4], %m: bool[4] = dropout(%b)
        %d: f32[4] = relu(%c)
        return %d
      }
      """,
      """
      graph @main(%x: f32[4]) {
        %d: f32[4] = relu(%x)
        return %d
      }
      """),
    PassCase(
      "an output may be an input, and keeps its name",
      """
      graph @main(%x: f32[4]) {
        %y = identity(%x)
        return %y
      }
      """,
      """
      graph @main(%x: f32[4]) {
        return %x as "y"
      }
      """),
    PassCase(
      "a mask that is used keeps its dropout",
      """
      graph @main(%x: f32[4]) {
        %y: f32[4], %m: bool[4] = dropout(%x)
        return %y, %m
      }
      """, declined: ["its mask is used"]),
    PassCase(
      "dropout in training is none",
      """
      graph @main(%x: f32[4]) {
        parameter @t: bool[] constant = [true]
        %y: f32[4] = dropout(%x, none, @t)
        return %y
      }
      """),
    PassCase(
      "times one, minus zero; not plus zero, not where the other operand grows",
      """
      graph @main(%x: f32[4]) {
        parameter @ones: f32[4] constant = [1, 1, 1, 1]
        parameter @grid: f32[2, 4] constant = [1, 1, 1, 1, 1, 1, 1, 1]
        %a: f32[4] = mul(%x, 1)
        %b: f32[4] = div(%a, @ones)
        %c: f32[4] = sub(%b, 0)
        %d: f32[4] = add(%c, 0)
        %e: f32[2, 4] = mul(@grid, %d)
        return %e
      }
      """,
      """
      graph @main(%x: f32[4]) {
        parameter @ones: f32[4] constant = [1, 1, 1, 1]
        parameter @grid: f32[2, 4] constant = [1, 1, 1, 1, 1, 1, 1, 1]
        %d: f32[4] = add(%x, 0)
        %e: f32[2, 4] = mul(@grid, %d)
        return %e
      }
      """),
    PassCase(
      "reshapes and permutations that change nothing",
      """
      graph @main(%x: f32[n, 4]) {
        parameter @s: i64[2] constant = [0, -1]
        %a: f32[n, 4] = reshape(%x, @s)
        %b: f32[n, 4] = flatten(%a)
        %c: f32[n, 4] = transpose(%b) {perm = [0, 1]}
        %d: f32[n, 4] = concat(%c) {axis = 0}
        %e: f32[4, n] = transpose(%d)
        return %e
      }
      """,
      """
      graph @main(%x: f32[n, 4]) {
        parameter @s: i64[2] constant = [0, -1]
        %e: f32[4, n] = transpose(%x)
        return %e
      }
      """),
    PassCase(
      "a slice that turns round is none",
      """
      graph @main(%x: f32[4]) {
        parameter @start: i64[1] constant = [-1]
        parameter @end: i64[1] constant = [-5]
        parameter @axis: i64[1] constant = [0]
        parameter @step: i64[1] constant = [-1]
        %a: f32[4] = slice(%x, @start, @end, @axis, @step)
        return %a
      }
      """),
    PassCase(
      "once is enough",
      """
      graph @main(%x: f32[4]) {
        %a: f32[4] = relu(%x)
        %b: f32[4] = relu(%a)
        %c: f32[4] = clip(%b, 0, 6)
        %d: f32[4] = clip(%c, 0, 6)
        %e: f32[4] = clip(%d, 0, 5)
        return %e
      }
      """,
      """
      graph @main(%x: f32[4]) {
        %a: f32[4] = relu(%x)
        %c: f32[4] = clip(%a, 0, 6)
        %e: f32[4] = clip(%c, 0, 5)
        return %e
      }
      """),
  ]

  @Test(arguments: cases) func removes(_ test: PassCase) throws { try expect(IdentityEliminationPass(), test) }

  static let transposes = [
    PassCase(
      "two that undo each other",
      """
      graph @main(%x: f32[2, 3, 4]) {
        %a: f32[4, 2, 3] = transpose(%x) {perm = [2, 0, 1]}
        %b: f32[2, 3, 4] = transpose(%a) {perm = [1, 2, 0]}
        %c: f32[2, 3, 4] = neg(%b)
        return %c
      }
      """,
      """
      graph @main(%x: f32[2, 3, 4]) {
        %c: f32[2, 3, 4] = neg(%x)
        return %c
      }
      """),
    PassCase(
      "two that make one, the first being used elsewhere",
      """
      graph @main(%x: f32[2, 3, 4]) {
        %a: f32[4, 2, 3] = transpose(%x) {perm = [2, 0, 1]}
        %b: f32[3, 2, 4] = transpose(%a)
        return %a, %b
      }
      """,
      """
      graph @main(%x: f32[2, 3, 4]) {
        %a: f32[4, 2, 3] = transpose(%x) {perm = [2, 0, 1]}
        %b: f32[3, 2, 4] = transpose(%x) {perm = [1, 0, 2]}
        return %a, %b
      }
      """),
    PassCase(
      "a product with a transposed weight is linear, and the weight stays tied",
      """
      graph @main(%x: f32[n, 3, 2]) {
        parameter @w: f32[3, 2] weight = [1, 2, 3, 4, 5, 6]
        %t: f32[2, 3] = transpose(@w) {perm = [1, 0]}
        %a: f32[n, 3, 3] = matmul(%x, %t)
        %b: f32[n, 3, 2] = matmul(%a, @w)
        return %b
      }
      """,
      """
      graph @main(%x: f32[n, 3, 2]) {
        parameter @w: f32[3, 2] weight = [1, 2, 3, 4, 5, 6]
        %a: f32[n, 3, 3] = linear(%x, @w)
        %b: f32[n, 3, 2] = matmul(%a, @w)
        return %b
      }
      """),
    PassCase(
      "gemm reads transposed operands",
      """
      graph @main(%x: f32[2, 3], %w: f32[4, 3]) {
        %t: f32[3, 4] = transpose(%w)
        %a: f32[2, 4] = gemm(%x, %t)
        return %a
      }
      """,
      """
      graph @main(%x: f32[2, 3], %w: f32[4, 3]) {
        %a: f32[2, 4] = gemm(%x, %w) {transB = true}
        return %a
      }
      """),
  ]

  @Test(arguments: transposes) func transposesLess(_ test: PassCase) throws {
    try expect(TransposeEliminationPass(), test)
  }

  static let reshapes = [
    PassCase(
      "two make one",
      """
      graph @main(%x: f32[2, 3, 4]) {
        parameter @axes: i64[1] constant = [0]
        %a: f32[2, 12] = flatten(%x)
        %b: f32[1, 2, 12] = unsqueeze(%a, @axes)
        return %b
      }
      """,
      """
      graph @main(%x: f32[2, 3, 4]) {
        parameter @axes: i64[1] constant = [0]
        parameter @shape: i64[3] constant = [1, 2, 12]
        %b: f32[1, 2, 12] = reshape(%x, @shape)
        return %b
      }
      """),
    PassCase(
      "one symbol may be open",
      """
      graph @main(%x: f32[n, 3, 4]) {
        parameter @s: i64[4] constant = [0, 2, 2, 3]
        %a: f32[n, 12] = flatten(%x)
        %b: f32[n, 2, 2, 3] = reshape(%a, @s)
        return %b
      }
      """,
      """
      graph @main(%x: f32[n, 3, 4]) {
        parameter @s: i64[4] constant = [0, 2, 2, 3]
        parameter @shape: i64[4] constant = [-1, 2, 2, 3]
        %b: f32[n, 2, 2, 3] = reshape(%x, @shape)
        return %b
      }
      """),
    PassCase(
      "back to where it began",
      """
      graph @main(%x: f32[n, 3, m]) {
        parameter @axes: i64[1] constant = [1]
        %a: f32[n, 1, 3, m] = unsqueeze(%x, @axes)
        %b: f32[n, 3, m] = squeeze(%a, @axes)
        %c: f32[n, 3, m] = neg(%b)
        return %c, %a
      }
      """,
      """
      graph @main(%x: f32[n, 3, m]) {
        parameter @axes: i64[1] constant = [1]
        %a: f32[n, 1, 3, m] = unsqueeze(%x, @axes)
        %c: f32[n, 3, m] = neg(%x)
        return %c, %a
      }
      """),
  ]

  @Test(arguments: reshapes) func reshapesLess(_ test: PassCase) throws { try expect(ReshapeSimplificationPass(), test) }
}
