import FXCore
import FXPasses
import FXRuntime
import Testing

/// Passes that move axes: rearrangement, sinking, selections merged, products unfolded, rotary positions.
struct RearrangementTests {
  static let chains = [
    PassCase(
      "heads split off, moved past and folded again; axes of size 1; a value that others use",
      """
      graph @main(%x: f32[2, 3, 20], %y: f32[1, 7, 4], %z: f32[n, 6]) {
        parameter @apart: i64[4] constant = [2, 3, 4, 5]
        parameter @folded: i64[3] constant = [3, 2, 20]
        parameter @thirds: i64[3] constant = [-1, 2, 3]
        %a: f32[2, 3, 4, 5] = reshape(%x, @apart)
        %b: f32[3, 2, 4, 5] = transpose(%a) {perm = [1, 0, 2, 3]}
        %c: f32[3, 2, 20] = reshape(%b, @folded)
        %d: f32[7, 1, 4] = transpose(%y) {perm = [1, 0, 2]}
        %e: f32[n, 2, 3] = reshape(%z, @thirds)
        %f: f32[n, 3, 2] = transpose(%e) {perm = [0, 2, 1]}
        return %c, %d, %e, %f
      }
      """,
      """
      graph @main(%x: f32[2, 3, 20], %y: f32[1, 7, 4], %z: f32[n, 6]) {
        parameter @apart: i64[4] constant = [2, 3, 4, 5]
        parameter @folded: i64[3] constant = [3, 2, 20]
        parameter @thirds: i64[3] constant = [-1, 2, 3]
        parameter @shape: i64[3] constant = [7, 1, 4]
        %c: f32[3, 2, 20] = transpose(%x) {perm = [1, 0, 2]}
        %d: f32[7, 1, 4] = reshape(%y, @shape)
        %e: f32[n, 2, 3] = reshape(%z, @thirds)
        %f: f32[n, 3, 2] = transpose(%e) {perm = [0, 2, 1]}
        return %c, %d, %e, %f
      }
      """),
    PassCase(
      "what cannot be one of each stays",
      """
      graph @main(%x: f32[4, 6]) {
        parameter @apart: i64[3] constant = [4, 2, 3]
        parameter @other: i64[2] constant = [3, 8]
        %a: f32[4, 2, 3] = reshape(%x, @apart)
        %b: f32[2, 4, 3] = transpose(%a) {perm = [1, 0, 2]}
        %c: f32[3, 8] = reshape(%b, @other)
        return %c
      }
      """),
  ]

  @Test(arguments: chains) func shortens(_ test: PassCase) throws { try expect(RearrangementPass(), test) }

  static let sinking = [
    PassCase(
      "through a product, a bias, an activation and a split, to transposes that undo it or not",
      """
      graph @main(%x: f32[2, 3, 4], %y: f32[2, 3, 4]) {
        parameter @w: f32[4, 6] weight = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6]
        parameter @v: f32[6] weight = [1, 2, 3, 4, 5, 6]
        parameter @s: i64[2] constant = [2, 4]
        %a: f32[3, 2, 4] = transpose(%x) {perm = [1, 0, 2]}
        %b: f32[3, 2, 6] = matmul(%a, @w)
        %c: f32[3, 2, 6] = add(@v, %b)
        %d: f32[3, 2, 6] = gelu(%c)
        %e: f32[3, 2, 2], %f: f32[3, 2, 4] = split(%d, @s) {axis = -1}
        %g: f32[2, 3, 2] = transpose(%e) {perm = [1, 0, 2]}
        %h: f32[4, 3, 2] = transpose(%f) {perm = [2, 0, 1]}
        return %g, %h
      }
      """,
      """
      graph @main(%x: f32[2, 3, 4], %y: f32[2, 3, 4]) {
        parameter @w: f32[4, 6] weight = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6]
        parameter @v: f32[6] weight = [1, 2, 3, 4, 5, 6]
        parameter @s: i64[2] constant = [2, 4]
        %b: f32[2, 3, 6] = matmul(%x, @w)
        %c: f32[2, 3, 6] = add(@v, %b)
        %d: f32[2, 3, 6] = gelu(%c)
        %e: f32[2, 3, 2], %f: f32[2, 3, 4] = split(%d, @s) {axis = 2}
        %h: f32[4, 3, 2] = transpose(%f) {perm = [2, 1, 0]}
        return %e as "g", %h
      }
      """),
    PassCase(
      "not to an output, not past an operand along another axis, not where the last axis moves",
      """
      graph @main(%x: f32[3, 3], %y: f32[3, 3, 3], %z: f32[3, 3, 3]) {
        parameter @w: f32[3, 3] weight = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        %a: f32[3, 3] = transpose(%x)
        %b: f32[3, 3] = relu(%a)
        %c: f32[3, 3] = transpose(%b)
        %d: f32[3, 3, 3] = transpose(%y) {perm = [1, 0, 2]}
        %e: f32[3, 3, 3] = add(%d, @w)
        %f: f32[3, 3, 3] = transpose(%e) {perm = [1, 0, 2]}
        %g: f32[3, 3, 3] = transpose(%z) {perm = [0, 2, 1]}
        %h: f32[3, 3, 3] = softmax(%g)
        %i: f32[3, 3, 3] = transpose(%h) {perm = [0, 2, 1]}
        return %b, %c, %f, %i
      }
      """),
  ]

  @Test(arguments: sinking) func sinks(_ test: PassCase) throws { try expect(TransposeSinkingPass(), test) }

  static let selections = [
    PassCase(
      "the outer part of a last axis, in any order",
      """
      graph @main(%x: f32[7, 2, 8], %y: f32[2, 4]) {
        parameter @apart: i64[4] constant = [7, 2, 2, 4]
        parameter @zero: i64[] constant = [0]
        parameter @last: i64[] constant = [-1]
        %a: f32[7, 2, 2, 4] = reshape(%x, @apart)
        %b: f32[2, 7, 2, 4] = transpose(%a) {perm = [2, 0, 1, 3]}
        %d: f32[7, 2, 4] = gather(%b, @last)
        %c: f32[7, 2, 4] = gather(%b, @zero)
        %e: f32[4] = gather(%y, @zero)
        %f: f32[4] = gather(%y, @last)
        return %c, %d, %e, %f
      }
      """,
      """
      graph @main(%x: f32[7, 2, 8], %y: f32[2, 4]) {
        parameter @apart: i64[4] constant = [7, 2, 2, 4]
        parameter @zero: i64[] constant = [0]
        parameter @last: i64[] constant = [-1]
        parameter @sizes: i64[2] constant = [4, 4]
        %c: f32[7, 2, 4], %d: f32[7, 2, 4] = split(%x, @sizes) {axis = 2}
        %e: f32[4] = gather(%y, @zero)
        %f: f32[4] = gather(%y, @last)
        return %c, %d, %e, %f
      }
      """)
  ]

  @Test(arguments: selections) func merges(_ test: PassCase) throws { try expect(SelectMergingPass(), test) }

  static let products = [
    PassCase(
      "a gemm between two reshapes, a product between them; a factor",
      """
      graph @main(%x: f32[b, 3, 4]) {
        parameter @w: f32[2, 4] weight = [1, -2, 3, -4, 5, -6, 7, 8]
        parameter @v: f32[4, 2] weight = [1, -2, 3, -4, 5, -6, 7, 8]
        parameter @b: f32[2] weight = [1, 2]
        parameter @fold: i64[2] constant = [-1, 4]
        parameter @unfold: i64[3] constant = [-1, 3, 2]
        %a: f32[3*b, 4] = reshape(%x, @fold)
        %g: f32[3*b, 2] = gemm(%a, @w, @b) {transB = true}
        %y: f32[b, 3, 2] = reshape(%g, @unfold)
        %h: f32[3*b, 2] = gemm(%a, @v, @b)
        %z: f32[b, 3, 2] = reshape(%h, @unfold)
        %i: f32[3*b, 2] = gemm(%a, @v) {alpha = 2.0}
        %u: f32[b, 3, 2] = reshape(%i, @unfold)
        return %y, %z, %u
      }
      """,
      """
      graph @main(%x: f32[b, 3, 4]) {
        parameter @w: f32[2, 4] weight = [1, -2, 3, -4, 5, -6, 7, 8]
        parameter @v: f32[4, 2] weight = [1, -2, 3, -4, 5, -6, 7, 8]
        parameter @b: f32[2] weight = [1, 2]
        parameter @fold: i64[2] constant = [-1, 4]
        parameter @unfold: i64[3] constant = [-1, 3, 2]
        %a: f32[3*b, 4] = reshape(%x, @fold)
        %y: f32[b, 3, 2] = linear(%x, @w, @b)
        %node_8: f32[b, 3, 2] = matmul(%x, @v)
        %z: f32[b, 3, 2] = add(%node_8, @b)
        %i: f32[3*b, 2] = gemm(%a, @v) {alpha = 2.0}
        %u: f32[b, 3, 2] = reshape(%i, @unfold)
        return %y, %z, %u
      }
      """)
  ]

  @Test(arguments: products) func unfolds(_ test: PassCase) throws {
    try expect(ProductUnfoldingPass(), test, sampler: InputSampler(sizes: ["b": 2]))
  }

  /// Angles for one image are spread over all; those that do not stand twice side by side are left.
  @Test func rotary() throws {
    let before = try graph(
      """
      graph @main(%x: f32[b, 4, n, 8], %f: f32[1, n, 4], %g: f32[1, n, 8]) {
        parameter @one: i64[1] constant = [1]
        parameter @half: i64[2] constant = [4, 4]
        %t: f32[1, n, 8] = concat(%f, %f) {axis = -1}
        %c0: f32[1, n, 8] = cos(%t)
        %s0: f32[1, n, 8] = sin(%t)
        %c: f32[1, 1, n, 8] = unsqueeze(%c0, @one)
        %s: f32[1, 1, n, 8] = unsqueeze(%s0, @one)
        %p: f32[b, 4, n, 4], %q: f32[b, 4, n, 4] = split(%x, @half) {axis = 3}
        %m: f32[b, 4, n, 4] = neg(%q)
        %r: f32[b, 4, n, 8] = concat(%m, %p) {axis = 3}
        %a: f32[b, 4, n, 8] = mul(%c, %x)
        %e: f32[b, 4, n, 8] = mul(%r, %s)
        %y: f32[b, 4, n, 8] = add(%a, %e)
        %k: f32[1, 1, n, 8] = unsqueeze(%g, @one)
        %p2: f32[b, 4, n, 4], %q2: f32[b, 4, n, 4] = split(%x, @half) {axis = 3}
        %m2: f32[b, 4, n, 4] = neg(%q2)
        %r2: f32[b, 4, n, 8] = concat(%m2, %p2) {axis = 3}
        %a2: f32[b, 4, n, 8] = mul(%k, %x)
        %e2: f32[b, 4, n, 8] = mul(%r2, %s)
        %z: f32[b, 4, n, 8] = add(%a2, %e2)
        return %y, %z
      }
      """)
    var after = before
    let outcome = try RotaryFusionPass().apply(to: &after)
    try after.verify(.typed)
    #expect(outcome["rotary_embedding recognized"] == 1)
    #expect(outcome.declined.map(\.reason).contains { $0.contains("twice side by side") })
    #expect(after.nodes(calling: .rotaryEmbedding).count == 1 && after.nodes(calling: .neg).count == 1, "\(after)")
    try expectEqualOutputs(before, after, .reassociates, InputSampler(sizes: ["b": 2, "n": 5]))
    let again = try RotaryFusionPass().apply(to: &after)
    #expect(again.changes == 0)
  }
}
