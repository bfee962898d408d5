import FXCore

/// Writes regions as StableHLO operations.
struct HLOWriter {
  let graph: Graph
  let rows: XLARows
  var builder = HLOBuilder()
  /// The parameters that are arguments of the program, in order of first use.
  private(set) var stored: [(id: ParameterID, value: HLOValue)] = []
  private var parameters: [ParameterID: HLOValue] = [:]
  private var values: [ValueID: HLOValue] = [:]

  init(_ graph: Graph, _ rows: XLARows) {
    self.graph = graph
    self.rows = rows
  }

  /// The most elements of a constant that is written into the program.
  static let inlineLimit = 64

  /// The value that stands for an input or a region's argument of a type.
  static func type(_ type: ValueType) throws -> (ElementType, [Int]) {
    guard let tensor = type.tensorType else { throw NotExpressible("\(type) is not a tensor") }
    guard let sizes = tensor.shape?.sizes else { throw NotExpressible("\(type) must have numbers for sizes") }
    guard tensor.elementType != .string, tensor.elementType != .float8e8m0, tensor.elementType.bitWidth >= 8 else {
      throw NotExpressible("\(tensor.elementType.rawValue) is not an element type that is written")
    }
    return (tensor.elementType, sizes)
  }

  mutating func input(_ value: ValueID) throws -> HLOValue {
    let (type, sizes) = try HLOWriter.type(graph.type(of: .value(value)))
    let result = HLOValue(name: builder.unique(graph.name(of: value)), type: type, sizes: sizes)
    values[value] = result
    return result
  }

  mutating func write(_ region: RegionID, arguments: [HLOValue]) throws -> [HLOValue] {
    for (argument, value) in zip(try graph.arguments(of: region), arguments) { values[argument] = value }
    for id in try graph.nodes(in: region) {
      let node = try graph[id]
      let results = try write(node)
      for (value, result) in zip(node.results, results) { values[value] = builder.rename(result, graph.name(of: value)) }
    }
    return try graph.results(of: region).map { operand in
      if let literal = operand.literal { return try builder.constant(literal.tensor(literal.defaultElementType)) }
      guard let value = try value(of: operand) else { throw NotExpressible("a result is left out") }
      return value
    }
  }

  /// What an operand that is no literal stands for.
  private mutating func value(of operand: Operand) throws -> HLOValue? {
    switch operand {
    case .none, .literal: return nil
    case .value(let id): return values[id]
    case .parameter(let id):
      let parameter = try graph[id]
      if let tensor = parameter.tensor, tensor.elementCount <= HLOWriter.inlineLimit {
        _ = try HLOWriter.type(.tensor(tensor.type))
        return try builder.constant(tensor)
      }
      if let known = parameters[id] { return known }
      let (type, sizes) = try HLOWriter.type(.tensor(parameter.type))
      let value = HLOValue(name: builder.unique(parameter.name), type: type, sizes: sizes)
      parameters[id] = value
      stored.append((id, value))
      return value
    }
  }

  private mutating func operands(_ node: Node) throws -> [HLOValue?] {
    let site = CallSite(node, in: graph)
    return try node.operands.enumerated().map { index, operand in
      guard let literal = operand.literal else { return try value(of: operand) }
      return try builder.constant(literal.tensor(site.elementType(index) ?? literal.defaultElementType))
    }
  }

  private mutating func write(_ node: Node) throws -> [HLOValue] {
    switch node.op {
    case .cond: return try cond(node)
    case .whileLoop: return try whileLoop(node)
    case .loop: return try loop(node)
    case .scan: return try scan(node)
    default:
      guard let row = rows[node.op] else { throw NotExpressible("StableHLO has no row for it") }
      var call = XLACall(site: CallSite(node, in: graph), operands: try operands(node), builder: builder)
      let results = try row(&call)
      builder = call.builder
      return results
    }
  }

  // MARK: Control flow

  private func types(_ node: Node) throws -> [(ElementType, [Int])] {
    try node.results.map { try HLOWriter.type(graph.type(of: .value($0))) }
  }

  /// What regions use of the parameters is made known outside of them.
  private mutating func regions(
    _ node: Node, _ name: String, _ operands: [HLOValue],
    _ bodies: [(arguments: [HLOValue], write: (inout HLOWriter) throws -> [HLOValue])], results: [(ElementType, [Int])]
  ) throws -> [HLOValue] {
    var writer = self
    let list = bodies.map { body -> (arguments: [HLOValue], body: (inout HLOBuilder) throws -> [HLOValue]) in
      (
        body.arguments,
        { builder in
          writer.builder = builder
          let values = try body.write(&writer)
          builder = writer.builder
          return values
        }
      )
    }
    let values = try builder.regional(name, operands, regions: list, results: results)
    (stored, parameters) = (writer.stored, writer.parameters)
    return values
  }

  private mutating func cond(_ node: Node) throws -> [HLOValue] {
    let all = try operands(node)
    guard let predicate = all.first ?? nil else { throw NotExpressible("the predicate is left out") }
    let captures = try all.dropFirst().map { value -> HLOValue in
      guard let value else { throw NotExpressible("a capture is left out") }
      return value
    }
    let scalar = builder.reshape(predicate, [])
    return try regions(
      node, "if", [scalar],
      node.regions.map { region in ([], { try $0.write(region, arguments: captures) }) }, results: types(node))
  }

  private mutating func known(_ node: Node) throws -> [HLOValue] {
    try operands(node).map { value in
      guard let value else { throw NotExpressible("an operand is left out") }
      return value
    }
  }

  private func check(_ states: [HLOValue], _ results: [(ElementType, [Int])]) throws {
    guard zip(states, results).allSatisfy({ $0.type == $1.0 && $0.sizes == $1.1 }) else {
      throw NotExpressible("a state changes its type from turn to turn")
    }
  }

  private mutating func whileLoop(_ node: Node) throws -> [HLOValue] {
    let all = try known(node)
    let types = try types(node)
    let states = Array(all.prefix(types.count))
    let captures = Array(all.dropFirst(types.count))
    try check(states, types)
    let (first, second) = (states.map { builder.argument($0.type, $0.sizes) }, states.map { builder.argument($0.type, $0.sizes) })
    return try regions(
      node, "while", states,
      [
        (first, { [$0.builder.reshape(try $0.write(node.regions[0], arguments: first + captures)[0], [])] }),
        (second, { try $0.write(node.regions[1], arguments: second + captures) }),
      ], results: types)
  }

  private mutating func loop(_ node: Node) throws -> [HLOValue] {
    let count = node[Loop.stateCount]
    let all = try operands(node)
    let rest = try all.dropFirst(2).map { value -> HLOValue in
      guard let value else { throw NotExpressible("an operand is left out") }
      return value
    }
    let (states, captures) = (Array(rest.prefix(count)), Array(rest.dropFirst(count)))
    let types = try types(node)
    try check(states, types)
    let stacks = types.dropFirst(count).map { builder.constant(0, $0.0, $0.1) }
    let limit = (all.first ?? nil).map { builder.reshape($0, []) }
    let keep = (all.count > 1 ? all[1] : nil).map { builder.reshape($0, []) } ?? builder.constant(1, .bool)
    let isConditional = all.count > 1 && all[1] != nil
    let carried = [builder.constant(0, .int64), keep] + states + stacks
    let (first, second) = (
      carried.map { builder.argument($0.type, $0.sizes) }, carried.map { builder.argument($0.type, $0.sizes) }
    )
    let results = try regions(
      node, "while", carried,
      [
        (
          first,
          { writer in
            guard let limit else { return [first[1]] }
            return [try writer.builder.binary("and", first[1], writer.builder.compare("LT", first[0], limit))]
          }
        ),
        (
          second,
          { writer in
            let turn = second[0]
            let inner = Array(second[2..<2 + count])
            let next = try writer.write(node.regions[0], arguments: [turn, second[1]] + inner + captures)
            let one = writer.builder.constant(1, .int64)
            let stacked = zip(second.dropFirst(2 + count), next.dropFirst(1 + count)).map {
              writer.builder.place($1, in: $0, axis: 0, at: turn)
            }
            let holds = isConditional ? writer.builder.reshape(next[0], []) : second[1]
            return [try writer.builder.binary("add", turn, one), holds] + next[1..<1 + count] + stacked
          }
        ),
      ], results: carried.map { ($0.type, $0.sizes) })
    return Array(results.dropFirst(2))
  }

  private mutating func scan(_ node: Node) throws -> [HLOValue] {
    let (count, scanned) = (node[Loop.stateCount], node[Scan.inputCount])
    let all = try known(node)
    let (states, inputs) = (Array(all.prefix(count)), Array(all.dropFirst(count).prefix(scanned)))
    let captures = Array(all.dropFirst(count + scanned))
    let types = try types(node)
    try check(states, types)
    let axes = (node[Scan.inputAxes] ?? inputs.map { _ in 0 }).enumerated().map { $1 < 0 ? $1 + inputs[$0].rank : $1 }
    let directions = node[Scan.inputDirections] ?? inputs.map { _ in 0 }
    let stackTypes = Array(types.dropFirst(count))
    let outputAxes = (node[Scan.outputAxes] ?? stackTypes.map { _ in 0 }).enumerated().map {
      $1 < 0 ? $1 + stackTypes[$0].1.count : $1
    }
    let outputDirections = node[Scan.outputDirections] ?? stackTypes.map { _ in 0 }
    guard let turns = inputs.first?.sizes[axes[0]] else { throw NotExpressible("nothing is scanned") }
    let carried = [builder.constant(0, .int64)] + states + stackTypes.map { builder.constant(0, $0.0, $0.1) }
    let limit = builder.constant(Double(turns), .int64)
    let last = builder.constant(Double(turns - 1), .int64)
    let (first, second) = (
      carried.map { builder.argument($0.type, $0.sizes) }, carried.map { builder.argument($0.type, $0.sizes) }
    )
    let results = try regions(
      node, "while", carried,
      [
        (first, { [try $0.builder.compare("LT", first[0], limit)] }),
        (
          second,
          { writer in
            let turn = second[0]
            let mirrored = try writer.builder.binary("subtract", last, turn)
            let slices = inputs.indices.map {
              writer.builder.element(of: inputs[$0], axis: axes[$0], at: directions[$0] == 0 ? turn : mirrored)
            }
            let next = try writer.write(node.regions[0], arguments: second[1..<1 + count] + slices + captures)
            let stacked = zip(second.dropFirst(1 + count), next.dropFirst(count)).enumerated().map { index, pair in
              writer.builder.place(
                pair.1, in: pair.0, axis: outputAxes[index], at: outputDirections[index] == 0 ? turn : mirrored)
            }
            let one = writer.builder.constant(1, .int64)
            return [try writer.builder.binary("add", turn, one)] + next.prefix(count) + stacked
          }
        ),
      ], results: carried.map { ($0.type, $0.sizes) })
    return Array(results.dropFirst())
  }
}

extension HLOBuilder {
  /// The slice of x at an index of an axis, without the axis.
  fileprivate mutating func element(of x: HLOValue, axis: Int, at index: HLOValue) -> HLOValue {
    let zero = constant(0, .int64)
    var sizes = x.sizes
    sizes[axis] = 1
    let places = x.sizes.indices.map { $0 == axis ? index : zero }
    let slice = op("dynamic_slice", [x] + places, "slice_sizes = \(hloArray(sizes))", x.type, sizes)
    sizes.remove(at: axis)
    return reshape(slice, sizes)
  }

  /// x with an element at an index of an axis.
  fileprivate mutating func place(_ element: HLOValue, in x: HLOValue, axis: Int, at index: HLOValue) -> HLOValue {
    let zero = constant(0, .int64)
    var sizes = x.sizes
    sizes[axis] = 1
    let places = x.sizes.indices.map { $0 == axis ? index : zero }
    return op("dynamic_update_slice", [x, reshape(element, sizes)] + places, x.type, x.sizes)
  }
}
