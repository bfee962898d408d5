/// Reads a graph from the text format.
///
/// Regions that are open are kept on a stack of the parser's own, so that a hostile text cannot exhaust the machine's.
struct TextParser {
  var scanner: TextScanner
  var assembler: GraphAssembler
  private let operators: OperatorTable
  private var frames: [Frame] = []

  /// A region that is being read.
  private struct Frame {
    let region: RegionID
    let owner: NodeID?
    /// The values by all names that they go by.
    var values: [String: ValueID] = [:]
    /// Operands that come before what they name.
    var pending: [Pending] = []
  }

  private struct Pending {
    let node: NodeID
    let operand: Int
    let name: String
    let position: Int
  }

  /// A result as it is written.
  private struct Result {
    let name: String
    let type: ValueType
    let position: Int
  }

  init(_ text: String, operators: OperatorTable) {
    scanner = TextScanner(text)
    self.operators = operators
    assembler = GraphAssembler(name: "", operators: operators)
  }

  mutating func parseGraph() throws(TextError) -> Graph {
    try scanner.expect(keyword: "fx", or: "'fx' and the version of the format")
    let start = scanner.position
    let version = try scanner.integer()
    guard version >= 1, version <= Graph.textVersion else {
      throw scanner.error(.version(found: version, supported: Graph.textVersion), at: start)
    }
    try scanner.expect(keyword: "graph")
    assembler = GraphAssembler(name: try scanner.name(after: "@", "the graph's name, such as @main"), operators: operators)
    try open(assembler.graph.body, owner: nil)
    try parseFacts()
    while !frames.isEmpty {
      if scanner.accept(keyword: "return") {
        try parseReturn()
      } else {
        try parseCall()
      }
    }
    guard scanner.isAtEnd else { throw scanner.expected("the end of the text") }
    return assembler.finish()
  }

  // MARK: Regions

  /// The arguments and the opening brace of a region.
  private mutating func open(_ region: RegionID, owner: NodeID?) throws(TextError) {
    var frame = Frame(region: region, owner: owner)
    try scanner.expect("(")
    var isFirst = true
    while !scanner.accept(")") {
      if !isFirst { try scanner.expect(",") }
      isFirst = false
      let argument = try parseDefinition()
      do {
        let value = try assembler.addArgument(to: region, name: argument.name, type: argument.type)
        guard frame.values.updateValue(value, forKey: argument.name) == nil else {
          throw GraphError.duplicateName(argument.name)
        }
      } catch {
        throw scanner.error(.duplicate("%" + argument.name), at: argument.position)
      }
    }
    try scanner.expect("{")
    frames.append(frame)
  }

  /// What follows a node that may own regions: the first region of a node, or the one after the region that just ended.
  private mutating func openNextRegion(of node: NodeID) throws(TextError) {
    let record = assembler.graph.nodes[node]
    let index = record.regions.count
    if let schema = record.op.schema {
      guard index < schema.regions.count else { return }
      let start = scanner.position
      let expected = "the region '\(schema.regions[index])' of \(record.op)"
      let word = try scanner.word(expected)
      guard word == schema.regions[index] else { throw scanner.error(.expected(expected, found: word), at: start) }
    } else {
      guard scanner.accept(keyword: "region") else { return }
    }
    let region: RegionID
    do { region = try assembler.addRegion(to: node) } catch { throw scanner.error(.graph(error), at: scanner.position) }
    try open(region, owner: node)
  }

  private mutating func parseReturn() throws(TextError) {
    guard let frame = frames.last else { return }
    var results: [Operand] = []
    var names: [String?] = []
    while scanner.peek != UInt8(ascii: "}") {
      if !results.isEmpty { try scanner.expect(",") }
      let start = scanner.position
      let (operand, name) = try parseOperand()
      if let name { throw undefined(name, frame, at: start) }
      results.append(operand)
      names.append(scanner.accept(keyword: "as") ? try scanner.string() : nil)
    }
    try scanner.expect("}")
    for pending in frame.pending {
      guard let value = frame.values[pending.name] else { throw undefined(pending.name, frame, at: pending.position) }
      assembler.setOperand(pending.operand, of: pending.node, to: .value(value))
    }
    assembler.setResults(of: frame.region, results, names: names)
    frames.removeLast()
    if let owner = frame.owner { try openNextRegion(of: owner) }
  }

  private func undefined(_ name: String, _ frame: Frame, at position: Int) -> TextError {
    let suggestions = frame.values.keys.nearest(to: name).map { "%" + $0 }
    return scanner.error(.undefined("%" + name, suggestions: suggestions), at: position)
  }

  // MARK: Nodes

  /// `%name: type`, the type left out if it is unknown.
  private mutating func parseDefinition() throws(TextError) -> Result {
    let start = scanner.position
    let name = try scanner.name(after: "%", "a value such as %x, or 'return'")
    return Result(name: name, type: scanner.accept(":") ? try scanner.type() : .unknown, position: start)
  }

  private mutating func parseCall() throws(TextError) {
    var results: [Result] = []
    var serial: UInt32?
    if scanner.peek == UInt8(ascii: "%") {
      repeat { results.append(try parseDefinition()) } while scanner.accept(",")
      for (index, result) in results.enumerated() where serial == nil {
        serial = TextParser.serial(in: result.name, index)
      }
    } else {
      let start = scanner.position
      let name = try scanner.word("a value such as %x, or 'return'")
      serial = TextParser.serial(in: name, 0)
      guard serial != nil || name == "_" else {
        throw scanner.error(.expected("a value such as %x, or 'return'", found: name), at: start)
      }
    }
    try scanner.expect("=")
    let start = scanner.position
    let op = try parseOperator()
    try scanner.expect("(")
    var operands: [Operand] = []
    var missing: [(index: Int, name: String, position: Int)] = []
    while !scanner.accept(")") {
      if !operands.isEmpty { try scanner.expect(",") }
      let position = scanner.position
      let (operand, name) = try parseOperand()
      if let name { missing.append((operands.count, name, position)) }
      operands.append(operand)
    }
    let attributes = try parseAttributes()
    let name = scanner.peek == UInt8(ascii: "\"") ? try scanner.string() : nil
    let location = try parseLocation()
    let node = try add(op, operands, attributes, results, serial, name, location, at: start)
    for operand in missing {
      frames[frames.count - 1].pending.append(
        Pending(node: node, operand: operand.index, name: operand.name, position: operand.position))
    }
    try openNextRegion(of: node)
  }

  private mutating func add(
    _ op: Operator, _ operands: [Operand], _ attributes: Attributes, _ results: [Result], _ serial: UInt32?,
    _ name: String?, _ location: Location?, at start: Int
  ) throws(TextError) -> NodeID {
    for result in results where frames[frames.count - 1].values[result.name] != nil {
      throw scanner.error(.duplicate("%" + result.name), at: result.position)
    }
    let labels = results.enumerated().map { index, result in
      serial != nil && TextParser.serial(in: result.name, index) == serial ? nil : result.name
    }
    let node: NodeID
    do {
      node = try assembler.addNode(
        op, operands, attributes, results: results.map(\.type), labels: labels, serial: serial, name: name,
        location: location, to: frames[frames.count - 1].region)
    } catch {
      throw scanner.error(.graph(error), at: start)
    }
    for (result, value) in zip(results, assembler.graph.nodes[node].results) {
      guard frames[frames.count - 1].values.updateValue(value, forKey: result.name) == nil else {
        throw scanner.error(.duplicate("%" + result.name), at: result.position)
      }
    }
    return node
  }

  /// The number in the name that result `index` of an unlabelled node has: `node_3`, `node_3.1`, …
  private static func serial(in name: String, _ index: Int) -> UInt32? {
    guard let serial = Graph.serial(in: name) else { return nil }
    return name == (index == 0 ? "node_\(serial)" : "node_\(serial).\(index)") ? serial : nil
  }

  /// `relu`, `com.vendor::Fancy@2`, and `?` before one that is not registered.
  private mutating func parseOperator() throws(TextError) -> Operator {
    let start = scanner.position
    let isRegistered = !scanner.accept("?")
    var name = try scanner.word("an operator")
    var domain = ""
    if scanner.skip("::") {
      domain = name
      name = try scanner.word("an operator")
    } else if !isRegistered {
      throw scanner.expected("'::' and the operator's name after its domain")
    }
    let version = scanner.accept("@") ? try scanner.integer() : 1
    do {
      return try assembler.findOperator(name, domain: domain, version: version, isRegistered: isRegistered)
    } catch {
      throw scanner.error(.graph(error), at: start)
    }
  }

  /// An operand; a value that is not defined yet is `none` and its name.
  private mutating func parseOperand() throws(TextError) -> (Operand, undefined: String?) {
    switch scanner.peek {
    case UInt8(ascii: "%"):
      let name = try scanner.name(after: "%", "a value")
      if let value = frames[frames.count - 1].values[name] { return (.value(value), nil) }
      return (.none, name)
    case UInt8(ascii: "@"):
      let start = scanner.position
      let name = try scanner.name(after: "@", "a parameter")
      guard let parameter = assembler.graph.parameterNames[name] else {
        let suggestions = assembler.graph.parameterNames.keys.nearest(to: name).map { "@" + $0 }
        throw scanner.error(.undefined("@" + name, suggestions: suggestions), at: start)
      }
      return (.parameter(parameter), nil)
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return (.literal(.bool(try scanner.bool())), nil)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "n"), UInt8(ascii: "i"):
      if scanner.accept(keyword: "none") { return (.none, nil) }
      let number = try scanner.number()
      if number.kind == .integer { return (.literal(.int(try number.integer(Int64.self, in: &scanner))), nil) }
      return (.literal(.float(try number.double(in: &scanner))), nil)
    default: throw scanner.expected("an operand: %value, @parameter, a number, 'true', 'false' or 'none'")
    }
  }

  /// `at "Model.swift":12 in "layers.0"`
  private mutating func parseLocation() throws(TextError) -> Location? {
    guard scanner.accept(keyword: "at") else { return nil }
    let file = try scanner.string()
    try scanner.expect(":")
    let line = try scanner.integer()
    let path = scanner.accept(keyword: "in") ? try scanner.string() : ""
    return Location(file: file, line: line, modulePath: path)
  }
}
