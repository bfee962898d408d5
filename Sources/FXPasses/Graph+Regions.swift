import FXCore

extension Graph {
  /// All regions, the body first, then in the order of their owners. O(nodes).
  var allRegions: [RegionID] {
    [body] + allNodes.flatMap { (try? self[$0].regions) ?? [] }
  }

  /// How often parameters are operands, region results included. O(nodes).
  func parameterUseCounts() -> [ParameterID: Int] {
    var counts: [ParameterID: Int] = [:]
    for node in allNodes {
      guard let operands = try? self[node].operands else { continue }
      for operand in operands { if let id = operand.parameter { counts[id, default: 0] += 1 } }
    }
    for region in allRegions {
      for operand in results(of: region) { if let id = operand.parameter { counts[id, default: 0] += 1 } }
    }
    return counts
  }

  /// Whether an operand is a value that only one operand uses.
  func isUsedOnce(_ value: ValueID) -> Bool { (try? uses(of: value).count == 1) ?? false }
}
