import FXCore
import FXPasses
import FXRuntime
import FXTestSupport
import Testing

@Suite struct PartitionerTests {
  private static func target(
    _ name: String, _ operators: Set<String>? = nil, overhead: BackendOverhead = .none
  ) -> PartitionTarget {
    PartitionTarget(name, overhead: overhead) { node, graph in
      let op = (try? graph[node].op.description) ?? ""
      return operators?.contains(op) ?? true ? .supported : .unsupported(reason: "no \(op)")
    }
  }

  private static func names(_ partition: Partition, _ graph: Graph) -> [String] {
    partition.parts.map { part in "\(part.target): " + part.nodes.map { graph.name(of: $0) }.joined(separator: " ") }
  }

  @Test func maximalParts() throws {
    // Two chains that alternate: the schedule puts what is ready for one target together.
    let graph = try graph(
      """
      graph @main(%x: f32[2], %y: f32[2]) {
        %a1: f32[2] = relu(%x)
        %b1: f32[2] = exp(%a1)
        %a2: f32[2] = relu(%b1)
        %b2: f32[2] = exp(%y)
        %a3: f32[2] = relu(%b2)
        %b3: f32[2] = exp(%a3)
        return %a2, %b3
      }
      """)
    let partition = try Partitioner([Self.target("a", ["relu"]), Self.target("b")]).partition(graph)
    try partition.check(graph)
    #expect(Self.names(partition, graph) == ["a: a1", "b: b1 b2", "a: a2 a3", "b: b3"])
  }

  @Test func unsupportedOperatorsAreNamedWithReasons() throws {
    let graph = try graph("graph @main(%x: f32[2]) {\n%a = relu(%x)\n%b = exp(%a)\n%c = tanh(%b)\nreturn %c\n}")
    #expect {
      try Partitioner([Self.target("a", ["relu"]), Self.target("b", ["sin"])]).partition(graph)
    } throws: { error in
      "\(error)" == "no target takes exp (a: no exp, b: no exp); tanh (a: no tanh, b: no tanh)"
    }
    #expect(throws: PartitionError.noTargets) { try Partitioner([]).partition(graph) }
  }

  @Test func smallAndCostlyPartsMove() throws {
    let graph = try graph(
      """
      graph @main(%x: f32[100]) {
        %a: f32[100] = exp(%x)
        %b: f32[100] = relu(%a)
        %c: f32[100] = exp(%b)
        %d: f32[100] = relu(%c)
        %e: f32[100] = relu(%d)
        %f: f32[100] = relu(%e)
        return %f
      }
      """)
    let fast = Self.target("fast", ["relu"]), host = Self.target("host")
    #expect(
      Self.names(try Partitioner([fast, host]).partition(graph), graph) == ["host: a", "fast: b", "host: c", "fast: d e f"])
    #expect(
      Self.names(try Partitioner([fast, host], minimumNodes: 2).partition(graph), graph) == ["host: a b c", "fast: d e f"])

    // A crossing of 400 bytes costs 4 ms, a node 3 ms on the host and nothing on the fast target: one node does not pay
    // for two crossings, three do.
    var costly = Self.target("fast", ["relu"], overhead: BackendOverhead(secondsPerByte: 1e-5))
    costly.seconds = { _, _ in 0 }
    var slow = host
    slow.seconds = { _, _ in 3e-3 }
    #expect(Self.names(try Partitioner([costly, slow]).partition(graph), graph) == ["host: a b c", "fast: d e f"])
    slow.seconds = { _, _ in 1e-3 }
    #expect(Self.names(try Partitioner([costly, slow]).partition(graph), graph) == ["host: a b c d e f"])
    slow.seconds = { _, _ in 1 }
    #expect(try Partitioner([costly, slow]).partition(graph).parts.count == 4)
  }

  @Test func effectsStayInOrder() throws {
    let say = Operator("say", domain: "test", .elementwise, "Talks.", operands: ["x"], effect: .io)
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, []))
    var spoken: [NodeID] = []
    for index in 0..<6 {
      let value = try graph.call(index % 2 == 0 ? .relu : .exp, [.value(x)], type: .tensor(.float32, []))
      spoken.append(try graph.append(say, [.value(value)], results: [.tensor(.float32, [])]))
    }
    let partition = try Partitioner([Self.target("a", ["relu", "test::say"]), Self.target("b")]).partition(graph)
    let order = partition.parts.flatMap(\.nodes).filter(spoken.contains)
    #expect(order == spoken)
    // One made by hand is held to it too.
    let others = graph.bodyNodes.filter { !spoken.contains($0) }
    func parts(_ nodes: [[NodeID]]) -> Partition { Partition(parts: nodes.map { .init(target: "t", nodes: $0) }) }
    try parts([others, Array(spoken[..<3]), Array(spoken[3...])]).check(graph)
    #expect(throws: PartitionError.cyclic([graph.name(of: spoken[2]), graph.name(of: spoken[3])])) {
      try parts([others, Array(spoken[3...]), Array(spoken[..<3])]).check(graph)
    }
  }

  @Test func extractionKeepsNamesTypesWeightsAndRegions() throws {
    let whole = try graph(
      """
      graph @main(%p: bool[], %x: f32[n, 2]) {
        symbol n in 1...8
        parameter @w: f32[2] weight = [1.0, 2.0]
        %h: f32[n, 2] = mul(%x, @w) at "m.swift":3 in "layer"
        %c: f32[n, 2] = cond(%p, %h) then(%s: f32[n, 2]) {
          %t: f32[n, 2] = mul(%s, @w)
          return %t
        } else(%s: f32[n, 2]) {
          return %s
        }
        %y: f32[n, 2] = add(%c, %h)
        return %y
      }
      """)
    let nodes = whole.bodyNodes
    let part = try whole.extracting([nodes[1], nodes[2]], name: "part")
    #expect(part.graph.inputs.map { part.graph.name(of: $0) } == ["p", "h"])
    #expect(part.outputs.map { whole.name(of: $0) } == ["y"])
    #expect(
      part.graph
        == (try graph(
          """
          graph @part(%p: bool[], %h: f32[n, 2]) {
            symbol n in 1...8
            parameter @w: f32[2] weight = [1.0, 2.0]
            %c: f32[n, 2] = cond(%p, %h) then(%s: f32[n, 2]) {
              %t: f32[n, 2] = mul(%s, @w)
              return %t
            } else(%s: f32[n, 2]) {
              return %s
            }
            %y: f32[n, 2] = add(%c, %h)
            return %y
          }
          """)),
      "\(part.graph)")
    let inner = try whole.nodes(in: whole[nodes[1]].regions[0])[0]
    #expect(throws: GraphError.notVisible("t")) { try whole.extracting([inner]) }
  }

  @Test func splitByLabels() throws {
    let whole = try graph(
      """
      graph @main(%x: f32[2]) {
        %a: f32[2] = relu(%x)
        %b: f32[2] = exp(%a)
        %c: f32[2] = neg(%b)
        return %c, %x, 2.0 as "k"
      }
      """
    )
    let split = try splitModule(whole) { $0.op == .neg ? "second" : "first" }
    #expect(split.parts.map(\.target) == ["first", "second"])
    #expect(split.parts.map { $0.graph.nodeCount } == [4, 3])
    try expectEqualOutputs(whole, split.recombined(), .exact)
    let outlined = try split.outlined()
    #expect(outlined.bodyNodes.map { outlined.name(of: $0) } == ["first.0", "second.1"])
    try outlined.verify()
    try expectEqualOutputs(whole, outlined, .exact)
    #expect(throws: PartitionError.cyclic(["outer", "inner"])) {
      _ = try splitModule(whole) { $0.op == .exp ? "inner" : "outer" }
    }
    #expect(throws: PartitionError.misplaced("b")) {
      _ = try splitModule(whole, Partition(parts: [.init(target: "t", nodes: [whole.bodyNodes[0]])]))
    }
    #expect(throws: PartitionError.cyclic(["a", "b"])) {
      let nodes = whole.bodyNodes
      let parts = [(2, [nodes[1], nodes[2]]), (1, [nodes[0]])].map { Partition.Part(target: "t\($0.0)", nodes: $0.1) }
      _ = try splitModule(whole, Partition(parts: parts))
    }
  }

  /// Parts of random graphs cover the graph once, run in order, give its results, and could not be fewer by joining two.
  @Test(arguments: 2...4) func randomGraphs(targetCount: Int) throws {
    for seed in 0..<60 as Range<UInt64> {
      var random = RandomSource(seed: seed * 31 + UInt64(targetCount))
      let graph = try Self.randomGraph(&random)
      var labels: [NodeID: Int] = [:]
      for node in graph.bodyNodes { labels[node] = random.below(targetCount) }
      let known = labels
      let partitioner = Partitioner(
        (0..<targetCount).map { index in
          PartitionTarget("t\(index)") { node, _ in known[node] == index ? .supported : .unsupported(reason: "") }
        })
      let partition = try partitioner.partition(graph)
      try partition.check(graph)
      #expect(try partitioner.partition(graph) == partition)
      for part in partition.parts { #expect(part.nodes.allSatisfy { "t\(labels[$0] ?? -1)" == part.target }) }
      expectMaximal(partition, graph, "seed \(seed)")

      let split = try SplitGraph(graph, partition)
      for part in split.parts { try part.graph.verify(.executable) }
      try expectEqualOutputs(graph, split.recombined(), .exact)
      try expectEqualOutputs(graph, split.outlined(), .exact)
      let inputs = try InputSampler().inputs(of: graph)
      let results = try split.run(inputs) { try ReferenceExecutor().run(split.parts[$0].graph, inputs: $1) }
      #expect(try results == ReferenceExecutor().run(graph, inputs: inputs))
    }
  }

  private static func randomGraph(_ random: inout RandomSource) throws -> Graph {
    var graph = Graph()
    let type = ValueType.tensor(.float32, [2, 2])
    var values: [Operand] = try (0..<3).map { .value(try graph.addInput("x\($0)", type)) }
    let weight = try graph.addParameter("w", Tensor([2, 2], [1, -0.5, 0.25, 2] as [Float]))
    for _ in 0..<(5 + random.below(30)) {
      let near = values.suffix(6)
      let x = random.pick(Array(random.oneIn(3) ? values[...] : near))
      switch random.below(5) {
      case 0: values.append(.value(try graph.call(.tanh, [x], type: type)))
      case 1: values.append(.value(try graph.call(.mul, [x, .parameter(weight)], type: type)))
      case 2: values.append(.value(try graph.call(.sub, [x, .literal(.float(0.5))], type: type)))
      default: values.append(.value(try graph.call(.add, [x, random.pick(Array(near))], type: type)))
      }
    }
    let outputs = [values[values.count - 1], random.pick(values), .parameter(weight)]
    try graph.setResults(of: graph.body, outputs, names: ["a", "b", "c"])
    return graph
  }
}

/// No two parts of one target could be one part without a circle.
private func expectMaximal(_ partition: Partition, _ graph: Graph, _ comment: Comment) {
  var owner: [NodeID: Int] = [:]
  for (index, part) in partition.parts.enumerated() { for node in part.nodes { owner[node] = index } }
  var successors = Array(repeating: Set<Int>(), count: partition.parts.count)
  for node in graph.bodyNodes {
    for operand in (try? graph[node].operands) ?? [] {
      guard let value = operand.value, let producer = try? graph.producer(of: value), let a = owner[producer],
        let b = owner[node],
        a != b
      else { continue }
      successors[a].insert(b)
    }
  }
  func leadsOutside(_ a: Int, _ b: Int) -> Bool {
    var seen: Set<Int> = [a]
    var pending = successors[a].subtracting([b])
    while let next = pending.popFirst() {
      guard seen.insert(next).inserted else { continue }
      if successors[next].contains(b) { return true }
      pending.formUnion(successors[next])
    }
    return false
  }
  for a in partition.parts.indices {
    for b in partition.parts.indices where a < b && partition.parts[a].target == partition.parts[b].target {
      #expect(leadsOutside(a, b) || leadsOutside(b, a), comment)
    }
  }
}
