import FXTestSupport
import Testing

@testable import FXCore

@Suite struct JSONTests {
  private static let minimal =
    #"{"format":"fx.graph","version":1,"name":"g","regions":[{"arguments":[],"nodes":[],"results":[]}]}"#

  @Test func skipsWhatItDoesNotKnow() throws {
    let graph = try Graph(
      json: #"""
        {"future": [1, {"a": null}], "format": "fx.graph", "version": 1, "name": "g", "regions": [{
          "arguments": [{"id": 3, "type": "_"}],
          "nodes": [{"op": "neg", "operands": [{"value": 3, "note": "new"}], "number": 0,
            "results": [{"id": 4, "type": "f32[2]"}]}],
          "results": [{"operand": {"value": 4}}], "comment": "x"}]}
        """#)
    #expect(graph.text() == "fx 1\ngraph @g(%arg_0) {\n  %node_0: f32[2] = neg(%arg_0)\n  return %node_0\n}\n")
  }

  /// The text, and how the error that reading it throws begins.
  static let mistakes: [(String, String)] = [
    ("{", "JSON graph: expected well-formed JSON"),
    ("[]", "JSON graph: expected an object"),
    ("{}", "JSON graph: this is something else, it does not begin as such a graph does"),
    (minimal.replacing("1", with: "2"), "JSON graph: this is version 2; versions up to 1 can be read"),
    (minimal.replacing("1", with: "0"), "JSON graph: there is no version 0"),
    (minimal.replacing("fx.graph", with: "x"), "JSON graph: this is something else, it does not begin as such a graph does"),
    (minimal.replacing(#""name":"g","#, with: ""), #"JSON graph: expected a field "name""#),
    (
      minimal.replacing(#""arguments":[]"#, with: #""arguments":[{"id":0,"type":7}]"#),
      "JSON graph, regions[0].arguments[0].type: expected a string"
    ),
    (
      minimal.replacing(#""results":[]"#, with: #""results":[{"operand":{"value":8}}]"#),
      "JSON graph, regions[0].results[0]: expected a value of the same region, not 8"
    ),
    (
      minimal.replacing(#""regions":[{"arguments":[],"nodes":[],"results":[]}]"#, with: #""regions":[]"#),
      "JSON graph, regions: expected at least the body"
    ),
    (String(repeating: "[", count: 100_000), "JSON graph: expected well-formed JSON"),
  ]

  @Test(arguments: mistakes.indices) func errorsNameThePlace(index: Int) {
    let (json, expected) = JSONTests.mistakes[index]
    do throws(FormatError) {
      _ = try Graph(json: json)
      Issue.record("no error for \(json.prefix(200))")
    } catch {
      #expect(error.description.hasPrefix(expected), "\(error)")
    }
  }

  @Test func weightsMayBeLeftOut() throws {
    var graph = Graph()
    try graph.addParameter("w", Tensor(vector: [Float(1)]))
    let copy = try Graph(json: graph.json(JSONOptions(weights: false, isPretty: true)))
    #expect(try copy[copy.parameterIDs[0]].tensor == nil)
    #expect(try Graph(json: graph.json()) == graph)
  }

  @Test func regionsFormATree() {
    let node = #"{"op":"iterate","operands":[],"results":[],"number":0,"regions":[REGION]}"#
    func error(_ region: String, _ more: String = "") -> String? {
      let json = JSONTests.minimal.replacing(#""nodes":[]"#, with: #""nodes":[\#(node.replacing("REGION", with: region))]"#)
        .replacing("}]}", with: "}\(more)]}")
      do throws(FormatError) {
        _ = try Graph(json: json, operators: RandomGraph.operators)
        return nil
      } catch {
        return error.description
      }
    }
    let empty = #",{"arguments":[],"nodes":[],"results":[]}"#
    #expect(error("1", empty) == nil)
    #expect(error("0", empty) == "JSON graph, regions[0]: expected a region that one node owns")
    #expect(error("7", empty) == "JSON graph, regions[0]: there is no region 7 among 2")
    #expect(error("1", empty + empty) == "JSON graph, regions: expected an owner of each region")
  }

  /// What ToRSh's `FxGraph::to_json` writes for the first graph of its tutorial.
  @Test func readsToRSh() throws {
    let graph = try Graph(
      json: #"""
        {"nodes": [[0, {"Input": "x"}], [1, {"Call": ["neg", ["x"]]}], [2, {"Call": ["add", ["node_0"]]}],
            [3, {"Call": ["mystery", ["node_1", "x"]]}], [4, {"Merge": {"inputs": ["node_1", "node_2"]}}], [5, "Output"]],
          "edges": [[0, 1, {"name": "x"}], [1, 2, {"name": "node_0"}], [3, 5, {"name": "node_2"}]], "inputs": [0], "outputs": [5]}
        """#)
    #expect(
      graph.text() == """
        fx 1
        graph @main(%x) {
          parameter @node_1.b: f32[*] weight
          %node_0 = neg(%x)
          %node_1 = add(%node_0, @node_1.b)
          %node_2 = ?torsh::mystery(%node_1, %x)
          %node_3 = ?torsh::Merge() {inputs = ["node_1", "node_2"]}
          return %node_2
        }

        """)
  }
}
