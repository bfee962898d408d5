import FXCore
import FXPasses

/// What compiling does to a graph before it is planned: quantized parts on bytes, constants folded, batch norms in weights,
/// activations and residuals in the products that make their operands.
///
/// Constants that only start-up pays for, such as transposed weights, are folded whatever their size: kernels pack them
/// anyway.
struct Lowering {
  let backend: CPUBackend

  /// - Throws: `PassError`.
  func lower(_ graph: inout Graph) throws {
    var options = backend.options
    options.optimizes = false
    var manager = PassManager.aggressiveOptimizationPasses(executor: backend.with(options))
    // Products and a softmax have fast kernels; the whole has not.
    let isFirst = manager.passes.first is ShapeInferencePass
    manager.passes.insert(DecompositionPass(.standard.only([.flexAttention]), name: "lowering"), at: isFirst ? 1 : 0)
    // Before constants are folded: weights of integers would become numbers.
    manager.passes.insert(IntegerLoweringPass(executor: backend.with(options)), at: isFirst ? 1 : 0)
    // The caller's graph was verified; the passes' results are in the tests.
    manager.verification = nil
    try manager.run(&graph)
  }
}
