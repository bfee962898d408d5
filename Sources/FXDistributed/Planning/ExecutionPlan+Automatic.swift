import FXCore

extension ExecutionPlan {
  /// The plan that takes least time by the cost model among all meshes of the world size, with what the others would take.
  static func fastest(_ graph: Graph, _ config: DistributedConfig) throws -> ExecutionPlan {
    var plans: [ExecutionPlan] = []
    var refusals: [String] = []
    for data in divisors(config.worldSize) {
      for tensor in divisors(config.worldSize / data) {
        let pipeline = config.worldSize / data / tensor
        // Who asks for micro-batches asks for a pipeline.
        if pipeline == 1, let count = config.microBatches, count > 1 { continue }
        var candidate = config
        candidate.mesh = try Mesh([(Mesh.data, data), (Mesh.pipeline, pipeline), (Mesh.tensor, tensor)])
        do {
          plans.append(try ExecutionPlan(graph, candidate))
        } catch let error as PlanError {
          // What no mesh mends.
          switch error {
          case .unboundSymbols, .tooLarge, .effect: throw error
          default: break
          }
          refusals.append("\(candidate.mesh?.description ?? ""): \(error)")
        }
      }
    }
    // Of plans that take the same time, the one whose ranks hold least.
    func order(_ plan: ExecutionPlan) -> (Double, Int) { (plan.estimatedSeconds, plan.partitions.map(\.peakBytes).max() ?? 0) }
    guard let best = plans.min(by: { order($0) < order($1) }) else {
      if refusals.isEmpty, let count = config.microBatches { throw PlanError.noPipeline(count) }
      throw PlanError.mesh("", refusals.joined(separator: "; "))
    }
    let table = plans.sorted { order($0) < order($1) }.map { plan in
      "\(plan.mesh): \(plan.estimatedSeconds * 1000) ms, \(plan.partitions.map(\.peakBytes).max() ?? 0) bytes on a rank"
    }
    return best.explained(["chosen by the cost model:"] + table + refusals)
  }

  private static func divisors(_ number: Int) -> [Int] { (1...max(1, number)).filter { number % $0 == 0 } }
}

extension ExecutionPlan {
  /// This plan with further notes.
  func explained(_ lines: [String]) -> ExecutionPlan {
    var plan = self
    plan.notes += lines
    return plan
  }
}
