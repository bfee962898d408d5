import FXCore
import Foundation

/// Where threads leave what they give and find what they get.
///
/// `@unchecked Sendable`: the condition's lock guards everything that changes.
final class LocalBoard: @unchecked Sendable {
  /// Names one operation: the number of it among those of its group or of its line.
  struct Ticket: Hashable, Sendable {
    var channel: Channel
    var number: Int
  }

  enum Channel: Hashable, Sendable {
    case group([Int])
    case line(from: Int, to: Int, tag: Int)
  }

  private struct Meeting {
    var exchanges: [Int: Exchange] = [:]
    var result: Result<[Int: Tensor], CommunicationError>?
    var taken = 0
  }

  private let condition = NSCondition()
  private var meetings: [Ticket: Meeting] = [:]
  /// How many operations each rank began on each channel.
  private var counts: [Int: [Channel: Int]] = [:]
  private var failures: [Int: String] = [:]

  func fail(_ rank: Int, _ reason: String) {
    condition.withLock {
      failures[rank] = reason
      condition.broadcast()
    }
  }

  func post(_ exchange: Exchange, from rank: Int) -> Ticket {
    let channel: Channel =
      switch exchange.operation {
      case .send(let peer, let tag): .line(from: rank, to: peer, tag: tag)
      case .receive(let peer, let tag): .line(from: peer, to: rank, tag: tag)
      default: .group(exchange.group)
      }
    return condition.withLock {
      let number = counts[rank]?[channel] ?? 0
      counts[rank, default: [:]][channel] = number + 1
      let ticket = Ticket(channel: channel, number: number)
      var meeting = meetings[ticket] ?? Meeting()
      meeting.exchanges[rank] = exchange
      if meeting.exchanges.count == Set(exchange.group).count {
        meeting.result = LocalBoard.combine(meeting.exchanges, exchange.group)
        condition.broadcast()
      }
      meetings[ticket] = meeting
      return ticket
    }
  }

  func isDone(_ ticket: Ticket) -> Bool { condition.withLock { meetings[ticket]?.result != nil } }

  func take(_ ticket: Ticket, _ exchange: Exchange, rank: Int, timeout: Duration) throws(CommunicationError) -> Tensor {
    let deadline = Date(timeIntervalSinceNow: timeout.inSeconds)
    condition.lock()
    defer { condition.unlock() }
    while true {
      if var meeting = meetings[ticket], let result = meeting.result {
        meeting.taken += 1
        meetings[ticket] = meeting.taken == meeting.exchanges.count ? nil : meeting
        switch result {
        case .success(let tensors): if let tensor = tensors[rank] { return tensor }
        case .failure(.mismatch(_, _, let reason)):
          throw .mismatch(rank: rank, operation: exchange.description, reason: reason)
        case .failure(let error): throw error
        }
        throw .notAMember(rank: rank, operation: exchange.description)
      }
      let missing = exchange.group.filter { meetings[ticket]?.exchanges[$0] == nil }
      if let peer = missing.first(where: { failures[$0] != nil }), let reason = failures[peer] {
        throw .peerFailed(rank: rank, operation: exchange.description, peer: peer, reason: reason)
      }
      guard condition.wait(until: deadline) else {
        throw .timeout(rank: rank, operation: exchange.description, seconds: timeout.inSeconds, missing: missing)
      }
    }
  }

  // MARK: Combining

  private static func combine(
    _ exchanges: [Int: Exchange], _ group: [Int]
  ) -> Result<[Int: Tensor], CommunicationError> {
    let all = group.compactMap { exchanges[$0] }
    guard let first = all.first else { return .success([:]) }
    for (rank, other) in zip(group, all).dropFirst() where !first.fits(other) {
      let reason =
        "rank \(group[0]) makes \(first) of \(first.tensor.type), rank \(rank) \(other) of \(other.tensor.type)"
      return .failure(.mismatch(rank: rank, operation: other.description, reason: reason))
    }
    do {
      return .success(try combined(all, first, group))
    } catch {
      return .failure(.engine(rank: group[0], operation: first.description, reason: String(describing: error)))
    }
  }

  private static func combined(_ all: [Exchange], _ first: Exchange, _ group: [Int]) throws -> [Int: Tensor] {
    let tensors = all.map(\.tensor)
    func everywhere(_ tensor: Tensor) -> [Int: Tensor] { Dictionary(group.map { ($0, tensor) }) { $1 } }
    switch first.operation {
    case .allReduce(let reduction): return everywhere(try tensors.combined(by: reduction))
    case .reduce(let reduction, let root):
      let result = try tensors.combined(by: reduction)
      var results = everywhere(try Tensor(zeros: result.elementType, result.shape))
      results[root] = result
      return results
    case .reduceScatter(let reduction):
      return Dictionary(zip(group, try tensors.combined(by: reduction).flatParts(group.count))) { $1 }
    case .allGather: return everywhere(try Tensor.flatJoined(tensors))
    case .allToAll:
      let parts = try tensors.map { try $0.flatParts(group.count) }
      let joined = try group.indices.map { place in try Tensor.flatJoined(parts.map { $0[place] }) }
      return Dictionary(zip(group, joined)) { $1 }
    case .broadcast(let root): return zip(group, tensors).first { $0.0 == root }.map { everywhere($0.1) } ?? [:]
    case .send, .receive:
      var results = everywhere(try Tensor(zeros: first.tensor.elementType, [0]))
      let sent = all.first { if case .send = $0.operation { true } else { false } }
      for (rank, exchange) in zip(group, all) {
        if case .receive = exchange.operation, let sent { results[rank] = sent.tensor }
      }
      return results
    case .barrier: return everywhere(try Tensor(zeros: .uint8, [0]))
    }
  }
}

extension Exchange {
  /// Whether another rank's exchange is the other half of this one.
  fileprivate func fits(_ other: Exchange) -> Bool {
    guard tensor.elementType == other.tensor.elementType, tensor.elementCount == other.tensor.elementCount else { return false }
    switch (operation, other.operation) {
    case (.send, .receive), (.receive, .send): return true
    default: return operation == other.operation
    }
  }
}
