import FXCore

/// What views say of values, attributes and operands, in few words.
extension GraphOutline {
  /// Longest text that a view carries for one fact.
  static let textLimit = 1000

  func type(of operand: Operand) -> String { graph.type(of: operand).description }

  /// A node's attributes that differ from the defaults, then the rest.
  func attributes(of node: Node) -> [(name: String, value: String, isDefault: Bool)] {
    let defaults = node.op.schema?.defaultAttributes
    let all = node.attributes.map { entry in
      (entry.name, GraphOutline.text(entry.value), defaults?[entry.name] == entry.value)
    }
    return all.filter { !$0.2 } + all.filter(\.2)
  }

  /// What operand `index` is called by the schema.
  func role(_ index: Int, of node: Node) -> String {
    guard let specification = node.op.schema?.operand(index) else { return "\(index)" }
    guard specification.arity == .variadic, let schema = node.op.schema else { return specification.name }
    return "\(specification.name)[\(index - schema.operands.count + 1)]"
  }

  /// An operand that is no value: a parameter with its type and, if it is small, its elements; a number; nothing.
  func text(ofConstant operand: Operand) -> String {
    switch operand {
    case .parameter(let id):
      guard let parameter = try? graph[id] else { return "?" }
      let elements = parameter.tensor.flatMap(GraphOutline.elements)
      return "\(parameter.name): \(parameter.type)" + (elements.map { " = \($0)" } ?? "")
        + (parameter.isBound ? "" : " (nothing bound)")
    case .literal(let literal): return literal.description
    case .value(let value): return graph.name(of: value)
    case .none: return "none"
    }
  }

  static func text(_ value: AttributeValue) -> String {
    let text =
      switch value {
      case .bool(let x): String(x)
      case .int(let x): String(x)
      case .float(let x): x.exactText
      case .string(let x): x.quoted
      case .ints(let x): list(x) { String($0) }
      case .floats(let x): list(x, \.exactText)
      case .strings(let x): list(x, \.quoted)
      case .elementType(let x): x.rawValue
      case .type(let x): x.description
      case .types(let x): list(x, \.description)
      case .tensor(let x): self.text(x)
      case .tensors(let x): list(x, self.text)
      }
    return clipped(text)
  }

  private static func list<Element>(_ elements: [Element], _ text: (Element) -> String) -> String {
    "[" + elements.prefix(200).map(text).joined(separator: ", ") + (elements.count > 200 ? ", …" : "") + "]"
  }

  private static func text(_ tensor: Tensor) -> String {
    "\(tensor.type)" + (elements(of: tensor).map { " = \($0)" } ?? "")
  }

  /// The elements of a tensor of at most 8.
  private static func elements(of tensor: Tensor) -> String? {
    guard tensor.elementCount <= 8 else { return nil }
    if tensor.elementType == .string, let strings = tensor.strings { return list(strings, \.quoted) }
    guard let numbers = try? tensor.numbers() else { return nil }
    let texts: [String] =
      switch numbers {
      case .signed(let x): x.map { tensor.elementType == .bool ? ($0 == 0 ? "false" : "true") : String($0) }
      case .unsigned(let x): x.map { String($0) }
      case .floats(let x): x.map { tensor.elementType == .float64 ? $0.exactText : Float($0).exactText }
      }
    return tensor.shape.isEmpty ? texts.first : clipped("[" + texts.joined(separator: ", ") + "]")
  }

  /// The text, or its beginning and `…` if it is very long.
  static func clipped(_ text: String, _ limit: Int = textLimit) -> String {
    text.utf8.count <= limit ? text : text.prefix(limit) + "…"
  }
}

extension Graph {
  /// How many elements the parameters hold, and in how many bytes; what is not bound yet counts as far as its shape tells.
  var parameterSize: (elements: Int, bytes: Int) {
    var size = (elements: 0, bytes: 0)
    for id in parameterIDs {
      guard let parameter = try? self[id], let sizes = parameter.type.shape?.sizes,
        let count = try? Tensor.elementCount(of: sizes, parameter.type.elementType)
      else { continue }
      let (sum, overflow) = size.elements.addingReportingOverflow(count)
      size.elements = overflow ? .max : sum
      let bytes = size.bytes.addingReportingOverflow(parameter.type.elementType.byteCount(elements: count) ?? 0)
      size.bytes = bytes.overflow ? .max : bytes.partialValue
    }
    return size
  }
}
