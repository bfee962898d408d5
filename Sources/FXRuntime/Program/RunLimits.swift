import FXCore

/// What may end a run before it is done: the task that asked for it, its time and its memory.
struct RunLimits {
  private let timeLimit: Duration?
  private let deadline: ContinuousClock.Instant?
  let memory: MemoryAccount?

  /// The limits of a run that starts now.
  init(time: Duration? = nil, memory: Int? = nil) {
    timeLimit = time
    deadline = time.map { ContinuousClock.now + $0 }
    self.memory = memory.map(MemoryAccount.init)
  }

  /// Called before every step and every turn of a loop; what a kernel has begun, it ends.
  /// - Throws: `ExecutionError.cancelled`, `.timeLimit`.
  func check() throws {
    if Task.isCancelled { throw ExecutionError.cancelled }
    if let timeLimit, let deadline, ContinuousClock.now > deadline { throw ExecutionError.timeLimit(timeLimit) }
  }
}

/// The bytes of one run: what its plans need, and what its operators make that plans could not foresee.
final class MemoryAccount {
  let limit: Int
  private(set) var used = 0

  init(limit: Int) { self.limit = limit }

  /// - Throws: `ExecutionError.memoryLimit` if so many more are too many.
  func check(_ bytes: Int) throws {
    let (needed, overflow) = used.addingReportingOverflow(bytes)
    if overflow || needed > limit { throw ExecutionError.memoryLimit(needed: overflow ? .max : needed, limit: limit) }
  }

  func take(_ bytes: Int) throws {
    try check(bytes)
    used += bytes
  }

  func give(_ bytes: Int) { used -= bytes }

  /// What was taken since there were so many is given back.
  func restore(_ before: Int) { used = before }
}

extension RuntimeValue {
  /// The bytes of all tensors in it.
  var byteCount: Int {
    switch self {
    case .tensor(let tensor): tensor.elementType.byteCount(elements: tensor.elementCount) ?? 0
    case .sequence(let elements, _): elements.reduce(0) { $0 + $1.byteCount }
    case .optional(let value, _): value?.byteCount ?? 0
    case .map(let keys, let values): values.reduce(RuntimeValue.tensor(keys).byteCount) { $0 + $1.byteCount }
    }
  }
}
