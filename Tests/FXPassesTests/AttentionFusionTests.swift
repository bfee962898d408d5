import FXCore
import FXPasses
import FXRuntime
import Testing

struct AttentionFusionTests {
  static let cases = [
    PassCase(
      "heads apart, the scale on the scores, no mask",
      """
      graph @main(%q: f32[2, 4, 7, 8], %k: f32[2, 4, 9, 8], %v: f32[2, 4, 9, 5]) {
        %t: f32[2, 4, 8, 9] = transpose(%k) {perm = [0, 1, 3, 2]}
        %s: f32[2, 4, 7, 9] = matmul(%q, %t)
        %d: f32[2, 4, 7, 9] = mul(%s, 0.25)
        %p: f32[2, 4, 7, 9] = softmax(%d)
        %y: f32[2, 4, 7, 5] = matmul(%p, %v)
        return %y
      }
      """,
      """
      graph @main(%q: f32[2, 4, 7, 8], %k: f32[2, 4, 9, 8], %v: f32[2, 4, 9, 5]) {
        %t: f32[2, 4, 8, 9] = transpose(%k) {perm = [0, 1, 3, 2]}
        %y: f32[2, 4, 7, 5] = attention(%q, %k, %v) {scale = 0.25}
        return %y
      }
      """),
    PassCase(
      "roots of the scale on queries and keys, a mask, zeros for what is no number",
      """
      graph @main(%q: f32[b, 4, n, 8], %k: f32[b, 4, n, 8], %v: f32[b, 4, n, 8], %m: f32[b, 1, n, n]) {
        %t: f32[b, 4, 8, n] = transpose(%k) {perm = [0, 1, 3, 2]}
        %a: f32[b, 4, n, 8] = mul(%q, 0.5)
        %c: f32[b, 4, 8, n] = div(%t, 4.0)
        %s: f32[b, 4, n, n] = matmul(%a, %c)
        %d: f32[b, 4, n, n] = add(%m, %s)
        %p: f32[b, 4, n, n] = softmax(%d)
        %i: bool[b, 4, n, n] = is_nan(%p)
        %w: f32[b, 4, n, n] = where(%i, 0.0, %p)
        %y: f32[b, 4, n, 8] = matmul(%w, %v)
        return %y
      }
      """,
      """
      graph @main(%q: f32[b, 4, n, 8], %k: f32[b, 4, n, 8], %v: f32[b, 4, n, 8], %m: f32[b, 1, n, n]) {
        %t: f32[b, 4, 8, n] = transpose(%k) {perm = [0, 1, 3, 2]}
        %a: f32[b, 4, n, 8] = mul(%q, 0.5)
        %c: f32[b, 4, 8, n] = div(%t, 4.0)
        %y: f32[b, 4, n, 8] = attention(%q, %k, %v, %m) {scale = 0.125}
        return %y
      }
      """),
    PassCase(
      "other operators than these, other users, other types, and what is not known",
      """
      graph @main(%q: f32[2, 4, 7, 8], %t: f32[2, 4, 8, 9], %v: f32[2, 4, 9, 5], %h: f64[2, 4, 7, 9], %w: f64[2, 4, 9, 9],
        %u: f32[2, 1, 9, 5], %g: f32[2, 4, 3, 9])
      {
        %s: f32[2, 4, 7, 9] = matmul(%q, %t)
        %p: f32[2, 4, 7, 9] = softmax(%s)
        %a: f32[2, 4, 7, 5] = matmul(%p, %v)
        %s2: f64[2, 4, 7, 9] = matmul(%h, %w)
        %p2: f64[2, 4, 7, 9] = softmax(%s2)
        %b: f64[2, 4, 7, 9] = matmul(%p2, %w)
        %s3: f32[2, 4, 7, 9] = matmul(%q, %t)
        %p3: f32[2, 4, 7, 9] = softmax(%s3)
        %c: f32[2, 4, 7, 5] = matmul(%p3, %u)
        %s4: f32[2, 4, 7, 9] = matmul(%q, %t)
        %p4: f32[2, 4, 7, 9] = softmax(%s4)
        %d: f32[2, 4, 7, 5] = matmul(%p4, %v)
        %s5: f32[2, 4, 7, 9] = matmul(%q, %t)
        %p5: f32[2, 4, 7, 9] = softmax(%s5) {axis = 2}
        %e: f32[2, 4, 7, 5] = matmul(%p5, %v)
        return %b, %c, %d, %s4, %e
      }
      """,
      """
      graph @main(%q: f32[2, 4, 7, 8], %t: f32[2, 4, 8, 9], %v: f32[2, 4, 9, 5], %h: f64[2, 4, 7, 9], %w: f64[2, 4, 9, 9],
        %u: f32[2, 1, 9, 5], %g: f32[2, 4, 3, 9])
      {
        %node_15: f32[2, 4, 9, 8] = transpose(%t) {perm = [0, 1, 3, 2]}
        %a: f32[2, 4, 7, 5] = attention(%q, %node_15, %v) {scale = 1.0}
        %s2: f64[2, 4, 7, 9] = matmul(%h, %w)
        %p2: f64[2, 4, 7, 9] = softmax(%s2)
        %b: f64[2, 4, 7, 9] = matmul(%p2, %w)
        %s3: f32[2, 4, 7, 9] = matmul(%q, %t)
        %p3: f32[2, 4, 7, 9] = softmax(%s3)
        %c: f32[2, 4, 7, 5] = matmul(%p3, %u)
        %s4: f32[2, 4, 7, 9] = matmul(%q, %t)
        %p4: f32[2, 4, 7, 9] = softmax(%s4)
        %d: f32[2, 4, 7, 5] = matmul(%p4, %v)
        %s5: f32[2, 4, 7, 9] = matmul(%q, %t)
        %p5: f32[2, 4, 7, 9] = softmax(%s5) {axis = 2}
        %e: f32[2, 4, 7, 5] = matmul(%p5, %v)
        return %b, %c, %d, %s4, %e
      }
      """, declined: ["is not of f32", "broadcast", "used elsewhere"]),
  ]

  @Test(arguments: cases) func fuses(_ test: PassCase) throws { try expect(AttentionFusionPass(), test) }

  /// Heads split off and moved as exporters do, keys by way of a matrix per head: `attention` on folded heads, and nothing else.
  @Test func heads() throws {
    let before = try graph(
      """
      graph @main(%x: f32[b, n, 32], %m: bool[1, 1, n, n]) {
        parameter @h: i64[4] constant = [0, 0, 4, 8]
        parameter @r: i64[3] constant = [-1, 5, 8]
        parameter @f: i64[3] constant = [0, 0, 32]
        %q0: f32[b, n, 4, 8] = reshape(%x, @h)
        %q1: f32[b, 4, n, 8] = transpose(%q0) {perm = [0, 2, 1, 3]}
        %k0: f32[b, n, 4, 8] = reshape(%x, @h)
        %k1: f32[b, 4, 8, n] = transpose(%k0) {perm = [0, 2, 3, 1]}
        %s: f32[b, 4, n, n] = matmul(%q1, %k1)
        %z: f32[b, 4, n, n] = where(%m, %s, -1e30)
        %p: f32[b, 4, n, n] = softmax(%z)
        %y: f32[b, 4, n, 8] = matmul(%p, %q1)
        %y0: f32[b, n, 4, 8] = transpose(%y) {perm = [0, 2, 1, 3]}
        %y1: f32[b, n, 32] = reshape(%y0, @f)
        return %y1
      }
      """)
    var after = before
    try AttentionFusionPass().apply(to: &after)
    try after.verify(.typed)
    try PassManager.defaultOptimizationPasses(executor: ReferenceExecutor()).run(&after)
    #expect(after.operatorCounts.map { "\($0.op) \($0.count)" }.sorted() == ["attention 1", "where 1"], "\(after)")
    try expectEqualOutputs(before, after, .reassociates, InputSampler(sizes: ["b": 2, "n": 5]))
  }

  /// Key heads that are repeated for groups of queries' heads are taken as they were.
  @Test func groups() throws {
    let before = try graph(
      """
      graph @main(%q: f32[b, 6, n, 8], %k: f32[b, 2, n, 8], %v: f32[b, 2, n, 8]) {
        parameter @a: i64[1] constant = [2]
        parameter @e: i64[5] constant = [1, 1, 3, 1, 1]
        parameter @h: i64[4] constant = [0, 6, -1, 8]
        %k0: f32[b, 2, 1, n, 8] = unsqueeze(%k, @a)
        %k1: f32[b, 2, 3, n, 8] = expand(%k0, @e)
        %k2: f32[b, 6, n, 8] = reshape(%k1, @h)
        %v0: f32[b, 2, 1, n, 8] = unsqueeze(%v, @a)
        %v1: f32[b, 2, 3, n, 8] = expand(%v0, @e)
        %v2: f32[b, 6, n, 8] = reshape(%v1, @h)
        %t: f32[b, 6, 8, n] = transpose(%k2) {perm = [0, 1, 3, 2]}
        %s: f32[b, 6, n, n] = matmul(%q, %t)
        %p: f32[b, 6, n, n] = softmax(%s)
        %y: f32[b, 6, n, 8] = matmul(%p, %v2)
        return %y
      }
      """)
    var after = before
    try AttentionFusionPass().apply(to: &after)
    try DeadCodeEliminationPass().apply(to: &after)
    #expect(
      after
        == (try graph(
          """
          graph @main(%q: f32[b, 6, n, 8], %k: f32[b, 2, n, 8], %v: f32[b, 2, n, 8]) {
            %y: f32[b, 6, n, 8] = attention(%q, %k, %v) {scale = 1.0}
            return %y
          }
          """)),
      "\(after)")
    try expectEqualOutputs(before, after, .reassociates, InputSampler(sizes: ["b": 2, "n": 5]))
  }
}
