import FXCore

/// Computes one node's results for fixed shapes. Made when a plan is made, called on every run, from any thread.
///
/// A kernel splits work over `arguments.pool` such that no result depends on the number of threads.
public protocol Kernel: Sendable {
  /// - Throws: `KernelError` for what only the data can tell, such as an index out of range.
  func run(_ arguments: borrowing KernelArguments) throws
}

/// Where a kernel finds its operands and puts its results. Valid during one call.
public struct KernelArguments: ~Copyable {
  let table: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  let operandSlots: [Int32]
  let resultSlots: [Int32]
  /// As many bytes as the kernel asked for, 64-byte aligned.
  public let scratch: UnsafeMutableRawPointer
  /// The threads to split the work over.
  public let pool: ThreadPool

  /// The first element of operand `index`, which must be there.
  public func operand<T>(_ index: Int, as: T.Type = T.self) -> UnsafePointer<T> {
    UnsafePointer(address(operandSlots[index]).assumingMemoryBound(to: T.self))
  }

  /// The first element of result `index`.
  public func result<T>(_ index: Int = 0, as: T.Type = T.self) -> UnsafeMutablePointer<T> {
    address(resultSlots[index]).assumingMemoryBound(to: T.self)
  }

  /// Whether result `index` is wanted: an optional result that nobody uses has no memory.
  public func wants(_ index: Int) -> Bool { index < resultSlots.count && resultSlots[index] >= 0 }

  private func address(_ slot: Int32) -> UnsafeMutableRawPointer {
    // The plan gives every operand and result that a kernel may read or write a slot with memory behind it.
    table[Int(slot)].unsafelyUnwrapped
  }
}

/// What a kernel factory decides on.
public struct KernelRequest {
  /// An operand with the type it has in this plan.
  public struct OperandFacts: Sendable {
    /// The type of the elements.
    public let elementType: ElementType
    /// The sizes, all known.
    public let shape: [Int]
    /// The elements, if they are the same on every run.
    public let constant: Tensor?

    /// The product of the sizes; 1 for a scalar.
    public var elementCount: Int { shape.reduce(1, *) }
  }

  /// The node that is to be computed.
  public let node: Node
  /// `nil` where an optional operand is left out.
  public let operands: [OperandFacts?]
  /// For each result its type and sizes; `constant` is always `nil`.
  public let results: [OperandFacts]
  /// Which results anybody uses.
  public let wanted: [Bool]
  /// Copies of constants in the layouts that kernels want, made once per compiled graph.
  public let weights: WeightCache
  /// How many threads will run.
  public let threads: Int

  /// The value of a typed attribute, or its default.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { node.attributes[key] }

  /// Whether operand `index` is there: given and not left out.
  public func has(_ index: Int) -> Bool { index < operands.count && operands[index] != nil }

  /// Whether operands and wanted results are all of one element type.
  public func isAll(_ type: ElementType) -> Bool {
    operands.allSatisfy { $0 == nil || $0?.elementType == type } && results.allSatisfy { $0.elementType == type }
  }
}

/// How a node will be executed.
public enum KernelChoice: Sendable {
  /// The result is the operand's bytes in another shape: nothing runs.
  case view(ofOperand: Int)
  /// - Parameters:
  ///   - scratch: bytes of memory the kernel needs while it runs.
  ///   - inPlace: operands whose memory the first result may take over if nobody needs them afterwards.
  ///   - unread: constant operands that the kernel holds in a form of its own and never asks its arguments for.
  ///   - bytewise: operands whose bytes the kernel only copies, wherever they begin. Constants that no kernel reads
  ///     otherwise stay in the file that they are mapped from.
  case kernel(any Kernel, scratch: Int = 0, inPlace: [Int] = [], unread: [Int] = [], bytewise: [Int] = [])
}

/// Chooses a kernel for a node, or declines by returning `nil`: the reference kernel serves then.
public typealias KernelFactory = @Sendable (KernelRequest) throws -> KernelChoice?

/// The kernel factories of each operator. A value: users extend a copy of `.standard`.
public struct KernelTable: Sendable {
  private var factories: [Operator: KernelFactory] = [:]
  /// Those for images in blocks of channels, asked first.
  var blocked: [Operator: BlockedKernelFactory] = [:]

  /// A table without kernels: everything falls to the reference kernels.
  public init() {}

  /// The factory of an operator, `nil` where it has none. Setting it, to `nil` too, replaces every fast kernel of the operator.
  public subscript(op: Operator) -> KernelFactory? {
    get { factories[op] }
    set {
      factories[op] = newValue
      // A kernel of the user's takes the place of every kernel of ours.
      blocked[op] = nil
    }
  }

  /// The same factory for several operators.
  mutating func set(_ operators: [Operator], _ factory: @escaping KernelFactory) {
    for op in operators { self[op] = factory }
  }
}
