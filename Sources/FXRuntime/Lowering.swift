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
    let start = manager.passes.first is ShapeInferencePass ? 1 : 0
    // Before constants are folded: weights of integers would become numbers.
    manager.passes.insert(IntegerLoweringPass(executor: backend.with(options)), at: start)
    manager.passes.insert(PartsLoweringPass(kernels: options.kernels), at: start + 1)
    // The caller's graph was verified; the passes' results are in the tests.
    manager.verification = nil
    try manager.run(&graph)
  }
}

/// Expresses composite operators that no fast kernel computes by others that have one.
private struct PartsLoweringPass: Pass {
  let name = "lowering"
  let contract = NumericContract.reassociates
  let kernels: KernelTable

  /// Operators whose reference kernel does less than their parts would: a Fourier transform costs n log n, its matrix n².
  private static let whole: Set<Operator> = [.dft, .qlinearConv]

  /// Operators whose parts take sizes that the whole refuses. They are taken apart only where all sizes are known, and
  /// thus were checked.
  private static let strict: Set<Operator> = [
    .multiHeadAttention, .groupQueryAttention, .linearAttention, .causalConvWithState, .centerCropPad, .compress, .maxUnpool,
    .oneHot, .reverseSequence, .rnn, .nllLoss, .softmaxCrossEntropyLoss, .swiglu, .tensorScatter,
  ]

  func apply(to graph: inout Graph) throws -> PassOutcome {
    let composites = Decompositions.standard.operators.filter { kernels[$0] == nil && !Self.whole.contains($0) }
    var pass = DecompositionPass(.standard.only(composites), name: name)
    let present = composites.flatMap { graph.nodes(calling: $0) }
    guard !present.isEmpty else { return PassOutcome() }
    pass.scope = Set(try present.filter { try !Self.strict.contains(graph[$0].op) || hasKnownSizes($0, graph) })
    return try pass.apply(to: &graph)
  }

  private func hasKnownSizes(_ id: NodeID, _ graph: Graph) throws -> Bool {
    let node = try graph[id]
    let types = node.operands.filter { !$0.isNone }.map(graph.type(of:)) + node.results.map { graph.type(of: .value($0)) }
    return types.allSatisfy { $0.tensorType?.shape?.sizes != nil }
  }
}
