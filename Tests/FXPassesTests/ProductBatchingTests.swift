import FXCore
import FXPasses
import FXRuntime
import Testing

/// Products of one operand joined.
@Suite struct ProductBatchingTests {
  private static let text = """
    graph @main(%x: f32[2, 3, 4], %y: f32[2, 3, 4]) {
      parameter @q: f32[6, 4] weight
      parameter @k: f32[5, 4] weight
      parameter @v: f32[7, 4] weight
      parameter @qb: f32[6] weight
      parameter @kb: f32[5] weight
      %a: f32[2, 3, 6] = linear(%x, @q, @qb)
      %b: f32[2, 3, 5] = linear(%x, @k, @kb)
      %c: f32[2, 3, 7] = linear(%x, @v)
      %d: f32[2, 3, 7] = linear(%y, @v)
      return %a, %b, %c, %d
    }
    """

  @Test func joinsWhatHasABias() throws {
    var before = try graph(Self.text)
    try before.initializeParameters(seed: 1)
    var after = before
    let outcome = try ProductBatchingPass().apply(to: &after)
    #expect(outcome["products joined"] == 2)
    #expect(outcome.declined.map(\.reason) == ["its neighbours have a bias"])
    #expect(after.nodes(calling: .linear).count == 3)
    try PassTrial(executor: ReferenceExecutor()).check(ProductBatchingPass(), on: before)
    // Joined weights become constants.
    try ConstantFoldingPass(executor: ReferenceExecutor()).apply(to: &after)
    #expect(after.nodes(calling: .concat).isEmpty)
  }
}
