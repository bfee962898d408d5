import FXCore

/// Nodes that run one after the other on one target. Nodes and targets are numbers.
struct ScheduledPart: Equatable {
  var target: Int
  var nodes: [Int]
}

/// Groups labelled nodes into few parts by list scheduling: all that is ready for one target, then all that is ready for
/// the next. A node joins a part only if all that it needs is there, so no part waits for itself.
struct PartScheduler {
  let dependencies: BodyDependencies
  let targetCount: Int

  init(_ dependencies: BodyDependencies, targetCount: Int) {
    self.dependencies = dependencies
    self.targetCount = targetCount
  }

  /// The parts in execution order; the fewest that any first target leads to.
  func parts(_ labels: [Int]) -> [ScheduledPart] {
    guard !labels.isEmpty else { return [] }
    let depths = alternations(labels)
    var best: [ScheduledPart]?
    for first in 0..<targetCount {
      guard let found = schedule(labels, depths, first: first) else { continue }
      if best.map({ found.count < $0.count }) ?? true { best = found }
    }
    let parts = best ?? []
    return targetCount > 2 ? merged(parts, labels) : parts
  }

  /// How often the target changes on the way from each node to the end, at most.
  private func alternations(_ labels: [Int]) -> [Int] {
    var depths = Array(repeating: 0, count: labels.count)
    for node in labels.indices.reversed() {
      for next in dependencies.successors[node] {
        depths[node] = max(depths[node], depths[next] + (labels[next] == labels[node] ? 0 : 1))
      }
    }
    return depths
  }

  /// `nil` if nothing is ready for `first` at the start.
  private func schedule(_ labels: [Int], _ depths: [Int], first: Int) -> [ScheduledPart]? {
    var waiting = dependencies.predecessors.map(\.count)
    var ready = Array(repeating: [Int](), count: targetCount)
    for node in labels.indices where waiting[node] == 0 { ready[labels[node]].append(node) }
    guard !ready[first].isEmpty else { return nil }
    var parts: [ScheduledPart] = []
    var target: Int? = first
    while let current = target {
      var nodes: [Int] = []
      while let node = ready[current].popLast() {
        nodes.append(node)
        for next in dependencies.successors[node] {
          waiting[next] -= 1
          if waiting[next] == 0 { ready[labels[next]].append(next) }
        }
      }
      parts.append(ScheduledPart(target: current, nodes: nodes.sorted()))
      // The target on which the longest chain of changes waits; of equals, the one with priority.
      target = ready.indices.filter { !ready[$0].isEmpty }.max { a, b in
        let (x, y) = (ready[a].map { depths[$0] }.max() ?? 0, ready[b].map { depths[$0] }.max() ?? 0)
        return x == y ? a > b : x < y
      }
    }
    return parts
  }

  /// Joins parts of one target between which no path leads through another part. With two targets the schedule leaves
  /// none; with more it may. Graphs with very many parts are left as scheduled.
  private func merged(_ parts: [ScheduledPart], _ labels: [Int]) -> [ScheduledPart] {
    guard parts.count <= 256 else { return parts }
    var owner = Array(repeating: 0, count: labels.count)
    for (index, part) in parts.enumerated() { for node in part.nodes { owner[node] = index } }
    var successors = Array(repeating: Set<Int>(), count: parts.count)
    for (node, next) in dependencies.successors.enumerated() {
      for other in next where owner[other] != owner[node] { successors[owner[node]].insert(owner[other]) }
    }
    var groups: [Int: ScheduledPart] = Dictionary(uniqueKeysWithValues: parts.enumerated().map { ($0, $1) })
    for late in parts.indices {
      for early in 0..<late {
        guard let a = groups[early], let b = groups[late], a.target == b.target,
          !isReachable(late, from: early, successors), !isReachable(early, from: late, successors)
        else { continue }
        groups[early] = ScheduledPart(target: a.target, nodes: (a.nodes + b.nodes).sorted())
        groups[late] = nil
        successors[early].formUnion(successors[late])
        successors[late] = []
        for index in successors.indices where successors[index].remove(late) != nil { successors[index].insert(early) }
        successors[early].remove(early)
        break
      }
    }
    return ordered(groups, successors)
  }

  /// Whether a path of two or more steps leads from one part to another.
  private func isReachable(_ goal: Int, from start: Int, _ successors: [Set<Int>]) -> Bool {
    var seen: Set<Int> = [start]
    var pending = successors[start].filter { $0 != goal }
    while let next = pending.popFirst() {
      guard seen.insert(next).inserted else { continue }
      if successors[next].contains(goal) { return true }
      pending.formUnion(successors[next])
    }
    return false
  }

  private func ordered(_ groups: [Int: ScheduledPart], _ successors: [Set<Int>]) -> [ScheduledPart] {
    var waiting: [Int: Int] = [:]
    for index in groups.keys { for next in successors[index] { waiting[next, default: 0] += 1 } }
    var ready = groups.keys.filter { waiting[$0] == nil }.sorted()
    var result: [ScheduledPart] = []
    while !ready.isEmpty {
      let next = ready.removeFirst()
      if let part = groups[next] { result.append(part) }
      for other in successors[next].sorted() {
        waiting[other, default: 1] -= 1
        if waiting[other] == 0 { ready.append(other) }
      }
      ready.sort()
    }
    return result
  }
}
