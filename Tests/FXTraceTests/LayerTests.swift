import FXCore
import FXRuntime
import FXTrace
import Testing

/// A small network for images, as a class.
final class ConvolutionalNetwork: Module {
  let features = Sequential(
    Conv2d(1, 4, kernel: 3, padding: 1), BatchNorm2d(4), ReLU(), MaxPool2d(kernel: 2),
    Conv2d(4, 6, kernel: Extent2d(3, 1), stride: Extent2d(1, 2), groups: 2, bias: false), GELU(approximate: .tanh),
    AvgPool2d(kernel: 2, padding: 1), FlattenLayer())
  let classifier = Linear(24, 10)

  func forward(_ x: SymbolicTensor) -> SymbolicTensor { logSoftmax(classifier(features(x))) }
}

@Suite struct LayerTests {
  @Test func convolutionalNetwork() throws {
    let module = ConvolutionalNetwork()
    try module.initializeParameters(seed: 11)
    var state = try module.stateDictionary()
    #expect(state["features.1.running_var"]?.shape == [4])
    state["features.1.running_mean"] = Tensor(vector: [0.1, -0.2, 0.3, 0] as [Float])
    try module.load(state)
    let graph = try trace(module, .tensor(.float32, ["batch", 1, 8, 8]))
    #expect(try graph.type(of: graph.outputs[0].value!).description == "f32[batch, 10]")
    let x = try Tensor([2, 1, 8, 8], (0..<128).map { Float($0 % 13) / 6 - 1 })
    let executor = ReferenceExecutor()
    let eager = try module.callEagerly(x, executor: executor)[0]
    #expect(try largestDifference(executor.run(graph, x)[0], eager) <= 1e-6)
    #expect(eager.shape == [2, 10])
    var unbound = try trace(ConvolutionalNetwork(), .tensor(.float32, ["batch", 1, 8, 8]))
    try unbound.initializeParameters(seed: 11)
    #expect(try unbound.parameterIDs.map { try unbound[$0].name } == graph.parameterIDs.map { try graph[$0].name })
  }

  /// Values computed by hand, so that operands and attributes cannot be swapped unnoticed.
  @Test func layersCompute() throws {
    let executor = ReferenceExecutor()
    func run(_ module: some Module, _ x: Tensor, _ state: [String: Tensor] = [:]) throws -> [Float] {
      try module.load(state)
      return try module.callEagerly(x, executor: executor)[0].elements()
    }
    let image = try Tensor([1, 1, 2, 2], [1, 2, 3, 4] as [Float])
    #expect(try run(MaxPool2d(kernel: 2), image) == [4])
    #expect(try run(AvgPool2d(kernel: 2, stride: 2, padding: 1), image) == [0.25, 0.5, 0.75, 1])
    #expect(try run(AvgPool2d(kernel: 2, stride: 2, padding: 1, countsPadding: false), image) == [1, 2, 3, 4])
    #expect(try run(GlobalAvgPool2d(), image) == [2.5])
    #expect(
      try run(
        Conv2d(1, 1, kernel: Extent2d(1, 2)), image,
        ["weight": Tensor([1, 1, 1, 2], [10, 1] as [Float]), "bias": Tensor(vector: [0.5] as [Float])]) == [12.5, 34.5])
    let statistics: [String: Tensor] = [
      "weight": Tensor(vector: [2] as [Float]), "bias": Tensor(vector: [1] as [Float]),
      "running_mean": Tensor(vector: [2] as [Float]), "running_var": Tensor(vector: [4] as [Float]),
    ]
    #expect(try run(BatchNorm2d(1, epsilon: 0), image, statistics) == [0, 1, 2, 3])
    let row = try Tensor([1, 2], [1, 3] as [Float])
    #expect(
      try run(
        LayerNorm(2, epsilon: 0), row,
        ["weight": Tensor(vector: [1, 2] as [Float]), "bias": Tensor(vector: [0, 1] as [Float])]) == [-1, 3])
    #expect(
      try run(
        Linear(2, 1), row,
        ["weight": Tensor([1, 2], [10, 1] as [Float]), "bias": Tensor(vector: [0.5] as [Float])]) == [13.5])
    #expect(
      try run(Embedding(count: 3, size: 2), Tensor(vector: [2, 0]), ["weight": Tensor([3, 2], [0, 1, 2, 3, 4, 5] as [Float])])
        == [4, 5, 0, 1])
    #expect(try run(Dropout(), row) == [1, 3])
    #expect(try run(Sequential(Apply(relu), Apply { $0 * 2 }, LeakyReLU(alpha: 0.5)), row) == [2, 6])
    for layer in [Sigmoid(), Tanh(), SiLU(), SoftmaxLayer()] as [any TensorModule] {
      let y = try run(layer, row)
      #expect(y[0] < y[1] && y[0] > 0)
    }
  }

  /// Numbers beside truth values count as the same mask all in truth values, in a type other than `float32` too.
  @Test func masksOfTwoKinds() throws {
    let layer = MultiheadAttention(4, heads: 2, batchFirst: true, elementType: .float64)
    try layer.initializeParameters(seed: 3)
    let x = try Tensor([1, 3, 4], (0..<12).map { Double($0 % 5) })
    let padding = try Tensor([1, 3], [false, false, true])
    let results = try [ElementType.float64, .bool].map { type in
      let mask = try Tensor(zeros: type, [3, 3])
      let graph = try trace([.like(x), .like(padding), .like(mask)]) { inputs in
        [layer(inputs[0], keyPaddingMask: inputs[1], mask: inputs[2])]
      }
      return try ReferenceExecutor().run(graph, x, padding, mask)[0]
    }
    #expect(try largestDifference(results[0], results[1]) <= 1e-12)
  }

  @Test func flatConvolution() throws {
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, ["n", 4, 6, 6]))
    try tracer.addCall("conv2d", ["x"], attributes: ["kernel_shape": .ints([3, 3]), "out_channels": 8, "group": 2])
    try tracer.addCall("batch_norm", ["node_0"])
    try tracer.addCall("layer_norm", ["node_1"])
    try tracer.addOutput("node_2")
    var graph = try tracer.finalize()
    try graph.initializeParameters(seed: 0)
    #expect(
      try graph.parameterIDs.map { try "\(graph[$0].name) \(graph[$0].type)" } == [
        "node_0.weight f32[8, 2, 3, 3]", "node_0.bias f32[8]", "node_1.weight f32[8]", "node_1.bias f32[8]",
        "node_1.running_mean f32[8]", "node_1.running_var f32[8]", "node_2.weight f32[4]", "node_2.bias f32[4]",
      ])
    #expect(try ReferenceExecutor().run(graph, Tensor(zeros: .float32, [2, 4, 6, 6]))[0].shape == [2, 8, 4, 4])
  }

  @Test func indexing() throws {
    let x = try Tensor([3, 2], [1, 2, 3, 4, 5, 6] as [Float])
    let graph = try trace([.like(x)]) { inputs in
      let x = inputs[0]
      return [
        x[1], x[-1], x[1..<3], x[2...], x[..<1], gather(x, Tensor(vector: [1, 0]), axis: 1), x[-3 ..< -1], x[-2..<0],
        x[(-2)...], x[strided(from: 1, to: -1)],
      ]
    }
    let results = try ReferenceExecutor().run(graph, x).map { try $0.elements(Float.self) }
    #expect(
      results == [
        [3, 4], [5, 6], [3, 4, 5, 6], [5, 6], [1, 2], [2, 1, 4, 3, 6, 5], [1, 2, 3, 4], [], [3, 4, 5, 6], [3, 4],
      ])
  }
}
