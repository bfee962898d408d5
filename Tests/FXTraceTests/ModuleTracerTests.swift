import FXCore
import FXRuntime
import FXTrace
import Testing

@Suite struct ModuleTracerTests {
  /// The tutorial's first program.
  static func simpleGraph() throws -> Graph {
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, ["batch", 4]))
    try tracer.addCall("linear", ["x"], attributes: ["out_features": 3])
    try tracer.addCall("relu", ["node_0"])
    try tracer.addOutput("node_1")
    return try tracer.finalize()
  }

  @Test func weightsBoundLaterAndBranchesMerged() throws {
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, [2]))
    try tracer.addInput("flag", .tensor(.bool, []))
    try tracer.addGetAttr("scale", TensorType(.float32, [2]))
    let scaled = try tracer.addCall("mul", ["x", "scale"])
    let negated = try tracer.addCall("neg", ["x"])
    try tracer.addOutput(tracer.addMerge("flag", scaled, negated))
    var graph = try tracer.finalize()
    let x = try Tensor([2], [1, -2] as [Float])
    #expect(throws: ExecutionError.unboundParameters(["scale"])) {
      try ReferenceExecutor().run(graph, x, Tensor(true))
    }
    try graph.bind(#require(graph.parameter(named: "scale")), to: Tensor([2], [3, 5] as [Float]))
    #expect(try ReferenceExecutor().run(graph, x, Tensor(true))[0].elements() == [3, -10] as [Float])
    #expect(try ReferenceExecutor().run(graph, x, Tensor(false))[0].elements() == [-1, 2] as [Float])
  }

  @Test func tutorialGraph() throws {
    var graph = try Self.simpleGraph()
    #expect(graph.nodeCount == 4)
    #expect(graph.edgeCount == 3)
    #expect(graph.outputNames == ["node_1"])
    let x = try Tensor([2, 4], (0..<8).map { Float($0) / 4 - 1 })
    let executor = ReferenceExecutor()
    #expect(throws: ExecutionError.unboundParameters(["node_0.weight", "node_0.bias"])) { try executor.run(graph, x) }

    try graph.initializeParameters(seed: 7)
    let weight = try parameter("node_0.weight", graph)
    let bias = try parameter("node_0.bias", graph)
    #expect(weight.shape == [3, 4])
    #expect(bias.shape == [3])
    let (w, b, input): ([Float], [Float], [Float]) = (try weight.elements(), try bias.elements(), try x.elements())
    var expected: [Float] = []
    for row in 0..<2 {
      for column in 0..<3 {
        let product = (0..<4).reduce(b[column]) { $0 + input[row * 4 + $1] * w[column * 4 + $1] }
        expected.append(max(product, 0))
      }
    }
    let actual: [Float] = try executor.run(graph, x)[0].elements()
    #expect(zip(actual, expected).allSatisfy { abs($0 - $1) <= 1e-6 })
    #expect(expected.contains { $0 > 0 })
  }

  private func parameter(_ name: String, _ graph: Graph) throws -> Tensor {
    let id = try #require(graph.parameter(named: name))
    return try #require(try graph[id].tensor)
  }

  @Test func initialization() throws {
    var (a, b, c) = (try Self.simpleGraph(), try Self.simpleGraph(), try Self.simpleGraph())
    try a.initializeParameters(seed: 1)
    try b.initializeParameters(seed: 1)
    try c.initializeParameters(seed: 2)
    #expect(try parameter("node_0.weight", a) == parameter("node_0.weight", b))
    #expect(try parameter("node_0.weight", a) != parameter("node_0.weight", c))
    let weights: [Float] = try parameter("node_0.weight", a).elements()
    #expect(weights.allSatisfy { abs($0) <= 0.5 } && Set(weights).count == 12)

    // Nothing says how wide: the call keeps its input's width once that is known.
    var tracer = ModuleTracer()
    try tracer.addInput("x")
    try tracer.addCall("linear", ["x"])
    try tracer.addCall("linear", ["node_0"], attributes: ["out_features": 2, "bias": false])
    try tracer.addOutput("node_1", name: "y")
    var graph = try tracer.finalize()
    #expect(graph.parameterIDs.count == 3)
    #expect(message { try graph.initializeParameters(seed: 0) }.hasPrefix("the shape of 'node_0.weight' is not determined"))
    try graph.initializeParameters(seed: 0, inputTypes: [.tensor(.float32, ["batch", 5])])
    #expect(try parameter("node_0.weight", graph).shape == [5, 5])
    #expect(try parameter("node_1.weight", graph).shape == [2, 5])
    #expect(try ReferenceExecutor().run(graph, Tensor(zeros: .float32, [3, 5]))[0].shape == [3, 2])
  }

  /// Sizes whose product is no `Int` are an error where the tensor is made, and not before.
  @Test func sizesBeyondAllTensors() throws {
    var graph = try Graph(text: "fx 1 graph @g() { parameter @w: f32[2, 4611686018427387904, 4] weight return @w }")
    #expect(message { try graph.initializeParameters(seed: 0) }.hasPrefix("no tensor can have the shape"))
    let layer = Conv2d(1, 1, kernel: Extent2d(1 << 40, 1 << 40))
    #expect(message { try layer.initializeParameters(seed: 0) }.hasPrefix("no tensor can have the shape"))
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, ["n", 1, "d", "h", "w"]))
    try tracer.addCall("conv3d", ["x"], attributes: ["kernel_shape": .ints([1 << 30, 1 << 30, 1 << 30])])
    try tracer.addOutput("node_0")
    var flat = try tracer.finalize()
    #expect(message { try flat.initializeParameters(seed: 0) }.hasPrefix("no tensor can have the shape"))
  }

  @Test func declarationsOfOperandsThatAreNot() throws {
    var declarations = ParameterDeclarations()
    declarations[.linear] = .init([
      ParameterDeclaration(1, "weight") { context in
        context.rank(of: -1) ?? context.rank(of: 9) == nil ? [context.dimension(0, of: -1), context.dimension(0, of: 9)] : []
      } initializer: { _, _ in
        .constant(0)
      }
    ])
    var graph = try Graph(
      text: "fx 1 graph @g(%x: f32[1, 2]) { parameter @w: f32[*] weight %y = linear(%x, @w) return %y }")
    #expect(
      message { try graph.initializeParameters(seed: 0, declarations: declarations) }
        .hasPrefix("the shape of 'w' is not determined"))
  }

  @Test func parametersByName() throws {
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, ["n", 2]))
    try tracer.addParameter("w", Tensor([2, 1], [1, 10] as [Float]))
    try tracer.addCall("matmul", ["x", "w"], name: "product")
    try tracer.addOutput("product")
    let graph = try tracer.finalize()
    #expect(try ReferenceExecutor().run(graph, Tensor([1, 2], [3, 4] as [Float]))[0].elements() == [Float(43)])
    #expect(message { try tracer.addInput("w") }.hasSuffix("addInput: the name 'w' is taken"))
  }

  static let mistakes: [(String, @Sendable (inout ModuleTracer) throws -> Void)] = [
    ("there is no operator 'linaer'; did you mean 'linear'?", { try $0.addCall("linaer", ["x"]) }),
    ("relu: nothing is called 'xx'; did you mean 'x'?", { try $0.addCall("relu", ["xx"]) }),
    ("relu: 'node_4' is used before it is defined", { try $0.addCall("relu", ["node_4"]) }),
    ("addInput: the name 'x' is taken", { try $0.addInput("x") }),
    ("greater(f32[2, 3]): greater takes 2 operands, not 1", { try $0.addCall("gt", ["x"]) }),
    (
      "add(f32[2, 3], f32[2, 4]): shapes [2, 3] and [2, 4] do not broadcast; "
        + "axis -1 is 3 and 4: sizes must be equal, or one of them 1",
      { try $0.addCall("add", ["x", "y"]) }
    ),
    (
      "leaky_relu(f32[2, 3]): leaky_relu has no attribute 'alpa'; did you mean 'alpha'?",
      { try $0.addCall("leaky_relu", ["x"], attributes: ["alpa": 0.1]) }
    ),
    (
      "addConditional: the predicate is bool[2, 3], but must be one truth value: reduce it with any(…) or all(…), "
        + "or choose element by element with where(…)",
      {
        let positive = try $0.addCall("gt", ["x", 0])
        try $0.addConditional(positive, then: ["x"], else: ["x"])
      }
    ),
    (
      "addLoop: body has 2 values and state has 1: they must be equally many",
      { try $0.addLoop("p", body: ["x", "y"], state: ["x"]) }
    ),
  ]

  @Test(arguments: mistakes.indices) func mistakesAreNamed(_ index: Int) throws {
    let (expected, body) = Self.mistakes[index]
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, [2, 3]))
    try tracer.addInput("y", .tensor(.float32, [2, 4]))
    try tracer.addInput("p", .tensor(.bool, []))
    let text = message { try body(&tracer) }
    #expect(text.hasSuffix(": " + expected), "\(text)")
    #expect(text.hasPrefix("FXTraceTests/ModuleTracerTests.swift:"))
  }
}

/// What the error that `body` throws says; empty if it throws none.
func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return ""
  } catch {
    return String(describing: error)
  }
}
