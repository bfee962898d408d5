import FXCore

/// Python statements on NumPy arrays.
struct NumpyDialect: StatementDialect {
  let rows: NumpyRows
  /// The functions that the program must define.
  var functions: Set<NumpyFunction> = []
  /// The parameters that are read from the file of weights.
  var stored: Set<ParameterID> = []

  mutating func code(of site: CallSite, operands: [String]) throws -> CallCode {
    guard let row = rows[site.node.op] else { throw NotExpressible("no row for it") }
    var call = NumpyCall(site, operands: operands)
    let code = try row(&call)
    functions.formUnion(call.functions)
    guard case .expressions(let list) = code, !site.node.op.has(.dataMovement) else { return code }
    // What NumPy has no type for is computed in a wider one and rounded.
    return .expressions(
      list.enumerated().map { index, expression in
        guard let type = site.resultType(index)?.elementType, type == .bfloat16, site.node.op != .cast else { return expression }
        functions.insert(.bfloat16)
        return "bfloat16(\(expression))"
      })
  }

  /// Elements up to which integers are written into the program.
  static let inlineLimit = 16

  mutating func parameter(_ id: ParameterID, in graph: Graph) throws -> String {
    let parameter = try graph[id]
    if let tensor = parameter.tensor, let text = try NumpyDialect.inline(tensor) { return text }
    stored.insert(id)
    return "weights[\(parameter.name.sourceQuoted)]"
  }

  /// The expression of a tensor that is a number, or a short vector of integers; `nil` for others.
  static func inline(_ tensor: Tensor) throws -> String? {
    let type = tensor.elementType
    if let strings = tensor.strings {
      guard tensor.shape.count <= 1, strings.count <= inlineLimit else { return nil }
      if tensor.shape.isEmpty { return "np.array(\(strings[0].sourceQuoted), dtype=object)" }
      return "np.array([" + strings.map(\.sourceQuoted).joined(separator: ", ") + "], dtype=object)"
    }
    guard !type.isComplex else { return nil }
    if tensor.shape.isEmpty {
      let numbers = try tensor.numbers()
      let name = NumpyTypes.name(type)
      switch numbers {
      case .floats(let x): return "\(name)(\(NumpyTypes.number(x[0], type)))"
      case .signed(let x): return type == .bool ? "np.bool_(\(NumpyCall.truth(x[0] != 0)))" : "\(name)(\(x[0]))"
      case .unsigned(let x): return "\(name)(\(x[0]))"
      }
    }
    guard tensor.shape.count == 1, tensor.elementCount <= inlineLimit, type.isInteger, case .signed(let x) = try tensor.numbers()
    else { return nil }
    return "np.array([" + x.map { String($0) }.joined(separator: ", ") + "], dtype=\(NumpyTypes.name(type)))"
  }

  func literal(_ literal: Literal, at index: Int, of site: CallSite) throws -> String {
    // Beside an array of its type a number stays a number: NumPy gives it the array's type.
    let type = site.elementType(index)
    let isPlain = site.node.operands.enumerated().contains { other, operand in
      guard other != index, operand.literal == nil, !operand.isNone else { return false }
      let otherType = site.elementType(other)
      return otherType == nil || type == nil || otherType == type
    }
    guard isPlain, site.node.op.has(.elementwise) else { return tensor(literal, type ?? literal.defaultElementType) }
    switch literal {
    case .bool(let x): return NumpyCall.truth(x)
    case .int(let x): return type?.isFloatingPoint == true ? "\(x).0" : "\(x)"
    case .float(let x): return NumpyTypes.number(x, type ?? .float32)
    }
  }

  func tensor(_ literal: Literal, _ type: ElementType) -> String {
    (try? literal.tensor(type)).flatMap { try? NumpyDialect.inline($0) } ?? "None"
  }

  var absent: String { "None" }
}

extension NumpyDialect {
  func ifBegin(_ condition: String) -> String { "if \(condition):" }
  func elseBegin() -> String { "else:" }
  func whileBegin(_ condition: String) -> String { "while \(condition):" }
  func forBegin(_ counter: String, count: String?) -> String {
    count.map { "for \(counter) in range(\($0)):" } ?? "for \(counter) in itertools.count():"
  }
  var blockEnd: String? { nil }
  var emptyBlock: String? { "pass" }
  func breakUnless(_ condition: String) -> String { "if not \(condition.isPrimary ? condition : "(\(condition))"):\n    break" }
  func declare(_ names: [String], types: [ValueType]) -> [String] { [] }
  func assign(_ names: [String], _ expressions: [String], declares: Bool) -> String {
    names.joined(separator: ", ") + " = " + expressions.joined(separator: ", ")
  }
  func truth(_ tensor: String) -> String { tensor }
  func integer(_ tensor: String) -> String { (tensor.isPrimary ? tensor : "(\(tensor))") + ".item()" }
  func counterTensor(_ counter: String) -> String { "np.int64(\(counter))" }
  var constantTrue: String { "np.True_" }
  func emptyList(_ name: String) -> String { "\(name) = []" }
  func append(_ element: String, to list: String) -> String { "\(list).append(\(element))" }

  func stack(_ list: String, axis: Int, reversed: Bool, type: TensorType?) throws -> String {
    let parts = reversed ? "\(list)[::-1]" : list
    let stacked = "np.stack(\(parts)" + (axis == 0 ? ")" : ", axis=\(axis))")
    guard let shape = type?.shape, let type else { return stacked }
    let position = axis < 0 ? axis + shape.rank : axis
    // A loop that may have no turn gives an empty array of the elements' shape.
    guard shape.indices.contains(position), (shape[position].size ?? 0) == 0 else { return stacked }
    let sizes = shape.enumerated().map { $0 == position ? 0 : $1.size ?? 0 }
    return "\(stacked) if \(list) else np.zeros(\(NumpyCall.tuple(sizes)), dtype=\(NumpyTypes.name(type.elementType)))"
  }

  func select(_ tensor: String, axis: Int, index: String) -> String {
    axis == 0 ? "\(tensor)[\(index)]" : "np.take(\(tensor), \(index), axis=\(axis))"
  }
  func size(_ tensor: String, axis: Int) -> String { axis == 0 ? "len(\(tensor))" : "\(tensor).shape[\(axis)]" }
  func mirrored(_ index: String, count: String) -> String { "\(count) - 1 - \(index)" }
}
