import FXCore

/// One call that a rank makes to others.
public struct RankAction: Sendable, Hashable {
  public var op: String
  /// The ranks that make it together; both ends for `send` and `recv`.
  public var group: [Int]
  public var tag: Int
  /// Of the rank's operand, or of what comes.
  public var bytes: Int
  public var label: String

  public init(op: String, group: [Int], tag: Int = 0, bytes: Int, label: String) {
    (self.op, self.group, self.tag, self.bytes, self.label) = (op, group, tag, bytes, label)
  }

  public var isPair: Bool { op == "send" || op == "recv" }
}

extension ExecutionPlan {
  /// What a rank says in one run, in order.
  public func actions(of rank: Int) -> [RankAction] {
    let stage = stages.axis.map { mesh.coordinate(of: rank, along: $0) } ?? 0
    let once = patterns[stage].compactMap { pattern -> RankAction? in
      let group: [Int]
      switch pattern.partners {
      case .along(let axes): group = program.mesh.group(of: rank, along: axes)
      case .stage(let other):
        let peer = stages.axis.map { mesh.rank(rank, at: other, along: $0) } ?? rank
        group = pattern.op == "send" ? [rank, peer] : [peer, rank]
      }
      return group.count > 1
        ? RankAction(op: pattern.op, group: group, tag: pattern.tag, bytes: pattern.bytes, label: pattern.label) : nil
    }
    var all = Array(repeating: once, count: microBatches).flatMap(\.self)
    for delivery in deliveries {
      let group = stages.axis.map { mesh.group(of: rank, along: [$0]) } ?? [rank]
      all.append(RankAction(op: "broadcast", group: group, bytes: delivery.bytes, label: delivery.name))
    }
    return all
  }

  /// Outputs that the ranks of one stage give to those of the others when all micro-batches are done.
  var deliveries: [(index: Int, name: String, stage: Int, bytes: Int)] {
    guard gathersOutputs, stages.axis != nil else { return [] }
    return graph.outputs.indices.compactMap { index in
      let operand = graph.outputs[index]
      guard operand.value.flatMap({ try? graph.producer(of: $0) }) != nil else { return nil }
      return (index, outputs[index].name, outputs[index].stage, graph.sizedType(of: operand)?.byteCount ?? 0)
    }
  }

  /// Checks the plan: every node is in one part, every call has its counterparts, and nobody waits for ever.
  /// - Throws: `PlanError.coverage`, `.unmatched`, `.deadlock`.
  public func check() throws {
    let missing = graph.bodyNodes.filter { stages.stages[$0] == nil || program.steps[$0] == nil }
    guard missing.isEmpty, stages.stages.count == graph.bodyNodes.count else {
      throw PlanError.coverage(missing.map { graph.name(of: $0) })
    }
    try ExecutionPlan.check((0..<worldSize).map(actions(of:)))
  }

  /// Runs what ranks say to each other without the computing between: a rank goes on when all that its call names are at the
  /// same call. Sends wait for their receives, so that a schedule that passes does without buffers. O(calls).
  /// - Parameter actions: for each rank, in order.
  /// - Throws: `PlanError.unmatched`, `.deadlock`.
  public static func check(_ actions: [[RankAction]]) throws {
    var positions = Array(repeating: 0, count: actions.count)
    func current(_ rank: Int) -> RankAction? {
      actions.indices.contains(rank) && positions[rank] < actions[rank].count ? actions[rank][positions[rank]] : nil
    }
    var pending = Array(actions.indices.reversed())
    while let rank = pending.popLast() {
      guard let action = current(rank) else { continue }
      guard action.group.contains(rank), Set(action.group).count == action.group.count else {
        throw PlanError.unmatched("rank \(rank) is not in the group of its \(action.op) '\(action.label)': \(action.group)")
      }
      let others = action.group.map(current)
      // A rank that is elsewhere may come yet; whoever moves is looked at again with those that wait for it.
      guard others.allSatisfy({ other in other.map { $0.group == action.group && $0.tag == action.tag } ?? false }) else {
        continue
      }
      for (other, theirs) in zip(action.group, others) where other != rank {
        guard let theirs, theirs.bytes == action.bytes, action.fits(theirs) else {
          throw PlanError.unmatched(
            "rank \(rank) makes \(action.op) '\(action.label)' of \(action.bytes) bytes, "
              + "rank \(other) \(theirs?.op ?? "nothing") '\(theirs?.label ?? "")' of \(theirs?.bytes ?? 0)")
        }
      }
      for member in action.group {
        positions[member] += 1
        pending.append(member)
      }
    }
    let stuck = actions.indices.filter { current($0) != nil }
    guard stuck.isEmpty else {
      throw PlanError.deadlock(
        stuck.prefix(8).compactMap { rank in
          current(rank).map { "rank \(rank) waits in \($0.op) '\($0.label)' of ranks \($0.group)" }
        })
    }
  }
}

extension RankAction {
  fileprivate func fits(_ other: RankAction) -> Bool {
    isPair ? Set([op, other.op]) == ["send", "recv"] : op == other.op
  }
}
