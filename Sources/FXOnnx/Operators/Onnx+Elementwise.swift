import FXCore

extension OnnxForm {
  static let elementwise: [OnnxForm] = [
    OnnxForm("Add", normalize: alignSecondOperand), OnnxForm("Sub", normalize: alignSecondOperand),
    OnnxForm("Mul", normalize: alignSecondOperand), OnnxForm("Div", normalize: alignSecondOperand),
    OnnxForm("Pow", normalize: alignSecondOperand),
    OnnxForm(
      "Clip",
      former: [
        FormerAttribute("min", operand: 1, before: 11, .scalar), FormerAttribute("max", operand: 2, before: 11, .scalar),
      ]),
    OnnxForm("Mod", since: 10, adjust: floatsNeedSign),
    OnnxForm("Sign", since: 9), OnnxForm("Erf", since: 9), OnnxForm("Round", since: 11), OnnxForm("Where", since: 9),
    OnnxForm("Sinh", since: 9), OnnxForm("Cosh", since: 9), OnnxForm("Asinh", since: 9), OnnxForm("Acosh", since: 9),
    OnnxForm("Atanh", since: 9),
    OnnxForm("Cast", later: ["saturate": 19, "round_mode": 24], normalize: spellType),
    OnnxForm("CastLike", since: 15, later: ["saturate": 19, "round_mode": 24]),
    OnnxForm("BitCast", since: 26),
  ]

  /// Before operator set 7, `broadcast = 1` with `axis` said that the second operand's dimensions are the first's from
  /// `axis` on; ones behind them make it line up as NumPy lines up.
  static func alignSecondOperand(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard call.version < 7 else { return }
    let broadcast = try call.takeInt("broadcast") ?? 0
    guard let axis = try call.takeInt("axis"), broadcast != 0 else { return }
    guard let rank = call.type(of: call.operand(0)).shape?.rank, let second = call.type(of: call.operand(1)).shape?.rank
    else { return try call.addCountedOnes(to: 1, from: axis) }
    let trailing = (-rank..<rank).contains(axis) ? rank - (axis < 0 ? axis + rank : axis) - second : -1
    guard trailing >= 0 else {
      throw OnnxError(.attributeValue("axis", reason: "is \(axis), where the ranks are \(rank) and \(second)"))
    }
    try call.addTrailingOnes(trailing, to: 1)
  }

  /// Before operator set 28 floating-point remainders had the dividend's sign only.
  private static func floatsNeedSign(
    _ call: OnnxExportCall, _ inputs: inout [String], _ attributes: inout Attributes
  ) throws(OnnxError) {
    guard call.version < 28, call.type(of: call.node.operand(0)).elementType?.isFloatingPoint == true,
      !call.node[Mod.fmod]
    else { return }
    throw OnnxError(.unsupported("a floating-point remainder with the divisor's sign needs operator set 28"))
  }

  /// `to` was a name such as `FLOAT` before operator set 6.
  private static func spellType(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard case .string(let name) = call.attributes["to"] else { return }
    guard let code = codes[name.uppercased()] else {
      throw OnnxError(.attributeValue("to", reason: "is \(name.quoted), which is no element type"))
    }
    call.attributes["to"] = .int(code)
  }

  private static let codes: [String: Int] = [
    "FLOAT": 1, "UINT8": 2, "INT8": 3, "UINT16": 4, "INT16": 5, "INT32": 6, "INT64": 7, "STRING": 8, "BOOL": 9,
    "FLOAT16": 10, "DOUBLE": 11, "UINT32": 12, "UINT64": 13, "COMPLEX64": 14, "COMPLEX128": 15,
  ]
}

extension OnnxImportCall {
  /// Reshapes an operand of known rank so that `count` dimensions of size 1 follow its own.
  mutating func addTrailingOnes(_ count: Int, to index: Int) throws(OnnxError) {
    guard count > 0 else { return }
    if let tensor = tensor(of: operand(index)) {
      do {
        let shape = tensor.shape + Array(repeating: 1, count: count)
        setOperand(index, constant(try tensor.reshaped(shape), name: "\(name)_operand_\(index)"))
      } catch {
        throw OnnxError(.tensor(name, error))
      }
      return
    }
    guard let rank = type(of: operand(index)).shape?.rank else {
      throw OnnxError(.unsupported("broadcasting of an operand whose rank the model does not say"))
    }
    let axes = constant(indices: Array(rank..<(rank + count)), name: "\(name)_axes")
    setOperand(index, try call(try op("unsqueeze"), [operand(index), axes])[0])
  }

  /// Reshapes operand `index` so that its first dimension lines up with dimension `axis` of the first operand, where the
  /// model does not say their ranks: the graph counts the dimensions of size 1.
  mutating func addCountedOnes(to index: Int, from axis: Int) throws(OnnxError) {
    let shape = try op("shape")
    let own = try call(shape, [operand(index)])
    var room = [constant(indices: [axis < 0 ? -axis : axis], name: "\(name)_axis")]
    if axis >= 0 { room = try call(try op("sub"), try call(shape, try call(shape, [operand(0)])) + room) }
    let count = try call(try op("sub"), room + (try call(shape, own)))
    let ones = try call(
      try op("constant_of_shape"), count, attributes: ["value": .tensor(Tensor(vector: [Int64(1)]))])
    let target = try call(try op("concat"), own + ones, attributes: ["axis": 0])
    setOperand(index, try call(try op("reshape"), [operand(index)] + target)[0])
  }

  /// The operator of ours called `name`.
  func op(_ name: String) throws(OnnxError) -> Operator {
    try wrapping { () throws(GraphError) in try OperatorTable.standard.find(name) }
  }
}
