/// Builds a graph from a binary file. Nothing in the bytes is believed: every count, index, name and length is checked.
struct BinaryDecoder {
  private var reader: BinaryReader
  private var assembler: GraphAssembler
  private let operatorTable: OperatorTable
  private let file: BinaryFile
  /// The storage of weights in memory, made when first used, so that what shares bytes goes on sharing them.
  private var storages: [TensorStorage?]
  /// What keeps the bytes alive if tensors are to be slices of them; `nil` if they are to be copies.
  private let owner: AnyObject?
  private var parameters: [ParameterID] = []
  private var operators: [Operator] = []
  private var expectedSerial = 0

  /// An operand that comes before the value it names.
  private struct Pending {
    let node: NodeID
    let operand: Int
    let position: Int
  }

  init(_ file: BinaryFile, operators: OperatorTable, owner: AnyObject?) {
    self.file = file
    self.owner = owner
    reader = file.structure
    storages = Array(repeating: nil, count: file.weights.count)
    operatorTable = operators
    assembler = GraphAssembler(name: "", operators: operators)
  }

  mutating func decode() throws(FormatError) -> Graph {
    try readFacts()
    for _ in 0..<(try reader.count(size: 4)) { try readParameter() }
    // Regions are made when they are read, so that a count alone allocates nothing.
    var owners: [(node: NodeID, count: Int)] = []
    try read(assembler.graph.body, &owners)
    var next = 0
    while next < owners.count {
      for _ in 0..<owners[next].count {
        let region: RegionID
        do { region = try assembler.addRegion(to: owners[next].node) } catch { throw reader.error(.graph(error)) }
        try read(region, &owners)
      }
      next += 1
    }
    guard reader.isAtEnd else { throw reader.error(.trailing) }
    return assembler.finish()
  }

  // MARK: Facts and parameters

  private mutating func readFacts() throws(FormatError) {
    assembler = GraphAssembler(name: try reader.string(), operators: operatorTable)
    var metadata: [String: String] = [:]
    for _ in 0..<(try reader.count(size: 2)) {
      let key = try reader.string()
      metadata[key] = try reader.string()
    }
    var operatorSets: [String: Int] = [:]
    for _ in 0..<(try reader.count(size: 2)) {
      let domain = try reader.string()
      operatorSets[domain] = try reader.signed()
    }
    var symbols: [String: SymbolBounds] = [:]
    for _ in 0..<(try reader.count(size: 4)) {
      let name = try reader.string()
      let minimum = try reader.signed()
      let maximum = try reader.byte() == 0 ? nil : try reader.signed()
      let divisor = try reader.signed()
      guard minimum >= 0, divisor >= 1 else { throw reader.error(.expected("bounds of at least 0 and a divisor of at least 1")) }
      symbols[name] = SymbolBounds(minimum: minimum, maximum: maximum, divisor: divisor)
    }
    var constraints: [DimensionConstraint] = []
    for _ in 0..<(try reader.count(size: 3)) {
      let left = try reader.dimension()
      let relation = try reader.choice(BinaryFormat.relations, "relation")
      constraints.append(DimensionConstraint(left, relation, try reader.dimension()))
    }
    assembler.setFacts(metadata: metadata, operatorSets: operatorSets, symbols: symbols, constraints: constraints)
  }

  private mutating func readParameter() throws(FormatError) {
    let name = try reader.string()
    let role = try reader.choice(BinaryFormat.roles, "role")
    guard case .tensor(let type) = try reader.type() else { throw reader.error(.expected("the type of a tensor")) }
    let tensor: Tensor?
    switch try reader.byte() {
    case 0: tensor = nil
    case 1: tensor = try readTensor()
    case 2: tensor = try readSharedTensor()
    case let other: throw reader.error(.index("kind of binding", Int(other), count: 3))
    }
    do {
      parameters.append(try assembler.addParameter(name, role: role, type: type, tensor: tensor))
    } catch {
      throw reader.error(.graph(error))
    }
  }

  private mutating func readShape() throws(FormatError) -> [Int] {
    var shape: [Int] = []
    for _ in 0..<(try reader.count()) {
      let size = try reader.unsigned()
      guard size <= UInt64(Int.max) else { throw reader.error(.expected("a size of at most 63 bits")) }
      shape.append(Int(size))
    }
    return shape
  }

  /// The bytes of an earlier parameter in another shape.
  private mutating func readSharedTensor() throws(FormatError) -> Tensor {
    let shape = try readShape()
    let reference = try reader.unsigned()
    guard reference < UInt64(parameters.count) else { throw reader.noSuch("parameter", reference &+ 1, parameters.count) }
    guard let tensor = assembler.graph.parameters[parameters[Int(reference)]].tensor else {
      throw reader.error(.expected("a parameter that has bytes to share"))
    }
    do {
      return try tensor.reshaped(shape)
    } catch {
      throw reader.error(.tensor(error))
    }
  }

  private mutating func readTensor() throws(FormatError) -> Tensor {
    let type = try reader.elementType()
    let shape = try readShape()
    do {
      let count = try Tensor.elementCount(of: shape, type)
      guard let byteCount = type.byteCount(elements: count) else {
        guard count <= reader.remaining else { throw reader.error(.truncated) }
        var strings: [String] = []
        for _ in 0..<count { strings.append(try reader.string()) }
        return try Tensor(shape, strings: strings)
      }
      if byteCount <= BinaryFormat.inlineLimit {
        let storage = TensorStorage(byteCount: byteCount, zeroed: false)
        if let base = try reader.raw(byteCount).baseAddress { storage.base.copyMemory(from: base, byteCount: byteCount) }
        return Tensor(type, shape, count: count, .bytes(storage))
      }
      let storage = try weight(try reader.unsigned())
      guard storage.byteCount == byteCount else { throw TensorError.byteCount(type, shape, storage.byteCount) }
      return Tensor(type, shape, count: count, .bytes(storage))
    } catch let error as FormatError {
      throw error
    } catch let error as TensorError {
      throw reader.error(.tensor(error))
    } catch {
      throw reader.error(.truncated)
    }
  }

  private mutating func weight(_ reference: UInt64) throws(FormatError) -> TensorStorage {
    guard reference < UInt64(storages.count) else {
      throw reader.error(.index("weight", Int(clamping: reference), count: storages.count))
    }
    let index = Int(reference)
    if let storage = storages[index] { return storage }
    let bytes = file.bytes(of: file.weights[index])
    let storage: TensorStorage
    if let owner {
      storage = TensorStorage(borrowing: bytes, owner: owner)
    } else {
      storage = TensorStorage(byteCount: bytes.count, zeroed: false)
      if let base = bytes.baseAddress { storage.base.copyMemory(from: base, byteCount: bytes.count) }
    }
    storages[index] = storage
    return storage
  }

  // MARK: Regions

  private mutating func read(_ region: RegionID, _ owners: inout [(node: NodeID, count: Int)]) throws(FormatError) {
    var values: [ValueID] = []
    for _ in 0..<(try reader.count(size: 2)) {
      let name = try reader.optionalString()
      let type = try reader.type()
      do {
        values.append(try assembler.addArgument(to: region, name: name, type: type))
      } catch {
        throw reader.error(.graph(error))
      }
    }
    var pending: [Pending] = []
    for _ in 0..<(try reader.count(size: 4)) { try readNode(in: region, &values, &pending, &owners) }
    for use in pending {
      guard use.position < values.count else {
        throw reader.error(.index("value", use.position, count: values.count))
      }
      assembler.setOperand(use.operand, of: use.node, to: .value(values[use.position]))
    }
    var results: [Operand] = []
    var names: [String?] = []
    for _ in 0..<(try reader.count(size: 2)) {
      let (operand, missing) = try readOperand(values)
      if let missing { throw reader.error(.index("value", missing, count: values.count)) }
      results.append(operand)
      names.append(try reader.optionalString())
    }
    assembler.setResults(of: region, results, names: names)
    do {
      try assembler.checkNames(of: region)
    } catch {
      throw reader.error(.graph(error))
    }
  }

  private mutating func readNode(
    in region: RegionID, _ values: inout [ValueID], _ pending: inout [Pending], _ owners: inout [(node: NodeID, count: Int)]
  ) throws(FormatError) {
    let op = try readOperator()
    let parts = BinaryFormat.NodeParts(rawValue: try reader.byte())
    guard parts.isSubset(of: .all) else { throw reader.error(.expected("parts of a node that this version knows")) }
    var operands: [Operand] = []
    var missing: [(index: Int, position: Int)] = []
    let operandCount = try reader.count()
    operands.reserveCapacity(operandCount)
    for index in 0..<operandCount {
      let (operand, position) = try readOperand(values)
      operands.append(operand)
      if let position { missing.append((index, position)) }
    }
    var types: [ValueType] = []
    let resultCount = try reader.count()
    types.reserveCapacity(resultCount)
    for _ in 0..<resultCount { types.append(try reader.type()) }
    var labels: [String?] = []
    if parts.contains(.labels) { for _ in 0..<resultCount { labels.append(try reader.optionalString()) } }
    let serial = parts.contains(.serial) ? try readSerial() : nil
    let attributes = parts.contains(.attributes) ? try readAttributes() : [:]
    let name = parts.contains(.name) ? try reader.string() : nil
    var location: Location?
    if parts.contains(.location) {
      let file = try reader.sharedString()
      let line = try reader.signed()
      location = Location(file: file, line: line, modulePath: try reader.sharedString())
    }
    let regionCount = parts.contains(.regions) ? try reader.count() : 0
    let node: NodeID
    do throws(GraphError) {
      node = try assembler.addNode(
        op, operands, attributes, results: types, labels: labels, serial: serial, name: name, location: location, to: region)
      if let schema = op.schema, schema.regions.count != regionCount {
        throw GraphError.regionCount(op.description, expected: schema.regions.count, actual: regionCount)
      }
    } catch {
      throw reader.error(.graph(error))
    }
    values += assembler.graph.nodes[node].results
    for (index, position) in missing { pending.append(Pending(node: node, operand: index, position: position)) }
    if regionCount > 0 { owners.append((node, regionCount)) }
  }

  private mutating func readSerial() throws(FormatError) -> UInt32 {
    let (serial, overflow) = expectedSerial.addingReportingOverflow(try reader.signed())
    guard !overflow, serial >= 0, serial < Int(Graph.serialLimit) else {
      throw reader.error(.expected("a node's number below \(Graph.serialLimit)"))
    }
    expectedSerial = serial + 1
    return UInt32(serial)
  }

  private mutating func readOperator() throws(FormatError) -> Operator {
    let reference = try reader.unsigned()
    if reference > 0 {
      guard reference <= UInt64(operators.count) else { throw reader.noSuch("operator", reference, operators.count) }
      return operators[Int(reference) - 1]
    }
    let isRegistered = try reader.byte() == 1
    let domain = try reader.sharedString()
    let name = try reader.sharedString()
    let version = try reader.signed()
    do {
      let op = try assembler.findOperator(name, domain: domain, version: version, isRegistered: isRegistered)
      if isRegistered { operators.append(op) }
      return op
    } catch {
      throw reader.error(.graph(error))
    }
  }

  /// An operand; a value that is not defined yet is `none` and its position.
  private mutating func readOperand(_ values: [ValueID]) throws(FormatError) -> (Operand, missing: Int?) {
    let code = try reader.unsigned()
    switch code & 3 {
    case 0:
      let (position, overflow) = values.count.subtractingReportingOverflow(BinaryReader.signed(code >> 2))
      guard !overflow, position >= 0 else { throw reader.error(.expected("a value of the region")) }
      return position < values.count ? (.value(values[position]), nil) : (.none, position)
    case 1:
      guard code >> 2 < UInt64(parameters.count) else {
        throw reader.error(.index("parameter", Int(code >> 2), count: parameters.count))
      }
      return (.parameter(parameters[Int(code >> 2)]), nil)
    case 2:
      switch code >> 2 {
      case 0: return (.literal(.bool(false)), nil)
      case 1: return (.literal(.bool(true)), nil)
      case 2: return (.literal(.int(Int64(try reader.signed()))), nil)
      case 3: return (.literal(.float(Double(bitPattern: try reader.fixed64()))), nil)
      case let other: throw reader.error(.index("kind of literal", Int(other), count: 4))
      }
    default: return (.none, nil)
    }
  }

  // MARK: Attributes

  private mutating func readAttributes() throws(FormatError) -> Attributes {
    var pairs: [(String, AttributeValue)] = []
    for _ in 0..<(try reader.count(size: 3)) {
      let name = try reader.sharedString()
      pairs.append((name, try readAttribute()))
    }
    return Attributes(pairs)
  }

  private mutating func readAttribute() throws(FormatError) -> AttributeValue {
    switch try reader.choice(BinaryFormat.attributeKinds, "kind of attribute") {
    case .bool: return .bool(try reader.byte() != 0)
    case .int: return .int(try reader.signed())
    case .float: return .float(Float(bitPattern: try reader.fixed32()))
    case .string: return .string(try reader.sharedString())
    case .ints: return .ints(try list(size: 1) { decoder throws(FormatError) in try decoder.reader.signed() })
    case .floats:
      return .floats(
        try list(size: 4) { decoder throws(FormatError) in Float(bitPattern: try decoder.reader.fixed32()) })
    case .strings: return .strings(try list(size: 1) { decoder throws(FormatError) in try decoder.reader.string() })
    case .elementType: return .elementType(try reader.elementType())
    case .type: return .type(try reader.type())
    case .types: return .types(try list(size: 1) { decoder throws(FormatError) in try decoder.reader.type() })
    case .tensor: return .tensor(try readTensor())
    case .tensors: return .tensors(try list(size: 2) { decoder throws(FormatError) in try decoder.readTensor() })
    }
  }

  private mutating func list<Element>(
    size: Int, _ element: (inout BinaryDecoder) throws(FormatError) -> Element
  ) throws(FormatError) -> [Element] {
    var elements: [Element] = []
    for _ in 0..<(try reader.count(size: size)) { elements.append(try element(&self)) }
    return elements
  }
}
