import FXCore

/// What a partition costs by the targets' estimates, and which parts had better run elsewhere.
struct PartitionBalance {
  private let dependencies: BodyDependencies
  private let overheads: [BackendOverhead]
  /// Seconds of each node on each target; `nil` where nobody can tell.
  private let seconds: [[Double?]]
  /// For each node the values it gives, as bytes and the nodes that use them; `nil` among those is an output.
  private let results: [[(bytes: Double, users: [Int?])]]
  /// For each node the bytes of the inputs that it uses.
  private let inputBytes: [Double]

  init(_ graph: Graph, _ dependencies: BodyDependencies, _ targets: [PartitionTarget]) {
    self.dependencies = dependencies
    overheads = targets.map(\.overhead)
    seconds = dependencies.nodes.map { node in targets.map { $0.seconds(node, graph) } }
    results = dependencies.nodes.map { node in
      ((try? graph[node].results) ?? []).map { value in
        (graph.bytes(of: value), ((try? graph.uses(of: value)) ?? []).map { dependencies.numbers[$0.node] })
      }
    }
    inputBytes = dependencies.operands.map { values in
      values.reduce(0) { sum, value in (try? graph.producer(of: value)) == .some(nil) ? sum + graph.bytes(of: value) : sum }
    }
  }

  /// Whether anybody said anything about costs.
  var isNeeded: Bool { overheads.contains { $0 != .none } || seconds.contains { $0.contains { $0 != nil } } }

  /// Seconds of all nodes, crossings and calls. Values cross once to each target that uses them.
  func cost(_ labels: [Int], _ parts: [ScheduledPart]) -> Double {
    var total = parts.reduce(0) { $0 + overheads[$1.target].secondsPerCall }
    for node in labels.indices {
      total += seconds[node][labels[node]] ?? 0
      total += crossings(node) { labels[$0] }
    }
    return total
  }

  /// Seconds for the values that a node gives to others and takes from the inputs. The host crosses for nothing.
  private func crossings(_ node: Int, _ label: (Int) -> Int) -> Double {
    let home = label(node)
    var total = inputBytes[node] * overheads[home].secondsPerByte
    for result in results[node] {
      var goals: Set<Int> = []
      for user in result.users { goals.insert(user.map(label) ?? -1) }
      goals.remove(home)
      for goal in goals {
        total += result.bytes * (overheads[home].secondsPerByte + (goal < 0 ? 0 : overheads[goal].secondsPerByte))
      }
    }
    return total
  }

  /// Labels in which each part that gains by it has moved to the target where it gains most.
  func improved(_ labels: [Int], _ parts: [ScheduledPart], _ candidates: Candidates) -> [Int] {
    var owner = Array(repeating: 0, count: labels.count)
    for (index, part) in parts.enumerated() { for node in part.nodes { owner[node] = index } }
    var labels = labels
    // Small parts first: they gain most and make others grow.
    for index in parts.indices.sorted(by: { (parts[$0].nodes.count, $0) < (parts[$1].nodes.count, $1) }) {
      let part = parts[index]
      guard let targets = candidates.common(to: part.nodes), let first = part.nodes.first else { continue }
      var best = (gain: 0.0, target: labels[first])
      for target in targets where target != labels[first] {
        let gain = gain(of: part.nodes, in: index, to: target, labels, owner)
        if gain > best.gain { best = (gain, target) }
      }
      for node in part.nodes { labels[node] = best.target }
    }
    return labels
  }

  /// Seconds saved by running a part on another target, where it joins the neighbouring parts of that target.
  private func gain(of nodes: [Int], in part: Int, to target: Int, _ labels: [Int], _ owner: [Int]) -> Double {
    let members = Set(nodes)
    let source = labels[nodes[0]]
    var saved = 0.0
    var joined: Set<Int> = []
    var touched = members
    for node in nodes {
      if let now = seconds[node][source], let then = seconds[node][target] { saved += now - then }
      for other in dependencies.predecessors[node] where !members.contains(other) {
        touched.insert(other)
        if labels[other] == target { joined.insert(owner[other]) }
      }
      for other in dependencies.successors[node] where !members.contains(other) && labels[other] == target {
        joined.insert(owner[other])
      }
    }
    for node in touched.sorted() {
      saved += crossings(node) { labels[$0] } - crossings(node) { members.contains($0) ? target : labels[$0] }
    }
    return saved + overheads[source].secondsPerCall + Double(joined.count - 1) * overheads[target].secondsPerCall
  }
}

extension Graph {
  /// The bytes of a value as far as its type tells; dimensions that it does not tell count as 1.
  fileprivate func bytes(of value: ValueID) -> Double {
    guard let type = try? type(of: value).tensorType else { return 0 }
    let count = (type.shape ?? []).reduce(1.0) { $0 * Double($1.size ?? 1) }
    return count * Double(type.elementType.byteCount(elements: 8) ?? 64) / 8
  }
}
