import FXCore

/// ONNX's subgraphs see the values around them; regions do not. A captured value is an operand of the node after its own
/// operands, and an argument of every region after its own arguments.
extension OnnxForm {
  static let controlFlow: [OnnxForm] = [
    OnnxForm("If", importing: importIf, exporting: exportIf),
    OnnxForm("Loop", importing: importLoop, exporting: exportLoop),
    OnnxForm("Scan", since: 9, importing: importScan, exporting: exportScan),
  ]

  static let writtenControlFlow: [(op: String, form: OnnxForm)] = [
    ("while_loop", OnnxForm("Loop", exporting: exportWhile)),
    ("call", OnnxForm("", exporting: exportCall)),
  ]

  /// How many values a loop carries: the operands after those that control it.
  static let stateCount = "state_count"

  private static func importIf(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    try call.callWithRegions([call.operand(0)], named: ["then_branch", "else_branch"])
  }

  private static func importLoop(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    while call.operands.count < 2 { call.operands.append(.none) }
    let states = call.operands.dropFirst(2)
    let types = [.tensor(.int64, []), .tensor(.bool, [])] + states.map { elementOnly(call.type(of: $0)) }
    call.attributes[stateCount] = .int(states.count)
    return try call.callWithRegions(call.operands, named: ["body"], inputTypes: types)
  }

  private static func importScan(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    guard call.version >= 9 else { return try importBatchedScan(&call) }
    guard case .int(let scanned) = call.attributes["num_scan_inputs"] else {
      throw OnnxError(.missingAttribute("num_scan_inputs"))
    }
    guard (0...call.operands.count).contains(scanned) else {
      throw OnnxError(.attributeValue("num_scan_inputs", reason: "is \(scanned), where there are \(call.operands.count) inputs"))
    }
    call.attributes[stateCount] = .int(call.operands.count - scanned)
    let types = call.operands.map { elementOnly(call.type(of: $0)) }
    return try call.callWithRegions(call.operands, named: ["body"], inputTypes: types)
  }

  /// Operator set 8 ran a scan for each element of a batch: a scan over the batch whose body is the scan.
  private static func importBatchedScan(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    let lengths = call.operand(0)
    call.operands = Array(call.operands.dropFirst())
    let scanned = try call.takeInt("num_scan_inputs") ?? 0
    guard (0...call.operands.count).contains(scanned), let scan = call.row?.op else {
      throw OnnxError(.attributeValue("num_scan_inputs", reason: "is \(scanned), where there are \(call.operands.count) inputs"))
    }
    var inner: Attributes = [stateCount: .int(call.operands.count - scanned), "num_scan_inputs": .int(scanned)]
    if let directions = try call.takeInts("directions") { inner["scan_input_directions"] = .ints(directions) }
    if lengths != .none { call.operands.insert(lengths, at: 0) }
    return try call.callNested(
      scan, [stateCount: 0, "num_scan_inputs": .int(call.operands.count)], inner, subgraph: "body"
    ) { call, operands throws(OnnxError) in
      guard lengths != .none, let length = operands.first else { return (operands, { (results) throws(OnnxError) in results }) }
      return try cut(&call, Array(operands.dropFirst()), scanned: scanned, to: length)
    }
  }

  /// The operands of one sequence without what lies behind its length, and how its results are filled up with zeros again.
  private static func cut(
    _ call: inout OnnxImportCall, _ operands: [Operand], scanned: Int, to length: Operand
  ) throws(OnnxError) -> (operands: [Operand], restore: ([Operand]) throws(OnnxError) -> [Operand]) {
    let first = call.constant(indices: [0], name: "first")
    let end = try call.call(try call.op("unsqueeze"), [length, first])
    var operands = operands
    let states = max(0, operands.count - scanned)
    guard let whole = operands.dropFirst(states).first else {
      throw OnnxError(.attributeValue("num_scan_inputs", reason: "is \(scanned), where something must be scanned"))
    }
    for index in states..<min(operands.count, states + scanned) {
      operands[index] = try call.call(try call.op("slice"), [operands[index], first] + end + [first])[0]
    }
    let call = call
    return (
      operands,
      { (results) throws(OnnxError) in
        let total = try call.call(try call.op("shape"), [whole], attributes: ["start": 0, "end": 1])
        let missing = try call.call(try call.op("sub"), total + end)
        let pads = try call.call(try call.op("concat"), [first] + missing, attributes: ["axis": 0])
        var filled = Array(results.prefix(states))
        for result in results.dropFirst(states) {
          filled += try call.call(try call.op("pad"), [result] + pads + [.none, first])
        }
        return filled
      }
    )
  }

  /// What a loop carries keeps its element type; its shape may change from one iteration to the next.
  private static func elementOnly(_ type: ValueType) -> ValueType {
    if case .tensor(let tensor) = type { .tensor(tensor.elementType, nil) } else { type }
  }

  private static func exportIf(_ call: inout OnnxExportCall) throws(OnnxError) {
    try call.emit(
      "If", [try call.name(of: call.node.operand(0))], named: ["then_branch", "else_branch"],
      captured: call.node.operands.count - 1)
  }

  private static func exportLoop(_ call: inout OnnxExportCall) throws(OnnxError) {
    let own = min(2 + call.count(stateCount), call.node.operands.count)
    try call.emit(
      "Loop", Array(try call.operandNames().prefix(own)), named: ["body"], captured: call.node.operands.count - own)
  }

  private static func exportScan(_ call: inout OnnxExportCall) throws(OnnxError) {
    let own = min(call.count(stateCount) + call.count("num_scan_inputs"), call.node.operands.count)
    var attributes = try call.describedAttributes()
    attributes[stateCount] = nil
    try call.emit(
      "Scan", Array(try call.operandNames().prefix(own)), named: ["body"], captured: call.node.operands.count - own,
      attributes: attributes)
  }

  /// A Loop that computes its condition once before, and again after each iteration.
  private static func exportWhile(_ call: inout OnnxExportCall) throws(OnnxError) {
    let states = call.results.count
    let operands = try call.operandNames()
    guard call.node.regions.count == 2, operands.count >= states else {
      throw OnnxError(.unsupported("its regions or operands are not those of a loop"))
    }
    let (condition, body) = (call.node.regions[0], call.node.regions[1])
    let captures = Array(operands.dropFirst(states))
    let start = try call.inline(condition, operands)
    try call.emitLoop(start, Array(operands.prefix(states))) { arguments throws(OnnxError) in
      let next = try call.inline(body, arguments + captures)
      return try call.inline(condition, next + captures) + next
    }
  }

  private static func exportCall(_ call: inout OnnxExportCall) throws(OnnxError) {
    guard let region = call.node.regions.first else { throw OnnxError(.unsupported("it has no region")) }
    let inner = try call.inline(region, try call.operandNames())
    for (source, result) in zip(inner, call.results) where !result.isEmpty {
      try call.emit("Identity", [source], outputs: [result])
    }
  }
}
