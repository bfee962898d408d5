import FXCore
import FXPasses
import FXRuntime
import Testing

struct ShapeSimplificationTests {
  static let cases = [
    PassCase(
      "sizes that are kept",
      """
      graph @main(%x: f32[b, t, 64]) {
        parameter @rest: i64[2] constant = [4, 16]
        %s: i64[2] = shape(%x) {end = 2}
        %c: i64[4] = concat(%s, @rest) {axis = 0}
        %y: f32[b, t, 4, 16] = reshape(%x, %c) {allowzero = true}
        return %y
      }
      """,
      """
      graph @main(%x: f32[b, t, 64]) {
        parameter @rest: i64[2] constant = [4, 16]
        parameter @shape: i64[4] constant = [0, 0, 4, 16]
        %s: i64[2] = shape(%x) {end = 2}
        %c: i64[4] = concat(%s, @rest) {axis = 0}
        %y: f32[b, t, 4, 16] = reshape(%x, @shape)
        return %y
      }
      """),
    PassCase(
      "an expansion that adds a fixed size, one that adds an open one",
      """
      graph @main(%x: f32[b, 1, 3], %n: i64[1]) {
        parameter @rest: i64[2] constant = [5, 3]
        %s: i64[1] = shape(%x) {end = 1}
        %c: i64[3] = concat(%s, @rest) {axis = 0}
        %y: f32[b, 5, 3] = expand(%x, %c)
        %d: i64[3] = concat(%s, %s, @rest) {axis = 0}
        %z: f32[b, b, 5, 3] = expand(%x, %d)
        return %y, %z
      }
      """,
      """
      graph @main(%x: f32[b, 1, 3], %n: i64[1]) {
        parameter @rest: i64[2] constant = [5, 3]
        parameter @shape: i64[3] constant = [1, 5, 1]
        %s: i64[1] = shape(%x) {end = 1}
        %c: i64[3] = concat(%s, @rest) {axis = 0}
        %y: f32[b, 5, 3] = expand(%x, @shape)
        %d: i64[3] = concat(%s, %s, @rest) {axis = 0}
        %z: f32[b, b, 5, 3] = expand(%x, %d)
        return %y, %z
      }
      """, runs: false),
    PassCase(
      "sizes of an input, found behind computations",
      """
      graph @main(%x: f32[b, t, 8]) {
        parameter @one: i64[] constant = [1]
        parameter @zero: i64[] constant = [0]
        %y: f32[b, t, 8] = relu(%x)
        %s: i64[3] = shape(%y)
        %t: i64[] = gather(%s, @one)
        %r: i64[t] = range(@zero, %t, @one)
        return %r
      }
      """,
      """
      graph @main(%x: f32[b, t, 8]) {
        parameter @one: i64[] constant = [1]
        parameter @zero: i64[] constant = [0]
        %y: f32[b, t, 8] = relu(%x)
        %s: i64[3] = shape(%x) {end = 3}
        %node_5: i64[1] = shape(%x) {end = 2, start = 1}
        %t: i64[] = squeeze(%node_5)
        %r: i64[t] = range(@zero, %t, @one)
        return %r
      }
      """),
  ]

  @Test(arguments: cases) func simplifies(_ test: PassCase) throws {
    try expect(ShapeSimplificationPass(), test, sampler: InputSampler(sizes: ["b": 2, "t": 3]))
  }
}
