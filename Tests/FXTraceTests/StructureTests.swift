import FXCore
import FXRuntime
import FXTrace
import Testing

@Suite struct StructureTests {
  static let executor = ReferenceExecutor()

  struct Box: TensorGroup {
    var corner, size: SymbolicTensor
    var tensors: [SymbolicTensor] { [corner, size] }
    static var tensorCount: Int? { 2 }
    init(corner: SymbolicTensor, size: SymbolicTensor) { (self.corner, self.size) = (corner, size) }
    init?(tensors: [SymbolicTensor]) {
      guard tensors.count == 2 else { return nil }
      self.init(corner: tensors[0], size: tensors[1])
    }
  }

  /// Dictionaries, arrays, optionals, tuples and types of the user's, in and out.
  struct Nested: Module {
    func forward(
      _ input: Tuple<SymbolicTensor, [Box], SymbolicTensor>
    ) -> [String: Tuple<Box?, [SymbolicTensor]>] {
      let (x, boxes, y) = input.members
      return [
        "first": Tuple(boxes.first, [x + y]), "none": Tuple(nil, [x, boxes[1].size]),
      ]
    }
  }

  @Test func nestedStructures() throws {
    let types = (0..<6).map { TraceInput.tensor(.float32, [2], name: "t\($0)") }
    let graph = try trace(Nested(), types)
    #expect(graph.outputNames == ["first.0.corner", "first.0.size", "first.1.0", "none.1.0", "none.1.1"])
    let values = (0..<6).map { Tensor(vector: [Float($0), 1]) }
    let results = try StructureTests.executor.run(graph, inputs: values.map(RuntimeValue.tensor))
    #expect(try results.compactMap(\.tensor).map { try $0.elements(Float.self)[0] } == [1, 2, 5, 0, 4])
    let eager = try Nested().callEagerly(values, executor: StructureTests.executor)
    #expect(eager == results.compactMap(\.tensor))
    // Two tensors and an odd number of corners and sizes.
    #expect(throws: TraceError.self) { try trace(Nested(), Array(types.dropLast())) }
  }

  @Test func dictionariesByName() throws {
    let graph = try trace(
      .tensor(.float32, [2], name: "image"), .tensor(.float32, [2], name: "boxes.0"), .tensor(.float32, [2], name: "boxes.1")
    ) { (input: [String: [SymbolicTensor]]) in
      ["sum": (input["boxes"] ?? [])[1] - (input["image"] ?? [])[0], "same": (input["boxes"] ?? [])[0]]
    }
    #expect(graph.outputNames == ["same", "sum"])
    let operands = [1, 2, 3].map { RuntimeValue.tensor(Tensor(vector: [Float($0), 0])) }
    #expect(try StructureTests.executor.run(graph, inputs: operands)[1].tensor?.elements(Float.self) == [2, 0])
  }

  @Test func structuresThroughControlFlow() throws {
    let graph = try trace([.tensor(.float32, []), .tensor(.float32, [])]) { inputs in
      let start = ["box": Box(corner: inputs[0], size: inputs[1])]
      let grown = whileLoop(start) {
        $0["box"]!.size .< 10
      } body: { state in
        let box = state["box"]!
        return ["box": Box(corner: box.corner + box.size, size: box.size * 2)]
      }
      let chosen = cond(inputs[0] .> 0) {
        [grown]
      } else: {
        [start]
      }
      return [chosen[0]["box"]!.corner, chosen[0]["box"]!.size]
    }
    func run(_ x: Float, _ y: Float) throws -> [Float] {
      try StructureTests.executor.run(graph, Tensor(x), Tensor(y)).map { try $0.elements(Float.self)[0] }
    }
    #expect(try run(1, 2) == [15, 16])
    #expect(try run(-1, 2) == [-1, 2])
  }

  struct Sums: Module {
    let isReversed: Bool
    func forward(_ x: SymbolicTensor) -> Tuple<SymbolicTensor, [String: SymbolicTensor]> {
      let (total, rows) = scan(x[0] * 0, over: x, reversed: isReversed) { total, row in
        let next = total + row
        return (next, ["sum": next, "row": row * 2])
      }
      return Tuple(total, rows)
    }
  }

  @Test func scans() throws {
    let x = try Tensor([3, 2], [1, 2, 3, 4, 5, 6] as [Float])
    for (isReversed, sums) in [(false, [1, 2, 4, 6, 9, 12] as [Float]), (true, [9, 12, 8, 10, 5, 6])] {
      let module = Sums(isReversed: isReversed)
      let graph = try trace(module, .tensor(.float32, ["n", 2]))
      #expect(graph.outputs.map { graph.type(of: $0).description } == ["f32[2]", "f32[n, 2]", "f32[n, 2]"])
      #expect(graph.outputNames.dropFirst() == ["1.row", "1.sum"])
      for executor in Parity.executors {
        let results = try executor.run(graph, inputs: [.tensor(x)]).compactMap(\.tensor)
        #expect(try results.map { try $0.elements(Float.self) } == [[9, 12], [2, 4, 6, 8, 10, 12], sums])
      }
      #expect(try module.callEagerly(x, executor: StructureTests.executor).map { try $0.elements(Float.self) }.last == sums)
    }
  }

  @Test func maps() throws {
    let graph = try trace([.tensor(.float32, ["n", 3]), .tensor(.float32, ["n"])]) { inputs in
      let scale = sum(inputs[1])
      return [map(over: Tuple(inputs[0], inputs[1])) { pair in sum(pair.members.0) * pair.members.1 + scale }]
    }
    #expect(try graph.type(of: graph.outputs[0].value!).description == "f32[n]")
    let x = try Tensor([2, 3], [1, 2, 3, 4, 5, 6] as [Float])
    let result = try StructureTests.executor.run(graph, x, Tensor(vector: [2, -1] as [Float]))[0]
    #expect(try result.elements(Float.self) == [13, -14])
  }

  /// Numbers drawn at random have the distribution asked for, and are the same for the same seed.
  @Test func randomNumbers() throws {
    let graph = try trace([.tensor(.float32, ["n"])]) { inputs in
      let x = inputs[0]
      return [
        uniform(like: x, low: 2, high: 4, seed: 1), normal(like: x, mean: 1, deviation: 0.5, seed: 2),
        bernoulli(x * 0 + 0.25, seed: 3), dropout(x * 0 + 1, ratio: 0.5, training: true),
        multinomial(Tensor(vector: [1, 3] as [Float]).asRow(of: x), samples: 4000, seed: 4)[0].cast(to: .float32),
      ]
    }
    let x = try Tensor(zeros: .float32, [4000])
    let runs = try (0..<2).map { _ in try StructureTests.executor.run(graph, x).map { try $0.elements(Float.self) } }
    #expect(runs[0] == runs[1])
    let means = runs[0].map { $0.reduce(0, +) / Float($0.count) }
    for (mean, expected) in zip(means, [3, 1, 0.25, 1, 0.75] as [Float]) { #expect(abs(mean - expected) < 0.05) }
    #expect(runs[0][0].allSatisfy { $0 >= 2 && $0 < 4 })
  }
}

extension Tensor {
  fileprivate func asRow(of x: SymbolicTensor) -> SymbolicTensor { unsqueeze(x.lift(self), axes: [0]) }
}
