import FXCore
import FXPasses
import FXRuntime
import Testing

struct ConstantFoldingTests {
  static let cases = [
    PassCase(
      "a chain of constants is one constant",
      """
      graph @main(%x: f32[2]) {
        parameter @c: f32[2] constant = [1, 4]
        %a: f32[2] = sqrt(@c)
        %b: f32[2] = mul(%a, 3)
        %y: f32[2] = add(%x, %b)
        return %y
      }
      """,
      """
      graph @main(%x: f32[2]) {
        parameter @c: f32[2] constant = [1, 4]
        parameter @b: f32[2] constant = [3, 6]
        %y: f32[2] = add(%x, @b)
        return %y
      }
      """),
    PassCase(
      "an output may be constant",
      """
      graph @main(%x: f32[2]) {
        parameter @c: f32[2] constant = [1, 4]
        %a: f32[2] = sqrt(@c)
        return %a, %x
      }
      """,
      """
      graph @main(%x: f32[2]) {
        parameter @c: f32[2] constant = [1, 4]
        parameter @a: f32[2] constant = [1, 2]
        return @a, %x
      }
      """),
    PassCase(
      "unbound parameters are not known",
      """
      graph @main(%x: f32[2]) {
        parameter @w: f32[2] weight
        %a: f32[2] = sqrt(@w)
        %y: f32[2] = add(%x, %a)
        return %y
      }
      """, runs: false),
    PassCase(
      "more than the budget, and more than it is made of",
      """
      graph @main(%x: f32[2]) {
        parameter @r: f32[9] constant = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        parameter @c: f32[9, 1] constant = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        %a: f32[9, 9] = add(@r, @c)
        return %a, %x
      }
      """, declined: ["324 bytes exceed the budget of 256"]),
    PassCase(
      "a matrix that is used twice is not copied",
      """
      graph @main(%x: f32[2, 2]) {
        parameter @w: f32[2, 2] weight = [1, 2, 3, 4]
        %a: f32[2, 2] = neg(@w)
        %b: f32[2, 2] = add(%x, %a)
        %c: f32[2, 2] = add(%b, @w)
        return %c
      }
      """, declined: ["'w' is used elsewhere too"]),
  ]

  @Test(arguments: cases) func folds(_ test: PassCase) throws {
    try expect(ConstantFoldingPass(executor: ReferenceExecutor(), sizeBudget: 256), test)
  }

  /// One node that nobody can evaluate keeps only its users.
  @Test func keepsWhatFails() throws {
    var kernels = ReferenceKernels.standard
    kernels[.exp] = nil
    var graph = try graph(
      """
      graph @main(%x: f32[1]) {
        parameter @c: f32[1] constant = [4]
        %a: f32[1] = sqrt(@c)
        %b: f32[1] = exp(%a)
        %d: f32[1] = neg(%b)
        %e: f32[1] = add(%a, 1)
        %y: f32[1] = add(%d, %e)
        return %y
      }
      """)
    let outcome = try ConstantFoldingPass(executor: ReferenceExecutor(kernels: kernels)).apply(to: &graph)
    #expect(outcome["nodes folded"] == 2)
    #expect(outcome.declined.map(\.node) == ["b", "d", "y"])
    try graph.verify()
    #expect(graph.bodyNodes.count == 3)
  }
}
