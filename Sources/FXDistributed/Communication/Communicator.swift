import FXCore

/// One rank's end of an engine that ranks talk through.
///
/// What a rank begins, the ranks it names begin too: collective operations of one group in the same order on all of them.
/// Nothing waits for ever: an operation that is not done within `timeout` is an error that names rank and operation. After
/// an error the ranks no longer agree on what comes next, so the run is over.
public protocol Communicator: Sendable {
  /// This rank, from 0.
  var rank: Int { get }
  /// The number of ranks.
  var worldSize: Int { get }
  /// How long an operation may take from the moment it is waited for.
  var timeout: Duration { get }

  /// Says which groups will be used, the same list on every rank, before any of them is.
  /// - Throws: `CommunicationError`.
  func prepare(groups: [[Int]]) throws(CommunicationError)
  /// Begins an operation and returns without waiting for other ranks.
  /// - Throws: `CommunicationError` if the engine refuses it.
  func begin(_ exchange: Exchange) throws(CommunicationError) -> any PendingExchange
}

extension Communicator {
  public func prepare(groups: [[Int]]) throws(CommunicationError) {}

  /// Begins an operation and waits for it.
  /// - Throws: `CommunicationError`.
  public func perform(_ exchange: Exchange) throws(CommunicationError) -> Tensor { try begin(exchange).wait() }
}

/// An operation under way.
public protocol PendingExchange: Sendable {
  /// Lets the engine go on with it; whether it is done.
  /// - Throws: `CommunicationError`.
  func test() throws(CommunicationError) -> Bool
  /// Waits for the result: elements in a row, as many as `Exchange.resultCount` says.
  /// - Throws: `CommunicationError`, `.timeout` among others.
  func wait() throws(CommunicationError) -> Tensor
}

/// How the elements of several ranks become one.
public enum Reduction: String, Sendable, Hashable, Codable, CaseIterable {
  /// Their sum; integers wrap around.
  case sum
  /// Their sum divided by the number of ranks, integers toward zero.
  case mean
  /// The largest.
  case max
  /// The smallest.
  case min
  /// Their product; integers wrap around.
  case prod
}

/// What one rank puts into an operation, as engines see it: elements in a row.
public struct Exchange: Sendable, CustomStringConvertible {
  /// What ranks do together, or two of them with each other. Ranks are those of the world, and `root` is one of the group.
  public enum Operation: Sendable, Hashable {
    /// Every rank gets the elements of all ranks combined.
    case allReduce(Reduction)
    /// The group's elements, one rank's after the other's.
    case allGather
    /// Of as many parts as there are ranks, each rank gets the one at its place, combined.
    case reduceScatter(Reduction)
    /// Of as many parts as there are ranks, each rank gets the ones at its place, one rank's after the other's.
    case allToAll
    /// Every rank gets the elements of the rank `root`.
    case broadcast(root: Int)
    /// Zeros on the ranks other than the root.
    case reduce(Reduction, root: Int)
    /// Gives the elements to rank `to`, for its receive of the same tag and the same place among those; nothing comes back.
    case send(to: Int, tag: Int)
    /// Gets from rank `from` what it sends with the same tag, in the order in which it was sent.
    case receive(from: Int, tag: Int)
    /// Done when every rank of the group has begun it; no elements are exchanged.
    case barrier
  }

  /// What is done; the same on every rank of the group, but for the two ends of `send` and `receive`.
  public var operation: Operation
  /// The ranks that take part, in order; both ends for `send` and `receive`.
  public var group: [Int]
  /// What the rank gives; what it receives is of the same type and number of elements as this says. Its elements do not
  /// matter for `receive`, `barrier`, and `broadcast` on ranks other than the root.
  public var tensor: Tensor
  /// What the operation is for: errors name it.
  public var label: String

  /// What this rank puts into an operation; every rank of the group makes one of its own.
  public init(_ operation: Operation, group: [Int], _ tensor: Tensor, label: String) {
    (self.operation, self.group, self.tensor, self.label) = (operation, group, tensor, label)
  }

  /// The number of elements that come back.
  public var resultCount: Int {
    switch operation {
    case .allReduce, .allToAll, .broadcast, .reduce, .receive: tensor.elementCount
    case .allGather: tensor.elementCount * group.count
    case .reduceScatter: tensor.elementCount / Swift.max(1, group.count)
    case .send, .barrier: 0
    }
  }

  /// `all_reduce 'y' of ranks 0, 1`
  public var description: String {
    switch operation {
    case .send(let peer, _): "send '\(label)' to rank \(peer)"
    case .receive(let peer, _): "recv '\(label)' from rank \(peer)"
    default: "\(operation.name) '\(label)' of ranks \(group.map(String.init).joined(separator: ", "))"
    }
  }
}

extension Exchange.Operation {
  /// The operator's name.
  public var name: String {
    switch self {
    case .allReduce: "all_reduce"
    case .allGather: "all_gather"
    case .reduceScatter: "reduce_scatter"
    case .allToAll: "all_to_all"
    case .broadcast: "broadcast"
    case .reduce: "reduce"
    case .send: "send"
    case .receive: "recv"
    case .barrier: "barrier"
    }
  }
}
