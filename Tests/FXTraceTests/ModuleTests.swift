import FXCore
import FXRuntime
import FXTrace
import Testing

/// Two branches that meet in an addition: a module of values, classes, arrays and optionals.
struct Residual: Module {
  let first: Linear
  let second: Linear?
  let norm: LayerNorm
  let scale: ModuleParameter

  init(_ size: Int) {
    first = Linear(size, size)
    second = Linear(size, size, bias: false)
    norm = LayerNorm(size)
    scale = ModuleParameter(.float32, [size], initializer: .uniform(low: 0.5, high: 1.5))
  }

  func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    let inner = gelu(first(x))
    guard let second else { return x }
    return norm(x + scale * second(inner))
  }
}

struct MLP: Module {
  let layers: [any TensorModule] = [Residual(6), Sequential(Linear(6, 4), ReLU(), Dropout(), Linear(4, 3))]

  func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    softmax(layers.reduce(x) { $1($0) })
  }
}

@Suite struct ModuleTests {
  @Test func multilayerPerceptron() throws {
    let module = MLP()
    #expect(
      module.parameters.map(\.path) == [
        "layers.0.first.weight", "layers.0.first.bias", "layers.0.second.weight", "layers.0.norm.weight",
        "layers.0.norm.bias", "layers.0.scale", "layers.1.0.weight", "layers.1.0.bias", "layers.1.3.weight",
        "layers.1.3.bias",
      ])
    let x = try Tensor([2, 6], (0..<12).map { Float($0) / 6 - 1 })
    let executor = ReferenceExecutor()
    #expect(
      message { _ = try module.callEagerly(x, executor: executor) }
        .contains("nothing is bound to the parameters layers.0.first.weight"))

    var unbound = try trace(module, .tensor(.float32, ["batch", 6]))
    try module.initializeParameters(seed: 3)
    let graph = try trace(module, .tensor(.float32, ["batch", 6]))
    try unbound.initializeParameters(
      seed: 3, initializers: ["layers.0.scale": .uniform(low: 0.5, high: 1.5)])
    let eager = try module.callEagerly(x, executor: executor)[0]
    for graph in [graph, unbound] {
      let traced = try executor.run(graph, x)[0]
      #expect(traced.shape == [2, 3])
      #expect(try largestDifference(eager, traced) <= 1e-6)
    }
    #expect(try eager.elements(Float.self).prefix(3).reduce(0, +).isNearly(1))
    #expect(try graph.type(of: graph.outputs[0].value!).description == "f32[batch, 3]")
  }

  @Test func locationsAndPaths() throws {
    let graph = try trace(MLP(), .tensor(.float32, ["batch", 6]))
    let lines = try graph.bodyNodes.map { try graph[$0].location }
    #expect(lines.allSatisfy { $0?.file == "FXTraceTests/ModuleTests.swift" })
    let paths = try graph.bodyNodes.map { try "\(graph[$0].op) \(graph[$0].location?.modulePath ?? "")" }
    #expect(
      paths == [
        "linear layers.0.first", "gelu layers.0", "linear layers.0.second", "mul layers.0", "add layers.0",
        "layer_normalization layers.0.norm", "linear layers.1.0", "relu layers.1.1", "dropout layers.1.2",
        "linear layers.1.3", "softmax ",
      ])
  }

  @Test func stateDictionary() throws {
    let (a, b) = (MLP(), MLP())
    #expect(message { _ = try a.stateDictionary() }.hasPrefix("nothing is bound to the parameters layers.0.first.weight, "))
    try a.initializeParameters(seed: 1)
    let state = try a.stateDictionary()
    try b.load(state)
    let x = try Tensor([1, 6], [1, -1, 2, 0, 3, 1] as [Float])
    let executor = ReferenceExecutor()
    #expect(try a.callEagerly(x, executor: executor) == b.callEagerly(x, executor: executor))
    var wrong = state
    wrong["layers.1.0.weigth"] = wrong.removeValue(forKey: "layers.1.0.weight")
    #expect(
      message { try b.load(wrong) }
        == "missing layers.1.0.weight; not in the module: layers.1.0.weigth; did you mean 'layers.1.0.weight' or "
        + "'layers.1.3.weight' or 'layers.1.0.bias'?")
    wrong = state
    wrong["layers.1.0.bias"] = Tensor(vector: [1, 2] as [Float])
    #expect(message { try b.load(wrong) } == "parameter 'layers.1.0.bias' is f32[4], a tensor f32[2] does not fit")
  }

  @Test func tiedWeightsStayTied() throws {
    struct Tied: Module {
      let encoder = Linear(4, 4, bias: false)
      let decoder: Linear
      init() { decoder = Linear(weight: encoder.weight) }
      func forward(_ x: SymbolicTensor) -> SymbolicTensor { decoder(encoder(x)) }
    }
    let graph = try trace(Tied(), .tensor(.float32, [1, 4]))
    #expect(try graph.parameterIDs.map { try graph[$0].name } == ["encoder.weight"])
  }

  struct ExactGelu: TracingProxy {
    func call(_ call: OperatorCall) throws -> [SymbolicTensor] {
      guard call.op == .gelu else { return call.proceed() }
      let x = call.tensors[0]
      return [x * 0.5 * (1 + erf(x / 2.0.squareRoot()))]
    }
  }

  struct Refusal: TracingProxy {
    func call(_ call: OperatorCall) throws -> [SymbolicTensor] {
      if call.op == .softmax { throw TraceError(.invalid("no softmax here"), location: call.location) }
      return call.proceed()
    }
  }

  @Test func proxies() throws {
    let module = MLP()
    try module.initializeParameters(seed: 5)
    var options = TraceOptions()
    options.proxy = ExactGelu()
    let graph = try trace(module, .tensor(.float32, ["batch", 6]), options: options)
    #expect(graph.nodes(calling: .gelu).isEmpty)
    #expect(graph.nodes(calling: .erf).count == 1)
    let x = try Tensor([1, 6], [1, -1, 2, 0, 3, 1] as [Float])
    let executor = ReferenceExecutor()
    #expect(
      try largestDifference(executor.run(graph, x)[0], module.callEagerly(x, executor: executor)[0]) <= 1e-6)
    options.proxy = Refusal()
    #expect(
      message { _ = try trace(module, .tensor(.float32, ["batch", 6]), options: options) }
        .hasSuffix(": no softmax here"))
  }

  @Test func severalInputsAndOutputs() throws {
    struct Pair: Module {
      func forward(_ inputs: [SymbolicTensor]) -> [SymbolicTensor] {
        let total = inputs[0] + inputs[1]
        return [total, total, -inputs[1]]
      }
    }
    var options = TraceOptions()
    options.outputNames = ["sum"]
    let vector = TraceInput.tensor(.float32, [2])
    let graph = try trace(Pair(), [vector, TraceInput("y", vector.type)], options: options)
    #expect(graph.inputs.map { graph.name(of: $0) } == ["x_0", "y"])
    #expect(graph.outputNames == ["sum", "node_0", "node_1"])
    #expect(
      message { _ = try trace(MLP(), vector, vector) }.hasSuffix(": the module takes 1 tensor, 2 were given"))
  }
}

func largestDifference(_ a: Tensor, _ b: Tensor) throws -> Double {
  try #require(a.shape == b.shape)
  return zip(try a.numbers().doubles, try b.numbers().doubles).map { abs($0 - $1) }.max() ?? 0
}

extension Float {
  fileprivate func isNearly(_ other: Float) -> Bool { Swift.abs(self - other) < 1e-5 }
}
