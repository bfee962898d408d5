import FXCore
import FXPasses

/// Weight-only quantization: weights are integers of 4 or 8 bits in blocks along what is summed, activations stay as they
/// are. Calls become `matmul_nbits`, ONNX Runtime's MatMulNBits.
///
/// Before:
/// ```
/// graph @main(%x: f32[n, 64]) {
///   %y = linear(%x, @w, @b)
///   return %y
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[n, 64]) {
///   %p = matmul_nbits(%x, @w_quantized, @w_scales) {K = 64, N = 16, bits = 4, block_size = 32}
///   %y = add(%p, @b)
///   return %y
/// }
/// ```
public struct WeightOnlyQuantization: Sendable {
  /// 4 or 8.
  public var bits: Int
  /// How many weights that are summed share a scale: a power of two from 16 on.
  public var blockSize: Int
  /// Symmetric blocks have no zero points.
  public var scheme: QuantizationParams.Scheme
  /// Chooses integers by what the layers' results are, in place of rounding each weight; takes samples.
  public var gptq: GPTQ?
  /// Folds constants, and runs the samples for GPTQ; the report of the model runs on it too.
  public var executor: any GraphExecutor

  /// Symmetric weights of 4 bits in blocks of 32, each rounded by itself, unless said. What is not allowed is refused when a
  /// graph is quantized.
  public init(
    bits: Int = 4, blockSize: Int = 32, scheme: QuantizationParams.Scheme = .symmetric, gptq: GPTQ? = nil,
    executor: any GraphExecutor
  ) {
    (self.bits, self.blockSize, self.scheme, self.gptq) = (bits, blockSize, scheme, gptq)
    self.executor = executor
  }

  /// Quantizes `linear`, `matmul` and `gemm` calls whose second operand is a known matrix.
  /// - Parameter samples: what GPTQ looks at; not needed otherwise.
  /// - Throws: `QuantizationError`; `PassError`; what the executor throws.
  public func quantize(_ graph: Graph, samples: [[Tensor]] = []) throws -> QuantizedModel {
    guard bits == 4 || bits == 8 else { throw QuantizationError.option("weights of \(bits) bits: 4 or 8 was expected") }
    guard blockSize >= 16, blockSize & (blockSize - 1) == 0 else {
      throw QuantizationError.option("blocks of \(blockSize) weights: a power of two from 16 on was expected")
    }
    if gptq != nil { try CalibrationData.check(samples, for: graph) }
    var original = graph
    // A transposed matrix, as language models have one to turn rows of their table of tokens into scores, is read as it lies.
    try PassManager.foldingWeights(executor: executor, then: [TransposeEliminationPass()]).run(&original)
    var quantizer = CPUQuantizer(quantizesBias: false)
    quantizer.quantizesActivationProducts = false
    var plan = try quantizer.annotate(original)
    let products = Set(
      try original.bodyNodes.filter { id in
        let node = try original[id]
        return [.linear, .matmul, .gemm].contains(node.op) && original.type(of: node.operand(1)).shape?.rank == 2
      })
    plan = plan.excluding("only products with a known matrix have weights in blocks") { !products.contains($0) }
    try plan.check(for: original)
    let hessians = try gptq.map { _ in try secondMoments(original, plan, samples) } ?? [:]
    var result = original
    for entry in plan.nodes {
      let node = try result[entry.node]
      try rewrite(node, node.operand(0).value.flatMap { hessians[$0] }, &result)
    }
    result.removeUnusedParameters()
    return QuantizedModel(
      graph: result, original: original, plan: plan, activationParams: [:], weightParams: [:], warnings: [],
      executor: executor)
  }

  private func rewrite(_ node: Node, _ hessian: SecondMoments?, _ graph: inout Graph) throws {
    guard let id = node.operand(1).parameter, let tensor = graph.tensor(of: node.operand(1)) else { return }
    let isTransposed = node.op == .linear || node.op == .gemm && node[Gemm.transB]
    // [n, k]: what is summed lies in a row.
    let weights = try isTransposed ? tensor : tensor.transposedMatrix()
    let (n, k) = (weights.shape[0], weights.shape[1])
    let numbers = try weights.elements(Float.self)
    var packed: PackedWeights?
    if let gptq, let hessian { packed = gptq.quantize(numbers, n: n, k: k, hessian, self) }
    let chosen = packed ?? PackedWeights(rounding: numbers, n: n, k: k, blockSize: blockSize, bits: bits, scheme)
    let name = try graph[id].name
    let blocks = (k + blockSize - 1) / blockSize
    let integers = graph.addConstant(
      try Tensor([n, blocks, blockSize * bits / 8], chosen.bytes(n: n, k: k, blockSize: blockSize, bits: bits)),
      name: "\(name)_quantized")
    let scales = graph.addConstant(try Tensor([n, blocks], chosen.scales), name: "\(name)_scales")
    var operands: [Operand] = [node.operand(0), .parameter(integers), .parameter(scales)]
    if scheme == .asymmetric {
      let bytes = chosen.zeroPointBytes(n: n, blocks: blocks, bits: bits)
      operands.append(.parameter(graph.addConstant(try Tensor([n, bytes.count / n], bytes), name: "\(name)_zero_points")))
    }
    var attributes = Attributes()
    attributes[MatmulNBits.k] = k
    attributes[MatmulNBits.n] = n
    attributes[MatmulNBits.bits] = bits
    attributes[MatmulNBits.blockSize] = blockSize
    let type = graph.type(of: .value(node.results[0]))
    var value = try graph.call(
      .matmulNBits, operands, attributes: attributes, type: type, at: .before(node.id), location: node.location)
    if !node.operand(2).isNone {
      value = try graph.call(.add, [.value(value), node.operand(2)], type: type, at: .before(node.id))
    }
    try graph.replace(node.id, with: [.value(value)])
  }

  /// Σ x xᵀ of what products with weights read.
  private func secondMoments(
    _ graph: Graph, _ plan: QuantizationPlan, _ samples: [[Tensor]]
  ) throws -> [ValueID: SecondMoments] {
    var values: [ValueID] = []
    for entry in plan.nodes {
      if let value = try graph[entry.node].operand(0).value, !values.contains(value) { values.append(value) }
    }
    let run = try ObservedRun(graph, values: values, executor: executor)
    var found: [ValueID: SecondMoments] = [:]
    for sample in samples {
      for (value, tensor) in try run.run(sample) {
        if found[value] == nil { found[value] = SecondMoments(tensor.shape.last ?? 0) }
        try found[value]?.add(tensor)
      }
    }
    return found
  }
}
