import FXCore

/// The code of a call.
public enum CallCode: Sendable, Equatable {
  /// One expression for each result.
  case expressions([String])
  /// One expression that gives all results, in order.
  case all(String)

  /// The code of a call with one result.
  public static func expression(_ text: String) -> CallCode { .expressions([text]) }
}

/// What is specific to a target in programs that are lists of statements.
protocol StatementDialect: ControlFlowSyntax {
  /// The code of a call of an operator without regions.
  /// - Throws: `NotExpressible`.
  mutating func code(of site: CallSite, operands: [String]) throws -> CallCode
  /// How a parameter is spelled where it is used.
  mutating func parameter(_ id: ParameterID, in graph: Graph) throws -> String
  /// A literal operand of a call.
  func literal(_ literal: Literal, at index: Int, of site: CallSite) throws -> String
  /// A literal where a tensor is wanted.
  func tensor(_ literal: Literal, _ type: ElementType) -> String
  /// A statement in place of an operand that is left out.
  var absent: String { get }
}

/// Writes regions as statements: a variable per result, control flow as the language's own.
struct RegionWriter<Dialect: StatementDialect> {
  let graph: Graph
  var dialect: Dialect
  var source: SourceText
  var identifiers: Identifiers
  private var names: [ValueID: String] = [:]

  init(_ graph: Graph, _ dialect: Dialect, identifiers: Identifiers, source: SourceText) {
    self.graph = graph
    self.dialect = dialect
    self.identifiers = identifiers
    self.source = source
  }

  /// Writes a region's nodes.
  /// - Parameter arguments: expressions that stand for the region's arguments.
  /// - Returns: expressions of its results.
  mutating func write(_ region: RegionID, arguments: [String]) throws -> [String] {
    for (argument, text) in zip(try graph.arguments(of: region), arguments) { names[argument] = text }
    for node in try graph.nodes(in: region) { try write(node) }
    return try graph.results(of: region).map { try text(of: $0) }
  }

  /// An operand as a tensor.
  mutating func text(of operand: Operand) throws -> String {
    switch operand {
    case .value(let value): names[value] ?? "undefined"
    case .parameter(let id): try dialect.parameter(id, in: graph)
    case .literal(let literal): dialect.tensor(literal, literal.defaultElementType)
    case .none: dialect.absent
    }
  }

  private mutating func write(_ id: NodeID) throws {
    let node = try graph[id]
    switch node.op {
    case .cond: try writeCond(node)
    case .whileLoop: try writeWhile(node)
    case .loop: try writeLoop(node)
    case .scan: try writeScan(node)
    default:
      let code = try code(of: node)
      let results = define(node)
      switch code {
      case .expressions(let list):
        for (name, expression) in zip(results, list) { source.add(dialect.assign([name], [expression], declares: true)) }
      case .all(let expression): source.add(dialect.assign(results, [expression], declares: true))
      }
    }
  }

  private mutating func code(of node: Node) throws -> CallCode {
    let site = CallSite(node, in: graph)
    let operands = try node.operands.enumerated().map { index, operand in
      if let literal = operand.literal { return try dialect.literal(literal, at: index, of: site) }
      return try text(of: operand)
    }
    return try dialect.code(of: site, operands: operands)
  }

  /// Names for a node's results.
  private mutating func define(_ node: Node) -> [String] {
    node.results.map { value in
      let name = identifiers.unique(graph.name(of: value))
      names[value] = name
      return name
    }
  }

  // MARK: Control flow

  private mutating func block(_ begin: String, _ body: (inout Self) throws -> Void) rethrows {
    source.add(begin)
    source.depth += 1
    let count = source.lines.count
    try body(&self)
    if source.lines.count == count, let filler = dialect.emptyBlock { source.add(filler) }
    source.depth -= 1
  }

  private mutating func endBlock() { if let end = dialect.blockEnd { source.add(end) } }

  /// Assigns what differs; nothing if nothing does.
  private mutating func update(_ names: [String], _ expressions: [String]) {
    let changed = zip(names, expressions).filter { $0 != $1 }
    if !changed.isEmpty { source.add(dialect.assign(changed.map(\.0), changed.map(\.1), declares: false)) }
  }

  private func types(_ node: Node) -> [ValueType] { node.results.map { graph.type(of: .value($0)) } }

  private mutating func writeCond(_ node: Node) throws {
    let captures = try node.operands.dropFirst().map { try text(of: $0) }
    let predicate = try text(of: node.operand(0))
    let results = define(node)
    for line in dialect.declare(results, types: types(node)) { source.add(line) }
    try block(dialect.ifBegin(dialect.truth(predicate))) { writer in
      let branch = try writer.write(node.regions[0], arguments: captures)
      writer.update(results, branch)
    }
    try block(dialect.elseBegin()) { writer in
      let branch = try writer.write(node.regions[1], arguments: captures)
      writer.update(results, branch)
    }
    endBlock()
  }

  private mutating func writeWhile(_ node: Node) throws {
    let count = node.results.count
    let operands = try node.operands.map { try text(of: $0) }
    let captures = Array(operands[min(count, operands.count)...])
    let states = define(node)
    for line in dialect.declare(states, types: types(node)) { source.add(line) }
    if !states.isEmpty { source.add(dialect.assign(states, Array(operands.prefix(count)), declares: false)) }
    let condition = node.regions[0]
    let conditionNodes = try graph.nodes(in: condition)
    if conditionNodes.count <= 1, let only = try inlined(condition, arguments: states + captures) {
      try block(dialect.whileBegin(dialect.truth(only))) { writer in
        let next = try writer.write(node.regions[1], arguments: states + captures)
        writer.update(states, next)
      }
    } else {
      let turn = identifiers.unique("turn")
      try block(dialect.forBegin(turn, count: nil)) { writer in
        let holds = try writer.write(condition, arguments: states + captures)
        let leave = writer.dialect.breakUnless(writer.dialect.truth(holds.first ?? writer.dialect.constantTrue))
        writer.source.add(leave)
        let next = try writer.write(node.regions[1], arguments: states + captures)
        writer.update(states, next)
      }
    }
    endBlock()
  }

  /// The only result of a region of at most one node, as one expression.
  private mutating func inlined(_ region: RegionID, arguments: [String]) throws -> String? {
    for (argument, text) in zip(try graph.arguments(of: region), arguments) { names[argument] = text }
    guard let result = graph.results(of: region).first else { return nil }
    guard let id = try graph.nodes(in: region).first else { return try text(of: result) }
    let node = try graph[id]
    guard node.regions.isEmpty, node.results.count == 1, result == .value(node.results[0]) else { return nil }
    if case .expressions(let list) = try code(of: node) { return list.first }
    return nil
  }

  /// Whether a loop's condition is true at every turn.
  private func alwaysHolds(_ node: Node) throws -> Bool {
    func isTrue(_ operand: Operand) -> Bool {
      if operand.literal == .bool(true) { return true }
      return (try? graph.tensor(of: operand)?.elements(Bool.self)) == [true]
    }
    guard node.operand(1).isNone || isTrue(node.operand(1)) else { return false }
    guard let result = graph.results(of: node.regions[0]).first else { return true }
    let arguments = try graph.arguments(of: node.regions[0])
    return node.operand(1).isNone || isTrue(result) || (arguments.count > 1 && result == .value(arguments[1]))
  }

  private mutating func writeLoop(_ node: Node) throws {
    let count = node[Loop.stateCount]
    let operands = try node.operands.dropFirst(2).map { try text(of: $0) }
    let captures = Array(operands.dropFirst(count))
    let limit = node.operand(0).isNone ? nil : dialect.integer(try text(of: node.operand(0)))
    let isConditional = try !alwaysHolds(node)
    let initial = isConditional ? try text(of: node.operand(1)) : dialect.constantTrue
    let results = define(node)
    let states = Array(results.prefix(count))
    let lists = results.dropFirst(count).map { identifiers.unique($0 + "_parts") }
    let keep = isConditional ? [identifiers.unique("keep_going")] : []
    let turn = identifiers.unique("turn")
    for line in dialect.declare(keep + states, types: keep.map { _ in .tensor(.bool, []) } + types(node)) { source.add(line) }
    if !(keep + states).isEmpty {
      source.add(
        dialect.assign(keep + states, (isConditional ? [initial] : []) + operands.prefix(count), declares: false))
    }
    for list in lists { source.add(dialect.emptyList(list)) }
    try block(dialect.forBegin(turn, count: limit)) { writer in
      if let keep = keep.first { writer.source.add(writer.dialect.breakUnless(writer.dialect.truth(keep))) }
      let arguments = [writer.dialect.counterTensor(turn), writer.dialect.constantTrue] + states + captures
      let next = try writer.write(node.regions[0], arguments: arguments)
      for (list, element) in zip(lists, next.dropFirst(1 + count)) { writer.source.add(writer.dialect.append(element, to: list)) }
      writer.update(keep + states, (isConditional ? [next[0]] : []) + next.dropFirst().prefix(count))
    }
    endBlock()
    try stack(lists, Array(results.dropFirst(count)), node, first: count) { _ in (0, false) }
  }

  private mutating func stack(
    _ lists: [String], _ results: [String], _ node: Node, first: Int, _ layout: (Int) -> (axis: Int, reversed: Bool)
  ) throws {
    for (index, (list, result)) in zip(lists, results).enumerated() {
      let type = graph.type(of: .value(node.results[first + index])).tensorType
      let (axis, reversed) = layout(index)
      let stacked = try dialect.stack(list, axis: axis, reversed: reversed, type: type)
      source.add(dialect.assign([result], [stacked], declares: true))
    }
  }

  private mutating func writeScan(_ node: Node) throws {
    let (count, scanned) = (node[Loop.stateCount], node[Scan.inputCount])
    let operands = try node.operands.map { try text(of: $0) }
    let inputs = Array(operands.dropFirst(count).prefix(scanned))
    let captures = Array(operands.dropFirst(count + scanned))
    let axes = node[Scan.inputAxes] ?? Array(repeating: 0, count: scanned)
    let directions = node[Scan.inputDirections] ?? Array(repeating: 0, count: scanned)
    let results = define(node)
    let states = Array(results.prefix(count))
    let lists = results.dropFirst(count).map { identifiers.unique($0 + "_parts") }
    let turn = identifiers.unique("turn")
    for line in dialect.declare(states, types: types(node)) { source.add(line) }
    if !states.isEmpty { source.add(dialect.assign(states, Array(operands.prefix(count)), declares: false)) }
    for list in lists { source.add(dialect.emptyList(list)) }
    let length = dialect.size(inputs.first ?? dialect.absent, axis: axes.first ?? 0)
    try block(dialect.forBegin(turn, count: length)) { writer in
      let slices = inputs.indices.map { index in
        let place = directions[index] == 0 ? turn : writer.dialect.mirrored(turn, count: length)
        return writer.dialect.select(inputs[index], axis: axes[index], index: place)
      }
      let arguments = try writer.graph.arguments(of: node.regions[0])
      var elements: [String] = []
      for (index, slice) in slices.enumerated() {
        let name = writer.identifiers.unique(writer.graph.name(of: arguments[count + index]))
        writer.source.add(writer.dialect.assign([name], [slice], declares: true))
        elements.append(name)
      }
      let next = try writer.write(node.regions[0], arguments: states + elements + captures)
      for (list, element) in zip(lists, next.dropFirst(count)) { writer.source.add(writer.dialect.append(element, to: list)) }
      writer.update(states, Array(next.prefix(count)))
    }
    endBlock()
    let outputAxes = node[Scan.outputAxes] ?? lists.map { _ in 0 }
    let outputDirections = node[Scan.outputDirections] ?? lists.map { _ in 0 }
    try stack(lists, Array(results.dropFirst(count)), node, first: count) { (outputAxes[$0], outputDirections[$0] != 0) }
  }
}
