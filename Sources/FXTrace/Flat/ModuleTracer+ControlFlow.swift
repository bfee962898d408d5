import FXCore
import FXShapes

/// Conditionals and loops over values that were already called: the calls they name move into regions.
extension ModuleTracer {
  /// Chooses between values that were computed for one of two cases only.
  ///
  /// Calls that serve one branch and nothing else move into it, so that only the branch taken runs; what they use from
  /// outside becomes a captured operand. Values that others use too stay where they are.
  /// - Parameters:
  ///   - predicate: one truth value, such as the result of `gt(x, 0)` on a scalar.
  ///   - then: what the conditional gives if the predicate holds; `otherwise` as many.
  /// - Returns: the results, called `node_N`, `node_N.1`, ….
  /// - Throws: `TraceError` for unknown names, a predicate that is no single truth value, branches that do not match.
  @discardableResult
  public mutating func addConditional(
    _ predicate: any TracerOperand, then: [any TracerOperand], else otherwise: [any TracerOperand],
    fileID: String = #fileID, line: Int = #line
  ) throws -> [TracedValue] {
    let location = Location(file: fileID, line: line)
    let predicate = try resolve(predicate, op: "addConditional", location)
    let branches = [
      try then.map { try resolve($0, op: "addConditional", location) },
      try otherwise.map { try resolve($0, op: "addConditional", location) },
    ]
    guard branches[0].count == branches[1].count else {
      throw TraceError(
        .resultCounts("then", branches[0].count, "else", branches[1].count), op: "addConditional", location: location)
    }
    return try outlining("addConditional", location) { tracer in
      try tracer.check(predicate: predicate, op: "addConditional", location)
      let roots = branches.map { Set($0.compactMap(\.value)) }
      let slices = [
        try tracer.exclusiveSlice(roots[0], except: roots[1].union(predicate.value.map { [$0] } ?? [])),
        try tracer.exclusiveSlice(roots[1], except: roots[0].union(predicate.value.map { [$0] } ?? [])),
      ]
      let captures = try tracer.captures(zip(slices, branches).map { ($0, $1) }, except: [])
      let node = try tracer.graph.append(
        .cond, [predicate] + captures.map(Operand.value),
        results: branches[0].map { _ in .unknown }, location: location)
      for (index, region) in try tracer.graph[node].regions.enumerated() {
        let arguments = try tracer.addArguments(captures, to: region)
        try tracer.fill(region, moving: slices[index], copying: [], arguments, results: branches[index], owner: node)
      }
      return try tracer.infer(node)
    }
  }

  /// Brings two branches together again: the one value or the other, as `addConditional` with a result.
  /// - Throws: as `addConditional`.
  @discardableResult
  public mutating func addMerge(
    _ predicate: any TracerOperand, _ value: any TracerOperand, _ otherwise: any TracerOperand, fileID: String = #fileID,
    line: Int = #line
  ) throws -> TracedValue {
    try addConditional(predicate, then: [value], else: [otherwise], fileID: fileID, line: line)[0]
  }

  /// Repeats the calls that compute the next state from the state for as long as a condition on the state holds.
  ///
  /// Calls that depend on the state and that the condition or the next state need move into the loop, or are copied
  /// there if others use them too; values that do not depend on the state are computed once, outside.
  /// - Parameters:
  ///   - condition: one truth value computed from the state, looked at before each turn.
  ///   - body: the next state, one value for each of `state`.
  ///   - state: the values that stand for the state in the calls before, and that it starts with.
  /// - Returns: the state after the last turn, called `node_N`, `node_N.1`, ….
  /// - Throws: `TraceError` for unknown names, a condition that is no single truth value, a body that does not match.
  @discardableResult
  public mutating func addLoop(
    _ condition: any TracerOperand, body: [any TracerOperand], state: [any TracerOperand],
    fileID: String = #fileID, line: Int = #line
  ) throws -> [TracedValue] {
    let location = Location(file: fileID, line: line)
    let condition = try resolve(condition, op: "addLoop", location)
    let next = try body.map { try resolve($0, op: "addLoop", location) }
    let initial = try state.map { operand in
      let operand = try resolve(operand, op: "addLoop", location)
      if let literal = operand.literal { throw TraceError(.literalState(literal), op: "addLoop", location: location) }
      return operand
    }
    guard next.count == initial.count else {
      throw TraceError(.resultCounts("body", next.count, "state", initial.count), op: "addLoop", location: location)
    }
    return try outlining("addLoop", location) { tracer in
      try tracer.check(predicate: condition, op: "addLoop", location)
      let states = initial.compactMap(\.value)
      let slices = [
        try tracer.dependentSlice(condition.value.map { [$0] } ?? [], on: Set(states)),
        try tracer.dependentSlice(next.compactMap(\.value), on: Set(states)),
      ]
      // A call that both regions need, or that somebody outside uses, is copied into them.
      var shared = Set(slices[0]).intersection(slices[1])
      for (index, slice) in slices.enumerated() {
        let roots = Set((index == 0 ? next : [condition]).compactMap(\.value))
        shared.formUnion(try tracer.usedElsewhere(slice, roots: roots))
      }
      let results = [[condition], next]
      let captures = try tracer.captures(zip(slices, results).map { ($0, $1) }, except: Set(states))
      let node = try tracer.graph.append(
        .whileLoop, initial + captures.map(Operand.value),
        results: initial.map { _ in .unknown }, location: location)
      for (index, region) in try tracer.graph[node].regions.enumerated() {
        var arguments: [ValueID: ValueID] = [:]
        for operand in initial {
          let argument = try tracer.graph.addArgument(to: region, tracer.graph.type(of: operand))
          if let value = operand.value, arguments[value] == nil { arguments[value] = argument }
        }
        arguments.merge(try tracer.addArguments(captures, to: region)) { state, _ in state }
        try tracer.fill(
          region, moving: slices[index], copying: shared, arguments, results: results[index], owner: node)
      }
      for id in tracer.inOrder(shared).reversed() {
        let results = try tracer.graph[id].results
        guard try results.allSatisfy({ try tracer.graph.uses(of: $0).isEmpty }) else { continue }
        for result in results { tracer.outlined[tracer.graph.name(of: result)] = tracer.graph.name(of: node) }
        try tracer.graph.erase(id)
      }
      return try tracer.infer(node)
    }
  }

  /// Runs an outlining with its errors told in the terms of the call.
  private mutating func outlining(
    _ op: String, _ location: Location, _ body: (inout ModuleTracer) throws -> [TracedValue]
  ) throws -> [TracedValue] {
    do {
      return try body(&self)
    } catch let error as GraphError {
      throw TraceError(.graph(error), op: op, location: location)
    } catch let error as ShapeInferenceError {
      throw TraceError(error, op: op)
    }
  }

  private func check(predicate: Operand, op: String, _ location: Location) throws {
    guard let type = graph.type(of: predicate).tensorType, !type.isTruthValue else { return }
    throw TraceError(.predicate(.tensor(type)), op: op, location: location)
  }

  // MARK: Slices

  /// Nodes in execution order. O(nodes of the body).
  private func inOrder(_ nodes: Set<NodeID>) -> [NodeID] {
    nodes.isEmpty ? [] : graph.bodyNodes.filter(nodes.contains)
  }

  /// The nodes that `roots` depend on and that serve nothing else, in execution order.
  /// - Parameter except: values that somebody else is about to use.
  private func exclusiveSlice(_ roots: Set<ValueID>, except: Set<ValueID>) throws -> [NodeID] {
    var reached: Set<NodeID> = []
    var pending = Array(roots)
    while let value = pending.popLast() {
      guard let node = try graph.producer(of: value), reached.insert(node).inserted else { continue }
      pending += try graph[node].operands.compactMap(\.value)
    }
    var slice: Set<NodeID> = []
    for node in inOrder(reached).reversed() {
      let results = try graph[node].results
      let isExclusive = try results.allSatisfy { result in
        try !except.contains(result) && graph.uses(of: result).allSatisfy { slice.contains($0.node) }
      }
      if isExclusive { slice.insert(node) }
    }
    return inOrder(slice)
  }

  /// The nodes that `roots` need and that depend on one of `states`, or that have effects, in execution order.
  private func dependentSlice(_ roots: [ValueID], on states: Set<ValueID>) throws -> [NodeID] {
    var reached: Set<NodeID> = []
    var pending = roots
    while let value = pending.popLast() {
      guard !states.contains(value), let node = try graph.producer(of: value), reached.insert(node).inserted else { continue }
      pending += try graph[node].operands.compactMap(\.value)
    }
    var dependent = states
    var slice: [NodeID] = []
    for id in inOrder(reached) {
      let node = try graph[id]
      guard !node.op.isPure || node.operands.contains(where: { $0.value.map(dependent.contains) ?? false }) else { continue }
      slice.append(id)
      dependent.formUnion(node.results)
    }
    return slice
  }

  /// The nodes of a slice with users outside it, or among `roots`.
  private func usedElsewhere(_ slice: [NodeID], roots: Set<ValueID>) throws -> Set<NodeID> {
    let members = Set(slice)
    var moved = members
    for id in slice.reversed() {
      let stays = try graph[id].results.contains { result in
        try roots.contains(result) || graph.uses(of: result).contains { !moved.contains($0.node) }
      }
      // What a staying node uses stays too.
      if stays { moved.remove(id) }
    }
    return members.subtracting(moved)
  }

  /// The values that slices and their results use from outside, in order of first use.
  private func captures(
    _ parts: [(slice: [NodeID], results: [Operand])], except: Set<ValueID>
  ) throws -> [ValueID] {
    var captures: [ValueID] = []
    var seen = except
    for (slice, results) in parts {
      let inside = Set(try slice.flatMap { try graph[$0].results })
      for operand in try slice.flatMap({ try graph[$0].operands }) + results {
        guard let value = operand.value, !inside.contains(value), seen.insert(value).inserted else { continue }
        captures.append(value)
      }
    }
    return captures
  }

  // MARK: Regions

  private mutating func addArguments(_ captures: [ValueID], to region: RegionID) throws -> [ValueID: ValueID] {
    var arguments: [ValueID: ValueID] = [:]
    for value in captures { arguments[value] = try graph.addArgument(to: region, graph.type(of: value)) }
    return arguments
  }

  /// Moves or copies the nodes of a slice into a region and says what it returns.
  private mutating func fill(
    _ region: RegionID, moving slice: [NodeID], copying: Set<NodeID>, _ arguments: [ValueID: ValueID],
    results: [Operand], owner: NodeID
  ) throws {
    var inside = arguments
    func mapped(_ operand: Operand) -> Operand { operand.value.flatMap { inside[$0] }.map(Operand.value) ?? operand }
    for id in slice {
      let node = try graph[id]
      if copying.contains(id) {
        let copy = try graph.copy(id, operands: node.operands.map(mapped), to: .end(of: region))
        for (value, copied) in zip(node.results, try graph[copy].results) { inside[value] = copied }
      } else {
        for result in node.results { outlined[graph.name(of: result)] = graph.name(of: owner) }
        try graph.relocate(id, into: region)
        for (index, operand) in node.operands.enumerated() where mapped(operand) != operand {
          try graph.setOperand(index, of: id, to: mapped(operand))
        }
      }
    }
    try graph.setResults(of: region, results.map(mapped))
  }
}
