import FXCore
import FXPasses
import FXRuntime
import FXTrace
import Foundation

/// What ranks train: a small network on drawn images, or a model from a file toward half of its first output.
struct RankModel {
  let step: TrainingStep
  let batch: (Int) throws -> [Tensor]

  struct Network: Module {
    let convolution = Conv2d(4, 8, kernel: 3, padding: 1)
    let hidden = Linear(128, 64)
    let output = Linear(64, 8)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      output(gelu(hidden(maxPool2d(relu(convolution(x)), kernel: 2).flatten())))
    }
  }

  init() throws {
    var options = TraceOptions()
    options.outputNames = ["loss"]
    let inputs: [TraceInput] = [
      .tensor(.float32, [8, 4, 8, 8], name: "x"), .tensor(.float32, [8, 8], name: "targets"),
    ]
    var graph = try trace(Network(), inputs, options: options) { network, x in
      [mean(sum(logSoftmax(network(x[0])) * x[1], axes: [1])) * -1.0]
    }
    try graph.initializeParameters(seed: 3)
    step = try TrainingStep(graph, loss: "loss", optimizer: SGD(learningRate: 0.05, momentum: 0.9))
    batch = RankModel.images
  }

  /// Eight images; image r is of class r.
  private static func images(_ index: Int) throws -> [Tensor] {
    var state = UInt64(index + 1)
    let numbers = (0..<2048).map { position -> Float in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 24) - 0.5 + (position % 8 == position / 256 ? 1 : 0)
    }
    return [try Tensor([8, 4, 8, 8], numbers), try Tensor([8, 8], (0..<64).map { Float($0 % 8 == $0 / 8 ? 1 : 0) })]
  }

  /// - Parameters:
  ///   - path: a graph in the binary format.
  ///   - inputs: a folder with `input_0.npy` and so on: what every step sees.
  ///   - rate: the learning rate.
  init(path: String, inputs folder: String, rate: Double) throws {
    var graph = try Graph(mapping: path)
    let inputs = try graph.inputs.indices.map { try Npy.read("\(folder)/input_\($0).npy") }
    let sizes = try RankModel.sizes(of: graph, inputs)
    let first = try CPUBackend(.init(threads: 1)).compile(graph).run(inputs.map(RuntimeValue.tensor))[0]
    guard let start = first.tensor else { throw ExecutionError.notATensor(first.type) }
    let numbers: [Float] = try start.elements()
    let target = try Tensor(start.shape, numbers.map { $0 / 2 })
    // A quarter at first, whatever the model's scale.
    let scale = numbers.reduce(0) { $0 + Double($1) * Double($1) } / Double(max(1, numbers.count))
    let goal = try graph.addInput("target", .tensor(target.type))
    let difference = try graph.call(.sub, [graph.outputs[0], .value(goal)])
    let square = try graph.call(.mul, [.value(difference), .value(difference)])
    let mean = try graph.call(.reduceMean, [.value(square)], attributes: ["keepdims": false])
    let loss = try graph.call(.div, [.value(mean), .literal(.float(scale))])
    try graph.setResults(of: graph.body, [.value(loss)], names: ["loss"])
    try graph.bind(sizes)
    step = try TrainingStep(graph, loss: "loss", optimizer: SGD(learningRate: rate))
    batch = { _ in inputs + [target] }
  }

  private static func sizes(of graph: Graph, _ inputs: [Tensor]) throws -> [String: Int] {
    var sizes: [String: Int] = [:]
    for (input, tensor) in zip(graph.inputs, inputs) {
      guard let shape = try graph.type(of: input).shape else { continue }
      for (dimension, size) in zip(shape, tensor.shape) { if let symbol = dimension.symbol { sizes[symbol] = size } }
    }
    return sizes
  }
}

extension Graph {
  /// Sizes for the symbols of the inputs.
  fileprivate mutating func bind(_ sizes: [String: Int]) throws {
    let bindings = sizes.mapValues { Dimension($0) }
    for input in inputs {
      guard var type = try type(of: input).tensorType, let shape = type.shape else { continue }
      type.shape = Shape(shape.map { $0.substituting(bindings) })
      try setType(of: input, to: .tensor(type))
    }
    for node in bodyNodes { for result in try self[node].results { try setType(of: result, to: .unknown) } }
    try ShapeInferencePass().apply(to: &self)
    try DeadCodeEliminationPass().apply(to: &self)
  }
}
