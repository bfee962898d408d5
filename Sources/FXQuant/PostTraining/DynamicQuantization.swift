import FXCore
import FXPasses

/// Dynamic quantization: weights are integers, activations become integers when the graph runs, each over its own range.
/// Needs no samples.
///
/// Before:
/// ```
/// graph @main(%x: f32[n, 4]) {
///   %y = linear(%x, @w, @b)
///   return %y
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[n, 4]) {
///   %q, %s, %z = dynamic_quantize_linear(%x)
///   %p = matmul_integer(%q, @w_quantized, %z, @w_zero_point)
///   %c = cast(%p) {to = f32}
///   %f = mul(%s, @w_scale)
///   %m = mul(%c, %f)
///   %y = add(%m, @b)
///   return %y
/// }
/// ```
public struct DynamicQuantization: Sendable {
  /// How weights become integers: `int8` or `uint8`; others are refused when a graph is quantized.
  public var weight: QuantizationSpec
  /// Whether matrices have a scale per output channel; weights of more axes have one scale in any case.
  public var isPerChannel: Bool
  /// Folds constants before weights are quantized; the report of the model runs on it too.
  public var executor: any GraphExecutor

  /// Symmetric `int8` weights with a scale per output channel unless said.
  public init(
    weight: QuantizationSpec = QuantizationSpec(.int8, .symmetric), isPerChannel: Bool = true, executor: any GraphExecutor
  ) {
    (self.weight, self.isPerChannel, self.executor) = (weight, isPerChannel, executor)
  }

  /// Quantizes `linear`, `matmul` and `gemm` calls whose second operand is known.
  /// - Throws: `QuantizationError.option` for weights of other types than bytes; `PassError`.
  public func quantize(_ graph: Graph) throws -> QuantizedModel {
    guard [.int8, .uint8].contains(weight.elementType) else {
      throw QuantizationError.option("dynamic quantization has 8-bit weights, not \(weight.elementType.rawValue)")
    }
    var original = graph
    try PassManager.foldingWeights(executor: executor).run(&original)
    var quantizer = CPUQuantizer(weight: weight, isPerChannel: isPerChannel, quantizesBias: false)
    quantizer.quantizesActivationProducts = false
    var plan = try quantizer.annotate(original)
    let multiplies = Set(
      try original.bodyNodes.filter { [.linear, .matmul, .gemm].contains(try original[$0].op) })
    plan = plan.excluding("only products are quantized dynamically") { !multiplies.contains($0) }
    try plan.check(for: original)
    var result = original
    var inputs: [ValueID: [ValueID]] = [:]
    var params: [NodeID: QuantizationParams] = [:]
    for entry in plan.nodes {
      let node = try result[entry.node]
      guard let x = node.operand(0).value, let tensor = result.tensor(of: node.operand(1)), tensor.shape.count >= 2 else {
        continue
      }
      let isTransposed = node.op == .linear || node.op == .gemm && node[Gemm.transB]
      let axis = isTransposed ? 0 : tensor.shape.count - 1
      let found = try weight.params(of: tensor, axis: isPerChannel && tensor.shape.count == 2 ? axis : nil)
      params[entry.node] = found
      if inputs[x] == nil {
        let point = try result.producer(of: x).map(InsertionPoint.after) ?? .before(result.bodyNodes.first ?? entry.node)
        let call = try result.append(
          .dynamicQuantizeLinear, [.value(x)],
          results: [.tensor(.uint8, result.type(of: x).shape), .tensor(.float32, []), .tensor(.uint8, [])], at: point,
          location: node.location)
        inputs[x] = try result[call].results
      }
      guard let quantized = inputs[x] else { continue }
      try multiply(node, quantized, tensor, found, isTransposed, &result)
    }
    result.removeUnusedParameters()
    return QuantizedModel(
      graph: result, original: original, plan: plan, activationParams: [:], weightParams: params, warnings: [],
      executor: executor)
  }

  private func multiply(
    _ node: Node, _ x: [ValueID], _ tensor: Tensor, _ params: QuantizationParams, _ isTransposed: Bool, _ graph: inout Graph
  ) throws {
    let name = try node.operand(1).parameter.map { try graph[$0].name } ?? "weight"
    var integers = try params.quantize(tensor)
    if isTransposed { integers = try integers.transposedMatrix() }
    let weights = graph.addConstant(integers, name: "\(name)_quantized")
    // Columns' zero points are a vector, as ONNX has it.
    let shape = params.granularity == .perTensor ? [] : [params.scales.count]
    let zeroPoint = graph.addConstant(
      try Tensor(params.elementType, shape, numbers: .signed(params.zeroPoints.map(Int64.init))), name: "\(name)_zero_point")
    let scale = graph.addConstant(try Tensor(shape, params.scales), name: "\(name)_scale")
    let type = graph.type(of: .value(node.results[0]))
    let product = try graph.call(
      .matmulInteger, [.value(x[0]), .parameter(weights), .value(x[2]), .parameter(zeroPoint)],
      type: .tensor(.int32, type.shape), at: .before(node.id), location: node.location)
    let numbers = try graph.call(
      .cast, [.value(product)], attributes: ["to": .elementType(.float32)], type: type, at: .before(node.id))
    let factor = try graph.call(
      .mul, [.value(x[1]), .parameter(scale)], type: .tensor(.float32, Shape(shape)), at: .before(node.id))
    var result = try graph.call(.mul, [.value(numbers), .value(factor)], type: type, at: .before(node.id))
    if !node.operand(2).isNone {
      result = try graph.call(.add, [.value(result), node.operand(2)], type: type, at: .before(node.id))
    }
    try graph.replace(node.id, with: [.value(result)])
  }
}
