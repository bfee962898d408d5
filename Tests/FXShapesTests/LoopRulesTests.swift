import FXCore
import FXShapes
import Testing

/// How many turns a loop makes is known where nothing ends it before.
@Suite struct LoopRulesTests {
  /// The type of what a loop collects, `returned` being the condition that its body gives.
  private func collected(_ condition: String, returning returned: String) throws -> String {
    var graph = try Graph(
      text: """
        fx 1
        graph @loops(%x: f32[2], %n: i64[n], %given: bool[]) {
          parameter @three: i64[] constant = [3]
          parameter @yes: bool[] constant = [true]
          parameter @no: bool[] constant = [false]
          %last, %all = loop(@three, \(condition), %x) {state_count = 1} body(%i: i64[], %c: bool[], %s: f32[2]) {
            %same: bool[] = identity(%c)
            %other: bool[] = not(%c)
            %next: f32[2] = relu(%s)
            return \(returned), %next, %next
          }
          return %all
        }
        """)
    try ShapeInference().run(&graph)
    return try graph.type(of: #require(graph.outputs.first)).description
  }

  @Test func turns() throws {
    #expect(try collected("none", returning: "%other") == "f32[3, 2]")
    #expect(try collected("@yes", returning: "%same") == "f32[3, 2]")
    #expect(try collected("@yes", returning: "%c") == "f32[3, 2]")
    // These may end earlier.
    for (condition, returned) in [("@yes", "%other"), ("%given", "%c"), ("@no", "%c")] {
      #expect(try collected(condition, returning: returned) == "f32[u0, 2]")
    }
  }
}
