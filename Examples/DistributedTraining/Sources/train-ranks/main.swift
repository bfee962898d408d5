import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import FXTrace
import Foundation

// train-ranks FOLDER [MESH]: trains on one rank, then on ranks as threads of this process, divided in several ways, and compares
// the losses. Under mpirun, and built with the trait MPI, each process is a rank of MESH.

struct Wrong: Error, CustomStringConvertible {
  let description: String
}

let arguments = CommandLine.arguments
guard arguments.count > 1 else {
  print("usage: train-ranks FOLDER [MESH]")
  exit(2)
}
let task = try Task(folder: arguments[1])
let steps = 60

/// The losses of a rank that has its parts of the step.
@Sendable func losses(on communicator: any Communicator, _ plan: ExecutionPlan, _ task: Task, _ steps: Int) throws -> [Double] {
  let executor = DistributedExecutor(communicator: communicator, backend: CPUBackend(.init(threads: 1)))
  var trainer = try DistributedTrainer(task.step, plan: plan, on: executor)
  return try (0..<steps).map { try trainer.train(task.batch($0)) }
}

func plan(_ mesh: Mesh) throws -> ExecutionPlan {
  let plan = try DistributedTrainer.plan(task.step, DistributedConfig(worldSize: mesh.size, strategy: .hybrid, mesh: mesh))
  // Every call has its counterpart, and nobody waits for ever.
  try plan.check()
  return plan
}

func short(_ losses: [Double]) -> String {
  [0, steps / 2, steps - 1].map { String(format: "%.4f", losses[$0]) }.joined(separator: " → ")
}

if CommunicationBackendType.available.contains(.mpi), let size = ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_SIZE"] {
  let communicator = try CommunicationBackendType.mpi.communicator(timeout: .seconds(60))
  let mesh = try Mesh(text: arguments.count > 2 ? arguments[2] : "data=\(size)")
  let result = try losses(on: communicator, plan(mesh), task, steps)
  if communicator.rank == 0 { print("\(mesh), processes: \(short(result))") }
  MPICommunicator.finish()
} else {
  var trainer = try Trainer(task.step, on: CPUBackend(.init(threads: 1)))
  let alone = try (0..<steps).map { index in
    let batch = try task.batch(index)
    return try trainer.train(batch[0], batch[1])
  }
  print("one rank: \(short(alone))")
  guard let first = alone.first, let last = alone.last, last < first / 4 else { throw Wrong(description: "nothing was learned") }

  for text in arguments.count > 2 ? [arguments[2]] : ["data=2", "tensor=2", "data=2,tensor=2"] {
    let plan = try plan(Mesh(text: text))
    let (task, steps) = (task, steps)
    let all = try LocalWorld(size: plan.mesh.size).run { try losses(on: $0, plan, task, steps) }
    let sent = plan.partitions.map(\.bytesSent).max() ?? 0
    let held = plan.partitions.map(\.peakBytes).max() ?? 0
    print("\(text): \(short(all[0])); a rank holds at most \(held / 1024) KB and sends \(sent / 1024) KB a step")
    for losses in all {
      for (a, b) in zip(losses, alone) where !((a - b).magnitude <= 1e-3 * max(1, b)) {
        throw Wrong(description: "\(text): a loss of \(a), where one rank has \(b)")
      }
    }
  }
}
