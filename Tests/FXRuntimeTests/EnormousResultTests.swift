import FXCore
import FXRuntime
import FXShapes
import Testing

/// Graphs of a few bytes whose results would fill any machine compile at once, without the result; a run says why not.
@Suite struct EnormousResultTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let body: String
    /// Whether a run ends: a loop of 2⁶² turns does not.
    var runs = true
    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "constant of shape",
      body: "parameter @s: i64[2] constant = [1099511627776, 1024]\n %y = constant_of_shape(@s)"),
    Case(
      name: "expand",
      body: "parameter @s: i64[1] constant = [1099511627776]\n parameter @c: f32[1] constant = [2]\n %y = expand(@c, @s)"),
    Case(
      name: "tile",
      body: "parameter @s: i64[1] constant = [1099511627776]\n parameter @c: f32[1] constant = [2]\n %y = tile(@c, @s)"),
    Case(
      name: "range",
      body: """
        parameter @a: i64[] constant = [0]
         parameter @b: i64[] constant = [4611686018427387904]
         parameter @d: i64[] constant = [1]
         %y = range(@a, @b, @d)
        """),
    Case(
      name: "one hot",
      body: """
        parameter @i: i64[2] constant = [0, 1]
         parameter @n: i64[] constant = [1099511627776]
         parameter @v: f32[2] constant = [0, 1]
         %y = one_hot(@i, @n, @v)
        """),
    Case(
      name: "a declared type that is wrong",
      body: """
        parameter @s: f32[1] constant = [27.7]
         %e: f32[1] = exp(@s)
         %i: i64[1] = cast(%e) {to = i64}
         %y: f32[1] = constant_of_shape(%i)
        """),
    Case(
      name: "loop",
      body: """
        parameter @n: i64[] constant = [4611686018427387904]
         parameter @x: f32[] constant = [1]
         %y = loop(@n, none, @x) {state_count = 1} body(%i: i64[], %c: bool[], %s: f32[]) {
           %t = add(%s, 1)
           return %c, %t
         }
        """, runs: false),
    Case(
      name: "a product of large constants",
      body: """
        parameter @s: i64[2] constant = [1900, 1900]
         %a = constant_of_shape(@s)
         %b = matmul(%a, %a)
         %c = matmul(%b, %a)
         %y = matmul(%c, %b)
        """, runs: false),
  ]

  @Test(arguments: cases) func compilesWithoutTheResult(example: Case) throws {
    let graph = try Graph(text: "fx 1\ngraph @main() {\n \(example.body)\n return %y\n}\n")
    let backend = CPUBackend(CPUBackend.Options(threads: 1, memoryLimit: 64 << 20))
    let start = ContinuousClock.now
    let compiled = try backend.compiled(graph)
    #expect(ContinuousClock.now - start < .seconds(10))
    let bytes = try compiled.graph.parameterIDs.reduce(0) { try $0 + (compiled.graph[$1].tensor?.byteCount ?? 0) }
    #expect(bytes < 32 << 20)
    if example.runs { #expect(throws: (any Error).self) { try compiled.run([]) } }
  }

  /// Each loop looks at its body until types settle; thirty inside each other do not look three to the thirtieth times.
  @Test func nestedLoopsAreInferredInTime() throws {
    var text = "fx 1\ngraph @main(%x: f32[n, 1], %trips: i64[]) {\n"
    let depth = 30
    for level in 0..<depth {
      let outer = level == 0 ? "x" : "s\(level - 1)", trips = level == 0 ? "trips" : "k\(level - 1)"
      text += " %y\(level), %last\(level) = loop(%\(trips), none, %\(outer), %\(trips)) {state_count = 2} "
      text += "body(%i\(level): i64[], %c\(level): bool[], %s\(level), %k\(level)) {\n"
    }
    text += " %z = concat(%s\(depth - 1), %s\(depth - 1)) {axis = 0}\n return %c\(depth - 1), %z, %k\(depth - 1)\n }\n"
    for level in (0..<(depth - 1)).reversed() {
      text += " %t\(level) = concat(%y\(level + 1), %s\(level)) {axis = 1}\n return %c\(level), %t\(level), %k\(level)\n }\n"
    }
    text += " return %y0\n}\n"
    var graph = try Graph(text: text)
    let start = ContinuousClock.now
    try ShapeInference().run(&graph)
    #expect(ContinuousClock.now - start < .seconds(20))
    #expect(graph.type(of: graph.outputs[0]).elementType == .float32)
  }
}
