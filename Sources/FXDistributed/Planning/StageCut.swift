import FXCore

/// The program cut into stretches, one for each place along an axis of the mesh.
///
/// A training step is cut where its model is: what computes gradients and next values goes where the weights are used.
struct StageCut: Sendable {
  /// A value that one stretch computes and another uses.
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
  /// By value, to the stages in order.
  private(set) var crossings: [ValueID: [Crossing]] = [:]
  /// The stages that use a weight, which have its next value too.
  private(set) var holders: [ValueID: [Int]] = [:]

  func stage(of node: NodeID) -> Int { stages[node] ?? 0 }

  /// Where an output is computed; `nil` for inputs and constants.
  func stage(ofOutput index: Int, in graph: Graph) -> Int? {
    graph.outputs[index].value.flatMap { try? graph.producer(of: $0) }.map(stage(of:))
  }

  /// The outputs that a stage gives: those it computes, the next values of weights it uses, and what every stage has.
  func outputs(of stage: Int, in program: ShardedProgram) -> [Int] {
    program.graph.outputs.indices.filter { index in
      if let weight = program.weights[index], count > 1 { return holders[weight, default: [0]].contains(stage) }
      return (self.stage(ofOutput: index, in: program.graph) ?? stage) == stage
    }
  }

  /// Cuts so that the longest stretch is as short as it can be, and among such cuts within 5 % so that least crosses.
  /// - Parameters:
  ///   - seconds: of a node.
  ///   - bytes: of a value; `nil` for one that cannot be sent.
  /// - Throws: `PlanError.stages` if there are not as many stretches between which everything can be sent.
  init(
    _ program: ShardedProgram, count: Int, axis: String?, seconds: (NodeID) throws -> Double, bytes: (ValueID) -> Int?
  ) throws {
    (self.axis, self.count) = (axis, count)
    let graph = program.graph
    guard count > 1 else {
      for node in graph.bodyNodes { stages[node] = 0 }
      return
    }
    let nodes = graph.bodyNodes.filter(program.modelNodes.contains)
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
    guard let cuts = StageCut.cuts(try nodes.map(seconds), alive, count) else {
      throw PlanError.stages(count, nodes: nodes.count)
    }
    for (stage, (start, end)) in zip(cuts, cuts.dropFirst()).enumerated() {
      for node in nodes[start..<end] { stages[node] = stage }
    }
    try placeTraining(program)
    var tag = 0
    for node in graph.bodyNodes {
      for result in try graph[node].results {
        var users: Set<Int> = []
        for use in try graph.uses(of: result) {
          if let user = stages[use.node] { users.insert(user) }
          if graph.isTerminator(use.node), let weight = program.weights[use.operand] {
            users.formUnion(holders[weight, default: [0]])
          }
        }
        for user in users.subtracting([stage(of: node)]).sorted() {
          guard bytes(result) != nil else { throw PlanError.stages(count, nodes: nodes.count) }
          crossings[result, default: []].append(Crossing(value: result, from: stage(of: node), to: user, tag: tag))
          tag += 1
        }
      }
    }
  }

  /// Gradients flow from the last stage to the first. A node is of the last stage of which it uses something, or of a later
  /// one if what it computes is used there.
  private mutating func placeTraining(_ program: ShardedProgram) throws {
    let graph = program.graph
    /// Where the model uses a weight last.
    var homes: [ValueID: Int] = [:]
    for weight in Set(program.weights.values) {
      homes[weight] = try graph.uses(of: weight).compactMap { stages[$0.node] }.max()
    }
    for id in graph.bodyNodes.reversed() where stages[id] == nil {
      let node = try graph[id]
      var stage = 0
      for result in node.results {
        for use in try graph.uses(of: result) {
          let weight = graph.isTerminator(use.node) ? program.weights[use.operand] : nil
          stage = max(stage, stages[use.node] ?? 0, weight.flatMap { homes[$0] } ?? 0)
        }
      }
      for value in node.operands.compactMap(\.value) {
        let producer = try graph.producer(of: value)
        stage = max(stage, producer.flatMap { stages[$0] } ?? 0, homes[value] ?? 0)
      }
      stages[id] = stage
    }
    for weight in Set(program.weights.values) {
      let users = Set(try graph.uses(of: weight).compactMap { stages[$0.node] })
      holders[weight] = users.isEmpty ? [0] : users.sorted()
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
