import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import FXTrace
import Foundation

/// A network trained by several ranks, each with its part of the batch, of the weights, or of the program.
struct RankTraining {
  let mesh: Mesh
  let steps: Int
  var checkpoint: String?
  var source: String?
  var deathStep: Int?
  /// The death is a sleep.
  var hangs = false
  var model: String?
  var inputs = ""
  var rate = 1e-3
  var microBatches: Int?
  var schedule = PipelineSchedule.oneForwardOneBackward
  var bucketBytes = DistributedConfig(worldSize: 1, strategy: .data).bucketBytes
  var timeout = 20.0

  init(_ arguments: ArraySlice<String>) throws {
    var rest = arguments
    mesh = try Mesh(text: rest.popFirst() ?? "")
    steps = rest.popFirst().flatMap { Int($0) } ?? 20
    while let option = rest.popFirst() {
      let value = rest.popFirst() ?? ""
      switch option {
      case "--checkpoint": checkpoint = value
      case "--from": source = value
      case "--die-at": deathStep = Int(value)
      case "--hang-at": (deathStep, hangs) = (Int(value), true)
      case "--model": model = value
      case "--inputs": inputs = value
      case "--rate": rate = Double(value) ?? rate
      case "--micro-batches": microBatches = Int(value)
      case "--schedule": schedule = PipelineSchedule(rawValue: value) ?? schedule
      case "--bucket": bucketBytes = Int(value) ?? bucketBytes
      case "--timeout": timeout = Double(value) ?? timeout
      default: throw ExecutionError.unsupported([option])
      }
    }
  }

  func run() throws {
    let made = try model.map { try RankModel(path: $0, inputs: inputs, rate: rate) } ?? RankModel()
    let backend = CPUBackend(.init(threads: 1))
    guard mesh.size > 1 else {
      var trainer = try Trainer(made.step, on: backend)
      var seconds: [Double] = []
      for index in 0..<steps {
        let batch = try made.batch(index)
        let start = Date()
        let loss = try trainer.train(batch)
        seconds.append(Date().timeIntervalSince(start))
        report(index, loss)
      }
      return summarize(seconds, nil)
    }
    let communicator = try CommunicationBackendType.mpi.communicator(timeout: .milliseconds(Int64(timeout * 1000)))
    let config = DistributedConfig(
      worldSize: mesh.size, strategy: .hybrid, mesh: mesh, microBatches: microBatches, schedule: schedule,
      bucketBytes: bucketBytes)
    let plan = try DistributedTrainer.plan(made.step, config)
    try plan.check()
    let executor = DistributedExecutor(communicator: communicator, backend: backend)
    var trainer =
      try source.map {
        try DistributedTrainer(made.step, plan: plan, on: executor, from: WeightShards(folder: $0))
      } ?? DistributedTrainer(made.step, plan: plan, on: executor)
    var seconds: [Double] = []
    for index in trainer.stepCount..<max(steps, trainer.stepCount) {
      if index == deathStep, communicator.rank == mesh.size - 1 {
        if !hangs { kill(getpid(), SIGKILL) }
        while true { Thread.sleep(forTimeInterval: 60) }
      }
      let start = Date()
      let loss = try trainer.train(made.batch(index))
      seconds.append(Date().timeIntervalSince(start))
      if communicator.rank == 0 { report(index, loss) }
      // A folder of its own for each, so that there is always a whole one.
      if let checkpoint, index % 5 == 4 { try trainer.write(to: "\(checkpoint)-\(trainer.stepCount)") }
    }
    if communicator.rank == 0 {
      print("micro-batches \(plan.microBatches), held \(trainer.clock.heldBytes) bytes, calls \(trainer.clock.calls)")
      summarize(seconds, trainer.clock.seconds / max(1e-9, seconds.reduce(0, +)))
    }
  }

  private func report(_ index: Int, _ loss: Double) { print("step \(index) loss \(loss)") }

  private func summarize(_ seconds: [Double], _ share: Double?) {
    let communication = share.map { ", communication \(Int(($0 * 1000).rounded()))‰ of all" } ?? ""
    print("fastest step \(seconds.min() ?? 0) s\(communication)")
  }
}
