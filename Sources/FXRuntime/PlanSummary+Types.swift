import FXCore

extension CompiledGraph {
  /// What a run on inputs of these types needs, all sizes in them being numbers. No input is made: a plan follows from types
  /// alone, and may be for more than this machine holds.
  /// - Throws: `ExecutionError` if the types do not fit; `TensorError` for sizes that no tensor can have.
  public func planSummary(forInputs types: [ValueType]) throws -> PlanSummary {
    try inputs.check(types)
    for type in types {
      guard let tensor = type.tensorType, let sizes = tensor.shape?.sizes else { continue }
      _ = try Tensor.elementCount(of: sizes, tensor.elementType)
    }
    var planner = Planner(program)
    let plan = try planner.plan(types)
    let evaluated = plan.steps.count {
      if case .evaluate = $0.work { true } else { false }
    }
    return PlanSummary(
      steps: plan.steps.count, evaluatedSteps: evaluated, arenaBytes: plan.arenaBytes,
      outputBytes: plan.peakBytes - plan.arenaBytes)
  }
}
