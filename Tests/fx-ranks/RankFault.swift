import FXCore
import FXDistributed
import FXRuntime
import Foundation

/// The last rank does something bad; the others must notice within the timeout.
struct RankFault {
  let seconds: Double
  let kind: String

  init(_ arguments: ArraySlice<String>) {
    seconds = arguments.first.flatMap(Double.init) ?? 5
    kind = arguments.dropFirst().first ?? ""
  }

  func run() throws {
    let communicator = try CommunicationBackendType.mpi.communicator(timeout: .milliseconds(Int64(seconds * 1000)))
    let (rank, last) = (communicator.rank, communicator.worldSize - 1)
    let world = Array(0...last)
    func sum(_ label: String, _ group: [Int]) throws {
      let result = try communicator.perform(Exchange(.allReduce(.sum), group: group, Tensor(vector: [Float(rank)]), label: label))
      let wanted = group.reduce(0, +)
      guard try result.elements(Float.self) == [Float(wanted)] else {
        throw ExecutionError.unsupported(["a wrong sum: \(result)"])
      }
    }
    try sum("before", world)
    if rank == last {
      switch kind {
      case "kill": kill(getpid(), SIGKILL)
      case "hang": while true { Thread.sleep(forTimeInterval: 60) }
      case "group": while true { Thread.sleep(forTimeInterval: 60) }
      case "other-plan":
        _ = try communicator.perform(
          Exchange(.allGather, group: world, Tensor(vector: [UInt64(1)]), label: "plan"))
        try plan(batch: 8, communicator)
        return
      default: break
      }
    }
    if kind == "other-plan" {
      _ = try communicator.perform(Exchange(.allGather, group: world, Tensor(vector: [UInt64(1)]), label: "plan"))
      return try plan(batch: 4, communicator)
    }
    // A group that one of its ranks never makes.
    try sum("after", kind == "group" ? world.reversed() : world)
  }

  private func plan(batch: Int, _ communicator: any Communicator) throws {
    let graph = try Graph(
      text: "fx 1\ngraph @main(%x: f32[batch, 4]) {\n  %y: f32[batch, 4] = relu(%x)\n  return %y\n}\n")
    let config = DistributedConfig(worldSize: communicator.worldSize, strategy: .data, sizes: ["batch": batch])
    let executor = DistributedExecutor(communicator: communicator, backend: CPUBackend(.init(threads: 1)))
    _ = try executor.execute(ExecutionPlan(graph, config), inputs: [.tensor(Tensor(zeros: .float32, [batch, 4]))])
  }
}
