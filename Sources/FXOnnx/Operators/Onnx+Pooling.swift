import FXCore

extension OnnxForm {
  static let pooling: [OnnxForm] = [
    OnnxForm("AveragePool", later: ["ceil_mode": 10, "dilations": 19]),
    OnnxForm("MaxPool", later: ["storage_order": 8, "ceil_mode": 10, "dilations": 10]),
    OnnxForm("MaxUnpool", since: 9),
    OnnxForm("LpPool", later: ["ceil_mode": 18, "dilations": 18], normalize: wholeNorm),
    OnnxForm("GlobalLpPool", normalize: wholeNorm),
  ]

  /// Operator set 1 gave the norm as a float.
  private static func wholeNorm(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard case .float(let p) = call.attributes["p"] else { return }
    guard let whole = Int(exactly: p) else { throw OnnxError(.attributeValue("p", reason: "is \(p), not a whole number")) }
    call.attributes["p"] = .int(whole)
  }
}
