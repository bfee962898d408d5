import FXCore

/// Makes random graphs that hold everything a graph can hold: every kind of attribute, operand, type and parameter,
/// nested regions, hostile names, unregistered operators, and traces of edits. They are well formed, not meaningful.
public struct RandomGraph {
  public var random: RandomSource
  private var graph = Graph()
  private let size: Int

  public init(seed: UInt64, size: Int = 12) {
    random = RandomSource(seed: seed)
    self.size = size
  }

  /// The operators that the graphs call, and those of the framework.
  public static let operators: OperatorTable = {
    var table = OperatorTable.standard
    for op in registered { table.register(op) }
    return table
  }()

  static let registered = [
    Operator(
      "everything", domain: "test", .elementwise, "Has an attribute of every kind.", operands: ["inputs..."],
      results: ["outputs..."],
      attributes: [
        AttributeKey<Bool>("bool", default: true).specification, AttributeKey<Int>("int", default: -1).specification,
        AttributeKey<Float>("float", default: 0.5).specification,
        AttributeKey<String>("string", default: "a", allowed: ["a", "b c"]).specification,
        AttributeKey<[Int]>("ints", default: [1, 2]).specification, AttributeKey<[Int]?>("ints?").specification,
        AttributeKey<[Float]>("floats", default: []).specification, AttributeKey<[String]>("strings", default: []).specification,
        AttributeKey<ElementType>("dtype", default: .float32).specification,
        AttributeKey<ValueType?>("type").specification, AttributeKey<Tensor?>("value").specification,
        AttributeKey<[Tensor]?>("values").specification,
      ]),
    Operator(
      "needs", domain: "test", version: 3, .elementwise, "", operands: ["x", "y?"],
      attributes: [AttributeKey<Int>("axis").specification]),
    Operator(
      "branch", domain: "test", .controlFlow, "", operands: ["inputs..."], results: ["outputs..."], regions: ["then", "else"]),
    Operator("iterate", .controlFlow, "", operands: ["inputs..."], results: ["outputs..."], regions: ["body"]),
    Operator("emit", .elementwise, "", operands: ["x?"], results: [], effect: .io),
  ]

  public mutating func make() throws -> Graph {
    graph = Graph(name: random.oneIn(3) ? hostileName() : "main")
    for _ in 0..<random.below(4) { graph.symbols[hostileName()] = bounds() }
    for _ in 0..<random.below(3) {
      graph.constraints.append(
        DimensionConstraint(dimension(), random.pick([.equal, .lessOrEqual, .multiple, .broadcastable]), dimension()))
    }
    for _ in 0..<random.below(3) { graph.metadata[hostileName()] = hostileName() }
    for _ in 0..<random.below(3) { graph.operatorSets[random.oneIn(2) ? "" : hostileName()] = random.below(30) }
    for _ in 0..<random.below(6) { try addParameter() }
    for _ in 0..<random.below(4) { try graph.addArgument(to: graph.body, name: nil, type()) }
    try fill(graph.body, nodes: random.below(size + 1), depth: 0)
    try disturb()
    return graph
  }

  // MARK: Nodes

  private mutating func fill(_ region: RegionID, nodes: Int, depth: Int) throws {
    var values = try graph.arguments(of: region)
    for value in values where random.oneIn(2) { try graph.setUniqueName(hostileName(), of: value) }
    for _ in 0..<nodes {
      let node = try addNode(to: region, values, depth)
      let results = try graph[node].results
      for result in results where random.oneIn(3) { try graph.setUniqueName(hostileName(), of: result) }
      values += results
      for inner in try graph[node].regions {
        for _ in 0..<random.below(3) { try graph.addArgument(to: inner, name: nil, type()) }
        try fill(inner, nodes: random.below(4), depth: depth + 1)
      }
    }
    let results = (0..<random.below(4)).map { _ in operand(values) }
    if region == graph.body {
      // Two outputs of one name are refused, so each gets its own or none is added.
      for result in results { try? graph.addOutput(result, name: random.oneIn(2) ? hostileName() : nil) }
    } else {
      let names = results.map { _ in random.oneIn(3) ? hostileName() : nil }
      try graph.setResults(of: region, results, names: names)
    }
  }

  private mutating func addNode(to region: RegionID, _ values: [ValueID], _ depth: Int) throws -> NodeID {
    var op = random.pick([Operator.add, .neg] + RandomGraph.registered)
    var regionCount = 0
    if random.oneIn(4) {
      op = Operator(
        unregistered: hostileName(), domain: random.oneIn(4) ? "" : hostileName(), version: random.oneIn(2) ? 1 : random.below(99)
      )
      regionCount = depth < 3 && random.oneIn(3) ? random.below(3) : 0
    } else if depth >= 3, op.schema?.regions.isEmpty == false {
      op = .add
    }
    let allowed = op.schema?.operandCount ?? 0...4
    let operandCount = allowed.lowerBound + random.below(min(allowed.upperBound, allowed.lowerBound + 3) - allowed.lowerBound + 1)
    let results = op.schema?.resultCount ?? 0...3
    let resultCount = results.lowerBound + random.below(min(results.upperBound, results.lowerBound + 2) - results.lowerBound + 1)
    let operands = (0..<operandCount).map { _ in operand(values) }
    let types = (0..<resultCount).map { _ in type() }
    let location =
      random.oneIn(2)
      ? nil : Location(file: hostileName(), line: random.below(9999), modulePath: random.oneIn(2) ? "" : hostileName())
    return try graph.append(
      op, operands, attributes: attributes(of: op), results: types, at: .end(of: region),
      name: random.oneIn(4) ? hostileName() : nil, location: location, regionCount: regionCount)
  }

  private mutating func operand(_ values: [ValueID]) -> Operand {
    let parameters = graph.parameterIDs
    switch random.below(8) {
    case 0: return .none
    case 1: return .literal(.int(random.oneIn(4) ? .min : Int64(random.below(100)) - 50))
    case 2:
      return .literal(
        .float(random.oneIn(2) ? Double(bitPattern: random.next()) : random.pick([0, -0.0, 1, 1e20, .infinity, .nan])))
    case 3: return random.oneIn(3) ? .literal(.bool(random.oneIn(2))) : .none
    case 4, 5: return parameters.isEmpty ? .none : .parameter(random.pick(parameters))
    default: return values.isEmpty ? .none : .value(random.pick(values))
    }
  }

  /// What edits leave behind: holes in the numbering, reused ids, uses before definitions.
  private mutating func disturb() throws {
    for node in graph.allNodes where random.oneIn(6) { try? graph.erase(node) }
    if random.oneIn(3), let node = try? graph.append(.add, [1, 2].map { .literal($0) }) {
      try graph.setName("added \(random.below(9))", of: node)
    }
    if random.oneIn(2) {
      let nodes = graph.bodyNodes
      if nodes.count > 1 { try graph.move(nodes[random.below(nodes.count)], to: .before(nodes[0])) }
    }
    if random.oneIn(4), let input = graph.inputs.indices.randomElement(using: &random) {
      try? graph.removeArguments(of: graph.body, at: [input])
    }
  }

  // MARK: Attributes

  private mutating func attributes(of op: Operator) -> Attributes {
    var attributes: Attributes = [:]
    guard let schema = op.schema else {
      for _ in 0..<random.below(4) { attributes[hostileName()] = attribute(random.pick(AttributeValue.Kind.allCases)) }
      return attributes
    }
    for specification in schema.attributes where specification.isRequired || random.oneIn(3) {
      attributes[specification.name] =
        specification.allowed.isEmpty ? attribute(specification.kind) : .string(random.pick(specification.allowed))
    }
    return attributes
  }

  public mutating func attribute(_ kind: AttributeValue.Kind) -> AttributeValue {
    let count = random.below(4)
    switch kind {
    case .bool: return .bool(random.oneIn(2))
    case .int: return .int(int())
    case .float: return .float(float())
    case .string: return .string(hostileName())
    case .ints: return .ints((0..<count).map { _ in int() })
    case .floats: return .floats((0..<count).map { _ in float() })
    case .strings: return .strings((0..<count).map { _ in hostileName() })
    case .elementType: return .elementType(random.pick(ElementType.allCases))
    case .type: return .type(type())
    case .types: return .types((0..<count).map { _ in type() })
    case .tensor: return .tensor(tensor())
    case .tensors: return .tensors((0..<count).map { _ in tensor() })
    }
  }

  private mutating func int() -> Int {
    random.pick([0, 1, -1, .max, .min, Int(truncatingIfNeeded: random.next())])
  }

  private mutating func float() -> Float {
    random.pick([
      0, -0.0, 1, -2.5, .leastNonzeroMagnitude, 3e38, .infinity, -.infinity, .nan,
      Float(bitPattern: UInt32(truncatingIfNeeded: random.next())),
    ])
  }

  // MARK: Parameters

  private mutating func addParameter() throws {
    let name = "\(hostileName())\(random.below(1000))"
    let role = random.pick([Parameter.Role.weight, .buffer, .constant])
    guard graph.parameter(named: name) == nil else { return }
    let others = graph.parameterIDs
    if random.oneIn(3) {
      try graph.addParameter(name, unbound: TensorType(random.pick(ElementType.allCases), shape()), role: role)
    } else if random.oneIn(4), let other = others.last, let tensor = try graph[other].tensor {
      try graph.addParameter(name, tensor.reshaped([tensor.elementCount, 1]), role: role)
    } else {
      let tensor = tensor()
      let id = try graph.addParameter(name, tensor, role: role)
      if random.oneIn(4), !tensor.shape.isEmpty {
        var shape = Shape(tensor.shape)
        shape[0] = dimension()
        if tensor.type == TensorType(tensor.elementType, shape) || shape[0].size == nil {
          try graph.setType(of: id, to: TensorType(tensor.elementType, shape))
        }
      }
    }
  }

  /// A tensor of any element type with random bits.
  public mutating func tensor() -> Tensor {
    let type = random.pick(ElementType.allCases)
    let shape = (0..<random.below(3)).map { _ in random.below(5) }
    let count = shape.reduce(1, *)
    let tensor: Tensor?
    if let byteCount = type.byteCount(elements: count) {
      let bytes = random.oneIn(4) ? [UInt8](repeating: 0, count: byteCount) : random.bytes(byteCount)
      tensor = bytes.withUnsafeBytes { try? Tensor(type, shape, bytes: $0) }
    } else {
      tensor = try? Tensor(shape, strings: (0..<count).map { _ in hostileName() })
    }
    return tensor ?? Tensor(vector: [Float]())
  }

  // MARK: Types

  public mutating func type(depth: Int = 0) -> ValueType {
    switch random.below(depth < 3 ? 8 : 5) {
    case 0: .unknown
    case 1: .tensor(random.pick(ElementType.allCases), nil)
    case 2...4: .tensor(random.pick(ElementType.allCases), shape())
    case 5: .sequence(type(depth: depth + 1))
    case 6: .optional(type(depth: depth + 1))
    default: .map(random.pick([.string, .int64]), type(depth: depth + 1))
    }
  }

  private mutating func shape() -> Shape { Shape((0..<random.below(4)).map { _ in dimension() }) }

  /// A random expression over a few symbols.
  public mutating func dimension(depth: Int = 0) -> Dimension {
    switch random.below(depth < 3 ? 14 : 4) {
    case 0, 1: Dimension(random.oneIn(9) ? random.pick([.max, .min, -3]) : random.below(1000))
    case 2, 3: Dimension(symbol: random.oneIn(9) ? hostileName() : random.pick(["batch", "s", "min", "_x1"]))
    case 4: .unknown
    case 5, 6: dimension(depth: depth + 1) + dimension(depth: depth + 1)
    case 7: dimension(depth: depth + 1) - dimension(depth: depth + 1)
    case 8, 9: dimension(depth: depth + 1) * dimension(depth: depth + 1)
    case 10: dimension(depth: depth + 1) / dimension(depth: depth + 1)
    case 11: dimension(depth: depth + 1) % dimension(depth: depth + 1)
    case 12: .minimum(dimension(depth: depth + 1), dimension(depth: depth + 1))
    default: .maximum(dimension(depth: depth + 1), dimension(depth: depth + 1))
    }
  }

  private mutating func bounds() -> SymbolBounds {
    SymbolBounds(
      minimum: random.below(3), maximum: random.oneIn(2) ? nil : random.below(99), divisor: 1 + random.below(3))
  }

  // MARK: Names

  /// A name that a careless reader or writer of names stumbles over.
  public mutating func hostileName() -> String {
    let pieces = [
      "x", "layer.0", "node_1", "node_2.1", "node_0", "arg_0", "node_007", "/model//norm/Add", "//", "", " ", "12", "%x",
      "@p", "a\"b", "\\", "\n", "\r\n", "\t", "\u{0}", "\u{7f}", "é", "e\u{301}", "日本", "🙂", "\u{2028}", "\u{feff}",
      "a: f32[2]",
      "return", "none", "true", "nan", "inf", "region", "…", "in", "at", "min", "-1", "a-b", "$", "::", "}", "\\u{41}",
      "node_4294967295", "node_2147483648", "node_99999999999999999999",
    ]
    return random.oneIn(4) ? random.pick(pieces) + random.pick(pieces) : random.pick(pieces)
  }
}
