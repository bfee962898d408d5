import FXCore
import Foundation

/// Ranks that are threads of one process: for tests, and to try plans for many ranks.
///
/// What ranks combine is combined in the order of the group, so that results do not depend on who comes first.
public final class LocalWorld: Sendable {
  /// The number of ranks.
  public let size: Int
  /// How long an operation waits for other ranks.
  public let timeout: Duration
  let board = LocalBoard()

  /// - Parameter timeout: how long an operation waits for other ranks.
  /// - Throws: `CommunicationError.noRanks` for a size below 1.
  public init(size: Int, timeout: Duration = .seconds(30)) throws(CommunicationError) {
    guard size >= 1 else { throw .noRanks(size) }
    (self.size, self.timeout) = (size, timeout)
  }

  /// One rank's end; each rank has one.
  public func communicator(rank: Int) -> any Communicator { LocalCommunicator(world: self, rank: rank) }

  /// Runs `body` on every rank, each on a thread of its own, and gives their results in order.
  ///
  /// A rank that throws ends the waiting of the others.
  /// - Throws: the first error that is not about another rank's failing.
  public func run<T: Sendable>(_ body: @escaping @Sendable (any Communicator) throws -> T) throws -> [T] {
    let results = attempt(body)
    let failures = results.compactMap { result -> (any Error)? in
      if case .failure(let error) = result { error } else { nil }
    }
    let cause = failures.first { error in
      if case .peerFailed? = error as? CommunicationError { false } else { true }
    }
    if let error = cause ?? failures.first { throw error }
    return try results.map { try $0.get() }
  }

  /// As `run`, with what became of each rank.
  public func attempt<T: Sendable>(
    _ body: @escaping @Sendable (any Communicator) throws -> T
  ) -> [Result<T, any Error>] {
    let outcomes = LocalOutcomes<T>(size)
    let group = DispatchGroup()
    for rank in 0..<size {
      group.enter()
      let thread = Thread { [self] in
        let result = Result { try body(communicator(rank: rank)) }
        if case .failure(let error) = result { board.fail(rank, String(describing: error)) }
        outcomes.set(rank, result)
        group.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    group.wait()
    return outcomes.all
  }
}

/// Results of threads by rank. `@unchecked Sendable`: the lock guards the list.
private final class LocalOutcomes<T: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var results: [Int: Result<T, any Error>] = [:]
  private let size: Int

  init(_ size: Int) { self.size = size }

  func set(_ rank: Int, _ result: Result<T, any Error>) { lock.withLock { results[rank] = result } }
  var all: [Result<T, any Error>] { lock.withLock { (0..<size).compactMap { results[$0] } } }
}

private struct LocalCommunicator: Communicator {
  let world: LocalWorld
  let rank: Int
  var worldSize: Int { world.size }
  var timeout: Duration { world.timeout }

  func begin(_ exchange: Exchange) throws(CommunicationError) -> any PendingExchange {
    guard exchange.group.contains(rank), exchange.group.allSatisfy({ (0..<worldSize).contains($0) }) else {
      throw .notAMember(rank: rank, operation: exchange.description)
    }
    let ticket = world.board.post(exchange, from: rank)
    return LocalPending(board: world.board, ticket: ticket, exchange: exchange, rank: rank, timeout: timeout)
  }
}

private struct LocalPending: PendingExchange {
  let board: LocalBoard
  let ticket: LocalBoard.Ticket
  let exchange: Exchange
  let rank: Int
  let timeout: Duration

  func test() throws(CommunicationError) -> Bool { board.isDone(ticket) }

  func wait() throws(CommunicationError) -> Tensor {
    try board.take(ticket, exchange, rank: rank, timeout: timeout)
  }
}
