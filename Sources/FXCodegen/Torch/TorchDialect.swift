import FXCore

/// Statements on PyTorch's tensors, in Python or C++.
struct TorchDialect: StatementDialect {
  let rows: TorchRows
  let language: TorchLanguage
  /// How parameters that are stored are spelled.
  var paths: [ParameterID: String] = [:]
  var functions: Set<TorchFunction> = []
  /// The parameters that are read from the file of weights.
  var stored: Set<ParameterID> = []
  /// The layers that calls may become.
  var layers: TorchLayers?

  mutating func code(of site: CallSite, operands: [String]) throws -> CallCode {
    var call = try TorchDialect.call(site, operands: operands, language: language)
    for index in operands.indices {
      // A number beside a tensor is written as a number.
      guard TorchDialect.takesNumbers(site, index), case .parameter(let id) = site.node.operands[index],
        let tensor = try site.graph[id].tensor, tensor.shape.isEmpty, let number = TorchDialect.number(tensor)
      else { continue }
      call = TorchCall(
        site, operands: call.operands.indices.map { $0 == index ? number : call.operands[$0] }, language: language)
      break
    }
    let code = try TorchDialect.write(&call, rows)
    functions.formUnion(call.functions)
    switch code {
    case .expressions(var list):
      if list.count == 1, let layer = layers?.layer(list[0], site) { list = [layer] }
      return .expressions(list.map { $0.text(language) })
    case .tuple(let expression): return .all(expression.text(language))
    }
  }

  /// The wide unsigned integers, which PyTorch stores and hardly computes with: 64-bit signed ones stand in for them.
  private static let wideUnsigned: ElementTypes = .init(.uint16, .uint32, .uint64)
  /// What gives the same bits for signed and unsigned integers of 64 bits.
  private static let signless: Set<Operator> = [
    .add, .sub, .mul, .equal, .bitwiseAnd, .bitwiseOr, .bitwiseXor, .bitwiseNot, .where_, .identity, .matmul, .reduceSum,
  ]

  static func call(_ site: CallSite, operands: [String], language: TorchLanguage) throws -> TorchCall {
    let expressions = operands.enumerated().map { index, text -> TorchExpression in
      let x = TorchExpression.name(text)
      guard let type = site.elementType(index), wideUnsigned.contains(type), ![.cast, .bitCast].contains(site.node.op) else {
        return x
      }
      return site.node.operands[index].literal == nil ? x.to(.int64) : x
    }
    return TorchCall(site, operands: expressions, language: language)
  }

  /// A call's code, rounded to the types of its results where other types stood in for theirs.
  static func write(_ call: inout TorchCall, _ rows: TorchRows) throws -> TorchCode {
    let site = call.site
    guard let row = rows[site.node.op] else { throw NotExpressible("PyTorch has no row for it") }
    for index in site.node.operands.indices {
      guard let type = site.elementType(index) else { continue }
      guard TorchTypes.has(type) else { throw NotExpressible("PyTorch has no \(type.rawValue)") }
      if type == .uint64, site.node.op != .cast, !site.node.op.has(.dataMovement), !signless.contains(site.node.op) {
        throw NotExpressible("PyTorch has no arithmetic on u64")
      }
    }
    for index in site.node.results.indices {
      if let type = site.resultType(index)?.elementType, !TorchTypes.has(type) {
        throw NotExpressible("PyTorch has no \(type.rawValue)")
      }
    }
    let code = try row(&call)
    guard case .expressions(let list) = code, ![.cast, .bitCast].contains(site.node.op) else { return code }
    return .expressions(
      list.enumerated().map { index, expression in
        guard let type = site.resultType(index)?.elementType, wideUnsigned.contains(type) else { return expression }
        return expression.to(type)
      })
  }

  /// Operators whose function or sign takes a number for an operand.
  private static let numeric: Set<Operator> = [
    .add, .sub, .mul, .div, .pow, .mod, .equal, .greater, .greaterOrEqual, .less, .lessOrEqual, .notEqual,
  ]

  private static func takesNumbers(_ site: CallSite, _ index: Int) -> Bool {
    guard numeric.contains(site.node.op), index < 2, !site.node.operand(1 - index).isNone else { return false }
    let other = site.node.operand(1 - index)
    // Integer division looks at its divisor's elements.
    if site.elementType(0)?.isInteger ?? false, site.node.op == .div || site.node.op == .pow { return false }
    return other.literal == nil && site.graph.tensor(of: other) == nil
  }

  /// A scalar as a number; `nil` for what has none that reads the same.
  private static func number(_ tensor: Tensor) -> TorchExpression? {
    guard let numbers = try? tensor.numbers(), tensor.elementType.bitWidth >= 8 else { return nil }
    switch numbers {
    case .signed(let x): return tensor.elementType == .bool ? .bool(x[0] != 0) : .int(Int(x[0]))
    case .floats(let x): return .number(tensor.elementType == .float32 ? Float(x[0]).decimal : x[0])
    case .unsigned: return nil
    }
  }

  mutating func parameter(_ id: ParameterID, in graph: Graph) throws -> String {
    let parameter = try graph[id]
    if let tensor = parameter.tensor, let text = inline(tensor) { return text }
    stored.insert(id)
    return paths[id] ?? "undefined"
  }

  /// The expression of a tensor that is a number, or a short vector of integers; `nil` for others.
  private func inline(_ tensor: Tensor) -> String? {
    let type = tensor.elementType
    guard TorchTypes.has(type), !type.isComplex, let numbers = try? tensor.numbers() else { return nil }
    let name = TorchTypes.name(type, language)
    let (open, close) = language == .python ? ("[", "]") : ("{", "}")
    if tensor.shape.isEmpty {
      guard let number = TorchDialect.number(tensor)?.text(language) else { return nil }
      if language == .python { return "torch.tensor(\(number), dtype=\(name))" }
      return "at::scalar_tensor(\(number), \(name))"
    }
    guard tensor.shape.count == 1, tensor.elementCount <= NumpyDialect.inlineLimit, type.isInteger, case .signed(let x) = numbers
    else { return nil }
    let list = open + x.map { String($0) }.joined(separator: ", ") + close
    if language == .python { return "torch.tensor(\(list), dtype=\(name))" }
    return "at::tensor(std::vector<int64_t>\(list), at::kLong)" + (type == .int64 ? "" : ".to(\(name))")
  }

  func literal(_ literal: Literal, at index: Int, of site: CallSite) throws -> String {
    let type = site.elementType(index) ?? literal.defaultElementType
    guard TorchDialect.takesNumbers(site, index), let tensor = try? literal.tensor(type),
      let number = TorchDialect.number(tensor)
    else { return tensor(literal, type) }
    return number.text(language)
  }

  func tensor(_ literal: Literal, _ type: ElementType) -> String {
    (try? literal.tensor(type)).flatMap { inline($0) } ?? absent
  }

  var absent: String { language == .python ? "None" : "at::Tensor()" }
}

extension TorchDialect {
  private var isPython: Bool { language == .python }

  func ifBegin(_ condition: String) -> String { isPython ? "if \(condition):" : "if (\(condition)) {" }
  func elseBegin() -> String { isPython ? "else:" : "} else {" }
  func whileBegin(_ condition: String) -> String { isPython ? "while \(condition):" : "while (\(condition)) {" }
  func forBegin(_ counter: String, count: String?) -> String {
    if isPython { return count.map { "for \(counter) in range(\($0)):" } ?? "for \(counter) in itertools.count():" }
    return "for (int64_t \(counter) = 0;" + (count.map { " \(counter) < \($0);" } ?? ";") + " ++\(counter)) {"
  }
  var blockEnd: String? { isPython ? nil : "}" }
  var emptyBlock: String? { isPython ? "pass" : nil }
  func breakUnless(_ condition: String) -> String {
    isPython ? "if not \(condition.isPrimary ? condition : "(\(condition))"):\n    break" : "if (!(\(condition))) break;"
  }
  func declare(_ names: [String], types: [ValueType]) -> [String] {
    isPython || names.isEmpty ? [] : ["at::Tensor \(names.joined(separator: ", "));"]
  }

  func assign(_ names: [String], _ expressions: [String], declares: Bool) -> String {
    if isPython { return names.joined(separator: ", ") + " = " + expressions.joined(separator: ", ") }
    if names.count == 1 {
      return declares ? "at::Tensor \(names[0]) = \(expressions[0]);" : "\(names[0]) = \(expressions[0]);"
    }
    if declares, expressions.count == 1 { return "auto [\(names.joined(separator: ", "))] = \(expressions[0]);" }
    let values = expressions.map { "at::Tensor(\($0))" }.joined(separator: ", ")
    return "std::tie(\(names.joined(separator: ", "))) = std::make_tuple(\(values));"
  }

  func truth(_ tensor: String) -> String { isPython ? tensor : "(\(tensor)).item<bool>()" }
  func integer(_ tensor: String) -> String {
    (tensor.isPrimary ? tensor : "(\(tensor))") + (isPython ? ".item()" : ".item<int64_t>()")
  }
  func counterTensor(_ counter: String) -> String {
    isPython ? "torch.tensor(\(counter))" : "at::scalar_tensor(\(counter), at::kLong)"
  }
  var constantTrue: String { isPython ? "torch.tensor(True)" : "at::scalar_tensor(true, at::kBool)" }
  func emptyList(_ name: String) -> String { isPython ? "\(name) = []" : "std::vector<at::Tensor> \(name);" }
  func append(_ element: String, to list: String) -> String {
    isPython ? "\(list).append(\(element))" : "\(list).push_back(\(element));"
  }

  func stack(_ list: String, axis: Int, reversed: Bool, type: TensorType?) throws -> String {
    let parts = reversed ? (isPython ? "\(list)[::-1]" : "std::vector<at::Tensor>(\(list).rbegin(), \(list).rend())") : list
    let stacked =
      "\(isPython ? "torch" : "at")::stack(\(parts)".replacing("torch::", with: "torch.")
      + (axis == 0 ? ")" : ", \(isPython ? "dim=" : "")\(axis))")
    guard let type, let shape = type.shape else { return stacked }
    let position = axis < 0 ? axis + shape.rank : axis
    // A loop that may have no turn gives an empty tensor of the elements' shape.
    guard shape.indices.contains(position), (shape[position].size ?? 0) == 0 else { return stacked }
    let sizes = TorchExpression.ints(shape.enumerated().map { $0 == position ? 0 : $1.size ?? 0 }).text(language)
    let name = TorchTypes.name(type.elementType, language)
    if isPython { return "\(stacked) if \(list) else torch.zeros(\(sizes), dtype=\(name))" }
    return "\(list).empty() ? at::zeros(\(sizes), \(name)) : \(stacked)"
  }

  func select(_ tensor: String, axis: Int, index: String) -> String {
    isPython && axis == 0 ? "\(tensor)[\(index)]" : "\(tensor).select(\(axis), \(index))"
  }
  func size(_ tensor: String, axis: Int) -> String {
    isPython ? (axis == 0 ? "len(\(tensor))" : "\(tensor).shape[\(axis)]") : "\(tensor).size(\(axis))"
  }
  func mirrored(_ index: String, count: String) -> String { "\(count) - 1 - \(index)" }
}

extension TorchRows {
  /// Why a call cannot be written in a language; `nil` if it can.
  func refusal(of node: Node, in graph: Graph, _ language: TorchLanguage) -> String? {
    if [Operator.cond, .whileLoop, .loop, .scan].contains(node.op) { return nil }
    do {
      let site = CallSite(node, in: graph)
      var call = try TorchDialect.call(site, operands: node.operands.indices.map { "operand\($0)" }, language: language)
      _ = try TorchDialect.write(&call, self)
      return nil
    } catch {
      return "\(error)"
    }
  }
}
