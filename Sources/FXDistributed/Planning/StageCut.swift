import FXCore

/// The program cut into stretches, one for each place along an axis of the mesh.
struct StageCut: Sendable {
  /// A value that one stretch computes and a later one uses.
  struct Crossing: Sendable {
    let value: ValueID
    let from: Int
    let to: Int
    let tag: Int
  }

  /// `nil` if there is one stretch.
  let axis: String?
  let count: Int
  private(set) var stages: [NodeID: Int] = [:]
  private(set) var crossings: [Crossing] = []

  func stage(of node: NodeID) -> Int { stages[node] ?? 0 }

  /// Where an output is computed; `nil` for inputs and constants.
  func stage(ofOutput index: Int, in graph: Graph) -> Int? {
    graph.outputs[index].value.flatMap { try? graph.producer(of: $0) }.map(stage(of:))
  }

  /// Cuts so that the longest stretch is as short as it can be, and among such cuts within 5 % so that least crosses.
  /// - Parameters:
  ///   - seconds: of each node of the body.
  ///   - bytes: of a value; `nil` for one that cannot be sent.
  /// - Throws: `PlanError.stages` if there are not as many stretches between which everything can be sent.
  init(_ graph: Graph, count: Int, axis: String?, seconds: [Double], bytes: (ValueID) -> Int?) throws {
    (self.axis, self.count) = (axis, count)
    let nodes = graph.bodyNodes
    guard count > 1 else {
      for node in nodes { stages[node] = 0 }
      return
    }
    guard nodes.count >= count else { throw PlanError.stages(count, nodes: nodes.count) }
    let positions = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1, $0) })
    // Bytes that are alive between each node and the one before it.
    var changes = Array(repeating: 0, count: nodes.count + 2)
    var obstacles = changes
    for (position, node) in nodes.enumerated() {
      for result in try graph[node].results {
        let last = try graph.uses(of: result).compactMap { positions[$0.node] }.max() ?? position
        changes[position + 1] += bytes(result) ?? 0
        changes[last + 1] -= bytes(result) ?? 0
        obstacles[position + 1] += bytes(result) == nil ? 1 : 0
        obstacles[last + 1] -= bytes(result) == nil ? 1 : 0
      }
    }
    var alive: [Int?] = []
    var (sum, obstacleCount) = (0, 0)
    for (change, obstacle) in zip(changes, obstacles) {
      sum += change
      obstacleCount += obstacle
      alive.append(obstacleCount > 0 ? nil : sum)
    }
    guard let cuts = StageCut.cuts(seconds, alive, count) else { throw PlanError.stages(count, nodes: nodes.count) }
    for (stage, (start, end)) in zip(cuts, cuts.dropFirst()).enumerated() {
      for node in nodes[start..<end] { stages[node] = stage }
    }
    var tag = 0
    for node in nodes {
      for result in try graph[node].results {
        let users = Set(try graph.uses(of: result).compactMap { stages[$0.node] }).filter { $0 != stage(of: node) }
        for user in users.sorted() {
          crossings.append(Crossing(value: result, from: stage(of: node), to: user, tag: tag))
          tag += 1
        }
      }
    }
  }

  /// Where stretches begin, and the end. O(count · nodes · nodes in a stretch).
  /// - Parameter alive: bytes that cross a cut before each node; `nil` where none can be.
  private static func cuts(_ seconds: [Double], _ alive: [Int?], _ count: Int) -> [Int]? {
    var sums = [0.0]
    for value in seconds { sums.append(sums[sums.count - 1] + value) }
    let nodes = seconds.count
    // The least bound that `count` stretches keep, by halving.
    var (low, high) = (max(seconds.max() ?? 0, sums[nodes] / Double(count)), sums[nodes])
    func stretches(_ bound: Double) -> Int {
      var (needed, start) = (1, 0.0)
      for index in 0..<nodes where sums[index + 1] - start > bound {
        needed += 1
        start = sums[index]
      }
      return needed
    }
    for _ in 0..<50 where stretches(low) > count {
      let middle = (low + high) / 2
      if stretches(middle) > count { low = middle } else { high = middle }
    }
    let bound = (stretches(low) <= count ? low : high) * 1.05
    return cuts(sums, alive, count, bound) ?? cuts(sums, alive, count, .infinity)
  }

  private static func cuts(_ sums: [Double], _ alive: [Int?], _ count: Int, _ bound: Double) -> [Int]? {
    let nodes = sums.count - 1
    // best[s][i]: least bytes that cross if s stretches hold the first i nodes.
    var best = Array(repeating: Int.max, count: nodes + 1)
    best[0] = 0
    var choices: [[Int]] = []
    for stage in 1...count {
      var next = Array(repeating: Int.max, count: nodes + 1)
      var choice = Array(repeating: 0, count: nodes + 1)
      for end in stage...nodes {
        var start = end - 1
        while start >= stage - 1, sums[end] - sums[start] <= bound || start == end - 1 {
          if best[start] != .max, let bytes = start == 0 ? 0 : alive[start] {
            let cost = best[start] + bytes
            if cost < next[end] { (next[end], choice[end]) = (cost, start) }
          }
          start -= 1
        }
      }
      choices.append(choice)
      best = next
    }
    guard best[nodes] != .max else { return nil }
    var cuts = [nodes]
    for choice in choices.reversed() { cuts.append(choice[cuts[cuts.count - 1]]) }
    return cuts.reversed()
  }
}
