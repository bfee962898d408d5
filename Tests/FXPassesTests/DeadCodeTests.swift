import FXCore
import FXPasses
import Testing

struct DeadCodeTests {
  static let cases = [
    PassCase(
      "a chain nobody uses goes, with its parameter",
      """
      graph @main(%x: f32[4]) {
        parameter @w: f32[4] weight = [1, 2, 3, 4]
        %a = sqrt(%x)
        %b = exp(%x)
        %c = add(%b, @w)
        return %a
      }
      """,
      """
      graph @main(%x: f32[4]) {
        %a = sqrt(%x)
        return %a
      }
      """),
    PassCase(
      "inputs stay, used or not",
      """
      graph @main(%x: f32[4], %y: f32[4]) {
        return %x
      }
      """),
    PassCase(
      "what an unregistered operator does is not known",
      """
      graph @main(%x: f32[4]) {
        %a = exp(%x)
        %b = ?vendor::write(%a)
        return %x
      }
      """, runs: false),
    PassCase(
      "names of outputs stay",
      """
      graph @main(%x: f32[4]) {
        %node_0 = exp(%x)
        %node_1 = neg(%x)
        return %node_1
      }
      """,
      """
      graph @main(%x: f32[4]) {
        %node_1 = neg(%x)
        return %node_1
      }
      """),
  ]

  @Test(arguments: cases) func removes(_ test: PassCase) throws { try expect(DeadCodeEliminationPass(), test) }

  @Test func parametersCanStay() throws {
    var graph = try graph("graph @main(%x: f32[1]) {\nparameter @w: f32[1] weight = [1]\nreturn %x\n}")
    #expect(try DeadCodeEliminationPass(removesParameters: false).apply(to: &graph).changes == 0)
    #expect(graph.parameterIDs.count == 1)
  }
}
