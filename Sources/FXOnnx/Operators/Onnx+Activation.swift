import FXCore

extension OnnxForm {
  static let activation: [OnnxForm] = [
    OnnxForm("Softmax", importing: alongAxis, adjust: lastAxisOnly),
    OnnxForm("LogSoftmax", importing: alongAxis, adjust: lastAxisOnly),
    OnnxForm("Hardmax", importing: alongAxis, adjust: lastAxisOnly),
    OnnxForm("PRelu", normalize: slopePerChannel),
    OnnxForm("Selu", normalize: oldConstants),
    OnnxForm("ThresholdedRelu", since: 10), OnnxForm("Shrink", since: 9), OnnxForm("Celu", since: 12),
    OnnxForm("HardSwish", since: 14), OnnxForm("Mish", since: 18), OnnxForm("Gelu", since: 20),
    OnnxForm("Swish", since: 24), OnnxForm("SwiGLU", since: 28),
  ]

  /// Before operator set 13 the operand was seen as a matrix, its axes from `axis` on folded into one.
  private static func alongAxis(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    guard call.version < 13, let row = call.row else { return try call.callAsDescribed() }
    let axis = try call.takeInt("axis") ?? 1
    let rank = call.type(of: call.operand(0)).shape?.rank
    if axis == -1 || (rank.map { axis == $0 - 1 } ?? false) {
      call.attributes["axis"] = -1
      return try call.callAsDescribed()
    }
    let x = call.operand(0)
    let shape = try call.call(try call.op("shape"), [x])
    let matrix = try call.call(try call.op("flatten"), [x], attributes: ["axis": .int(axis)])
    let result = try call.call(row.op, matrix, attributes: ["axis": .int(-1)])
    return try call.call(try call.op("reshape"), result + shape, results: call.resultTypes)
  }

  /// Along the last axis the old form and the new agree.
  private static func lastAxisOnly(
    _ call: OnnxExportCall, _ inputs: inout [String], _ attributes: inout Attributes
  ) throws(OnnxError) {
    guard call.version < 13, case .int(let axis) = attributes["axis"], axis != -1 else { return }
    guard let rank = call.type(of: call.node.operand(0)).shape?.rank, axis == rank - 1 else {
      throw OnnxError(.unsupported("an axis other than the last needs operator set 13"))
    }
  }

  /// Before operator set 7 a slope of one dimension was one number per channel.
  private static func slopePerChannel(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard call.version < 7 else { return }
    guard let slope = call.type(of: call.operand(1)).shape, let rank = call.type(of: call.operand(0)).shape?.rank else {
      return try call.addCountedOnes(to: 1, from: 1)
    }
    if slope.rank == 1, slope[0].size != 1 { try call.addTrailingOnes(rank - 2, to: 1) }
  }

  /// Operator set 6 corrected the defaults.
  private static func oldConstants(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard call.version < 6 else { return }
    if call.attributes["alpha"] == nil { call.attributes["alpha"] = .float(1.6732) }
    if call.attributes["gamma"] == nil { call.attributes["gamma"] = .float(1.0507) }
  }
}
