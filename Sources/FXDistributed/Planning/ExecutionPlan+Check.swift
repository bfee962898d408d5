import FXCore

/// One call that a rank makes to others.
public struct RankAction: Sendable, Hashable {
  /// The operator's name, such as `all_reduce`, `send` or `recv`.
  public var op: String
  /// The ranks that make it together; both ends for `send` and `recv`.
  public var group: [Int]
  /// Which of the values that two ranks exchange it is; 0 for calls of a group.
  public var tag: Int
  /// Of the rank's operand, or of what comes.
  public var bytes: Int
  /// What the call is for, such as the name of the value: errors name it.
  public var label: String

  /// A call; a tag is for `send` and `recv`.
  public init(op: String, group: [Int], tag: Int = 0, bytes: Int, label: String) {
    (self.op, self.group, self.tag, self.bytes, self.label) = (op, group, tag, bytes, label)
  }

  /// Whether it is one end of a `send` and `recv`, not a call that all ranks of the group make alike.
  public var isPair: Bool { op == "send" || op == "recv" }
}

extension ExecutionPlan {
  /// What a rank says in one run, in order.
  /// - Throws: `PlanError.rank`.
  public func actions(of rank: Int) throws(PlanError) -> [RankAction] {
    guard (0..<worldSize).contains(rank) else { throw .rank(rank, worldSize: worldSize) }
    let stage = stages.axis.map { mesh.coordinate(of: rank, along: $0) } ?? 0
    func actions(_ phase: Phase) -> [RankAction] { patterns[stage].filter { $0.phase == phase }.compactMap(action) }
    func action(_ pattern: ExchangePattern) -> RankAction? {
      let group: [Int]
      switch pattern.partners {
      case .along(let axes): group = groupTable.group(of: rank, along: axes)
      case .stage(let other):
        let peer = stages.axis.map { mesh.rank(rank, at: other, along: $0) } ?? rank
        group = pattern.op == "send" ? [rank, peer] : [peer, rank]
      }
      return group.count > 1
        ? RankAction(op: pattern.op, group: group, tag: pattern.tag, bytes: pattern.bytes, label: pattern.label) : nil
    }
    let (forward, backward) = (actions(.forward), actions(.backward))
    var all: [RankAction] = []
    for pass in schedule.passes(stage: stage, of: stages.count, microBatches: microBatches) {
      all += pass.isForward ? forward : backward
    }
    all += actions(.update)
    for delivery in deliveries {
      let group = stages.axis.map { groupTable.group(of: rank, along: [$0]) } ?? [rank]
      all.append(RankAction(op: "broadcast", group: group, bytes: delivery.bytes, label: delivery.name))
    }
    return all
  }

  /// Outputs that the ranks of one stage give to those of the others when all micro-batches are done.
  var deliveries: [(index: Int, name: String, stage: Int, bytes: Int)] {
    guard stages.axis != nil else { return [] }
    return graph.outputs.indices.compactMap { index in
      guard deliveredOutputs.contains(index) else { return nil }
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

  /// Runs what ranks say to each other without the computing between. A rank goes on after a collective call when all that it
  /// names are at the same one, after a receive when the peer has come to the send, and after a send at once: it is waited for
  /// at the end, when each must have been received. O(calls).
  /// - Parameter actions: for each rank, in order.
  /// - Throws: `PlanError.unmatched`, `.deadlock`.
  public static func check(_ actions: [[RankAction]]) throws {
    var positions = Array(repeating: 0, count: actions.count)
    /// What is under way between two ranks, in order.
    var sent: [Line: [RankAction]] = [:]
    var taken: [Line: Int] = [:]
    func current(_ rank: Int) -> RankAction? {
      actions.indices.contains(rank) && positions[rank] < actions[rank].count ? actions[rank][positions[rank]] : nil
    }
    var pending = Array(actions.indices.reversed())
    while let rank = pending.popLast() {
      guard let action = current(rank) else { continue }
      guard action.group.contains(rank), Set(action.group).count == action.group.count else {
        throw PlanError.unmatched("rank \(rank) is not in the group of its \(action.op) '\(action.label)': \(action.group)")
      }
      if action.isPair {
        guard action.group.count == 2, action.group[action.op == "send" ? 0 : 1] == rank else {
          throw PlanError.unmatched("rank \(rank) makes \(action.op) '\(action.label)' of ranks \(action.group)")
        }
        let line = Line(from: action.group[0], to: action.group[1], tag: action.tag)
        if action.op == "send" {
          sent[line, default: []].append(action)
          pending.append(line.to)
        } else {
          let number = taken[line, default: 0]
          guard let theirs = sent[line], number < theirs.count else { continue }
          guard theirs[number].bytes == action.bytes else {
            throw PlanError.unmatched(
              "rank \(line.from) sends '\(theirs[number].label)' of \(theirs[number].bytes) bytes, "
                + "rank \(rank) receives '\(action.label)' of \(action.bytes)")
          }
          taken[line] = number + 1
        }
        positions[rank] += 1
        pending.append(rank)
        continue
      }
      let others = action.group.map(current)
      // A rank that is elsewhere may come yet; whoever moves is looked at again with those that wait for it.
      guard others.allSatisfy({ other in other.map { !$0.isPair && $0.group == action.group && $0.tag == action.tag } ?? false })
      else {
        continue
      }
      for (other, theirs) in zip(action.group, others) where other != rank {
        guard let theirs, theirs.bytes == action.bytes, action.op == theirs.op else {
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
    for (line, all) in sent.sorted(by: { ($0.key.from, $0.key.to, $0.key.tag) < ($1.key.from, $1.key.to, $1.key.tag) }) {
      let number = taken[line, default: 0]
      // A receiver that is stuck elsewhere is the cause.
      guard number < all.count, !actions.indices.contains(line.to) || current(line.to) == nil else { continue }
      throw PlanError.unmatched("rank \(line.from) sends '\(all[number].label)', rank \(line.to) does not receive it")
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

/// What one rank sends another under one tag: it arrives in the order in which it was sent.
private struct Line: Hashable {
  let from, to, tag: Int
}
