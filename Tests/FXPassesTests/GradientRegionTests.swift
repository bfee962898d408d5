import FXCore
import FXPasses
import FXRuntime
import FXTestSupport
import FXTrace
import Testing

/// Gradients through branches, loops and scans, against central differences.
@Suite struct GradientRegionTests {
  /// A graph of inputs `x` [2, 3] and `s` [], and a parameter `w` [3, 3].
  private func check(
    s: Double = 0.8,
    _ body: (GraphWriter, _ x: SymbolicTensor, _ s: SymbolicTensor, _ w: SymbolicTensor) throws -> [SymbolicTensor]
  ) throws {
    var random = RandomSource(seed: 5)
    func tensor(_ shape: [Int]) throws -> Tensor {
      try Tensor(shape, (0..<shape.reduce(1, *)).map { _ in random.double(in: 0.2...0.9) })
    }
    let (x, w) = (try tensor([2, 3]), try tensor([3, 3]))
    var graph = Graph()
    let xInput = try graph.addInput("x", .tensor(x.type))
    let sInput = try graph.addInput("s", .tensor(.float64, []))
    let weight = try graph.addParameter("w", w)
    let writer = GraphWriter(graph)
    let results = try body(
      writer, writer.tensor(.value(xInput)), writer.tensor(.value(sInput)), writer.tensor(.parameter(weight)))
    let operands = try results.map(writer.operand)
    try GradientCheck(
      writer.finish(), [("x", x), ("s", Tensor(s)), ("w", w)], results: operands
    ).run(1e-6, &random)
  }

  @Test(arguments: [0.8, -0.8]) func branches(s: Double) throws {
    try check(s: s) { _, x, s, w in
      [
        cond(s .> 0.0) {
          matmul(x, w) * s + x
        } else: {
          sin(x) * s
        }
      ]
    }
  }

  @Test func whileLoops() throws {
    try check { _, x, s, w in
      let counter = x.lift(Tensor(0.0))
      let states = whileLoop([counter, x]) {
        $0[0] .< 3.0
      } body: { state in
        let next = matmul(state[1], w) * s + state[1]
        return [state[0] + 1.0, next]
      }
      return [states[1]]
    }
  }

  @Test(arguments: [0, 1, 3]) func loops(turns: Int) throws {
    try check { writer, x, s, w in
      try writer.call(
        .loop, [x.lift(Tensor(turns)), writer.tensor(.none), x], attributes: ["state_count": 1],
        arguments: [[.tensor(.int64, []), .tensor(.bool, []), x.type]], resultCount: { $0[0] - 1 }
      ) { _, arguments in
        let next = tanh(matmul(arguments[2], w)) * s + arguments[0].cast(to: .float64)
        return [arguments[1], next, sum(next * x, axes: [1])]
      }
    }
  }

  @Test(arguments: [0, 1], [0, 1]) func scans(inputDirection: Int, outputDirection: Int) throws {
    try check { writer, x, s, w in
      let first = sum(x, axes: [0])
      return try writer.call(
        .scan, [first, x],
        attributes: [
          "state_count": 1, "num_scan_inputs": 1, "scan_input_axes": .ints([0]),
          "scan_input_directions": .ints([inputDirection]), "scan_output_axes": .ints([1]),
          "scan_output_directions": .ints([outputDirection]),
        ], arguments: [[first.type, .tensor(.float64, [3])]], resultCount: { $0[0] }
      ) { _, arguments in
        let next = tanh(matmul(arguments[0], w) + arguments[1] * s)
        return [next, next * arguments[1]]
      }
    }
  }

  @Test func branchesInLoops() throws {
    try check { _, x, s, w in
      let counter = x.lift(Tensor(0.0))
      let states = whileLoop([counter, x]) {
        $0[0] .< 3.0
      } body: { state in
        let next = cond(state[0] .> 1.0) {
          matmul(state[1], w)
        } else: {
          sin(state[1]) * s
        }
        return [state[0] + 1.0, next]
      }
      return [states[1]]
    }
  }

  @Test func calls() throws {
    try check { writer, x, s, w in
      try writer.call(.call, [], attributes: [:], arguments: [[]], resultCount: { $0[0] }) { _, _ in [matmul(x, w) * s] }
    }
  }

  /// One compiled gradient for every batch size.
  @Test func symbolicSizes() throws {
    var graph = try trace([.tensor(.float64, ["n", 3], name: "x"), .tensor(.float64, [1, 3], name: "b")]) { x in
      [mean(exp(x[0] * x[1] + x[1]) / (x[0] + 1.0)).named("loss")]
    }
    graph = try graph.gradient(of: graph.outputNames[0], wrt: ["x", "b"])
    let compiled = try CPUBackend().compiled(graph)
    for count in [1, 4] {
      let x = try Tensor([count, 3], (0..<3 * count).map { Double($0) * 0.1 })
      let b = try Tensor([1, 3], [0.1, 0.2, 0.3])
      let results = try compiled.run([.tensor(x), .tensor(b)]).compactMap(\.tensor)
      #expect(results.map(\.shape) == [[], [count, 3], [1, 3]])
      #expect(try ReferenceExecutor().run(graph, x, b).map(\.shape) == results.map(\.shape))
    }
  }

  /// What ONNX's `Gradient` becomes: a call that owns what is differentiated.
  @Test func expansionOfCalls() throws {
    var graph = Graph()
    let a = try graph.addInput("a", .tensor(.float32, [2]))
    let b = try graph.addInput("b", .tensor(.float32, [2]))
    let node = try graph.append(.gradient, [.value(a), .value(b)], attributes: ["with_respect_to": 1], results: [.unknown])
    let region = try graph[node].regions[0]
    let arguments = try (0..<2).map { _ in Operand.value(try graph.addArgument(to: region, .tensor(.float32, [2]))) }
    let square = Operand.value(try graph.call(.mul, [arguments[0], arguments[0]], at: .end(of: region)))
    try graph.setResults(of: region, [.value(try graph.call(.mul, [square, arguments[1]], at: .end(of: region)))])
    try graph.addOutput(graph[node].results[0])
    let inputs = [try Tensor([2], [3, 4] as [Float]), try Tensor([2], [1, 10] as [Float])].map(RuntimeValue.tensor)
    let expected = [RuntimeValue.tensor(try Tensor([2], [6, 80] as [Float]))]
    #expect(try ReferenceExecutor().run(graph, inputs: inputs) == expected)
    #expect(try CPUBackend().compiled(graph).run(inputs) == expected)
    #expect(CPUBackend().support(for: node, in: graph) == .supported)
    var expanded = graph
    try GradientExpansionPass().apply(to: &expanded)
    try expanded.verify(.typed)
    #expect(expanded.nodes(calling: .gradient).isEmpty)
  }

  /// What cannot be differentiated is named, and the graph is as it was.
  @Test func errorsLeaveTheGraph() throws {
    var graph = try trace([.tensor(.float32, [2, 2], name: "x")]) { x in [x[0].calling(.det)] }
    let before = graph
    let (output, input) = (graph.outputs[0], Operand.value(graph.inputs[0]))
    do {
      _ = try Differentiation().gradients(of: [(output, nil)], wrt: [input], in: &graph)
      Issue.record("det has a gradient")
    } catch let error as DifferentiationError {
      #expect(error.reason == .noRule && error.op == "det")
    }
    #expect(graph == before)
  }

  @Test func refusals() throws {
    let graph = try trace([.tensor(.float32, [2], name: "x")]) { x in [sin(x[0]), argmax(x[0], axis: 0).named("i")] }
    #expect(throws: (any Error).self) { try graph.gradient(of: "z", wrt: ["x"]) }
    func message(_ output: String, _ name: String) -> String {
      do { _ = try graph.gradient(of: output, wrt: [name]); return "" } catch { return "\(error)" }
    }
    #expect(message("z", "x") == "'z' is no output, input, parameter or value of the graph's body")
    #expect(
      message(graph.outputNames[0], "x")
        == "the gradient is that of one number, this is f32[2]: give its cotangent or reduce it")
  }
}
