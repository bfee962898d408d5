import FXCore

extension OnnxForm {
  static let normalization: [OnnxForm] = [
    OnnxForm(
      "BatchNormalization", later: ["training_mode": 14], ignored: ["is_test"], importing: importBatchNormalization),
    OnnxForm("MeanVarianceNormalization", since: 9), OnnxForm("LayerNormalization", since: 17),
    OnnxForm("GroupNormalization", since: 21, normalize: perChannel),
    OnnxForm("RMSNormalization", since: 23),
  ]

  /// Before operator set 14 further outputs meant training; of these the last two, the batch's own statistics, were
  /// dropped. Before 9, `spatial = 0` meant statistics for each element of an image rather than each channel.
  private static func importBatchNormalization(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    let isPerElement = call.version < 9 ? try call.takeInt("spatial") ?? 1 == 0 : false
    guard call.version < 14 else { return try call.callAsDescribed() }
    let isTraining = call.resultCount > 1
    if isPerElement {
      guard !isTraining else { throw OnnxError(.unsupported("training of batch normalization per element (spatial = 0)")) }
      return try normalizePerElement(&call)
    }
    guard isTraining, let row = call.row else { return try call.callAsDescribed() }
    var attributes = try call.schemaAttributes(row)
    attributes["training_mode"] = true
    let x = call.operand(0)
    let types = Array(call.resultTypes.prefix(3)) + Array(repeating: .unknown, count: max(0, 3 - call.resultTypes.count))
    let results = try call.call(row.op, call.operands, attributes: attributes, results: types)
    guard call.resultCount > 3 else { return results }
    guard let rank = call.type(of: x).shape?.rank else {
      throw OnnxError(.unsupported("statistics of a batch whose rank the model does not say"))
    }
    let axes = call.constant(indices: (0..<rank).filter { $0 != 1 }, name: "\(call.name)_axes")
    let mean = try call.call(try call.op("reduce_mean"), [x, axes], attributes: ["keepdims": true])
    let distance = try call.call(try call.op("sub"), [x] + mean)
    let square = try call.call(try call.op("mul"), distance + distance)
    let flat = try call.call(try call.op("squeeze"), mean + [axes])
    return results + flat
      + (try call.call(try call.op("reduce_mean"), square + [axes], attributes: ["keepdims": false]))
  }

  /// scale × (x − mean) ÷ √(variance + epsilon) + bias, all of an image's shape.
  private static func normalizePerElement(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    let epsilon = try call.takeFloat("epsilon") ?? 1e-5
    let element = call.type(of: call.operand(0)).elementType ?? .float32
    let small: Tensor
    do {
      small = try Tensor(element, [], numbers: .floats([Double(epsilon)]))
    } catch {
      throw OnnxError(.tensor("epsilon", error))
    }
    let variance = [call.operand(4), call.constant(small, name: "\(call.name)_epsilon")]
    let deviation = try call.call(try call.op("sqrt"), try call.call(try call.op("add"), variance))
    let distance = try call.call(try call.op("sub"), [call.operand(0), call.operand(3)])
    let normal = try call.call(try call.op("div"), distance + deviation)
    let scaled = try call.call(try call.op("mul"), normal + [call.operand(1)])
    return try call.call(try call.op("add"), scaled + [call.operand(2)], results: Array(call.resultTypes.prefix(1)))
  }

  /// Before operator set 21 scale and bias had a number per group; now they have one per channel.
  private static func perChannel(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard call.version < 21, case .int(let groups) = call.attributes["num_groups"], groups > 0 else { return }
    guard let channels = call.type(of: call.operand(0)).shape?.dimensions.dropFirst().first?.size,
      channels % groups == 0
    else { throw OnnxError(.unsupported("group normalization of operator set 18 with an unknown number of channels")) }
    for index in [1, 2] {
      let column = call.constant(indices: [groups, 1], name: "\(call.name)_column")
      let whole = call.constant(indices: [groups, channels / groups], name: "\(call.name)_groups")
      let flat = call.constant(indices: [channels], name: "\(call.name)_channels")
      let reshape = try call.op("reshape")
      let tall = try call.call(reshape, [call.operand(index), column])
      let wide = try call.call(try call.op("expand"), tall + [whole])
      call.setOperand(index, try call.call(reshape, wide + [flat])[0])
    }
  }
}
