import FXCore

/// Quantized operators of ONNX Runtime's domain, read as products of integers, or as the operator on numbers between
/// `dequantize_linear` and `quantize_linear`.
extension OnnxForm {
  static let readAsContribQuantization: [(op: String, form: OnnxForm)] = [
    ("matmul_integer", vendor("DynamicQuantizeMatMul", importing: dynamicProduct)),
    ("matmul_integer", vendor("MatMulIntegerToFloat", importing: productToFloat)),
    ("add", vendor("QLinearAdd", importing: binary)),
    ("mul", vendor("QLinearMul", importing: binary)),
    ("sigmoid", vendor("QLinearSigmoid", importing: unary)),
    ("leaky_relu", vendor("QLinearLeakyRelu", importing: unary)),
    ("softmax", vendor("QLinearSoftmax", importing: softmax)),
    ("where", vendor("QLinearWhere", importing: choice)),
    ("global_average_pool", vendor("QLinearGlobalAveragePool", importing: pooled)),
    ("average_pool", vendor("QLinearAveragePool", importing: pooled)),
    ("concat", vendor("QLinearConcat", importing: joined)),
    ("max_pool", vendor("NhwcMaxPool", importing: channelsLastMaxPool)),
    ("matmul_integer", vendor("QGemm", importing: gemm)),
    ("layer_normalization", vendor("QEmbedLayerNormalization", importing: quantizedEmbedding)),
  ]

  private static func dynamicProduct(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    let quantized = try call.call(
      try call.op("dynamic_quantize_linear"), [call.operand(0)], results: [.unknown, .unknown, .unknown])
    let product = try call.scaledProduct(
      quantized[0], call.operand(1), scales: [quantized[1], call.operand(2)], zeroPoints: [quantized[2], call.operand(3)])
    return [try call.adding(call.operand(4), to: product)]
  }

  private static func productToFloat(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    let product = try call.scaledProduct(
      call.operand(0), call.operand(1), scales: [call.operand(2), call.operand(3)],
      zeroPoints: [call.operand(4), call.operand(5)])
    return [try call.adding(call.operand(6), to: product)]
  }

  private static func binary(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    guard let row = call.row else { return try call.callAsDescribed() }
    let (a, b) = (try call.dequantized(0), try call.dequantized(3))
    return try call.quantized(try call.call(row.op, [a, b])[0], scale: call.operand(6), zeroPoint: call.operand(7))
  }

  private static func unary(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    guard let row = call.row else { return try call.callAsDescribed() }
    let x = try call.dequantized(0)
    let y = try call.call(row.op, [x], attributes: try call.schemaAttributes(row))[0]
    return try call.quantized(y, scale: call.operand(3), zeroPoint: call.operand(4))
  }

  private static func softmax(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    let version = try call.takeInt("opset") ?? 13
    // Before, all that follows the axis was one row.
    guard version >= 13 else { throw OnnxError(.unsupported("QLinearSoftmax of operator set \(version)")) }
    return try unary(&call)
  }

  private static func choice(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    guard let row = call.row else { return try call.callAsDescribed() }
    let (a, b) = (try call.dequantized(1), try call.dequantized(4))
    let chosen = try call.call(row.op, [call.operand(0), a, b])[0]
    return try call.quantized(chosen, scale: call.operand(7), zeroPoint: call.operand(8))
  }

  private static func pooled(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    guard let row = call.row else { return try call.callAsDescribed() }
    let isChannelsLast = try call.takeInt("channels_last") ?? 0 != 0
    var x = try call.dequantized(0)
    var rank: Int?
    if isChannelsLast {
      rank = call.type(of: call.operand(0)).shape?.rank
      if case .ints(let kernel) = call.attributes["kernel_shape"] { rank = kernel.count + 2 }
      x = try call.channelsFirst(x, rank: rank)
    }
    var y = try call.call(row.op, [x], attributes: try call.schemaAttributes(row))[0]
    if isChannelsLast { y = try call.channelsLast(y, rank: rank) }
    return try call.quantized(y, scale: call.operand(3), zeroPoint: call.operand(4))
  }

  private static func channelsLastMaxPool(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    guard let row = call.row, case .ints(let kernel) = call.attributes["kernel_shape"] else {
      throw OnnxError(.unsupported("NhwcMaxPool without kernel_shape"))
    }
    let x = try call.channelsFirst(call.operand(0), rank: kernel.count + 2)
    let y = try call.call(row.op, [x], attributes: try call.schemaAttributes(row))[0]
    return [try call.channelsLast(y, rank: kernel.count + 2)]
  }

  private static func joined(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    guard let row = call.row else { return try call.callAsDescribed() }
    var parts: [Operand] = []
    for index in stride(from: 2, to: call.operands.count, by: 3) { parts.append(try call.dequantized(index)) }
    let y = try call.call(row.op, parts, attributes: try call.schemaAttributes(row))[0]
    return try call.quantized(y, scale: call.operand(0), zeroPoint: call.operand(1))
  }

  private static func gemm(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    var factors = [call.operand(0), call.operand(3)]
    for (index, name) in ["transA", "transB"].enumerated() where try call.takeInt(name) ?? 0 != 0 {
      factors[index] = try call.call(try call.op("transpose"), [factors[index]], attributes: ["perm": .ints([1, 0])])[0]
    }
    let alpha = try call.takeFloat("alpha") ?? 1
    var scale = call.operand(1)
    if alpha != 1 { scale = try call.call(try call.op("mul"), [scale, .literal(.float(Double(alpha)))])[0] }
    let result = try call.scaledProduct(
      factors[0], factors[1], scales: [scale, call.operand(4)], zeroPoints: [call.operand(2), call.operand(5)],
      plus: call.operand(6))
    return call.operand(7) == .none
      ? [result] : try call.quantized(result, scale: call.operand(7), zeroPoint: call.operand(8))
  }

  private static func quantizedEmbedding(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    var operands = [call.operand(0), call.operand(1)]
    for index in 0..<5 {
      let table = call.operand(2 + index)
      operands.append(
        table == .none ? .none : try call.dequantized(table, scale: call.operand(8 + index), zeroPoint: call.operand(13 + index)))
    }
    call.operands = operands + [call.operand(7)]
    return try embedded(&call)
  }
}

extension OnnxImportCall {
  /// (x − zero point) × scale
  fileprivate func dequantized(_ x: Operand, scale: Operand, zeroPoint: Operand) throws(OnnxError) -> Operand {
    try call(try op("dequantize_linear"), [x, scale] + (zeroPoint == .none ? [] : [zeroPoint]))[0]
  }

  /// Operand `index` with the scale and zero point that follow it.
  fileprivate func dequantized(_ index: Int) throws(OnnxError) -> Operand {
    try dequantized(operand(index), scale: operand(index + 1), zeroPoint: operand(index + 2))
  }

  /// The node's result from numbers. Without a zero point it holds what the node's first operand holds.
  fileprivate func quantized(_ x: Operand, scale: Operand, zeroPoint: Operand) throws(OnnxError) -> [Operand] {
    let quantize = try op("quantize_linear")
    if zeroPoint != .none { return try call(quantize, [x, scale, zeroPoint], results: resultTypes) }
    guard let type = type(of: operand(0)).elementType else {
      throw OnnxError(.unsupported("\(opType) without a zero point on an unknown element type"))
    }
    return try call(quantize, [x, scale], attributes: ["output_dtype": .elementType(type)], results: resultTypes)
  }

  fileprivate func adding(_ bias: Operand, to x: Operand) throws(OnnxError) -> Operand {
    bias == .none ? x : try call(try op("add"), [x, bias])[0]
  }

  /// The product of integers less their zero points, plus integers, times both scales.
  func scaledProduct(
    _ a: Operand, _ b: Operand, scales: [Operand], zeroPoints: [Operand], plus addend: Operand = .none
  ) throws(OnnxError) -> Operand {
    var operands = [a, b] + zeroPoints
    while operands.last == Operand.none { operands.removeLast() }
    var product = try call(try op("matmul_integer"), operands)[0]
    product = try adding(addend, to: product)
    let numbers = try call(try op("cast"), [product], attributes: ["to": .elementType(.float32)])[0]
    let multiply = try op("mul")
    return try call(multiply, [numbers, try call(multiply, scales)[0]])[0]
  }

  /// [batch, spatial..., channels] as [batch, channels, spatial...].
  fileprivate func channelsFirst(_ x: Operand, rank: Int?) throws(OnnxError) -> Operand {
    let axes = try spatialAxes(rank)
    return try call(try op("transpose"), [x], attributes: ["perm": .ints([0, axes.count + 1] + axes)])[0]
  }

  fileprivate func channelsLast(_ x: Operand, rank: Int?) throws(OnnxError) -> Operand {
    try call(try op("transpose"), [x], attributes: ["perm": .ints([0] + spatialAxes(rank).map { $0 + 1 } + [1])])[0]
  }

  /// The places of the spatial axes between the batch and the channels.
  private func spatialAxes(_ rank: Int?) throws(OnnxError) -> [Int] {
    guard let rank, rank >= 2 else { throw OnnxError(.unsupported("channels last on a tensor of unknown rank")) }
    return Array(1..<rank - 1)
  }
}
