import FXCore
import FXPasses
import FXRuntime
import FXTestSupport
import FXTrace
import Foundation
import Testing

/// Training in Swift beside PyTorch's, whose curves `scripts/make-training-case.py` recorded.
@Suite(.serialized) struct TrainingTests {
  struct Network: Module {
    let first = Conv2d(1, 8, kernel: 3, padding: 1)
    let second = Conv2d(8, 16, kernel: 3, padding: 1)
    let output = Linear(64, 10)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      let features = maxPool2d(relu(second(maxPool2d(relu(first(x)), kernel: 2))), kernel: 2)
      return output(features.flatten())
    }
  }

  struct Digits {
    let images: [UInt8]
    let labels: [UInt8]
    let heldOut: Int
    var trainingCount: Int { labels.count - heldOut }

    init() throws {
      images = try TrainingTests.array("images").elements()
      labels = try TrainingTests.array("labels").elements()
      heldOut = Int(try TrainingTests.array("held_out").elements(Int64.self)[0])
    }

    /// Images as [n, 1, 8, 8] between 0 and 1.
    func pixels(_ range: some Collection<Int>) throws -> Tensor {
      try Tensor([range.count, 1, 8, 8], range.flatMap { index in images[index * 64..<index * 64 + 64].map { Float($0) / 16 } })
    }

    /// [n, 10], 1 for the digit that the image shows.
    func targets(_ range: some Collection<Int>) throws -> Tensor {
      try Tensor([range.count, 10], range.flatMap { index in (0..<10).map { Float($0 == labels[index] ? 1 : 0) } })
    }
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Data").path

  static func array(_ name: String) throws -> Tensor { try Npy.read("\(folder)/\(name).npy") }

  static func network() throws -> Network {
    let network = Network()
    let names = ["first.weight", "first.bias", "second.weight", "second.bias", "output.weight", "output.bias"]
    try network.load(Dictionary(uniqueKeysWithValues: names.map { ($0, try array($0)) }))
    return network
  }

  /// Scores, and their cross entropy.
  static func training(_ network: Network) throws -> Graph {
    var options = TraceOptions()
    options.outputNames = ["scores", "loss"]
    let inputs: [TraceInput] = [
      .tensor(.float32, ["n", 1, 8, 8], name: "images"), .tensor(.float32, ["n", 10], name: "targets"),
    ]
    return try trace(network, inputs, options: options) { network, x in
      let scores = network(x[0])
      return [scores, mean(sum(logSoftmax(scores) * x[1], axes: [1])) * -1.0]
    }
  }

  static let optimizers: [any Optimizer] = [
    SGD(learningRate: 0.1, momentum: 0.9, isNesterov: true, weightDecay: 1e-3), Adam(learningRate: 1e-2),
    Adam.adamW(learningRate: 1e-2, weightDecay: 0.1), Adagrad(learningRate: 0.05, learningRateDecay: 0.01),
    SGD(learningRate: 0.05, momentum: 0.9), Adam(learningRate: 1e-2, betas: (0.8, 0.95), weightDecay: 1e-2),
  ]

  @Test(arguments: 0..<6) func lossesArePyTorchs(index: Int) throws {
    let digits = try Digits()
    let losses: [Float] = try Self.array("losses").elements()
    let step = try TrainingStep(Self.training(Self.network()), loss: "loss", optimizer: Self.optimizers[index])
    var trainer = try Trainer(step, on: CPUBackend())
    var largest = 0.0
    for count in 0..<50 {
      let batch = (count % 40) * 32..<(count % 40 + 1) * 32
      let loss = try trainer.train(digits.pixels(batch), digits.targets(batch))
      largest = max(largest, abs(loss - Double(losses[index * 50 + count])))
    }
    #expect(largest < 1e-4)
    #expect(trainer.stepCount == 50)
  }

  @Test func digitsAreLearned() throws {
    let digits = try Digits()
    let network = try Self.network()
    let step = try TrainingStep(Self.training(network), loss: "loss", optimizer: Adam(learningRate: 5e-3))
    var trainer = try Trainer(step, on: CPUBackend())
    var generator = RandomSource(seed: 1)
    for epoch in 0..<12 {
      let order = (0..<digits.trainingCount).shuffled(using: &generator)
      for start in stride(from: 0, to: order.count - 31, by: 32) {
        let batch = order[start..<start + 32]
        try trainer.train(digits.pixels(batch), digits.targets(batch), learningRate: epoch < 8 ? 5e-3 : 1e-3)
      }
    }
    var model = try trace(network, .tensor(.float32, ["n", 1, 8, 8]))
    try trainer.apply(to: &model)
    let test = digits.trainingCount..<digits.labels.count
    let scores: [Float] = try CPUBackend().run(model, digits.pixels(test))[0].elements()
    let right = test.enumerated().count { position, image in
      let row = scores[position * 10..<position * 10 + 10]
      return row.indices.max { row[$0] < row[$1] } == position * 10 + Int(digits.labels[image])
    }
    let accuracy = Double(right) / Double(test.count)
    #expect(accuracy >= 0.97, "\(accuracy)")
  }

  /// One normalization in two places: each call moves the running statistics on from where the last one left them, as
  /// PyTorch's module does.
  @Test func sharedStatisticsMoveTwice() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, [4, 2]))
    let ones = try Tensor([2], [1, 1] as [Float])
    let parameters = try ["scale", "bias", "mean", "variance"].map {
      Operand.parameter(try graph.addParameter($0, ones, role: $0 == "mean" || $0 == "variance" ? .buffer : .weight))
    }
    let twice = try graph.call(.add, [.value(x), .value(x)])
    let results = try [x, twice].map { value in
      let norm = try graph.append(
        .batchNormalization, [.value(value)] + parameters, attributes: ["training_mode": true],
        results: [.unknown, .unknown, .unknown])
      return Operand.value(try graph[norm].results[0])
    }
    let product = try graph.call(.mul, results)
    try graph.addOutput(graph.call(.reduceMean, [.value(product)], attributes: ["keepdims": false]), name: "loss")
    let step = try TrainingStep(graph, loss: "loss", optimizer: SGD(learningRate: 0.1))
    #expect(step.state.map(\.name) == ["scale", "bias", "mean", "variance"])
    var trainer = try Trainer(step, on: CPUBackend())
    try trainer.train(Tensor([4, 2], [1, 2, 3, 4, 5, 6, 7, 8] as [Float]))
    // Means of 4 and 5, then of 8 and 10.
    let mean: [Float] = try #require(trainer.tensors["mean"]).elements()
    #expect(abs(mean[0] - 1.97) < 1e-5 && abs(mean[1] - 2.26) < 1e-5)

    for names in [["scale", "scale"], ["scale", "mean"]] {
      #expect(throws: GraphError.duplicateName(names[1])) {
        try TrainingStep(graph, loss: "loss", parameters: names, optimizer: SGD(learningRate: 0.1))
      }
    }
    try graph.setName("step", of: x)
    #expect(throws: GraphError.duplicateName("step")) {
      try TrainingStep(graph, loss: "loss", optimizer: SGD(learningRate: 0.1))
    }
  }

  /// Parameters that regions use, and statistics that training keeps.
  @Test func parametersInRegionsAndStatistics() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, [4, 2]))
    let ones = try Tensor([2], [1, 1] as [Float])
    let names = ["scale", "bias", "mean", "variance"]
    let parameters = try names.map {
      try graph.addParameter($0, ones, role: $0 == "mean" || $0 == "variance" ? .buffer : .weight)
    }
    let norm = try graph.append(
      .batchNormalization, [.value(x)] + parameters.map(Operand.parameter), attributes: ["training_mode": true],
      results: [.unknown, .unknown, .unknown])
    let weight = try graph.addParameter("w", ones)
    let branch = try graph.append(.cond, [.literal(.bool(true)), .value(graph[norm].results[0])], results: [.unknown])
    for (region, op) in zip(try graph[branch].regions, [Operator.mul, .add]) {
      let argument = try graph.addArgument(to: region, .tensor(.float32, [4, 2]))
      let result = try graph.call(op, [.value(argument), .parameter(weight)], at: .end(of: region))
      try graph.setResults(of: region, [.value(result)])
    }
    let squares = try graph.call(.mul, [.value(graph[branch].results[0]), .value(graph[branch].results[0])])
    try graph.addOutput(graph.call(.reduceMean, [.value(squares)], attributes: ["keepdims": false]), name: "loss")
    let step = try TrainingStep(graph, loss: "loss", optimizer: SGD(learningRate: 0.1))
    #expect(step.state.map(\.name) == ["scale", "bias", "w", "mean", "variance"])
    try step.graph.verify(.typed)
    var trainer = try Trainer(step, on: CPUBackend())
    let batch = try Tensor([4, 2], [1, 2, 3, 4, 5, 6, 7, 8] as [Float])
    let losses = try (0..<30).map { _ in try trainer.train(batch) }
    #expect(losses[29] < losses[0] * 0.1)
    // 4 and 5 are the means, 5 the variances: what running statistics approach by a tenth of the way each step.
    let mean: [Float] = try #require(trainer.tensors["mean"]).elements()
    #expect(abs(mean[0] - Float(4 - 3 * Foundation.pow(0.9, 30))) < 1e-4)
  }
}
