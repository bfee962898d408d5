import FXTestSupport
import Testing

@testable import FXCore

@Suite struct TextFormatTests {
  private static let example = """
    fx 1
    graph @main(%x: f32[batch, 784]) {
      symbol batch in 1...1024 multiple_of 8
      constraint batch <= 2*seq
      metadata "producer" = "example"
      opset "" = 21
      parameter @w: f32[784] weight
      parameter @scale: f32[2] constant = [1.0, -0.5]
      parameter @tied: f32[1, 2] constant = shared @scale
      %node_0: f32[batch, 784] = mul(%x, @w) "head" at "App/Model.swift":12 in "layers.0"
      %r = test::branch(%node_0) then(%a: f32[batch, 784]) {
        %y, %node_1.1 = ?com.vendor::Fancy@2(%a, none, 0.5) {mode = "fast", sizes = [1, 2]}
        return %y
      } else() {
        node_2 = emit(3)
        return @w as "else"
      }
      return %r as "logits"
    }

    """

  @Test func printsWhatTheDocumentationShows() throws {
    let graph = try Graph(text: TextFormatTests.example, operators: RandomGraph.operators)
    #expect(graph.text() == TextFormatTests.example)
    #expect(graph.outputNames == ["logits"])
    #expect(graph.symbols == ["batch": SymbolBounds(minimum: 1, maximum: 1024, divisor: 8)])
    let scale = try #require(graph.parameter(named: "scale")), tied = try #require(graph.parameter(named: "tied"))
    let (a, b) = try (#require(graph[scale].tensor), #require(graph[tied].tensor))
    #expect(a.sharesStorage(with: b))
    #expect(try a.elements(Float.self) == [1, -0.5])
  }

  @Test func acceptsWhatPeopleWrite() throws {
    let graph = try Graph(
      text: """
        // A comment, and a call whose operand comes later.
        fx 1 graph @"my graph"(%x) { %y = subtract(%z,%x) // an alias
          %z=neg(%x)
          _ = emit() return %y,3,none }
        """, operators: RandomGraph.operators)
    #expect(
      graph.text() == """
        fx 1
        graph @"my graph"(%x) {
          %y = sub(%z, %x)
          %z = neg(%x)
          node_2 = emit()
          return %y, 3, none
        }

        """)
  }

  /// The text, and the error that reading it throws.
  static let mistakes: [(String, String)] = [
    ("", "1:1: expected 'fx' and the version of the format, but the text ends"),
    ("fx 2", "1:4: this is version 2 of the text format; versions up to 1 can be read"),
    ("fx 0", "1:4: there is no version 0 of the text format"),
    ("fx 1\ngraph @g() {\n  %a = ", "3:8: expected an operator, but the text ends"),
    ("fx 1\ngraph @g() {\n  %a neg()", "3:6: expected '=', not 'neg'"),
    ("fx 1\ngraph @g() {\n  %a = subtrat(1)", "3:8: there is no operator 'subtrat'; did you mean 'subtract'?"),
    ("fx 1\ngraph @g(%input) {\n  %a = neg(%inpt)\n  return}", "3:12: nothing is called '%inpt' here; did you mean '%input'?"),
    ("fx 1\ngraph @g(%x, %x) {", "2:14: the name '%x' is taken"),
    ("fx 1\ngraph @g(%x) {\n  %x = neg(%x)\n", "3:3: the name '%x' is taken"),
    ("fx 1\ngraph @g(%x: f33[2]) {", "2:14: expected a type such as f32[2, 3], not 'f33'"),
    ("fx 1\ngraph @g(%x: f32[2+]) {", "2:20: expected a dimension such as 784, batch or ?, not ']'"),
    ("fx 1\ngraph @g() {\n  %a = neg(1) {axis = 1}\n", "3:8: neg has no attribute 'axis'"),
    ("fx 1\ngraph @g() {\n  %a = neg(1, 2)\n", "3:8: neg takes 1 operands, not 2"),
    (
      "fx 1\ngraph @g() {\n  parameter @p: f32[9] weight = …\n",
      "3:33: the weights were left out when this was printed: print all of them with text()"
    ),
    ("fx 1\ngraph @g() {\n  parameter @p: f32[3] weight = [1.0]\n", "3:33: 1 elements do not fill the shape [3]"),
    ("fx 1\ngraph @g() {\n  parameter @p: i8[1] weight = [300]\n", "3:33: 300 is out of range here"),
    ("fx 1\ngraph @g() {\n  symbol s multiple_of 0\n", "3:24: 0 is out of range here"),
    (
      "fx 1\ngraph @g() {\n  return \"open",
      "3:10: expected an operand: %value, @parameter, a number, 'true', 'false' or 'none', not '\"'"
    ),
    ("fx 1\ngraph @\"open\n\"() {", "2:13: expected '\"' at the end of the string, not '\n'"),
    ("fx 1\ngraph @g() {\n  return }\n x", "4:2: expected the end of the text, not 'x'"),
    (
      "fx 1\ngraph @g() {\n  %a = test::branch() then() { return } return",
      "3:41: expected the region 'else' of test::branch, not 'return'"
    ),
    ("fx 1\ngraph @é() {", "2:8: expected a name after '@', not 'é'"),
  ]

  @Test(arguments: mistakes.indices) func errorsSayWhatAndWhere(index: Int) throws {
    let (text, expected) = TextFormatTests.mistakes[index]
    do {
      _ = try Graph(text: text, operators: RandomGraph.operators)
      Issue.record("no error for \(text)")
    } catch {
      #expect(error.description == expected)
    }
  }

  /// Nesting has a limit, read or made, and what is within it can be written and read.
  @Test func nestingHasALimit() throws {
    func nested(_ levels: Int) -> String {
      let open = String(repeating: " %a = iterate() body() {", count: levels)
      return "fx 1 graph @g() {" + open + String(repeating: " return }", count: levels + 1)
    }
    let levels = Graph.regionDepthLimit - 1
    let graph = try Graph(text: nested(levels), operators: RandomGraph.operators)
    #expect(graph.nodeCount == levels)
    #expect(try Graph(text: graph.text(), operators: RandomGraph.operators) == graph)
    #expect(try Graph(binary: graph.binary(), operators: RandomGraph.operators) == graph)
    #expect(try Graph(json: graph.json(), operators: RandomGraph.operators) == graph)
    for more in [1, 5_000] {
      let error = #expect(throws: TextError.self) {
        try Graph(text: nested(levels + more), operators: RandomGraph.operators)
      }
      #expect(error?.fault == .graph(.regionsTooDeep(limit: Graph.regionDepthLimit)))
    }
    let types = String(repeating: "seq<", count: 100_000)
    #expect(throws: TextError(line: 1, column: 1 + 64 * 4, fault: .tooDeep(limit: 64))) { try TextScanner.type(types) }
    let dimensions = String(repeating: "min(", count: 100_000)
    #expect(throws: TextError(line: 1, column: 1 + 64 * 4, fault: .tooDeep(limit: 64))) { try TextScanner.dimension(dimensions) }
  }

  /// Numbers of nodes may repeat where the names that show them do not.
  @Test func numbersAreNotNames() throws {
    let text = """
      fx 1
      graph @main() {
        %x, %node_0.1 = test::everything()
        %node_0 = neg(%x)
        %y = add(%node_0, %node_0.1)
        return %y
      }

      """
    let graph = try Graph(text: text, operators: RandomGraph.operators)
    #expect(graph.text() == text)
    #expect(graph.brokenInvariants == [])
    #expect(try Graph(binary: graph.binary(), operators: RandomGraph.operators) == graph)
    #expect(try Graph(json: graph.json(), operators: RandomGraph.operators) == graph)
  }

  @Test func readableFormElidesWeights() throws {
    var graph = Graph()
    let w = try graph.addParameter("w", Tensor(zeros: .float32, [3, 3]))
    let y = try graph.call(.neg, [.parameter(w)], location: Location(file: "A.swift", line: 1))
    try graph.addOutput(y)
    #expect(
      graph.description == """
        fx 1
        graph @main() {
          parameter @w: f32[3, 3] weight = …
          %node_0 = neg(@w)
          return %node_0
        }

        """)
    #expect(
      graph.tabularText == """
        opcode  name    target  args       type
        ------  ------  ------  ---------  ----
        call    node_0  neg     (@w)       _
        output  node_0  output  (%node_0)  _

        """)
  }

  @Test func equalityIsOfWhatTheGraphSays() throws {
    let a = try Graph(text: TextFormatTests.example, operators: RandomGraph.operators)
    for (from, to, isEqual) in [
      ("Model.swift\":12", "Model.swift\":13", true), ("0.5)", "0.25)", false), ("\"fast\"", "\"slow\"", false),
      ("as \"logits\"", "", false), ("\"head\"", "", false), ("-0.5]", "0.5]", false), ("%y", "%z", false),
      ("then(%a: f32[batch, 784])", "then(%a: f32[batch, 783])", false), ("@2(", "@3(", false), ("node_2", "node_3", false),
    ] {
      let text = TextFormatTests.example.replacing(from, with: to)
      #expect((try Graph(text: text, operators: RandomGraph.operators) == a) == isEqual, "\(from) → \(to)")
    }
  }
}
