import FXCore

extension OnnxForm {
  static let reshaping: [OnnxForm] = [
    OnnxForm("Reshape", former: [FormerAttribute("shape", operand: 1, before: 5)], later: ["allowzero": 14]),
    OnnxForm("Squeeze", former: [FormerAttribute("axes", operand: 1, before: 13)]),
    OnnxForm("Unsqueeze", former: [FormerAttribute("axes", operand: 1, before: 13)]),
    OnnxForm("Concat", normalize: channelsByDefault),
    OnnxForm(
      "Split", former: [FormerAttribute("split", operand: 1, before: 13)], later: ["num_outputs": 18],
      normalize: wholeSizes, adjust: countOutputs),
    OnnxForm(
      "Slice",
      former: [
        FormerAttribute("starts", operand: 1, before: 10), FormerAttribute("ends", operand: 2, before: 10),
        FormerAttribute("axes", operand: 3, before: 10),
      ], laterOperands: [4: 10]),
    OnnxForm(
      "Pad",
      former: [
        FormerAttribute("paddings", operand: 1, before: 2), FormerAttribute("pads", operand: 1, before: 11),
        FormerAttribute("value", operand: 2, before: 11, .scalar),
      ], laterOperands: [3: 18]),
    OnnxForm("Tile", normalize: tileOneAxis),
    OnnxForm("Shape", later: ["start": 15, "end": 15]),
    OnnxForm("Expand", since: 8), OnnxForm("DepthToSpace", later: ["mode": 11]), OnnxForm("ReverseSequence", since: 10),
    OnnxForm("SpaceToDepth", later: ["mode": 28]),
    OnnxForm("Trilu", since: 14), OnnxForm("CenterCropPad", since: 18), OnnxForm("Col2Im", since: 18),
  ]

  static let readAsReshaping: [(op: String, form: OnnxForm)] = []

  /// Operator set 1 had the channels as the default.
  private static func channelsByDefault(_ call: inout OnnxImportCall) throws(OnnxError) {
    if call.version < 4, call.attributes["axis"] == nil { call.attributes["axis"] = 1 }
  }

  /// Operator set 1 could have the sizes as an operand, of the type of the tensor.
  private static func wholeSizes(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard call.version < 2, call.operand(1) != .none, call.type(of: call.operand(1)).elementType != .int64 else { return }
    if let tensor = call.tensor(of: call.operand(1)), let whole = try? tensor.converted(to: .int64) {
      return call.setOperand(1, call.constant(whole, name: "\(call.name)_split"))
    }
    let sizes = try call.call(try call.op("cast"), [call.operand(1)], attributes: ["to": .elementType(.int64)])
    call.setOperand(1, sizes[0])
  }

  /// From operator set 18 on, a Split without sizes must say how many parts it makes.
  private static func countOutputs(
    _ call: OnnxExportCall, _ inputs: inout [String], _ attributes: inout Attributes
  ) throws(OnnxError) {
    guard call.version >= 18, inputs.count < 2 || inputs[1].isEmpty, attributes["num_outputs"] == nil else { return }
    attributes["num_outputs"] = .int(call.results.count)
  }

  /// Before operator set 6 one axis was repeated, which two operands named.
  private static func tileOneAxis(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard call.version < 6 else { return }
    let tiles = call.operand(1), axis = call.operand(2)
    if let count = try? call.tensor(of: tiles)?.numbers().doubles.first,
      let place = try? call.tensor(of: axis)?.numbers().doubles.first,
      let rank = call.type(of: call.operand(0)).shape?.rank, (0..<Double(rank)).contains(place), abs(count) < 1e9
    {
      var repeats = Array(repeating: 1, count: rank)
      repeats[Int(place)] = Int(count)
      call.operands = [call.operand(0), call.constant(indices: repeats, name: "\(call.name)_repeats")]
      return
    }
    // Ones for as many dimensions as there turn out to be, and the count in its place.
    let shape = try call.op("shape")
    let rank = try call.call(shape, try call.call(shape, [call.operand(0)]))
    let ones = try call.call(
      try call.op("constant_of_shape"), rank, attributes: ["value": .tensor(Tensor(vector: [Int64(1)]))])
    let repeats = try call.call(
      try call.op("scatter_elements"), ones + [try call.index(axis), try call.index(tiles)], attributes: ["axis": 0])
    call.operands = [call.operand(0)] + repeats
  }
}

extension OnnxImportCall {
  /// A number of any type as an `int64` vector of one element.
  fileprivate func index(_ operand: Operand) throws(OnnxError) -> Operand {
    let whole = try call(try op("cast"), [operand], attributes: ["to": .elementType(.int64)])
    return try call(try op("reshape"), whole + [constant(indices: [1], name: "\(name)_vector")])[0]
  }
}
