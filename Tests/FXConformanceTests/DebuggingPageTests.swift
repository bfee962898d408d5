import FXCodegen
import FXCore
import FXPasses
import FXRuntime
import Foundation
import Testing

/// The programs of `docs/Debugging.md`.
@Suite struct DebuggingPageTests {
  private let x: Tensor
  private let graph: Graph

  init() throws {
    x = try Tensor([1, 2], [1, -2] as [Float])
    graph = try Graph(
      text: """
        fx 1
        graph @main(%x: f32[n, 2]) {
          parameter @w: f32[2, 2] weight = [1.0, 2.0, -3.0, 4.0]
          %hidden: f32[n, 2] = linear(%x, @w)
          %a: f32[n, 2] = relu(%hidden)
          %y: f32[n, 2] = neg(%a)
          return %y
        }
        """)
  }

  @Test func everyBlockStandsInThisFile() throws { try expectProgramsOfPage("docs/Debugging.md", in: [#filePath]) }

  @Test func views() throws {
    let debugger = GraphDebugger(graph)
    print(debugger.generateTextVisualization())  // summary, modules, a row per node
    let dot = debugger.generateDotVisualization()  // for Graphviz: dot -Tsvg
    let html = debugger.generateHTMLVisualization()  // one page for a browser
    #expect(dot.hasPrefix("digraph \"main\" {") && html.hasPrefix("<!DOCTYPE html>"))
  }

  @Test func watching() throws {
    var interpreter = Interpreter()
    interpreter.didRun = { run in
      print(run.visit.qualifiedName, run.visit.node.op, run.results.map(\.type), run.duration)
      return nil
    }
    let outputs = try interpreter.run(graph, inputs: [.tensor(x)]).outputs
    // [1 − 4, −3 − 8] through relu.
    #expect(try outputs[0].tensor?.elements() == [0, 0] as [Float])

    interpreter.capture = .named(["hidden"])
    let values = try interpreter.run(graph, inputs: [.tensor(x)]).values
    print(values["hidden"]?.type ?? .unknown)
    #expect(try values["hidden"]?.tensor?.elements() == [-3, -11] as [Float])

    struct NotANumber: Error { let node: String }
    interpreter.didRun = { run in
      let numbers = try run.results.compactMap(\.tensor).flatMap { try $0.numbers().doubles }
      if numbers.contains(where: \.isNaN) { throw NotANumber(node: run.visit.qualifiedName) }
      return nil
    }
    _ = try interpreter.run(graph, inputs: [.tensor(x)])
    let bad = try Tensor([1, 2], [Float.nan, 0])
    #expect(throws: NotANumber.self) { try interpreter.run(graph, inputs: [.tensor(bad)]) }
  }

  @Test func changing() throws {
    var interpreter = Interpreter()
    interpreter.willRun = { visit in
      visit.node.op == .relu ? [visit.operands[0]].compactMap { $0 } : nil  // without activations
    }
    #expect(try interpreter.run(graph, inputs: [.tensor(x)]).outputs[0].tensor?.elements() == [3, 11] as [Float])

    let hidden = try #require(graph.value(named: "hidden"))
    let activations = try Tensor([1, 2], [5, 6] as [Float])
    interpreter.seeds = [hidden: .tensor(activations)]
    let fromTheMiddle = try interpreter.run(graph, inputs: [.tensor(x)])
    #expect(try fromTheMiddle.outputs[0].tensor?.elements() == [-5, -6] as [Float] && fromTheMiddle.nodeCount == 1)
  }

  @Test func disagreeing() throws {
    var interpreter = Interpreter()
    interpreter.capture = .all
    let all = try interpreter.run(graph, inputs: [.tensor(x)]).values
    let part = try graph.extracting(Array(graph.bodyNodes.prefix(2)))
    let inputs = part.inputs.compactMap { all[graph.name(of: $0)] }
    let (a, b) = (try ReferenceExecutor().run(part.graph, inputs: inputs), try CPUBackend().run(part.graph, inputs: inputs))
    print(OutputComparison(.reassociates).compare(a[0], b[0]))
    #expect(a == b && a.count == 1)
  }

  /// `fx visualize` and `fx run --dump`.
  @Test func commands() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-debugging-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let model = folder.appendingPathComponent("model.fxt").path
    try graph.text().write(toFile: model, atomically: true, encoding: .utf8)
    for (name, start) in [("m.html", "<!DOCTYPE html>"), ("m.dot", "digraph"), ("m.txt", "graph main: 5 nodes")] {
      let path = folder.appendingPathComponent(name).path
      #expect(try Command.fx(["visualize", model, "-o", path]).status == 0)
      #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix(start))
    }
    #expect(try Command.fx(["visualize", model, "-o", folder.appendingPathComponent("m.png").path]).status == 2)
    #expect(try Command.fx(["visualize", model, "-o", folder.appendingPathComponent("no/such/m.dot").path]).status == 3)
    let (outputs, nodes) = (folder.appendingPathComponent("out").path, folder.appendingPathComponent("nodes").path)
    #expect(try Command.fx(["run", model, "--outputs", outputs, "--dump", nodes]).status == 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: nodes).sorted()
        == ["00000_hidden.npy", "00001_a.npy", "00002_y.npy", "nodes.txt"])
    let table = try String(contentsOfFile: nodes + "/nodes.txt", encoding: .utf8).split(separator: "\n")
    #expect(table.count == 3 && table[1].hasPrefix("a  relu  f32["))
  }
}
