import FXTestSupport
import Testing

@testable import FXCore

/// Whatever is done to a graph through its interface, in whatever order, its bookkeeping stays consistent, copies stay as
/// they were, and ids of what was erased stay dead.
@Suite struct GraphEditingTests {
  @Test(arguments: 0..<12) func randomEdits(seed: Int) throws {
    var source = RandomGraph(seed: UInt64(seed))
    var graph = try source.make()
    var random = RandomSource(seed: UInt64(seed) &* 31)
    var dead: [NodeID] = []
    for step in 0..<150 {
      let before = graph
      let text = step % 10 == 0 ? before.text() : ""
      GraphEditingTests.edit(&graph, &random, &source)
      dead += before.allNodes.filter { !graph.contains($0) }
      let broken = graph.brokenInvariants
      #expect(broken == [], "seed \(seed), step \(step)")
      if !broken.isEmpty { return }
      if step % 10 == 0 { #expect(before.text() == text, "seed \(seed), step \(step) changed a copy") }
    }
    for id in dead {
      #expect(!graph.contains(id))
      #expect(throws: GraphError.stale(id)) { try graph[id] }
      #expect(throws: GraphError.stale(id)) { try graph.erase(id) }
      #expect(throws: GraphError.stale(id)) { try graph.append(.neg, [.literal(1)], at: .before(id)) }
    }
    #expect(try Graph(text: graph.text(), operators: RandomGraph.operators) == graph)
  }

  /// One random edit; those that the graph refuses change nothing that the caller can see.
  private static func edit(_ graph: inout Graph, _ random: inout RandomSource, _ source: inout RandomGraph) {
    let nodes = graph.allNodes
    let regions = [graph.body] + nodes.flatMap { (try? graph[$0].regions) ?? [] }
    let region = random.pick(regions)
    let inRegion = (try? graph.nodes(in: region)) ?? []
    let values = ((try? graph.arguments(of: region)) ?? []) + inRegion.flatMap { (try? graph[$0].results) ?? [] }
    let node = inRegion.isEmpty ? nil : random.pick(inRegion)
    func operand() -> Operand { values.isEmpty ? .literal(1) : .value(random.pick(values)) }
    switch random.below(20) {
    case 0, 1, 2:
      var point = InsertionPoint.end(of: region)
      if let node { point = random.oneIn(2) ? .before(node) : .after(node) }
      // Uses lead to terminators, so a caller can name those too.
      if random.oneIn(5), let end = try? graph.terminator(of: region) { point = random.oneIn(2) ? .before(end) : .after(end) }
      _ = try? graph.append(random.oneIn(3) ? .neg : .add, [operand(), operand()], at: point)
    case 3: if let node { try? graph.setOperand(random.below(3), of: node, to: operand()) }
    case 4: if let node { try? graph.setOperands(of: node, to: [operand(), operand()]) }
    case 5, 6: if let value = values.last { try? graph.replaceAllUses(of: value, with: operand()) }
    case 7, 8: if let node { try? graph.erase(node) }
    case 9: if let node { try? graph.replace(node, with: [operand()]) }
    case 10: if let node { try? graph.move(node, to: random.oneIn(3) ? .end(of: region) : .before(random.pick(inRegion))) }
    case 11: if !values.isEmpty { try? graph.setName(source.hostileName(), of: random.pick(values)) }
    case 12: if !values.isEmpty { _ = try? graph.setUniqueName(source.hostileName(), of: random.pick(values)) }
    case 13: _ = try? graph.addArgument(to: region, name: random.oneIn(2) ? nil : source.hostileName(), source.type())
    case 14: try? graph.removeArguments(of: region, at: [random.below(3), random.below(3)])
    case 15: try? graph.setResults(of: region, [operand(), operand()], names: [source.hostileName(), nil])
    case 16: if let node { try? graph.setOperator(of: node, to: random.oneIn(4) ? .output : random.pick([.add, .mul, .sub])) }
    case 17:
      _ = try? graph.addParameter(source.hostileName(), source.tensor())
      if let id = graph.parameterIDs.first { try? graph.setName(source.hostileName(), of: id) }
    case 18: graph.removeUnusedParameters()
    default: if let end = try? graph.terminator(of: region) { try? graph.move(end, to: .end(of: region)) }
    }
  }

  @Test func refusedNamesChangeNothing() throws {
    var graph = Graph()
    let x = try graph.addInput("x")
    let before = graph.text()
    #expect(throws: GraphError.duplicateName("x")) { try graph.call(.neg, [.value(x)], name: "x") }
    #expect(graph.text() == before && graph.nodeCount == 1)
    let y = try graph.call(.neg, [.value(x)], name: "node_0")
    #expect(graph.name(of: y) == "node_0")
  }

  @Test func operandsThatAreNot() throws {
    var graph = Graph()
    let node = try graph.append(.concat, [.literal(1)], attributes: ["axis": 0])
    #expect(try graph[node].operand(-1).isNone && graph[node].operand(1).isNone && !graph[node].operand(0).isNone)
    for schema in [Operator.concat, .topK].compactMap(\.schema) {
      #expect(schema.operand(-1) == nil && schema.result(-1) == nil && schema.operand(0) != nil && schema.result(0) != nil)
    }
    #expect(Operator.concat.schema?.operand(7) != nil && Operator.neg.schema?.operand(1) == nil)
  }

  @Test func numbersNeverRunOut() throws {
    var graph = Graph()
    let x = try graph.addInput("x")
    let y = try graph.call(.neg, [.value(x)], name: "node_\(UInt32.max - 1)")
    for _ in 0..<3 { try graph.append(.neg, [.value(y)]) }
    #expect(graph.valueNames() == ["x", "node_\(UInt32.max - 1)", "node_1", "node_2", "node_3"])
  }

  @Test func terminatorsAreNotCalled() throws {
    var graph = Graph()
    #expect(throws: GraphError.unknownOperator("output", suggestions: [])) { try graph.append(.output, []) }
    #expect(graph.brokenInvariants == [])
  }
}
