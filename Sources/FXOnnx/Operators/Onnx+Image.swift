import FXCore

extension OnnxForm {
  static let image: [OnnxForm] = [
    OnnxForm(
      "Resize", since: 11, later: ["antialias": 18, "axes": 18, "keep_aspect_ratio_policy": 18], normalize: resizeOfTen,
      adjust: spellCoordinates),
    OnnxForm("GridSample", since: 16, normalize: renameModes, adjust: restoreModes),
    // The default of `coordinate_transformation_mode` changed when it appeared.
    OnnxForm("RoiAlign", since: 16, normalize: oldCoordinates),
    OnnxForm("NonMaxSuppression", since: 10),
    OnnxForm("AffineGrid", since: 20), OnnxForm("ImageDecoder", since: 20), OnnxForm("DeformConv", since: 19),
  ]

  static let readAsImage: [(op: String, form: OnnxForm)] = [("resize", OnnxForm("Upsample", normalize: upsample))]

  /// Operator set 10 had scales as the second operand and one way to map coordinates.
  private static func resizeOfTen(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard call.version < 11 else { return }
    useOldCoordinates(&call)
  }

  /// With elements taken from below, the mapping that operator set 13 dropped is one of those it kept.
  private static func spellCoordinates(
    _ call: OnnxExportCall, _ inputs: inout [String], _ attributes: inout Attributes
  ) throws(OnnxError) {
    guard call.version >= 13, case .string("tf_half_pixel_for_nn") = attributes["coordinate_transformation_mode"] else {
      return
    }
    guard call.node[Resize.mode] == "nearest", call.node[Resize.nearestMode] == "floor" else {
      throw OnnxError(.unsupported("'tf_half_pixel_for_nn' needs operator set 11 or 12"))
    }
    attributes["coordinate_transformation_mode"] = "half_pixel"
    attributes["nearest_mode"] = "round_prefer_ceil"
  }

  private static func useOldCoordinates(_ call: inout OnnxImportCall) {
    call.operands = [call.operand(0), .none, call.operand(1)]
    call.attributes["coordinate_transformation_mode"] = "asymmetric"
    call.attributes["nearest_mode"] = "floor"
  }

  private static func upsample(_ call: inout OnnxImportCall) throws(OnnxError) {
    if call.version < 7 {
      let height = try call.takeFloat("height_scale") ?? 1
      let width = try call.takeFloat("width_scale") ?? 1
      call.setOperand(1, call.constant(Tensor(vector: [1, 1, height, width]), name: "\(call.name)_scales"))
    } else if call.version < 9, case .floats(let scales) = call.take("scales") {
      call.setOperand(1, call.constant(Tensor(vector: scales), name: "\(call.name)_scales"))
    }
    if case .string("bilinear") = call.attributes["mode"] { call.attributes["mode"] = "linear" }
    useOldCoordinates(&call)
  }

  private static let newModes = ["bilinear": "linear", "bicubic": "cubic"]

  private static func renameModes(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard call.version < 20, case .string(let mode) = call.attributes["mode"], let name = newModes[mode] else { return }
    call.attributes["mode"] = .string(name)
  }

  private static func restoreModes(
    _ call: OnnxExportCall, _ inputs: inout [String], _ attributes: inout Attributes
  ) throws(OnnxError) {
    guard call.version < 20, case .string(let mode) = attributes["mode"] else { return }
    if let old = newModes.first(where: { $0.value == mode }) { attributes["mode"] = .string(old.key) }
  }

  private static func oldCoordinates(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard call.version < 16 else { return }
    call.attributes["coordinate_transformation_mode"] = "output_half_pixel"
  }
}
