/// Writes a graph in the text format. Nested regions are kept on a stack of its own, so that no depth is too deep.
struct TextPrinter {
  private let graph: Graph
  private let options: TextOptions
  private(set) var output = TextBuffer()
  private var frames: [Frame] = []

  /// A region that is being written.
  private struct Frame {
    let region: RegionID
    /// The node to write next.
    var next: NodeID?
    /// Which region of its owner it is.
    let index: Int
  }

  init(_ graph: Graph, _ options: TextOptions) {
    self.graph = graph
    self.options = options
  }

  private mutating func indent(_ levels: Int) {
    // Past this depth nobody reads the indentation, and it would make the text quadratic.
    output.append(spaces: 2 * min(levels, 40))
  }

  private mutating func newline() { output.append(UInt8(ascii: "\n")) }

  mutating func printGraph() {
    output.append("fx \(Graph.textVersion)\ngraph @")
    output.append(name: graph.name)
    open(graph.body, index: 0)
    printFacts()
    printParameters()
    while let frame = frames.last {
      if let node = frame.next {
        frames[frames.count - 1].next = graph.nodes[node].next
        indent(frames.count)
        printCall(node)
        if graph.nodes[node].regions.isEmpty { newline() } else { open(node, 0) }
      } else {
        indent(frames.count)
        printReturn(frame.region)
        frames.removeLast()
        indent(frames.count)
        output.append("}")
        if let owner = graph.regions[frame.region].owner, frame.index + 1 < graph.nodes[owner].regions.count {
          open(owner, frame.index + 1)
        } else {
          newline()
        }
      }
    }
  }

  // MARK: Regions

  private mutating func open(_ node: NodeID, _ index: Int) {
    output.append(" ")
    if let schema = graph.nodes[node].op.schema, index < schema.regions.count {
      output.append(word: schema.regions[index])
    } else {
      output.append("region")
    }
    open(graph.nodes[node].regions[index], index: index)
  }

  private mutating func open(_ region: RegionID, index: Int) {
    output.append("(")
    let graph = graph
    output.appendList(graph.regions[region].arguments) { output, value in
      TextPrinter.append(definition: value, of: graph, to: &output)
    }
    output.append(") {\n")
    frames.append(Frame(region: region, next: graph.regions[region].first, index: index))
  }

  private mutating func printReturn(_ region: RegionID) {
    output.append("return")
    for (index, operand) in graph.results(of: region).enumerated() {
      output.append(index == 0 ? " " : ", ")
      append(operand)
      if let name = graph.ownResultName(of: region, index), name != graph.text(of: operand) {
        output.append(" as ")
        output.append(name.quoted)
      }
    }
    newline()
  }

  // MARK: Nodes

  private mutating func printCall(_ node: NodeID) {
    let record = graph.nodes[node]
    if record.results.isEmpty {
      output.append("node_")
      output.append(Int(record.serial))
    }
    for (index, value) in record.results.enumerated() {
      if index > 0 { output.append(", ") }
      TextPrinter.append(definition: value, of: graph, to: &output)
    }
    output.append(" = ")
    append(record.op)
    output.append("(")
    for (index, operand) in record.operands.enumerated() {
      if index > 0 { output.append(", ") }
      append(operand)
    }
    output.append(")")
    printAttributes(record)
    if let name = record.name {
      output.append(" ")
      output.append(name.quoted)
    }
    if options.locations, let location = record.location {
      output.append(" at ")
      output.append(location.file.quoted)
      output.append(":")
      output.append(location.line)
      if !location.modulePath.isEmpty {
        output.append(" in ")
        output.append(location.modulePath.quoted)
      }
    }
  }

  private mutating func append(_ op: Operator) {
    if !op.isRegistered { output.append("?") }
    if !op.domain.isEmpty || !op.isRegistered {
      output.append(word: op.domain)
      output.append("::")
    }
    output.append(word: op.name)
    if op.version != 1 { output.append("@\(op.version)") }
  }

  private mutating func printAttributes(_ record: NodeRecord) {
    var isFirst = true
    for entry in record.attributes.differing(from: record.op.schema?.defaultAttributes) {
      output.append(isFirst ? " {" : ", ")
      isFirst = false
      output.append(word: entry.name)
      output.append(" = ")
      append(entry.value)
    }
    if !isFirst { output.append("}") }
  }

  private mutating func append(_ value: AttributeValue) {
    func list<Element>(_ kind: String, _ elements: [Element], _ append: (inout TextBuffer, Element) -> Void) {
      // An empty list does not show what it is a list of.
      if elements.isEmpty { output.append("\(kind) ") }
      output.append("[")
      output.appendList(elements, append)
      output.append("]")
    }
    let weights = options.weights
    switch value {
    case .bool(let x): output.append(x ? "true" : "false")
    case .int(let x): output.append(x)
    case .float(let x): output.append(x.exactText)
    case .string(let x): output.append(x.quoted)
    case .ints(let x): list("ints", x) { $0.append($1) }
    case .floats(let x): list("floats", x) { $0.append($1.exactText) }
    case .strings(let x): list("strings", x) { $0.append($1.quoted) }
    case .elementType(let x): output.append(x.rawValue)
    case .type(let x): output.append(x)
    case .types(let x):
      output.append("types [")
      output.appendList(x) { $0.append($1) }
      output.append("]")
    case .tensor(let x):
      output.append("tensor ")
      output.append(x, weights)
    case .tensors(let x):
      output.append("tensors [")
      output.appendList(x) { $0.append($1, weights) }
      output.append("]")
    }
  }

  // MARK: Values

  private mutating func append(_ operand: Operand) {
    switch operand {
    case .value(let value): TextPrinter.append(use: value, of: graph, to: &output)
    case .parameter(let parameter):
      output.append("@")
      output.append(name: graph.parameters[parameter].name)
    case .literal(let literal): output.append(literal.description)
    case .none: output.append("none")
    }
  }

  private static func append(definition value: ValueID, of graph: Graph, to output: inout TextBuffer) {
    append(use: value, of: graph, to: &output)
    let type = graph.values[value].type
    guard type != .unknown else { return }
    output.append(": ")
    output.append(type)
  }

  private static func append(use value: ValueID, of graph: Graph, to output: inout TextBuffer) {
    output.append("%")
    if let name = graph.values[value].name {
      output.append(name: name)
      return
    }
    switch graph.values[value].definition {
    case .result(let node, let index):
      output.append("node_")
      output.append(Int(graph.nodes[node].serial))
      if index > 0 {
        output.append(".")
        output.append(index)
      }
    case .argument(_, let index):
      output.append("arg_")
      output.append(index)
    }
  }

  // MARK: What precedes the nodes

  private mutating func printFacts() {
    for (name, bounds) in graph.symbols.sorted(by: { $0.key < $1.key }) {
      indent(1)
      output.append("symbol \(Dimension(symbol: name))")
      if bounds.minimum != 0 || bounds.maximum != nil {
        output.append(" in \(bounds.minimum)...\(bounds.maximum.map(String.init) ?? "")")
      }
      if bounds.divisor != 1 { output.append(" multiple_of \(bounds.divisor)") }
      newline()
    }
    for constraint in graph.constraints {
      indent(1)
      output.append("constraint \(constraint)\n")
    }
    for (key, value) in graph.metadata.sorted(by: { $0.key < $1.key }) {
      indent(1)
      output.append("metadata \(key.quoted) = \(value.quoted)\n")
    }
    for (domain, version) in graph.operatorSets.sorted(by: { $0.key < $1.key }) {
      indent(1)
      output.append("opset \(domain.quoted) = \(version)\n")
    }
  }

  private mutating func printParameters() {
    var storages = StorageTable()
    for id in graph.parameters.ids {
      let parameter = graph.parameters[id]
      indent(1)
      output.append("parameter @")
      output.append(name: parameter.name)
      output.append(": ")
      output.append(parameter.type)
      output.append(" ")
      output.append(parameter.role.rawValue)
      if let tensor = parameter.tensor {
        output.append(" = ")
        if parameter.type != tensor.type {
          output.append(tensor.type)
          output.append(" ")
        }
        if let first = storages.first(sharing: tensor, id) {
          output.append("shared @")
          output.append(name: graph.parameters[first].name)
        } else {
          output.append(elementsOf: tensor, options.weights)
        }
      }
      newline()
    }
  }
}

/// Finds parameters that share their bytes, so that a format writes them once.
struct StorageTable {
  private struct Key: Hashable {
    let address: UnsafeRawPointer
    let elementCount: Int
    let elementType: ElementType
  }
  private var owners: [Key: ParameterID] = [:]

  /// The first parameter whose tensor had the same bytes and elements; `nil` for a new one, which is remembered.
  mutating func first(sharing tensor: Tensor, _ id: ParameterID) -> ParameterID? {
    guard case .bytes(let storage) = tensor.contents, storage.byteCount > 0 else { return nil }
    let key = Key(
      address: UnsafeRawPointer(storage.base), elementCount: tensor.elementCount, elementType: tensor.elementType)
    if let owner = owners[key] { return owner }
    owners[key] = id
    return nil
  }
}

extension Attributes {
  /// The entries that `defaults` lacks or has with another value.
  func differing(from defaults: Attributes?) -> [Entry] {
    guard let defaults, !defaults.isEmpty else { return entries }
    return entries.filter { entry in
      guard let value = defaults[entry.name] else { return true }
      return value != entry.value
    }
  }
}
