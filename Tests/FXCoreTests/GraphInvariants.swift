@testable import FXCore

extension Graph {
  /// What is wrong with the graph's own bookkeeping: links, use lists, indices and names. Empty after any edit and any
  /// reading of a file, however hostile.
  var brokenInvariants: [String] {
    var broken: [String] = []
    func check(_ condition: Bool, _ message: @autoclosure () -> String) { if !condition { broken.append(message()) } }
    var callsSeen = 0
    var nodesSeen: Set<NodeID> = []
    var usesSeen: [ValueID: [Use]] = [:]
    for region in regions.ids {
      let record = regions[region]
      check((record.owner == nil) == (region == body), "\(region) has the wrong owner")
      if let owner = record.owner {
        check(nodes.contains(owner) && nodes[owner].regions.contains(region), "\(region) is not its owner's")
      }
      for (index, value) in record.arguments.enumerated() {
        check(values.contains(value) && values[value].definition == .argument(of: region, index: index), "\(value) as argument")
      }
      var previous: NodeID?
      var next = record.first
      while let id = next, nodesSeen.insert(id).inserted {
        guard let node = nodes.find(id) else {
          broken.append("\(id) is listed and erased")
          break
        }
        callsSeen += 1
        check(node.parent == region && node.previous == previous, "\(id) is linked wrongly")
        check(operatorIndex[node.op]?[safe: node.operatorPosition] == id, "\(id) is not where the index says")
        for (index, value) in node.results.enumerated() {
          check(values.contains(value) && values[value].definition == .result(of: id, index: index), "\(value) as result")
        }
        if let schema = node.op.schema {
          check(schema.operandCount.contains(node.operands.count), "\(id) has \(node.operands.count) operands")
          check(schema.resultCount.contains(node.results.count), "\(id) has \(node.results.count) results")
          check(schema.regions.count == node.regions.count, "\(id) has \(node.regions.count) regions")
          check((try? schema.complete(node.attributes, of: node.op)) == node.attributes, "\(id) has wrong attributes")
        }
        collectUses(of: id, node, region, &usesSeen, &broken)
        previous = id
        next = node.next
      }
      check(record.last == previous, "\(region) has the wrong last node")
      check(nodes.contains(record.terminator) && nodes[record.terminator].op === Operator.output, "\(region) lacks a terminator")
      collectUses(of: record.terminator, nodes[record.terminator], region, &usesSeen, &broken)
      for (name, value) in record.labels { check(values.find(value)?.name == name, "label \(name) of \(region)") }
      let names = valueNames(in: region)
      check(Set(names).count == names.count, "names repeat in \(region): \(names)")
      for name in names { check(value(named: name, in: region) != nil, "\(name) is not found in \(region)") }
    }
    check(callsSeen == callCount, "\(callsSeen) calls, counted \(callCount)")
    check(nodes.count == callsSeen + regions.count, "\(nodes.count) nodes, \(callsSeen) calls, \(regions.count) regions")
    check(operatorIndex.values.reduce(0) { $0 + $1.count } == callsSeen, "the operator index holds others")
    for value in values.ids {
      check(
        Set(values[value].uses) == Set(usesSeen[value] ?? []) && values[value].uses.count == (usesSeen[value] ?? []).count,
        "uses of \(value)")
    }
    check(parameterNames.count == parameters.count, "\(parameterNames.count) names of \(parameters.count) parameters")
    for id in parameters.ids { check(parameterNames[parameters[id].name] == id, "\(id) is not found by name") }
    return broken
  }

  private func collectUses(
    of id: NodeID, _ node: NodeRecord, _ region: RegionID, _ uses: inout [ValueID: [Use]], _ broken: inout [String]
  ) {
    if node.usePositions.count != node.operands.count { broken.append("\(id) has \(node.usePositions.count) use positions") }
    for (index, operand) in node.operands.enumerated() {
      switch operand {
      case .value(let value):
        uses[value, default: []].append(Use(node: id, operand: index))
        if (try? self.region(of: value)) != region { broken.append("\(id) uses a value of elsewhere") }
        if values.find(value)?.uses[safe: Int(node.usePositions[index])] != Use(node: id, operand: index) {
          broken.append("use \(index) of \(id) is not where it says")
        }
      case .parameter(let parameter): if !parameters.contains(parameter) { broken.append("\(id) uses an erased parameter") }
      case .literal, .none: break
      }
    }
  }
}

extension Array {
  subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
