import FXCore

extension Graph {
  /// Makes an input of a parameter, of the same name. Regions that use the parameter capture the input.
  /// - Throws: `GraphError.stale`; `.duplicateName` if a value of the body is called as the parameter is.
  /// - Complexity: O(nodes).
  mutating func makeInput(of parameter: ParameterID) throws -> ValueID {
    let about = try self[parameter]
    let input = try addInput(about.name, .tensor(about.type))
    try replace(.parameter(parameter), with: .value(input), in: body)
    return input
  }

  private mutating func replace(_ old: Operand, with new: Operand, in region: RegionID) throws {
    for id in try nodes(in: region) {
      let node = try self[id]
      for (index, operand) in node.operands.enumerated() where operand == old { try setOperand(index, of: id, to: new) }
      guard try node.regions.contains(where: { try uses(old, in: $0) }) else { continue }
      // A captured value is the last operand, and the last argument of every region.
      try setOperands(of: id, to: self[id].operands + [new])
      for inner in node.regions {
        let argument = try addArgument(to: inner, type(of: new))
        try replace(old, with: .value(argument), in: inner)
      }
    }
    let results = results(of: region)
    guard results.contains(old) else { return }
    try setResults(of: region, results.map { $0 == old ? new : $0 }, names: resultNames(of: region))
  }

  private func uses(_ operand: Operand, in region: RegionID) throws -> Bool {
    if results(of: region).contains(operand) { return true }
    return try nodes(in: region).contains { id in
      let node = try self[id]
      return try node.operands.contains(operand) || node.regions.contains { try uses(operand, in: $0) }
    }
  }
}
