import FXCodegen
import FXCore
import FXTestSupport
import Foundation
import Testing

@Suite struct ViewTests {
  static let model = """
    fx 1
    graph @"digits" (%x: f32[batch, 4], %go: bool[]) {
      parameter @w: f32[4, 4] weight
      parameter @b: f32[4] weight = [1.0, 2.0, 3.0, 4.0]
      %h: f32[batch, 4] = linear(%x, @w, @b) at "Model.swift":3 in "block.0.linear"
      %r: f32[batch, 4] = relu(%h) at "Model.swift":4 in "block.act"
      %g: f32[batch, 4] = linear(%r, @w, @b) at "Model.swift":3 in "block.0.linear"
      %y: f32[batch, 4] = cond(%go, %g) then(%s: f32[batch, 4]) {
        %n: f32[batch, 4] = leaky_relu(%s) {alpha = 0.5}
        return %n
      } else(%s: f32[batch, 4]) {
        return %s
      }
      return %y as "out", 0.5 as "half"
    }
    """

  @Test func text() throws {
    let text = GraphDebugger(try Graph(text: Self.model)).generateTextVisualization()
    #expect(
      text.hasPrefix(
        """
        graph digits: 9 nodes, 7 edges
          inputs      x: f32[batch, 4]
                      go: bool[]
          outputs     out: f32[batch, 4]
                      half: _
          parameters  2 with 20 elements in 80 bytes
          unbound     w
          operators   linear × 2, cond × 1, leaky_relu × 1, relu × 1
          modules     block (3)
                        "0" (1)
                          linear (1)
                        act (1)
                        "0" (1)
                          linear (1)

        opcode
        """), "\(text)")
    #expect(text.contains("leaky_relu  (%s, alpha=0.5)"))
  }

  @Test func dot() throws {
    let dot = GraphDebugger(try Graph(text: Self.model)).generateDotVisualization()
    for part in [
      "digraph \"digits\" {", "label=\"block\"", "label=\"then\"", "label=\"f32[batch, 4]\"", "alpha = 0.5",
      "bias: b: f32[4] = [1.0, 2.0, 3.0, 4.0]", "tooltip=\"Model.swift:4 in block.act\"", "weight: w: f32[4, 4] (nothing bound)",
    ] { #expect(dot.contains(part), "\(part)\n\(dot)") }
    try expectBalanced(dot)
  }

  @Test func htmlHoldsTheFacts() throws {
    let page = GraphDebugger(try Graph(text: Self.model)).generateHTMLVisualization()
    let facts = try facts(in: page)
    let strings = try #require(facts["strings"] as? [String])
    for part in ["leaky_relu", "Model.swift:4 in block.act", "f32[batch, 4]", "alpha", "0.5", "w: f32[4, 4] (nothing bound)"] {
      #expect(strings.contains(part), "\(part)")
    }
    let boxes = try #require(facts["boxes"] as? [[Any]])
    // 5 calls, 2 inputs, 2 outputs, 2 regions with an argument and a result each, 6 modules:
    // `block.0.linear` is called again with what came of its first call, which makes two boxes for it and one for `0`.
    #expect(boxes.count == 21)
    #expect(try #require(facts["edges"] as? [[Int]]).count == 9)
    for (index, box) in boxes.enumerated() {
      let parent = try #require(box[3] as? Int)
      #expect(parent < index, "boxes come after those around them")
    }
    #expect(!page.contains("http:") && !page.contains("https:") && !page.contains("src="), "nothing is loaded")
  }

  /// Boxes of one parent never need each other in a circle, so that layers exist.
  @Test func reusedModulesDoNotGoInCircles() throws {
    var graph = Graph()
    var value = try graph.addInput("x", .tensor(.float32, [2]))
    for turn in 0..<30 {
      for path in ["a", "b.c", "b.d", "a.e"] {
        value = try graph.call(
          .relu, [.value(value)], type: .tensor(.float32, [2]), location: Location(file: "m", line: turn, modulePath: path))
      }
    }
    try graph.addOutput(value)
    let facts = try facts(in: GraphDebugger(graph).generateHTMLVisualization())
    let boxes = try #require(facts["boxes"] as? [[Any]])
    let parents = try boxes.map { try #require($0[3] as? Int) }
    func chain(_ box: Int) -> [Int] { box < 0 ? [] : chain(parents[box]) + [box] }
    var successors: [Int: Set<Int>] = [:]
    for edge in try #require(facts["edges"] as? [[Int]]) {
      if let (a, b) = zip(chain(edge[0]), chain(edge[1])).first(where: { $0 != $1 }) { successors[a, default: []].insert(b) }
    }
    var state: [Int: Bool] = [:]
    func visit(_ box: Int) -> Bool {
      if let isDone = state[box] { return isDone }
      state[box] = false
      let result = (successors[box] ?? []).allSatisfy(visit)
      state[box] = true
      return result
    }
    #expect(successors.keys.allSatisfy(visit))
  }

  /// Names, attributes and types with everything that could be taken for markup.
  @Test(arguments: 0..<6) func hostile(_ block: UInt64) throws {
    for seed in block * 40..<block * 40 + 40 {
      var random = RandomGraph(seed: seed)
      let graph = try random.make()
      let debugger = GraphDebugger(graph)
      let (page, dot) = (debugger.generateHTMLVisualization(), debugger.generateDotVisualization())
      try expectWellFormed(page)
      try expectBalanced(dot)
      #expect(!debugger.generateTextVisualization().isEmpty)
      // A graph that was written and read again gives the same views.
      let again = GraphDebugger(try Graph(text: graph.text(), operators: RandomGraph.operators))
      let isSame = again.generateHTMLVisualization() == page && again.generateDotVisualization() == dot
      #expect(isSame, "seed \(seed)")
    }
  }

  @Test func knownAttacks() throws {
    var graph = Graph(name: "</title></script><script>alert(1)</script>")
    let names = [
      "</script><script>alert(1)</script>", "</SCRIPT\n>", "<!--<script>", "]]>", "\u{2028}\u{2029}", "\\u003c/script>", "\\",
      "\"};alert(1);//", "\u{0}\u{1}\u{7f}\u{85}", "&lt;", "🙂\u{301}名", "\\N\\G\\E", "a\\", "{|}<f0>",
    ]
    for name in names {
      let input = try graph.addInput(name)
      let op = Operator(unregistered: name, domain: name)
      let value = try graph.call(
        op, [.value(input)], attributes: Attributes([(name, .string(name)), (name + "s", .strings(names))]),
        location: Location(file: name, line: 1, modulePath: name))
      try graph.setUniqueName(name + "y", of: value)
      try graph.addOutput(value)
    }
    let debugger = GraphDebugger(graph)
    let page = debugger.generateHTMLVisualization()
    try expectWellFormed(page)
    try expectBalanced(debugger.generateDotVisualization())
    let strings = try #require(try facts(in: page)["strings"] as? [String])
    for name in names { #expect(strings.contains(name), "\(name.debugDescription) survives") }
  }

  @Test func deepRegionsAreCut() throws {
    var graph = Graph()
    var region = graph.body
    for _ in 1..<Graph.regionDepthLimit {
      let node = try graph.append(
        Operator(unregistered: "nest", domain: "test"), [], results: [], at: .end(of: region), regionCount: 1)
      region = try graph[node].regions[0]
    }
    let debugger = GraphDebugger(graph)
    try expectWellFormed(debugger.generateHTMLVisualization())
    try expectBalanced(debugger.generateDotVisualization())
  }

  @Test func manyNodesTakeNoTime() throws {
    var graph = Graph()
    var value = try graph.addInput("x", .tensor(.float32, [2]))
    for index in 0..<20_000 {
      value = try graph.call(
        .relu, [.value(value)], type: .tensor(.float32, [2]),
        location: Location(file: "big.swift", line: index, modulePath: "stage\(index / 500).block\(index / 25 % 3)"))
    }
    try graph.addOutput(value)
    let start = ContinuousClock.now
    let page = GraphDebugger(graph).generateHTMLVisualization()
    #expect(ContinuousClock.now - start < .seconds(20))
    #expect(page.utf8.count < 6_000_000)
  }
}

// MARK: - Expectations

/// The facts of a page, read by another JSON parser.
private func facts(in page: String) throws -> [String: Any] {
  let start = try #require(page.range(of: "id=\"graph\">"))
  let end = try #require(page.range(of: "</script>", range: start.upperBound..<page.endIndex))
  let json = try JSONSerialization.jsonObject(with: Data(page[start.upperBound..<end.lowerBound].utf8))
  return try #require(json as? [String: Any])
}

/// The page has the elements that it is made of and no others: what a name could add would be counted.
private func expectWellFormed(_ page: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  _ = try facts(in: page)
  let lower = page.lowercased()
  func count(_ text: String) -> Int { lower.components(separatedBy: text).count - 1 }
  #expect(count("<script") == 2 && count("</script") == 2, sourceLocation: sourceLocation)
  for tag in ["html", "head", "body", "title", "style", "header", "main", "canvas", "aside", "h1", "noscript"] {
    #expect(count("<\(tag)>") + count("<\(tag) ") == 1, "\(tag)", sourceLocation: sourceLocation)
    #expect(count("</\(tag)>") == 1, "\(tag)", sourceLocation: sourceLocation)
  }
  #expect(count("<!--") == 0 && count("<!doctype html>") == 1, sourceLocation: sourceLocation)
}

/// Strings are closed and braces match: what `dot` needs before anything else. `make views` asks `dot` itself.
private func expectBalanced(_ dot: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  var depth = 0
  var isQuoted = false
  var isEscaped = false
  // One expectation for all characters: they are many.
  var fault: String?
  for scalar in dot.unicodeScalars {
    if isEscaped {
      isEscaped = false
    } else if isQuoted {
      if scalar == "\\" { isEscaped = true }
      if scalar == "\"" { isQuoted = false }
      if scalar.value < 0x20 { fault = "a control character in a string" }
    } else {
      switch scalar {
      case "\"": isQuoted = true
      case "{", "[": depth += 1
      case "}", "]": depth -= 1
      default: break
      }
      if depth < 0 { fault = "a brace too many" }
    }
  }
  #expect(fault == nil && depth == 0 && !isQuoted, sourceLocation: sourceLocation)
}

/// Graphviz itself, where it is installed; `make views` installs it and asks more.
@Suite(.enabled(if: Graphviz.path != nil, "Graphviz' dot is not installed")) struct GraphvizTests {
  @Test func drawsHostileNames() throws {
    var graph = Graph(name: "\"}; digraph evil { a")
    for name in ["\\", "\\N", "a\"b", "<b>&lt;</b>", "{x|y}", "\n\r\t\u{1}\u{7f}", "名前🙂", "", "a -> b", "//", "/*", "#"] {
      let input = try graph.addArgument(to: graph.body, name: name)
      let value = try graph.call(
        Operator(unregistered: name, domain: name), [.value(input)], attributes: Attributes([(name, .string(name))]),
        location: Location(file: name, line: 1, modulePath: name))
      try graph.addOutput(value)
    }
    try Graphviz.draw(GraphDebugger(graph).generateDotVisualization())
    try Graphviz.draw(GraphDebugger(Graph(text: ViewTests.model)).generateDotVisualization())
    try Graphviz.draw(GraphDebugger(Graph()).generateDotVisualization())
    for seed in 0..<20 as Range<UInt64> {
      var random = RandomGraph(seed: seed)
      try Graphviz.draw(GraphDebugger(random.make()).generateDotVisualization())
    }
  }
}

private enum Graphviz {
  static let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/dot" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// Expects `dot -Tsvg` to take the text without a word.
  static func draw(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let folder = FileManager.default.temporaryDirectory
    let (source, log) = (
      folder.appendingPathComponent("fx-\(UUID().uuidString).dot"), folder.appendingPathComponent("fx-\(UUID().uuidString).log")
    )
    defer { for file in [source, log] { try? FileManager.default.removeItem(at: file) } }
    try text.write(to: source, atomically: true, encoding: .utf8)
    _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(path))
    process.arguments = ["-Tsvg", source.path, "-o", "/dev/null"]
    process.standardError = try FileHandle(forWritingTo: log)
    try process.run()
    process.waitUntilExit()
    let complaint = try String(contentsOf: log, encoding: .utf8)
    #expect(process.terminationStatus == 0 && complaint.isEmpty, "\(complaint)\n\(text)", sourceLocation: sourceLocation)
  }
}
