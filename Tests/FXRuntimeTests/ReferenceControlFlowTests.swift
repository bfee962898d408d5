import FXCore
import FXRuntime
import FXShapes
import Testing

@Suite struct ReferenceControlFlowTests {
  static let vector = ValueType.tensor(.float32, ["n"])
  static let number = ValueType.tensor(.int64, [])

  /// Fills a region with `count` arguments.
  private func fill(
    _ graph: inout Graph, _ region: RegionID, _ count: Int, _ body: (inout Graph, [Operand]) throws -> [Operand]
  ) throws {
    let arguments = try (0..<count).map { _ in Operand.value(try graph.addArgument(to: region)) }
    try graph.setResults(of: region, try body(&graph, arguments))
  }

  private func run(_ graph: Graph, _ inputs: Tensor...) throws -> [RuntimeValue] {
    try ReferenceExecutor().run(graph, inputs: inputs.map(RuntimeValue.tensor))
  }

  @Test(arguments: [true, false]) func onlyTheBranchTakenRuns(_ predicate: Bool) throws {
    var graph = Graph()
    let condition = try graph.addInput("p", .tensor(.bool, []))
    let x = try graph.addInput("x", Self.vector)
    let node = try graph.append(.cond, [.value(condition), .value(x)], results: [.unknown])
    let regions = try graph[node].regions
    try fill(&graph, regions[0], 1) { graph, arguments in
      [.value(try graph.call(.add, [arguments[0], .literal(1)], at: .end(of: regions[0])))]
    }
    // This branch fails where it runs.
    try fill(&graph, regions[1], 1) { graph, arguments in
      let beyond = Operand.parameter(graph.addConstant(ints(9)))
      return [.value(try graph.call(.gather, [arguments[0], beyond], at: .end(of: regions[1])))]
    }
    try graph.addOutput(graph[node].results[0])
    var inferred = graph
    try ShapeInference().run(&inferred)
    #expect(inferred.type(of: inferred.outputs[0]).description == "f32[?]")
    if predicate {
      #expect(try run(graph, Tensor(true), f([2], [1, 2])) == [.tensor(f([2], [2, 3]))])
    } else {
      #expect(throws: ExecutionError.self) { try run(graph, Tensor(false), f([2], [1, 2])) }
    }
  }

  @Test func whileLoopsCarryStatesAndSeeCaptures() throws {
    var graph = Graph()
    let start = try graph.addInput("start", Self.number)
    let limit = try graph.addInput("limit", Self.number)
    let node = try graph.append(.whileLoop, [.value(start), .value(limit)], results: [.unknown])
    let regions = try graph[node].regions
    try fill(&graph, regions[0], 2) { graph, arguments in [.value(try graph.call(.less, arguments, at: .end(of: regions[0])))] }
    try fill(&graph, regions[1], 2) { graph, arguments in
      [.value(try graph.call(.add, [arguments[0], arguments[0]], at: .end(of: regions[1])))]
    }
    try graph.addOutput(graph[node].results[0])
    #expect(try run(graph, i([], [3]), i([], [20])) == [.tensor(i([], [24]))])
    #expect(try run(graph, i([], [30]), i([], [20])) == [.tensor(i([], [30]))])
    try ShapeInference().run(&graph)
    #expect(graph.type(of: graph.outputs[0]) == Self.number)
  }

  /// A state that grows, and the elements of all turns.
  private func growingLoop(condition: Operand) throws -> Graph {
    var graph = Graph()
    let trips = try graph.addInput("trips", Self.number)
    let x = try graph.addInput("x", Self.vector)
    let node = try graph.append(
      .loop, [.value(trips), condition, .value(x), .value(x)], attributes: ["state_count": 1],
      results: [.unknown, .unknown])
    let region = try graph[node].regions[0]
    let type = ValueType.tensor(.float32, ["n"])
    try fill(&graph, region, 4) { graph, arguments in
      let state = try graph.call(.concat, [arguments[2], arguments[3]], attributes: ["axis": 0], at: .end(of: region))
      let element = try graph.call(.add, [arguments[3], .literal(1)], type: type, at: .end(of: region))
      let goesOn = try graph.call(.less, [arguments[0], .literal(1)], at: .end(of: region))
      return [.value(goesOn), .value(state), .value(element)]
    }
    for result in try graph[node].results { try graph.addOutput(result) }
    return graph
  }

  @Test func loopsStackElements() throws {
    // Without a condition that of the body is ignored; with one it ends the loop after the second turn.
    let counted = try growingLoop(condition: .none)
    #expect(
      try run(counted, i([], [3]), f([1], [5])) == [.tensor(f([4], [5, 5, 5, 5])), .tensor(f([3, 1], [6, 6, 6]))])
    let conditional = try growingLoop(condition: .literal(true))
    #expect(try run(conditional, i([], [9]), f([1], [5])) == [.tensor(f([3], [5, 5, 5])), .tensor(f([2, 1], [6, 6]))])
    // No turn: the elements' type is that which a turn would have given.
    #expect(try run(counted, i([], [0]), f([1], [5])) == [.tensor(f([1], [5])), .tensor(f([0, 1], []))])
    var inferred = counted
    try ShapeInference().run(&inferred)
    #expect(inferred.outputs.map { inferred.type(of: $0).description } == ["f32[?]", "f32[u1, n]"])
  }

  @Test func scansRunAlongAxesInBothDirections() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, [2, "t"]))
    let sum = graph.addConstant(f([2], [0, 0]))
    let node = try graph.append(
      .scan, [.parameter(sum), .value(x)],
      attributes: [
        "state_count": 1, "num_scan_inputs": 1, "scan_input_axes": .ints([-1]), "scan_input_directions": .ints([1]),
        "scan_output_axes": .ints([1]), "scan_output_directions": .ints([1]),
      ], results: [.unknown, .unknown])
    let region = try graph[node].regions[0]
    try fill(&graph, region, 2) { graph, arguments in
      let state = Operand.value(try graph.call(.add, arguments, at: .end(of: region)))
      return [state, state]
    }
    for result in try graph[node].results { try graph.addOutput(result) }
    #expect(
      try run(graph, ramp([2, 3])) == [.tensor(f([2], [3, 12])), .tensor(f([2, 3], [3, 3, 2, 12, 9, 5]))])
    try ShapeInference().run(&graph)
    #expect(graph.outputs.map { graph.type(of: $0).description } == ["f32[2]", "f32[2, t]"])
  }

  @Test func callsInlineTheirRegion() throws {
    var graph = Graph()
    let x = try graph.addInput("x", Self.vector)
    let node = try graph.append(.call, [.value(x)], results: [.unknown])
    let region = try graph[node].regions[0]
    try fill(&graph, region, 1) { graph, arguments in [.value(try graph.call(.shape, arguments, at: .end(of: region)))] }
    let y = try graph.call(.constantOfShape, [.value(graph[node].results[0])])
    try graph.addOutput(y)
    #expect(try run(graph, f([2], [1, 2])) == [.tensor(f([2], [0, 0]))])
    try ShapeInference().run(&graph)
    #expect(graph.type(of: graph.outputs[0]).description == "f32[n]")
  }

  @Test func branchesMustAgree() throws {
    var graph = Graph()
    let condition = try graph.addInput("p", .tensor(.bool, []))
    let x = try graph.addInput("x", Self.vector)
    let node = try graph.append(.cond, [.value(condition), .value(x)], results: [.unknown])
    let regions = try graph[node].regions
    try fill(&graph, regions[0], 1) { _, arguments in arguments }
    try fill(&graph, regions[1], 1) { graph, arguments in [.value(try graph.call(.size, arguments, at: .end(of: regions[1])))] }
    #expect(throws: ShapeInferenceError.self) { try ShapeInference().run(&graph) }
  }

  @Test func sequencesAreMappedElementByElement() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, ["n", 2]))
    let parts = try graph.call(.splitToSequence, [.value(x), .parameter(graph.addConstant(i([], [2])))])
    let node = try graph.append(
      .sequenceMap, [.value(parts), .literal(10)], attributes: ["input_count": 1], results: [.unknown])
    let region = try graph[node].regions[0]
    try fill(&graph, region, 2) { graph, arguments in
      [.value(try graph.call(.reshape, [arguments[0], .parameter(graph.addConstant(ints(-1)))], at: .end(of: region)))]
    }
    let mapped = try graph[node].results[0]
    let last = try graph.call(.sequenceAt, [.value(mapped), .literal(-1)])
    let whole = try graph.call(.concatFromSequence, [.value(mapped)], attributes: ["axis": 0])
    let optional = try graph.call(.optional, [.value(last)])
    let there = try graph.call(.optionalHasElement, [.value(optional)])
    let again = try graph.call(.optionalGetElement, [.value(optional)])
    for value in [again, whole, there, try graph.call(.sequenceLength, [.value(mapped)])] { try graph.addOutput(value) }
    #expect(
      try run(graph, ramp([3, 2])) == [
        .tensor(f([2], [4, 5])), .tensor(ramp([6])), .tensor(Tensor(true)), .tensor(i([], [2])),
      ])
    try ShapeInference().run(&graph)
    #expect(graph.outputs.map { graph.type(of: $0).description } == ["f32[?]", "f32[u1]", "bool[]", "i64[]"])
    var empty = graph
    let beyond = try empty.call(.sequenceAt, [.value(mapped), .literal(7)])
    try empty.addOutput(beyond, name: "beyond")
    #expect(throws: ExecutionError.self) { try run(empty, ramp([3, 2])) }
  }
}
