internal import COnnx
import FXCore

/// One ONNX node while it is imported: what rows with functions of their own work on.
public struct OnnxImportCall {
  let reader: GraphReader
  let row: OnnxOperator?
  /// ONNX's name of the operator, such as `Conv`.
  public let opType: String
  /// The operator's domain; empty for ONNX's own operators, which `ai.onnx` means too.
  public let domain: String
  /// The operator set in force.
  public let version: Int
  /// The node's name, which the calls made for it take.
  public let name: String
  let location: Location?
  /// The operands, `.none` for inputs that are left out. What earlier operator sets have as attributes is among them already.
  public var operands: [Operand]
  /// The attributes that are left, by ONNX's names; the subgraphs are not among them.
  public var attributes: Attributes
  /// How many outputs the node lists, unnamed ones in between included.
  public let resultCount: Int
  /// What the model says of the outputs' types.
  public let resultTypes: [ValueType]
  let subgraphs: [(name: String, graph: UnsafeMutablePointer<GraphProto>)]

  /// Operand `index`, `.none` beyond the last.
  public func operand(_ index: Int) -> Operand { index < operands.count ? operands[index] : .none }

  /// What is known of an operand's type.
  public func type(of operand: Operand) -> ValueType { reader.graph.type(of: operand) }

  /// The tensor of an operand that is a constant.
  public func tensor(of operand: Operand) -> Tensor? { reader.graph.tensor(of: operand) }

  /// A constant as an operand.
  public func constant(_ tensor: Tensor, name: String = "constant") -> Operand {
    .parameter(reader.graph.addConstant(tensor, name: name))
  }

  /// An `int64` vector as an operand.
  public func constant(indices: [Int], name: String = "constant") -> Operand {
    constant(Tensor(vector: indices.map(Int64.init)), name: name)
  }

  /// Sets operand `index`, filling the places before it.
  public mutating func setOperand(_ index: Int, _ operand: Operand) {
    while operands.count <= index { operands.append(.none) }
    operands[index] = operand
  }

  /// Removes an attribute and returns its value.
  public mutating func take(_ name: String) -> AttributeValue? {
    defer { attributes[name] = nil }
    return attributes[name]
  }

  /// The integer attribute `name`, removed.
  /// - Throws: `OnnxError` if it is not an integer.
  public mutating func takeInt(_ name: String) throws(OnnxError) -> Int? {
    guard let value = take(name) else { return nil }
    guard case .int(let number) = value else { throw OnnxError(.attributeKind(name, expected: "an integer")) }
    return number
  }

  /// The attribute `name`, a list of integers, removed; `nil` if the node lacks it.
  /// - Throws: `OnnxError` with `.attributeKind` if it is something else.
  public mutating func takeInts(_ name: String) throws(OnnxError) -> [Int]? {
    guard let value = take(name) else { return nil }
    guard case .ints(let numbers) = value else { throw OnnxError(.attributeKind(name, expected: "a list of integers")) }
    return numbers
  }

  /// The attribute `name`, a number, removed; `nil` if the node lacks it.
  /// - Throws: `OnnxError` with `.attributeKind` if it is something else, an integer included.
  public mutating func takeFloat(_ name: String) throws(OnnxError) -> Float? {
    guard let value = take(name) else { return nil }
    guard case .float(let number) = value else { throw OnnxError(.attributeKind(name, expected: "a number")) }
    return number
  }

  /// The attribute `name`, a text, removed; `nil` if the node lacks it.
  /// - Throws: `OnnxError` with `.attributeKind` if it is something else.
  public mutating func takeString(_ name: String) throws(OnnxError) -> String? {
    guard let value = take(name) else { return nil }
    guard case .string(let text) = value else { throw OnnxError(.attributeKind(name, expected: "a text")) }
    return text
  }

  /// Adds a call of `op` at the place of the node, whose name goes to the call of the row's operator.
  /// - Returns: its results.
  public func call(
    _ op: Operator, _ operands: [Operand], attributes: Attributes = [:], results: [ValueType] = [.unknown]
  ) throws(OnnxError) -> [Operand] {
    for (index, operand) in operands.enumerated() where operand == .none {
      if let specification = op.schema?.operand(index), specification.arity == .required {
        throw OnnxError(.missingOperand(specification.name))
      }
    }
    let name = row == nil || row?.op == op ? name : ""
    return try reader.append(op, operands, attributes, results, name: name, location: location).results.map(Operand.value)
  }

  /// The call as the row describes it: attributes renamed and converted as the schema asks, operands as they are.
  public func callAsDescribed() throws(OnnxError) -> [Operand] {
    guard let row else { throw OnnxError(.unsupported("\(opType) has no row to go by")) }
    var operands = operands
    while operands.last == Operand.none { operands.removeLast() }
    return try call(row.op, operands, attributes: try schemaAttributes(row), results: resultTypes)
  }

  // MARK: Attributes

  func schemaAttributes(_ row: OnnxOperator) throws(OnnxError) -> Attributes {
    guard let schema = row.op.schema else { return attributes }
    var result = Attributes()
    for entry in attributes {
      let name = row.form.ours(entry.name)
      guard let specification = schema.attribute(name) else {
        if row.form.ignored.contains(entry.name) || OnnxImportCall.alwaysIgnored.contains(entry.name) { continue }
        throw OnnxError(.attributeValue(entry.name, reason: "is none of \(opType) version \(version)"))
      }
      // Element type 0 is ONNX's way to leave one out.
      if specification.kind == .elementType, entry.value == .int(0) { continue }
      result[name] = try convert(entry.value, to: specification.kind, entry.name)
    }
    return result
  }

  /// An optimisation hint of operator set 1.
  private static let alwaysIgnored: Set<String> = ["consumed_inputs"]

  private func convert(
    _ value: AttributeValue, to kind: AttributeValue.Kind, _ name: String
  ) throws(OnnxError) -> AttributeValue {
    if value.kind == kind { return value }
    switch (value, kind) {
    case (.int(let number), .bool): return .bool(number != 0)
    case (.int(let code), .elementType):
      guard let type = OnnxElementType.type(Int32(clamping: code)) else {
        throw OnnxError(.elementType(code: code, of: name))
      }
      return .elementType(type)
    // An empty list may come without its type.
    case (.ints(let list), .floats) where list.isEmpty: return .floats([])
    case (.ints(let list), .strings) where list.isEmpty: return .strings([])
    default: throw OnnxError(.attributeKind(name, expected: "of the kind \(kind.rawValue)"))
    }
  }

  /// Turns attributes of the node's version into the operands that the newest version has.
  mutating func promoteFormerAttributes(_ row: OnnxOperator) throws(OnnxError) {
    for former in row.form.former {
      guard version < former.before, let value = take(former.name) else { continue }
      if former.form == .scalar, case .float(let number) = value, type(of: operand(0)).elementType == nil {
        // A literal takes the element type that inference will find.
        setOperand(former.operand, .literal(.float(Double(number))))
      } else {
        setOperand(former.operand, constant(try former.tensor(value, for: self), name: "\(name)_\(former.name)"))
      }
    }
  }
}

extension FormerAttribute {
  fileprivate func tensor(_ value: AttributeValue, for call: OnnxImportCall) throws(OnnxError) -> Tensor {
    switch (form, value) {
    case (.indices, .ints(let list)): return Tensor(vector: list.map(Int64.init))
    case (.index, .int(let number)): return Tensor(vector: [Int64(number)])
    case (.integer, .int(let number)): return Tensor(Int64(number))
    case (.floats, .floats(let list)): return Tensor(vector: list)
    case (.scalar, .float(let number)):
      let type = call.type(of: call.operand(0)).elementType ?? .float32
      do {
        return try Tensor(type, [], numbers: .floats([Double(number)]))
      } catch {
        throw OnnxError(.tensor(name, error))
      }
    case (.indices, _): throw OnnxError(.attributeKind(name, expected: "a list of integers"))
    case (.index, _), (.integer, _): throw OnnxError(.attributeKind(name, expected: "an integer"))
    case (.floats, _): throw OnnxError(.attributeKind(name, expected: "a list of numbers"))
    case (.scalar, _): throw OnnxError(.attributeKind(name, expected: "a number"))
    }
  }
}
