extension GraphDocument {
  /// The graph as a document.
  /// - Parameter weights: whether the parameters' tensors are in it; parameters are unbound otherwise.
  init(_ graph: Graph, weights: Bool) {
    name = graph.name
    metadata = graph.metadata.isEmpty ? nil : graph.metadata
    operatorSets = graph.operatorSets.isEmpty ? nil : graph.operatorSets
    let symbols = graph.symbols.sorted { $0.key < $1.key }.map { name, bounds in
      Symbol(
        name: name, minimum: bounds.minimum == 0 ? nil : bounds.minimum, maximum: bounds.maximum,
        divisor: bounds.divisor == 1 ? nil : bounds.divisor)
    }
    self.symbols = symbols.isEmpty ? nil : symbols
    let constraints = graph.constraints.map {
      Constraint(left: $0.left.description, relation: $0.relation, right: $0.right.description)
    }
    self.constraints = constraints.isEmpty ? nil : constraints
    var storages = StorageTable()
    let parameters = graph.parameters.ids.map { id in
      let parameter = graph.parameters[id]
      var tensor: TensorData?
      if weights, let bound = parameter.tensor {
        if let first = storages.first(sharing: bound, id) {
          tensor = TensorData(type: bound.type.description, shared: graph.parameters[first].name)
        } else {
          tensor = TensorData(bound)
        }
      }
      return Parameter(name: parameter.name, role: parameter.role, type: parameter.type.description, tensor: tensor)
    }
    self.parameters = parameters.isEmpty ? nil : parameters
    regions = []
    var walk = Walk(graph)
    while let region = walk.nextRegion() { regions.append(region) }
  }

  /// Goes through the regions breadth first and numbers the values on the way.
  private struct Walk {
    private let graph: Graph
    private var queue: [RegionID]
    private var position = 0
    private var numbers: [Int]
    private var count = 0

    init(_ graph: Graph) {
      self.graph = graph
      queue = [graph.body]
      numbers = Array(repeating: -1, count: graph.values.capacity)
    }

    mutating func nextRegion() -> Region? {
      guard position < queue.count else { return nil }
      let region = queue[position]
      position += 1
      let arguments = graph.regions[region].arguments
      number(arguments)
      var next = graph.regions[region].first
      while let node = next {
        number(graph.nodes[node].results)
        next = graph.nodes[node].next
      }
      var nodes: [Node] = []
      next = graph.regions[region].first
      while let node = next {
        nodes.append(document(node))
        next = graph.nodes[node].next
      }
      let results = graph.results(of: region).enumerated().map { index, operand in
        let name = graph.ownResultName(of: region, index)
        return Result(operand: document(operand), name: name == graph.text(of: operand) ? nil : name)
      }
      return Region(arguments: arguments.map(document), nodes: nodes, results: results)
    }

    private mutating func number(_ values: [ValueID]) {
      for value in values {
        numbers[Int(value.index)] = count
        count += 1
      }
    }

    private mutating func document(_ node: NodeID) -> Node {
      let record = graph.nodes[node]
      let attributes = record.attributes.map { ($0.name, Attribute($0.value)) }
      let showsNumber = record.results.isEmpty || record.results.contains { graph.values[$0].name == nil }
      let first = queue.count
      queue += record.regions
      return Node(
        op: record.op.name, domain: record.op.domain.isEmpty ? nil : record.op.domain,
        version: record.op.version == 1 ? nil : record.op.version, registered: record.op.isRegistered ? nil : false,
        operands: record.operands.map(document),
        attributes: attributes.isEmpty ? nil : Dictionary(attributes) { $1 },
        results: record.results.map(document), number: showsNumber ? record.serial : nil, name: record.name,
        location: record.location.map {
          Location(file: $0.file, line: $0.line, module: $0.modulePath.isEmpty ? nil : $0.modulePath)
        }, regions: record.regions.isEmpty ? nil : Array(first..<queue.count))
    }

    private func document(_ value: ValueID) -> Value {
      let record = graph.values[value]
      return Value(id: numbers[Int(value.index)], name: record.name, type: record.type.description)
    }

    private func document(_ operand: FXCore.Operand) -> Operand {
      switch operand {
      case .value(let value): Operand(value: numbers[Int(value.index)])
      case .parameter(let parameter): Operand(parameter: graph.parameters[parameter].name)
      case .literal(.bool(let x)): Operand(bool: x)
      case .literal(.int(let x)): Operand(int: x)
      case .literal(.float(let x)): Operand(float: JSONNumber(x))
      case .none: Operand()
      }
    }
  }
}

extension GraphDocument.TensorData {
  init(_ tensor: Tensor) {
    type = tensor.type.description
    if let strings = tensor.strings {
      self.strings = strings
    } else {
      data = tensor.withUnsafeBytes { Base64.encode($0) }
    }
  }
}

extension GraphDocument.Attribute {
  init(_ value: AttributeValue) {
    switch value {
    case .bool(let x): bool = x
    case .int(let x): int = x
    case .float(let x): float = JSONNumber(x)
    case .string(let x): string = x
    case .ints(let x): ints = x
    case .floats(let x): floats = x.map(JSONNumber.init)
    case .strings(let x): strings = x
    case .elementType(let x): elementType = x
    case .type(let x): type = x.description
    case .types(let x): types = x.map(\.description)
    case .tensor(let x): tensor = GraphDocument.TensorData(x)
    case .tensors(let x): tensors = x.map(GraphDocument.TensorData.init)
    }
  }
}
