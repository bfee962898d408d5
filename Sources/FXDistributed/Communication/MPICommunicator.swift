internal import CMPI
import FXCore
import Synchronization

/// The process's end of MPI: a rank is a process that `mpirun` started.
///
/// Every operation is begun without waiting and then asked after until its time is over, since MPI itself notices neither a
/// peer that hangs nor, on some networks, one that died. There is no going on after an error: see `abort`.
public struct MPICommunicator: Communicator {
  /// Whether this build has MPI.
  public static var isBuilt: Bool { fxmpi_is_built() != 0 }

  public let rank: Int
  public let worldSize: Int
  public let timeout: Duration
  private let groups = MPIGroups()

  /// Joins the job. The first call in a process starts MPI.
  /// - Throws: `CommunicationError.unavailable`, `.engine`.
  static func world(timeout: Duration) throws(CommunicationError) -> MPICommunicator {
    var (rank, size): (Int32, Int32) = (0, 0)
    let code = fxmpi_init(&rank, &size)
    guard code == 0 else { throw .engine(rank: 0, operation: "MPI_Init", reason: describe(code)) }
    return MPICommunicator(rank: Int(rank), worldSize: Int(size), timeout: timeout)
  }

  private init(rank: Int, worldSize: Int, timeout: Duration) {
    (self.rank, self.worldSize, self.timeout) = (rank, worldSize, timeout)
  }

  /// Leaves the job in good order. The process must not communicate again.
  public static func finish() { _ = fxmpi_finalize() }

  /// Ends every process of the job, this one too: what a rank does after it has reported an error, since no rank can know
  /// which calls the others have made.
  public static func abort(status: Int32) { fxmpi_abort(status) }

  public func prepare(groups wanted: [[Int]]) throws(CommunicationError) {
    for ranks in wanted where ranks.contains(rank) && ranks != Array(0..<worldSize) && groups[ranks] == nil {
      let operation = "making the group of ranks \(ranks.map(String.init).joined(separator: ", "))"
      var group: OpaquePointer?
      fxmpi_say_waiting("rank \(rank): \(operation)")
      defer { fxmpi_say_waiting(nil) }
      let code = fxmpi_make_group(ranks.map(Int32.init), Int32(ranks.count), timeout.inSeconds, &group)
      guard code >= 0 else { throw .timeout(rank: rank, operation: operation, seconds: timeout.inSeconds, missing: []) }
      guard code == 0, let group else {
        throw .engine(rank: rank, operation: operation, reason: MPICommunicator.describe(code))
      }
      groups[ranks] = group
    }
  }

  public func begin(_ exchange: Exchange) throws(CommunicationError) -> any PendingExchange {
    let operation = exchange.description
    guard let place = exchange.group.firstIndex(of: rank), exchange.group.allSatisfy({ (0..<worldSize).contains($0) }) else {
      throw .notAMember(rank: rank, operation: operation)
    }
    let isPair: Bool
    switch exchange.operation {
    case .send, .receive: isPair = true
    default: isPair = false
    }
    if !isPair { try prepare(groups: [exchange.group]) }
    return try MPIPending(exchange, rank: rank, place: place, group: groups[exchange.group], timeout: timeout)
  }

  static func describe(_ code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 512)
    fxmpi_describe(code, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// MPI's handles of the groups of ranks this rank is in.
private final class MPIGroups: Sendable {
  /// `@unchecked Sendable`: what it points to is written once, by `fxmpi_make_group`, before the handle is made, is never
  /// freed, and Swift does not look into it. MPI may use a communicator from any thread, as `fxmpi_init` asks for
  /// `MPI_THREAD_MULTIPLE` and refuses less; calls of one group are made in order by the rank's one thread of execution.
  private struct Handle: @unchecked Sendable {
    let pointer: OpaquePointer
  }
  private let handles = Mutex<[[Int]: Handle]>([:])

  subscript(ranks: [Int]) -> OpaquePointer? {
    get { handles.withLock { $0[ranks] }?.pointer }
    set {
      let handle = newValue.map(Handle.init)
      handles.withLock { $0[ranks] = handle }
    }
  }
}

/// An operation of MPI under way.
///
/// `@unchecked Sendable`: the buffers belong to MPI until the request is done, and one thread waits at a time.
private final class MPIPending: PendingExchange, @unchecked Sendable {
  private let exchange: Exchange
  private let rank: Int
  private let timeout: Duration
  private let input: Tensor
  private let output: Tensor
  private var request: OpaquePointer?

  init(
    _ exchange: Exchange, rank: Int, place: Int, group: OpaquePointer?, timeout: Duration
  ) throws(CommunicationError) {
    (self.exchange, self.rank, self.timeout) = (exchange, rank, timeout)
    let operation = exchange.description
    // MPI has no 16-bit floats.
    let isNarrow = exchange.isReducing && [.float16, .bfloat16].contains(exchange.tensor.elementType)
    do {
      input = isNarrow ? try exchange.tensor.converted(to: .float32) : exchange.tensor
      output = try Tensor.allocate(input.elementType, [exchange.resultCount]).tensor
    } catch {
      throw .engine(rank: rank, operation: operation, reason: String(describing: error))
    }
    guard let source = input.unsafeBytes, let target = output.unsafeBytes else {
      throw .unsupported(rank: rank, operation: operation, input.elementType)
    }
    func reduced(_ reduction: Reduction) throws(CommunicationError) -> (element: Int32, reduction: Int32) {
      guard let element = input.elementType.mpiElement else {
        throw .unsupported(rank: rank, operation: operation, input.elementType)
      }
      return (Int32(element.rawValue), Int32(reduction.mpiReduction.rawValue))
    }
    let (count, bytes) = (input.elementCount, input.byteCount)
    let code: Int32
    switch exchange.operation {
    case .allReduce(let reduction), .reduce(let reduction, _):
      let how = try reduced(reduction)
      code = fxmpi_all_reduce(source, target, count, how.element, how.reduction, group, &request)
    case .reduceScatter(let reduction):
      let how = try reduced(reduction)
      code = fxmpi_reduce_scatter(source, target, exchange.resultCount, how.element, how.reduction, group, &request)
    case .allGather: code = fxmpi_all_gather(source, target, bytes, group, &request)
    case .allToAll: code = fxmpi_all_to_all(source, target, bytes / exchange.group.count, group, &request)
    case .broadcast(let root):
      guard let rootPlace = exchange.group.firstIndex(of: root) else { throw .notAMember(rank: root, operation: operation) }
      if place == rootPlace { target.copyMemory(from: source, byteCount: bytes) }
      code = fxmpi_broadcast(target, bytes, Int32(rootPlace), group, &request)
    case .send(let peer, let tag): code = fxmpi_send(source, bytes, Int32(peer), Int32(tag), &request)
    case .receive(let peer, let tag): code = fxmpi_receive(target, bytes, Int32(peer), Int32(tag), &request)
    case .barrier: code = fxmpi_barrier(group, &request)
    }
    guard code == 0 else { throw .engine(rank: rank, operation: operation, reason: MPICommunicator.describe(code)) }
  }

  /// After an error MPI may still write to the buffers, so they stay.
  deinit { if request != nil { _ = Unmanaged.passRetained(MPIBuffers(tensors: [input, output])) } }

  func test() throws(CommunicationError) -> Bool { try isDone(within: 0) }

  func wait() throws(CommunicationError) -> Tensor {
    fxmpi_say_waiting("rank \(rank): \(exchange)")
    defer { fxmpi_say_waiting(nil) }
    guard try isDone(within: timeout.inSeconds) else {
      throw .timeout(rank: rank, operation: exchange.description, seconds: timeout.inSeconds, missing: [])
    }
    do {
      return try finished()
    } catch {
      throw .engine(rank: rank, operation: exchange.description, reason: String(describing: error))
    }
  }

  private func isDone(within seconds: Double) throws(CommunicationError) -> Bool {
    guard let request else { return true }
    var done: Int32 = 0
    let code = fxmpi_wait(request, seconds, &done)
    guard code == 0 else {
      throw .engine(rank: rank, operation: exchange.description, reason: MPICommunicator.describe(code))
    }
    if done != 0 { self.request = nil }
    return done != 0
  }

  /// The result with what MPI's operations leave to do.
  private func finished() throws -> Tensor {
    var result = output
    if case .reduce(_, let root) = exchange.operation, rank != root {
      return try Tensor(zeros: exchange.tensor.elementType, output.shape)
    }
    if exchange.reduction == .mean { result = try result.mean(ofRanks: exchange.group.count) }
    return try result.converted(to: exchange.tensor.elementType)
  }
}

private final class MPIBuffers {
  let tensors: [Tensor]
  init(tensors: [Tensor]) { self.tensors = tensors }
}

extension Exchange {
  var reduction: Reduction? {
    switch operation {
    case .allReduce(let reduction), .reduce(let reduction, _), .reduceScatter(let reduction): reduction
    default: nil
    }
  }

  var isReducing: Bool { reduction != nil }
}

extension ElementType {
  /// As what MPI adds the elements.
  fileprivate var mpiElement: fxmpi_element? {
    switch self {
    case .float32: FXMPI_F32
    case .float64: FXMPI_F64
    case .int8: FXMPI_I8
    case .int16: FXMPI_I16
    case .int32: FXMPI_I32
    case .int64: FXMPI_I64
    case .uint8: FXMPI_U8
    case .uint16: FXMPI_U16
    case .uint32: FXMPI_U32
    case .uint64: FXMPI_U64
    default: nil
    }
  }
}

extension Reduction {
  fileprivate var mpiReduction: fxmpi_reduction {
    switch self {
    case .sum, .mean: FXMPI_SUM
    case .max: FXMPI_MAX
    case .min: FXMPI_MIN
    case .prod: FXMPI_PROD
    }
  }
}
