import FXCore
import FXPasses
import FXQuant
import FXRuntime
import FXTestSupport
import FXTrace
import Foundation

/// Scikit-learn's digits, networks that learn to read them, and what quantization costs them.
struct DigitsExperiment {
  enum Network: String, CaseIterable {
    case convolutional = "convolutions"
    case transformer
  }

  /// A convolution, then two of a kernel per channel with one of 1 × 1 each, which few bits are hard on.
  struct Convolutional: Module {
    struct Separable: Module {
      let depthwise: Conv2d
      let depthwiseNorm: BatchNorm2d
      let pointwise: Conv2d
      let pointwiseNorm: BatchNorm2d

      init(_ inputs: Int, _ outputs: Int) {
        depthwise = Conv2d(inputs, inputs, kernel: 3, padding: 1, groups: inputs)
        depthwiseNorm = BatchNorm2d(inputs)
        pointwise = Conv2d(inputs, outputs, kernel: 1)
        pointwiseNorm = BatchNorm2d(outputs)
      }

      func forward(_ x: SymbolicTensor) -> SymbolicTensor {
        relu(pointwiseNorm(pointwise(relu(depthwiseNorm(depthwise(x))))))
      }
    }

    let first = Conv2d(1, 16, kernel: 3, padding: 1)
    let norm = BatchNorm2d(16)
    let second = Separable(16, 24)
    let third = Separable(24, 32)
    let output = Linear(128, 10)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      let features = maxPool2d(second(maxPool2d(relu(norm(first(x))), kernel: 2)), kernel: 2)
      return output(third(features).flatten())
    }
  }

  /// A row of pixels is a token.
  struct Transformer: Module {
    let embedding = Linear(8, 24)
    let position = ModuleParameter(.float32, [8, 24], initializer: .normal(mean: 0, deviation: 0.5))
    let norms = [LayerNorm([24]), LayerNorm([24])]
    let query = Linear(24, 24)
    let key = Linear(24, 24)
    let value = Linear(24, 24)
    let hidden = Linear(24, 48)
    let back = Linear(48, 24)
    let output = Linear(24, 10)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      let tokens = embedding(x.reshape([-1, 8, 8])) + position
      let y = norms[0](tokens)
      let weights = softmax(matmul(query(y), key(y).transpose([0, 2, 1])) * (1 / 24.0.squareRoot()), axis: -1)
      let mixed = tokens + matmul(weights, value(y))
      let z = mixed + back(relu(hidden(norms[1](mixed))))
      return output(mean(z, axes: [1]))
    }
  }

  let images: [UInt8]
  let labels: [UInt8]
  let trainingCount: Int
  /// Steps are too small for a second thread to help.
  let backend = CPUBackend(.init(threads: 1))

  init() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("FXPassesTests/Data").path
    images = try Npy.read("\(folder)/images.npy").elements()
    labels = try Npy.read("\(folder)/labels.npy").elements()
    trainingCount = labels.count - Int(try Npy.read("\(folder)/held_out.npy").elements(Int64.self)[0])
  }

  /// Images as [n, 1, 8, 8] between 0 and 1.
  func pixels(_ range: some Collection<Int>) throws -> Tensor {
    try Tensor([range.count, 1, 8, 8], range.flatMap { index in images[index * 64..<index * 64 + 64].map { Float($0) / 16 } })
  }

  /// [n, 10], 1 for the digit that the image shows.
  func targets(_ range: some Collection<Int>) throws -> Tensor {
    try Tensor([range.count, 10], range.flatMap { index in (0..<10).map { Float($0 == labels[index] ? 1 : 0) } })
  }

  /// Samples to calibrate on: 8 batches of 32 images with their targets.
  func samples() throws -> [[Tensor]] {
    try (0..<8).map { [try pixels($0 * 32..<$0 * 32 + 32), try targets($0 * 32..<$0 * 32 + 32)] }
  }

  /// Scores and their cross entropy, in evaluation mode, with weights drawn for the seed.
  func graph(_ network: Network, seed: UInt64) throws -> Graph {
    var options = TraceOptions()
    options.outputNames = ["scores", "loss"]
    let inputs: [TraceInput] = [
      .tensor(.float32, ["n", 1, 8, 8], name: "images"), .tensor(.float32, ["n", 10], name: "targets"),
    ]
    func outputs(_ scores: SymbolicTensor, _ targets: SymbolicTensor) -> [SymbolicTensor] {
      [scores, mean(sum(logSoftmax(scores) * targets, axes: [1])) * -1.0]
    }
    var graph =
      switch network {
      case .convolutional: try trace(Convolutional(), inputs, options: options) { outputs($0($1[0]), $1[1]) }
      case .transformer: try trace(Transformer(), inputs, options: options) { outputs($0($1[0]), $1[1]) }
      }
    try graph.initializeParameters(seed: seed)
    return graph
  }

  /// The graph with batch normalizations that learn statistics.
  private func training(_ graph: Graph) throws -> Graph {
    var graph = graph
    for id in graph.nodes(calling: .batchNormalization) {
      let node = try graph[id]
      var attributes = node.attributes
      attributes[BatchNormalization.trainingMode] = true
      let learning = try graph.append(
        .batchNormalization, node.operands, attributes: attributes, results: [.unknown, .unknown, .unknown], at: .before(id))
      try graph.replace(id, with: [.value(graph[learning].results[0])])
    }
    return graph
  }

  private func run(
    _ step: TrainingStep, epochs: Int, rates: (Double, Double), seed: UInt64
  ) throws -> Trainer {
    var trainer = try Trainer(step, on: backend)
    var generator = RandomSource(seed: seed)
    for epoch in 0..<epochs {
      let order = (0..<trainingCount).shuffled(using: &generator)
      for start in stride(from: 0, to: order.count - 31, by: 32) {
        let batch = order[start..<start + 32]
        try trainer.train(pixels(batch), targets(batch), learningRate: epoch < epochs * 2 / 3 ? rates.0 : rates.1)
      }
    }
    return trainer
  }

  /// A network trained in floating point.
  func trained(_ network: Network, seed: UInt64, epochs: Int) throws -> Graph {
    var graph = try graph(network, seed: seed)
    let step = try TrainingStep(training(graph), loss: "loss", optimizer: Adam())
    try run(step, epochs: epochs, rates: (4e-3, 1e-3), seed: seed).apply(to: &graph)
    return graph
  }

  /// A prepared network trained on, and converted.
  func trainedQuantized(
    _ graph: Graph, _ quantizer: CPUQuantizer, seed: UInt64, epochs: Int
  ) throws -> (prepared: Graph, converted: Graph) {
    var graph = graph
    try QATUtils.prepareQAT(&graph, quantizer: quantizer, samples: samples(), executor: backend)
    let step = try QATUtils.trainingStep(graph, loss: "loss", optimizer: Adam())
    try run(step, epochs: epochs, rates: (2e-3, 5e-4), seed: seed + 100).apply(to: &graph)
    return (graph, try QATUtils.convertToQuantized(graph))
  }

  /// The scores of held-out images.
  func scores(_ graph: Graph) throws -> Tensor {
    let test = trainingCount..<labels.count
    return try backend.run(graph, pixels(test), targets(test))[0]
  }

  /// The share of held-out images that are read right, in percent.
  func accuracy(_ graph: Graph) throws -> Double {
    let test = trainingCount..<labels.count
    let scores: [Float] = try scores(graph).elements()
    let right = test.enumerated().count { position, image in
      let row = scores[position * 10..<position * 10 + 10]
      return row.indices.max { row[$0] < row[$1] } == position * 10 + Int(labels[image])
    }
    return 100 * Double(right) / Double(test.count)
  }

  static let fourBits = CPUQuantizer(
    activation: QuantizationSpec(.uint4, .asymmetric), weight: QuantizationSpec(.int4, .symmetric), isPerChannel: false)

  /// What quantization costs one network, in percent of the held-out images.
  struct Result {
    let float, eightBits, fourBits, fourBitsTrained: Double
  }

  func result(_ network: Network, seed: UInt64, epochs: Int, tuning: Int) throws -> Result {
    let graph = try trained(network, seed: seed, epochs: epochs)
    func after(_ quantizer: CPUQuantizer) throws -> Double {
      try accuracy(StaticQuantization(quantizer: quantizer, executor: backend).quantize(graph, samples: samples()).graph)
    }
    return Result(
      float: try accuracy(graph), eightBits: try after(CPUQuantizer()), fourBits: try after(Self.fourBits),
      fourBitsTrained: try accuracy(trainedQuantized(graph, Self.fourBits, seed: seed, epochs: tuning).converted))
  }
}
