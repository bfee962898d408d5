import ArgumentParser
import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import Foundation

/// One rank of `mpirun … fx run --distributed PLAN`.
struct DistributedRun {
  let plan: String
  let inputs: String?
  let outputs: String
  let threads: Int
  let reference: Bool
  let timeout: Double
  let repeats: Int

  /// Runs this rank's part. The first rank writes the outputs and says what the run took.
  ///
  /// A rank that fails says why, leaves the others a moment to say the same, and ends the job: nobody waits for ever.
  func execute() throws {
    // A folder that holds no plan is told without the other ranks.
    let folder = try PlanFolder(plan)
    let communicator = try CommunicationBackendType.mpi.communicator(timeout: .milliseconds(Int64(timeout * 1000)))
    do {
      try run(folder, communicator)
    } catch {
      Terminal.error("\(plan): \(error)")
      Thread.sleep(forTimeInterval: 1)
      MPICommunicator.abort(status: 3)
      throw ExitCode(3)
    }
    MPICommunicator.finish()
  }

  private func run(_ folder: PlanFolder, _ communicator: any Communicator) throws {
    let backend: any Backend = reference ? ReferenceExecutor() : CPUBackend(.init(threads: threads))
    let executable = try DistributedExecutor(communicator: communicator, backend: backend).prepare(folder)
    let graph = try folder.inputs()
    let values = try inputs.map { try ValueFiles.inputs(of: graph, in: $0) } ?? InputSampler().inputs(of: graph)
    var results = try executable.run(values)
    var (best, share) = (Double.infinity, 0.0)
    for _ in 0..<repeats {
      var clock = CommunicationClock()
      let start = Date()
      results = try executable.run(values, clock: &clock)
      let seconds = Date().timeIntervalSince(start)
      if seconds < best { (best, share) = (seconds, clock.seconds / seconds) }
    }
    guard communicator.rank == 0 else { return }
    try Folder.make(outputs)
    for (index, (name, value)) in zip(folder.outputNames, results).enumerated() {
      let file = try ValueFiles.write(value, index: index, name: name, to: outputs)
      Terminal.line("\(file)  \(name): \(value.type)")
    }
    if repeats > 0 {
      Terminal.line("best of \(repeats): \((best * 1000).fixed(2)) ms, communication \((share * 100).fixed(1)) %")
    }
  }
}
