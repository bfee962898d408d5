import FXCore
import FXOnnx
import FXQuant
import FXRuntime
import FXTestSupport
import FXTrace
import Testing

/// Quantized models as others see them: ONNX's checker accepts the exported files, and ONNX Runtime computes what we do, to
/// one quantum of the last rounding.
@Suite struct QuantizedModelTests {
  struct Network: Module {
    let first = Conv2d(3, 8, kernel: 3, padding: 1)
    let second = Conv2d(8, 8, kernel: 3, padding: 1)
    let third = Conv2d(16, 8, kernel: 1)
    let output = Linear(8, 10)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      let a = relu(first(x))
      let b = relu(second(a) + a)
      let c = maxPool2d(concat(a, b, axis: 1), kernel: 2)
      return output(globalAveragePool(relu(third(c))).flatten())
    }
  }

  struct Products: Module {
    let query = Linear(16, 16)
    let key = Linear(16, 16, bias: false)
    let output = Linear(16, 4)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      let weights = softmax(matmul(query(x), key(x).transpose([0, 2, 1])) * 0.25, axis: -1)
      return output(relu(matmul(weights, x)))
    }
  }

  static func network() throws -> (Graph, Tensor) {
    var graph = try trace(Network(), .tensor(.float32, [2, 3, 8, 8], name: "image"))
    try graph.initializeParameters(seed: 5)
    return (graph, try input([2, 3, 8, 8]))
  }

  static func products() throws -> (Graph, Tensor) {
    var graph = try trace(Products(), .tensor(.float32, [2, 6, 16], name: "tokens"))
    try graph.initializeParameters(seed: 6)
    return (graph, try input([2, 6, 16]))
  }

  static func input(_ shape: [Int]) throws -> Tensor {
    var random = RandomSource(seed: 9)
    return try Tensor(shape, (0..<shape.reduce(1, *)).map { _ in Float(random.double(in: -1...1)) })
  }

  static let quantizers: [(String, CPUQuantizer, StaticQuantization.Format)] = [
    ("bytes", CPUQuantizer(), .qdq), ("integer operators", CPUQuantizer(), .qoperator),
    ("per tensor", CPUQuantizer(isPerChannel: false), .qdq),
    ("symmetric", CPUQuantizer(activation: QuantizationSpec(.int8, .symmetric)), .qoperator),
    ("16 bits", CPUQuantizer(activation: QuantizationSpec(.uint16, .asymmetric)), .qdq),
    ("4-bit weights", CPUQuantizer(weight: QuantizationSpec(.int4, .symmetric)), .qdq),
  ]

  @Test func staticModelsRunElsewhere() throws {
    let inputs = [try Self.network(), try Self.products()]
    var models: [(name: String, model: QuantizedModel, input: Tensor)] = []
    for (name, quantizer, format) in Self.quantizers {
      for (graph, x) in inputs {
        let quantization = StaticQuantization(quantizer: quantizer, format: format, executor: CPUBackend())
        models.append((name, try quantization.quantize(graph, samples: [[x]]), x))
      }
    }
    // Fusions that compute in fewer bits than the model says are left out.
    guard let results = try OnnxRuntime.run(models.map { ($0.model.graph, [$0.input]) }, fuses: false) else { return }
    for ((name, model, x), theirs) in zip(models, results) {
      let ours = try CPUBackend().run(model.graph, x)[0]
      // What one quantum of the last layer's operands changes in its results, where all of them are off at most.
      let last = try #require(model.plan.nodes.last { (try? model.original[$0.node].op) == .linear })
      let node = try model.original[last.node]
      let scale = try #require(node.operand(0).value.flatMap { model.activationParams[$0]?.scale })
      let weights = try #require(model.original.tensor(of: node.operand(1))).elements(Float.self)
      let quantum = scale * weights.reduce(0) { max($0, $1.magnitude) } * 1.01 + 1e-5
      let largest = zip(try ours.elements(Float.self), try theirs[0].elements(Float.self))
        .reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(largest <= quantum * 2, "\(name): \(largest), quantum \(quantum)")
    }
  }

  @Test func dynamicAndBlockwiseModelsRunElsewhere() throws {
    let (graph, x) = try Self.products()
    let models = [
      try DynamicQuantization(executor: CPUBackend()).quantize(graph),
      try WeightOnlyQuantization(bits: 4, blockSize: 16, executor: CPUBackend()).quantize(graph),
      try WeightOnlyQuantization(bits: 4, blockSize: 32, scheme: .asymmetric, executor: CPUBackend()).quantize(graph),
      try WeightOnlyQuantization(bits: 8, blockSize: 16, executor: CPUBackend()).quantize(graph),
    ]
    guard let results = try OnnxRuntime.run(models.map { ($0.graph, [x]) }) else { return }
    for (model, theirs) in zip(models, results) {
      let ours = try CPUBackend().run(model.graph, x)[0]
      let largest = zip(try ours.elements(Float.self), try theirs[0].elements(Float.self))
        .reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(largest < 2e-3, "\(largest)")
    }
  }
}
