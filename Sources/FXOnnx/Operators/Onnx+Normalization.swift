import FXCore

extension OnnxForm {
  static let normalization: [OnnxForm] = [
    OnnxForm("BatchNormalization", later: ["training_mode": 14], ignored: ["is_test"], normalize: inferenceOnly),
    OnnxForm("MeanVarianceNormalization", since: 9), OnnxForm("LayerNormalization", since: 17),
    OnnxForm("GroupNormalization", since: 21, normalize: perChannel),
    OnnxForm("RMSNormalization", since: 23),
  ]

  /// Before operator set 14 extra outputs meant training, with statistics that later versions do not have.
  private static func inferenceOnly(_ call: inout OnnxImportCall) throws(OnnxError) {
    if call.version < 9, try call.takeInt("spatial") ?? 1 != 1 {
      throw OnnxError(.unsupported("batch normalization per element (spatial = 0)"))
    }
    guard call.version < 14, call.resultCount > 1 else { return }
    throw OnnxError(.unsupported("batch normalization in training mode of operator set \(call.version)"))
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
