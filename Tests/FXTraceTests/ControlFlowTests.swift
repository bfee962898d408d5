import FXCore
import FXRuntime
import FXTrace
import Testing

@Suite struct ControlFlowTests {
  @Test func conditional() throws {
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, []))
    try tracer.addCall("gt", ["x", 0])
    try tracer.addCall("relu", ["x"])
    try tracer.addCall("sigmoid", ["x"])
    let results = try tracer.addConditional("node_0", then: ["node_1"], else: ["node_2"])
    #expect(results.map(\.description) == ["node_3: f32[]"])
    try tracer.addOutput("node_3")
    let graph = try tracer.finalize()
    #expect(graph.nodeCount == 6)
    #expect(try ReferenceExecutor().run(graph, Tensor(Float(2)))[0].elements() == [Float(2)])
    #expect(try ReferenceExecutor().run(graph, Tensor(Float(0)))[0].elements() == [Float(0.5)])
  }

  @Test func onlyTheBranchTakenRuns() throws {
    var tracer = ModuleTracer()
    try tracer.addInput("i", .tensor(.int64, []))
    try tracer.addInput("table", .tensor(.float32, [3]))
    let shared = try tracer.addCall("neg", ["table"])
    try tracer.addCall("lt", ["i", 3])
    // Out of range for an index beyond the table: only a run of the branch shows it.
    let found = try tracer.addCall("gather", [shared, "i"])
    let fallback = try tracer.addCall("reduce_sum", [shared], attributes: ["keepdims": false])
    try tracer.addConditional("node_1", then: [found], else: [fallback])
    try tracer.addOutput("node_4")
    try tracer.addOutput(shared)
    let graph = try tracer.finalize()
    let table = Tensor(vector: [1, 2, 4] as [Float])
    #expect(try ReferenceExecutor().run(graph, Tensor(2), table)[0].elements() == [Float(-4)])
    #expect(try ReferenceExecutor().run(graph, Tensor(9), table)[0].elements() == [Float(-7)])
  }

  @Test func loop() throws {
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, []))
    try tracer.addInput("counter", .tensor(.int64, []))
    try tracer.addCall("lt", ["counter", 10])
    try tracer.addCall("add", ["x", 1])
    try tracer.addCall("add", ["counter", 1])
    try tracer.addLoop("node_0", body: ["node_1", "node_2"], state: ["x", "counter"])
    try tracer.addOutput("node_3")
    try tracer.addOutput("node_3.1", name: "turns")
    let graph = try tracer.finalize()
    #expect(graph.nodeCount == 8)
    #expect(graph.outputNames == ["node_3", "turns"])
    let results = try ReferenceExecutor().run(graph, Tensor(Float(0)), Tensor(0))
    #expect(try results[0].elements() == [Float(10)])
    #expect(try results[1].elements() == [10])
    #expect(try ReferenceExecutor().run(graph, Tensor(Float(3)), Tensor(10))[0].elements() == [Float(3)])
  }

  /// A call that condition, body and a later output share, and one that depends on no state.
  @Test func loopSharesCalls() throws {
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, []))
    try tracer.addInput("limit", .tensor(.float32, []))
    let square = try tracer.addCall("mul", ["x", "x"])
    let bound = try tracer.addCall("mul", ["limit", 2])
    let condition = try tracer.addCall("lt", [square, bound])
    let next = try tracer.addCall("add", [square, 1])
    try tracer.addOutput(square)
    let results = try tracer.addLoop(condition, body: [next], state: ["x"])
    try tracer.addOutput(results[0])
    let graph = try tracer.finalize()
    // x: 1 → 2 → 5 → 26, and 26² is beyond 200.
    let outputs = try ReferenceExecutor().run(graph, Tensor(Float(1)), Tensor(Float(100)))
    #expect(try outputs.map { try $0.elements(Float.self)[0] } == [1, 26])
  }

  @Test func movedValuesAreNamed() throws {
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, [2]))
    try tracer.addInput("p", .tensor(.bool, []))
    let positive = try tracer.addCall("relu", ["x"], name: "positive")
    try tracer.addConditional("p", then: [positive], else: ["x"])
    #expect(
      message { try tracer.addOutput("positive") }
        .hasSuffix(
          "addOutput: 'positive' moved into a region of 'node_1' and is seen only there: use a result of 'node_1'"))
  }

  @Test func functions() throws {
    let graph = try trace([TraceInput("x", .tensor(.float32, [])), TraceInput("limit", .tensor(.float32, []))]) { inputs in
      let (x, limit) = (inputs[0], inputs[1])
      let doubled = whileLoop(x) {
        $0 .< limit
      } body: {
        $0 * 2
      }
      return [
        cond(doubled .> 100) {
          doubled - limit
        } else: {
          cond(x .> 0) {
            -doubled
          } else: {
            relu(x)
          }
        }
      ]
    }
    let executor = ReferenceExecutor()
    func run(_ x: Float, _ limit: Float) throws -> Float {
      try executor.run(graph, Tensor(x), Tensor(limit))[0].elements(Float.self)[0]
    }
    #expect(try run(3, 90) == -96)
    #expect(try run(3, 100) == 92)
    #expect(try run(-1, -5) == 0)

    struct Halve: Module {
      func forward(_ x: SymbolicTensor) -> SymbolicTensor {
        whileLoop(x) {
          $0 .> 1
        } body: { y in
          cond(y .> 10) {
            y / 10
          } else: {
            y / 2
          }
        }
      }
    }
    let traced = try executor.run(trace(Halve(), .tensor(.float32, [])), Tensor(Float(300)))
    #expect(try traced == Halve().callEagerly(Tensor(Float(300)), executor: executor))
    // Twice as long in each turn: the loop's body must not take the first size for every turn's.
    let growing = try trace([.tensor(.float32, [2])]) { inputs in
      [
        whileLoop(inputs[0]) {
          sum($0) .< 100
        } body: { x in
          let doubled = concat(x, x, axis: 0)
          return reshape(doubled, [-1, 2]).reshape([-1])
        }
      ]
    }
    #expect(try growing.type(of: growing.outputs[0].value!).description == "f32[?]")
    #expect(try executor.run(growing, Tensor(vector: [1, 2] as [Float]))[0].shape == [128])

    #expect(
      message {
        _ = try trace([.tensor(.float32, [3])]) { x in
          [
            cond(x[0] .> 0) {
              x[0]
            } else: {
              -x[0]
            }
          ]
        }
      }
      .hasSuffix(
        "cond: the predicate is bool[3], but must be one truth value: reduce it with any(…) or all(…), "
          + "or choose element by element with where(…)"))
    #expect(
      message {
        _ = try trace([.tensor(.float32, [])]) { x in
          var leaked = x[0]
          let y = cond(x[0] .> 0) {
            leaked = relu(x[0])
            return leaked
          } else: {
            x[0]
          }
          return [y + leaked]
        }
      }.contains("was made inside a branch or loop body and is seen only there"))
  }

  @Test func leavesStayOpaque() throws {
    let module = MLP()
    try module.initializeParameters(seed: 5)
    var options = TraceOptions()
    options.isLeaf = { module, _ in module is Residual }
    let graph = try trace(module, .tensor(.float32, ["batch", 6]), options: options)
    let call = try #require(graph.nodes(calling: .call).first)
    #expect(try graph[call].name == "layers.0")
    #expect(try graph.nodes(in: graph[call].regions[0]).count == 6)
    let x = try Tensor([1, 6], [1, -1, 2, 0, 3, 1] as [Float])
    let executor = ReferenceExecutor()
    #expect(
      try largestDifference(executor.run(graph, x)[0], module.callEagerly(x, executor: executor)[0]) <= 1e-6)
  }
}
