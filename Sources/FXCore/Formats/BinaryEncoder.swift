/// Turns a graph into the parts of a binary file: the structure, and the weights it refers to, which are not copied.
///
/// Regions follow each other in breadth-first order, so that depth needs no recursion and a node need only say how
/// many regions it owns.
struct BinaryEncoder {
  private let graph: Graph
  private var body = BinaryWriter()
  private(set) var weights: [Tensor] = []
  private var weightIndices: [WeightKey: Int] = [:]
  private var parameters: [UInt32: UInt64] = [:]
  private var operators: [Operator: UInt64] = [:]
  /// Where each value stands among the values of its region, by the index of its id.
  private var positions: [Int32]
  /// The number that the next node would have if numbers only counted up.
  private var expectedSerial = 0

  private struct WeightKey: Hashable {
    let address: UnsafeRawPointer
    let byteCount: Int
  }

  init(_ graph: Graph) {
    self.graph = graph
    positions = Array(repeating: -1, count: graph.values.capacity)
    writeFacts()
    writeParameters()
    var queue = [graph.body]
    var next = 0
    while next < queue.count {
      let region = queue[next]
      next += 1
      write(region)
      var node = graph.regions[region].first
      while let id = node {
        if !graph.nodes[id].regions.isEmpty { queue += graph.nodes[id].regions }
        node = graph.nodes[id].next
      }
    }
  }

  /// The header and the structure: everything but the weights.
  func head() -> [UInt8] {
    var table = BinaryWriter()
    table.write(count: weights.count)
    var weightBytes = 0
    for tensor in weights {
      table.write(count: tensor.byteCount)
      table.write(fixed64: tensor.withUnsafeBytes { XXH64.hash($0) })
      weightBytes = BinaryFormat.aligned(weightBytes) + tensor.byteCount
    }
    var header = BinaryWriter()
    BinaryFormat.magic.withUnsafeBytes { header.write(raw: $0) }
    header.write(fixed32: UInt32(BinaryFormat.version))
    header.write(fixed32: 0)
    let structure = table.bytes + body.bytes
    header.write(fixed64: UInt64(structure.count))
    header.write(fixed64: UInt64(weightBytes))
    header.write(fixed64: structure.withUnsafeBytes { XXH64.hash($0) })
    header.write(fixed64: 0)
    header.write(fixed64: 0)
    header.write(fixed64: header.bytes.withUnsafeBytes { XXH64.hash($0) })
    return header.bytes + structure
  }

  // MARK: Facts and parameters

  private mutating func writeFacts() {
    body.write(graph.name)
    body.write(count: graph.metadata.count)
    for (key, value) in graph.metadata.sorted(by: { $0.key < $1.key }) {
      body.write(key)
      body.write(value)
    }
    body.write(count: graph.operatorSets.count)
    for (domain, version) in graph.operatorSets.sorted(by: { $0.key < $1.key }) {
      body.write(domain)
      body.write(signed: version)
    }
    body.write(count: graph.symbols.count)
    for (name, bounds) in graph.symbols.sorted(by: { $0.key < $1.key }) {
      body.write(name)
      body.write(signed: bounds.minimum)
      body.write(byte: bounds.maximum == nil ? 0 : 1)
      if let maximum = bounds.maximum { body.write(signed: maximum) }
      body.write(signed: bounds.divisor)
    }
    body.write(count: graph.constraints.count)
    for constraint in graph.constraints {
      body.write(constraint.left)
      write(constraint.relation, of: BinaryFormat.relations)
      body.write(constraint.right)
    }
  }

  private mutating func write<Value: Equatable>(_ value: Value, of choices: [Value]) {
    body.write(byte: UInt8(truncatingIfNeeded: choices.firstIndex(of: value) ?? 0))
  }

  private mutating func writeParameters() {
    let ids = graph.parameters.ids
    var storages = StorageTable()
    body.write(count: ids.count)
    for (number, id) in ids.enumerated() {
      let parameter = graph.parameters[id]
      parameters[id.index] = UInt64(number)
      body.write(parameter.name)
      write(parameter.role, of: BinaryFormat.roles)
      body.write(.tensor(parameter.type))
      if let tensor = parameter.tensor {
        if let first = storages.first(sharing: tensor, id) {
          body.write(byte: 2)
          write(tensor.shape)
          body.write(parameters[first.index] ?? 0)
        } else {
          body.write(byte: 1)
          write(tensor)
        }
      } else {
        body.write(byte: 0)
      }
    }
  }

  private mutating func write(_ shape: [Int]) {
    body.write(count: shape.count)
    for size in shape { body.write(count: size) }
  }

  private mutating func write(_ tensor: Tensor) {
    body.write(tensor.elementType)
    write(tensor.shape)
    switch tensor.contents {
    case .strings(let strings): for string in strings { body.write(string) }
    case .bytes(let storage) where storage.byteCount <= BinaryFormat.inlineLimit: tensor.withUnsafeBytes { body.write(raw: $0) }
    case .bytes(let storage):
      let key = WeightKey(address: UnsafeRawPointer(storage.base), byteCount: storage.byteCount)
      let index = weightIndices[key] ?? weights.count
      if index == weights.count {
        weightIndices[key] = index
        weights.append(tensor)
      }
      body.write(count: index)
    }
  }

  // MARK: Regions

  private mutating func write(_ region: RegionID) {
    let record = graph.regions[region]
    var count: Int32 = 0
    var nodeCount = 0
    func number(_ values: [ValueID]) {
      for value in values {
        positions[Int(value.index)] = count
        count += 1
      }
    }
    number(record.arguments)
    var next = record.first
    while let node = next {
      number(graph.nodes[node].results)
      nodeCount += 1
      next = graph.nodes[node].next
    }
    body.write(count: record.arguments.count)
    for value in record.arguments {
      body.write(optional: graph.values[value].name)
      body.write(graph.values[value].type)
    }
    body.write(count: nodeCount)
    var defined = record.arguments.count
    next = record.first
    while let node = next {
      write(node, defined: defined)
      defined += graph.nodes[node].results.count
      next = graph.nodes[node].next
    }
    let results = graph.results(of: region)
    body.write(count: results.count)
    for (index, operand) in results.enumerated() {
      write(operand, defined: defined)
      let name = graph.ownResultName(of: region, index)
      body.write(optional: name == graph.text(of: operand) ? nil : name)
    }
  }

  private mutating func write(_ node: NodeID, defined: Int) {
    let record = graph.nodes[node]
    write(record.op)
    let attributes = record.attributes.differing(from: record.op.schema?.defaultAttributes)
    let hasLabels = record.results.contains { graph.values[$0].name != nil }
    let showsSerial = record.results.isEmpty || record.results.contains { graph.values[$0].name == nil }
    var parts: BinaryFormat.NodeParts = []
    if hasLabels { parts.insert(.labels) }
    if showsSerial { parts.insert(.serial) }
    if !attributes.isEmpty { parts.insert(.attributes) }
    if record.name != nil { parts.insert(.name) }
    if record.location != nil { parts.insert(.location) }
    if !record.regions.isEmpty { parts.insert(.regions) }
    body.write(byte: parts.rawValue)
    body.write(count: record.operands.count)
    for operand in record.operands { write(operand, defined: defined) }
    body.write(count: record.results.count)
    for value in record.results { body.write(graph.values[value].type) }
    if hasLabels { for value in record.results { body.write(optional: graph.values[value].name) } }
    if showsSerial {
      body.write(signed: Int(record.serial) - expectedSerial)
      expectedSerial = Int(record.serial) + 1
    }
    if !attributes.isEmpty {
      body.write(count: attributes.count)
      for entry in attributes {
        body.write(shared: entry.name)
        write(entry.value)
      }
    }
    if let name = record.name { body.write(name) }
    if let location = record.location {
      body.write(shared: location.file)
      body.write(signed: location.line)
      body.write(shared: location.modulePath)
    }
    if !record.regions.isEmpty { body.write(count: record.regions.count) }
  }

  /// An operator: 0 and its parts the first time, then its number.
  private mutating func write(_ op: Operator) {
    // Equal operators differ here if one is registered and the other is not: the former stand for themselves,
    // the latter are always spelled out.
    if op.isRegistered, let reference = operators[op] { return body.write(reference) }
    body.write(byte: 0)
    body.write(byte: op.isRegistered ? 1 : 0)
    body.write(shared: op.domain)
    body.write(shared: op.name)
    body.write(signed: op.version)
    if op.isRegistered { operators[op] = UInt64(operators.count) + 1 }
  }

  /// The kind in the two lowest bits; a value by its distance from the values defined so far.
  private mutating func write(_ operand: Operand, defined: Int) {
    switch operand {
    case .value(let value):
      body.write(BinaryWriter.zigzag(defined - Int(positions[Int(value.index)])) << 2)
    case .parameter(let parameter): body.write((parameters[parameter.index] ?? 0) << 2 | 1)
    case .literal(.bool(let value)): body.write((value ? 1 : 0) << 2 | 2)
    case .literal(.int(let value)):
      body.write(2 << 2 | 2)
      body.write(signed: Int(value))
    case .literal(.float(let value)):
      body.write(3 << 2 | 2)
      body.write(fixed64: value.bitPattern)
    case .none: body.write(byte: 3)
    }
  }

  private mutating func write(_ value: AttributeValue) {
    write(value.kind, of: BinaryFormat.attributeKinds)
    switch value {
    case .bool(let x): body.write(byte: x ? 1 : 0)
    case .int(let x): body.write(signed: x)
    case .float(let x): body.write(fixed32: x.bitPattern)
    case .string(let x): body.write(shared: x)
    case .ints(let x):
      body.write(count: x.count)
      for element in x { body.write(signed: element) }
    case .floats(let x):
      body.write(count: x.count)
      for element in x { body.write(fixed32: element.bitPattern) }
    case .strings(let x):
      body.write(count: x.count)
      for element in x { body.write(element) }
    case .elementType(let x): body.write(x)
    case .type(let x): body.write(x)
    case .types(let x):
      body.write(count: x.count)
      for element in x { body.write(element) }
    case .tensor(let x): write(x)
    case .tensors(let x):
      body.write(count: x.count)
      for element in x { write(element) }
    }
  }
}
