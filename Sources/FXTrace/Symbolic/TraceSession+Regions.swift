import FXCore

/// A region that is being traced.
struct RegionFrame {
  let region: RegionID
  /// What the owning node captures; `nil` for the body.
  let captures: RegionCaptures?
  /// Which of the node's regions it is.
  let index: Int
}

/// The values that the regions of one node use from outside: an operand of the node and an argument of each region.
final class RegionCaptures {
  let regions: [RegionID]
  fileprivate(set) var values: [ValueID] = []
  /// For each region the arguments that stand for the values.
  fileprivate var arguments: [[ValueID]]
  fileprivate var positions: [ValueID: Int] = [:]

  init(_ regions: [RegionID]) {
    self.regions = regions
    arguments = regions.map { _ in [] }
  }
}

/// The regions were traced for types that turn out too narrow: the call goes, and the caller traces again.
struct RetracedRegions: Error {}

extension TraceSession {
  /// The value as the region being traced sees it: itself, or the argument that stands for it. `nil` after a mistake.
  func visible(_ value: ValueID, at site: CallSite?) -> ValueID? {
    do {
      let home = try graph.region(of: value)
      guard let depth = regions.lastIndex(where: { $0.region == home }) else {
        throw TraceError.Reason.escapedRegion(graph.name(of: value)).error
      }
      var seen = value
      for frame in regions[(depth + 1)...] {
        guard let captures = frame.captures else { continue }
        seen = try capture(seen, captures, frame.index)
      }
      return seen
    } catch {
      fail(error, op: nil, operands: [], at: site)
      return nil
    }
  }

  private func capture(_ value: ValueID, _ captures: RegionCaptures, _ index: Int) throws -> ValueID {
    if let position = captures.positions[value] { return captures.arguments[index][position] }
    captures.positions[value] = captures.values.count
    captures.values.append(value)
    let type = try graph.type(of: value)
    for (each, region) in captures.regions.enumerated() {
      let argument = try graph.addArgument(to: region, type)
      copyContents(of: value, to: argument)
      captures.arguments[each].append(argument)
    }
    return captures.arguments[index][captures.values.count - 1]
  }

  /// Adds a call that owns regions, whose contents `body` makes when it is called with a region's number and arguments.
  /// - Parameters:
  ///   - operands: what comes before captured values.
  ///   - arguments: the types of each region's own arguments.
  ///   - resultCount: how many results the node has, given how many each region returned.
  ///   - finalAttributes: the attributes once the regions are made, where these decide them.
  /// - Returns: the node's results; `nil` after a mistake, or if `resultCount` throws `RetracedRegions`.
  func callWithRegions(
    _ op: Operator, _ operands: [SymbolicOperandKind], attributes: Attributes = [:], arguments: [[ValueType]],
    at site: CallSite?, name: String? = nil, resultCount: ([Int]) throws -> Int,
    finalAttributes: (() -> Attributes)? = nil, body: (_ region: Int, _ arguments: [SymbolicTensor]) -> [SymbolicOperandKind]
  ) -> [SymbolicTensor]? {
    let own = operands.compactMap { self.operand($0, at: site) }
    guard mistake == nil, own.count == operands.count else { return nil }
    do {
      let node = try graph.append(
        op, own, attributes: attributes, results: [], at: point, name: name, location: callLocation(site))
      record(node)
      let captures = RegionCaptures(try graph[node].regions)
      var counts: [Int] = []
      for (region, types) in zip(captures.regions, arguments) {
        for type in types { try graph.addArgument(to: region, type) }
      }
      for (index, region) in captures.regions.enumerated() {
        let own = try graph.arguments(of: region).prefix(arguments[index].count).map { SymbolicTensor(self, .value($0)) }
        regions.append(RegionFrame(region: region, captures: captures, index: index))
        let results = body(index, Array(own)).compactMap { self.operand($0, at: site) }
        regions.removeLast()
        guard mistake == nil else { return nil }
        try graph.setResults(of: region, results)
        counts.append(results.count)
      }
      if let finalAttributes { try graph.setAttributes(of: node, to: finalAttributes()) }
      try graph.setOperands(of: node, to: own + captures.values.map(Operand.value))
      do {
        for _ in 0..<(try resultCount(counts)) { _ = try graph.addResult(to: node) }
      } catch is RetracedRegions {
        try graph.erase(node)
        return nil
      }
      return try infer(node)
    } catch {
      fail(error, op: op, operands: operands, at: site)
      return nil
    }
  }
}
