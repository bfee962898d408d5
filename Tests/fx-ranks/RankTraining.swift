import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import FXTrace
import Foundation

/// A small network trained on drawn rows, each rank with its part of the batch or of the weights.
struct RankTraining {
  let mesh: Mesh
  let steps: Int
  var checkpoint: String?
  var source: String?
  var deathStep: Int?

  init(_ arguments: ArraySlice<String>) throws {
    var rest = arguments
    mesh = try Mesh(text: rest.popFirst() ?? "")
    steps = rest.popFirst().flatMap { Int($0) } ?? 20
    while let option = rest.popFirst() {
      switch option {
      case "--checkpoint": checkpoint = rest.popFirst()
      case "--from": source = rest.popFirst()
      case "--die-at": deathStep = rest.popFirst().flatMap { Int($0) }
      default: throw ExecutionError.unsupported([option])
      }
    }
  }

  struct Network: Module {
    let convolution = Conv2d(4, 8, kernel: 3, padding: 1)
    let hidden = Linear(128, 64)
    let output = Linear(64, 8)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      output(gelu(hidden(maxPool2d(relu(convolution(x)), kernel: 2).flatten())))
    }
  }

  static func step() throws -> TrainingStep {
    var options = TraceOptions()
    options.outputNames = ["loss"]
    let inputs: [TraceInput] = [
      .tensor(.float32, [8, 4, 8, 8], name: "x"), .tensor(.float32, [8, 8], name: "targets"),
    ]
    var graph = try trace(Network(), inputs, options: options) { network, x in
      [mean(sum(logSoftmax(network(x[0])) * x[1], axes: [1])) * -1.0]
    }
    try graph.initializeParameters(seed: 3)
    return try TrainingStep(graph, loss: "loss", optimizer: SGD(learningRate: 0.05, momentum: 0.9))
  }

  /// Eight images; image r is of class r.
  static func batch(_ index: Int) throws -> [Tensor] {
    var state = UInt64(index + 1)
    let numbers = (0..<2048).map { position -> Float in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 24) - 0.5 + (position % 8 == position / 256 ? 1 : 0)
    }
    return [try Tensor([8, 4, 8, 8], numbers), try Tensor([8, 8], (0..<64).map { Float($0 % 8 == $0 / 8 ? 1 : 0) })]
  }

  func run() throws {
    let step = try Self.step()
    let backend = CPUBackend(.init(threads: 1))
    guard mesh.size > 1 else {
      var trainer = try Trainer(step, on: backend)
      for index in 0..<steps {
        let batch = try Self.batch(index)
        report(index, try trainer.train(batch[0], batch[1]))
      }
      return
    }
    let communicator = try CommunicationBackendType.mpi.communicator(timeout: .seconds(20))
    let plan = try DistributedTrainer.plan(step, DistributedConfig(worldSize: mesh.size, strategy: .hybrid, mesh: mesh))
    try plan.check()
    let saved = try source.map { path in
      let contents = try Safetensors.contents(path)
      return (contents.tensors, contents.metadata["steps"].flatMap { Int($0) } ?? 0)
    }
    let executor = DistributedExecutor(communicator: communicator, backend: backend)
    var trainer = try DistributedTrainer(step, plan: plan, on: executor, from: saved)
    for index in trainer.stepCount..<max(steps, trainer.stepCount) {
      if index == deathStep, communicator.rank == mesh.size - 1 { kill(getpid(), SIGKILL) }
      let loss = try trainer.train(Self.batch(index))
      if communicator.rank == 0 { report(index, loss) }
      guard let checkpoint, index % 5 == 4 else { continue }
      let tensors = try trainer.checkpoint()
      // Written beside the last one and put in its place, so that there is always a whole one.
      if communicator.rank == 0 { try Safetensors.write(tensors, metadata: ["steps": "\(trainer.stepCount)"], to: checkpoint) }
    }
  }

  private func report(_ index: Int, _ loss: Double) { print("step \(index) loss \(loss)") }
}
