/// Lets so many work at once, lets so many wait, and turns all others away at once: a server that is asked for more than it
/// can do says so, rather than let everybody wait longer and longer.
public actor Gate {
  public struct Full: Error {}

  private let width, queueLimit: Int
  private var working = 0
  private var waiting: [CheckedContinuation<Void, Never>] = []
  private var served = 0

  /// - Parameters:
  ///   - width: how many work at once.
  ///   - queueLimit: how many may wait.
  public init(width: Int, queueLimit: Int) { (self.width, self.queueLimit) = (max(1, width), queueLimit) }

  public struct Count: Sendable, Equatable, Codable {
    public let working, waiting, served: Int

    public init(working: Int, waiting: Int, served: Int) {
      (self.working, self.waiting, self.served) = (working, waiting, served)
    }
  }

  public var count: Count { Count(working: working, waiting: waiting.count, served: served) }

  /// Does the work when it is its turn.
  /// - Throws: `Full` if as many wait as may; what the work throws.
  public nonisolated func pass<Result: Sendable>(_ work: @Sendable () throws -> Result) async throws -> Result {
    try await enter()
    let result = Swift.Result { try work() }
    await leave()
    return try result.get()
  }

  private func enter() async throws {
    guard working >= width else {
      working += 1
      return
    }
    guard waiting.count < queueLimit else { throw Full() }
    await withCheckedContinuation { waiting.append($0) }
  }

  /// The place goes to who has waited longest.
  private func leave() {
    served += 1
    if waiting.isEmpty { working -= 1 } else { waiting.removeFirst().resume() }
  }
}
