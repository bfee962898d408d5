import FXCore
import FXRuntime
import FXTrace
import Testing

extension TutorialTests {
  @Suite struct BasicGraphConstruction {
    @Test func simpleGraph() throws {
      let graph = try createSimpleGraph()

      // Print graph information
      print(graph)
      graph.printTabular()
      print("Graph has \(graph.nodeCount) nodes and \(graph.edgeCount) edges")

      for edge in graph.edges {
        print("\(graph.name(of: edge.value)) goes to \(edge.target.map { graph.name(of: $0) } ?? "the output")")
      }

      try graph.verify()
      #expect((graph.nodeCount, graph.edgeCount) == (4, 3))
      let nodes = graph.bodyNodes
      #expect(graph.edges.map(\.source) == [nil, nodes[0], nodes[1]])
      #expect(graph.edges.map(\.target) == [nodes[0], nodes[1], nil])
      #expect(graph.edges.map { graph.name(of: $0.value) } == ["x", "node_0", "node_1"])
      #expect(try graph.parameterIDs.map { try graph[$0].name } == ["node_0.weight", "node_0.bias"])
      #expect(throws: ExecutionError.unboundParameters(["node_0.weight", "node_0.bias"])) {
        try CPUBackend().run(graph, TutorialTests.rows())
      }
      #expect("\(graph)" == "\(try createSimpleGraph())", "text is deterministic")
      #expect(graph.tabularText == (try createSimpleGraph()).tabularText)
    }

    @Test func weights() throws {
      var model = try createSimpleGraph()
      try model.setType(of: model.inputs[0], to: .tensor(.float32, ["batch", 3]))
      try model.initializeParameters(seed: 42)

      let x = try Tensor([2, 3], [1, -2, 3, -4, 5, -6] as [Float])
      let y = try CPUBackend().run(model, x)[0]
      print(y.type)  // f32[2, 3]

      #expect(y.type.description == "f32[2, 3]")
      let expected = try TutorialTests.expected(model, x)
      #expect(expected.contains { $0 > 0 })
      #expect(try areNear(y.elements(), expected))
      #expect(try areNear(ReferenceExecutor().run(model, x)[0].elements(), expected))
    }

    @Test func serialization() throws {
      let graph = try createSimpleGraph()

      // Serialize to JSON
      let json = try graph.toJSON()
      print("JSON representation:\n\(json)")

      // Serialize to binary
      let binary = graph.toBinary()
      print("Binary size: \(binary.count) bytes")

      // Deserialize: equal graphs, not just equally large ones
      let restored = [try Graph.fromJSON(json), try Graph.fromBinary(binary), try Graph(text: graph.text())]
      print(restored.allSatisfy { $0 == graph })  // true

      #expect(restored.allSatisfy { $0 == graph })
      let model = try TutorialTests.model()
      #expect(try Graph.fromJSON(model.toJSON()) == model && Graph.fromBinary(model.toBinary()) == model)
      #expect(model != graph)
    }
  }
}
