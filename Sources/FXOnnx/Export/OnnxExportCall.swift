internal import COnnx
import FXCore

/// One call while it is exported: what rows with functions of their own work on.
///
/// A function that cannot express the call throws `OnnxError` with `.unsupported` and the reason; the exporter collects
/// these and reports all at once.
public struct OnnxExportCall {
  let writer: GraphWriter
  let row: OnnxOperator?
  /// The call that is written.
  public let node: Node
  /// The operator set that is written of the row's domain.
  public let version: Int
  /// The names of the results, empty for optional ones that nobody uses.
  public let results: [String]

  /// The operand's name in the model; empty for an operand that is left out. Literals become constants.
  public func name(of operand: Operand, at index: Int = 0) throws(OnnxError) -> String {
    try writer.name(of: operand, in: node, at: index)
  }

  /// Names of all operands.
  public func operandNames() throws(OnnxError) -> [String] {
    var names: [String] = []
    for (index, operand) in node.operands.enumerated() { names.append(try name(of: operand, at: index)) }
    return names
  }

  /// The type of an operand in the graph; `.unknown` where nothing was inferred.
  public func type(of operand: Operand) -> ValueType { writer.graph.type(of: operand) }

  /// The tensor of an operand that is a constant.
  public func tensor(of operand: Operand) -> Tensor? { writer.graph.tensor(of: operand) }

  /// The name of a new constant.
  public func constant(_ tensor: Tensor, name: String = "constant") throws(OnnxError) -> String {
    try writer.constant(tensor, name: name)
  }

  /// The name of a new constant, an `int64` vector of these numbers.
  public func constant(indices: [Int], name: String = "constant") throws(OnnxError) -> String {
    try constant(Tensor(vector: indices.map(Int64.init)), name: name)
  }

  /// A name for an intermediate value.
  public func freshName(_ hint: String) -> String { writer.names.unique(hint) }

  /// Adds an ONNX node. The call's own label goes to the node that defines its first result.
  public func emit(
    _ opType: String, domain: String = "", _ inputs: [String], attributes: Attributes = [:], outputs: [String]
  ) throws(OnnxError) {
    var messages: [UnsafeMutablePointer<AttributeProto>] = []
    for entry in attributes {
      messages.append(try AttributeWriter(builder: writer.builder).message(entry.name, entry.value))
    }
    try writer.emit(opType, domain, inputs, messages, outputs, for: node)
  }

  /// Adds an ONNX node with one new output and returns the output's name.
  public func emit(_ opType: String, _ inputs: [String], attributes: Attributes = [:]) throws(OnnxError) -> String {
    let output = freshName("\(writer.graph.name(of: node.id))_\(opType)")
    try emit(opType, inputs, attributes: attributes, outputs: [output])
    return output
  }

  // MARK: As described

  /// The node as the row describes it.
  public func emitAsDescribed() throws(OnnxError) {
    guard let row else { throw OnnxError(.unsupported("ONNX has no such operator")) }
    var attributes = try describedAttributes(row)
    var inputs = try operandNames()
    for (index, since) in row.form.laterOperands where since > version && index < inputs.count && !inputs[index].isEmpty {
      throw OnnxError(.unsupported("operand \(index) needs operator set \(since)"))
    }
    try demoteFormerAttributes(row, &inputs, &attributes)
    try row.form.adjust?(self, &inputs, &attributes)
    while inputs.last == "" { inputs.removeLast() }
    var outputs = results
    while outputs.last == "" { outputs.removeLast() }
    try emit(row.form.opType, domain: row.form.domain, inputs, attributes: attributes, outputs: outputs)
  }

  /// The attributes by ONNX's names, without those that the written operator set does not have yet.
  public func describedAttributes() throws(OnnxError) -> Attributes {
    guard let row else { return node.attributes }
    return try describedAttributes(row)
  }

  private func describedAttributes(_ row: OnnxOperator) throws(OnnxError) -> Attributes {
    var attributes = Attributes()
    for entry in node.attributes {
      let name = row.form.names[entry.name] ?? entry.name
      if let since = row.form.later[name], since > version {
        guard entry.value == node.op.schema?.attribute(entry.name)?.defaultValue else {
          throw OnnxError(.unsupported("the attribute \(name.quoted) needs operator set \(since)"))
        }
        continue
      }
      attributes[name] = entry.value
    }
    return attributes
  }

  /// Turns operands into the attributes that they were in the written operator set.
  private func demoteFormerAttributes(
    _ row: OnnxOperator, _ inputs: inout [String], _ attributes: inout Attributes
  ) throws(OnnxError) {
    for former in row.form.former.sorted(by: { $0.operand > $1.operand }) {
      guard version < former.before, former.operand < inputs.count else { continue }
      let operand = node.operand(former.operand)
      inputs.remove(at: former.operand)
      if operand == .none { continue }
      guard let tensor = try writer.constantTensor(of: operand, in: node, at: former.operand) else {
        throw OnnxError(.unsupported("a computed \(former.name.quoted) needs operator set \(former.before)"))
      }
      attributes[former.name] = try former.attribute(tensor)
    }
  }
}

extension FormerAttribute {
  fileprivate func attribute(_ tensor: Tensor) throws(OnnxError) -> AttributeValue {
    do {
      let numbers = try tensor.numbers()
      switch (form, numbers) {
      case (.indices, .signed(let list)): return .ints(list.map(Int.init))
      case (.index, .signed(let list)) where list.count == 1: return .int(Int(list[0]))
      case (.integer, .signed(let list)) where list.count == 1: return .int(Int(list[0]))
      case (.floats, _): return .floats(numbers.doubles.map { Float($0) })
      case (.scalar, _) where numbers.count == 1: return .float(Float(numbers.doubles[0]))
      default: throw OnnxError(.unsupported("the operand \(name.quoted) has an unexpected type or shape"))
      }
    } catch {
      throw OnnxError.wrap(error) { .tensor(name, $0) }
    }
  }
}
