import FXCore

/// How a region runs for one set of input types: which kernels, in which order, on which memory. Plans and steps are classes,
/// so that a run passes them on without copying what they hold.
final class Plan: Sendable {
  /// What the plan was made for: the tensors among the inputs; `nil` for others.
  let inputs: [InputTensor?]
  let slots: [Slot]
  let steps: [Step]
  /// The slot of each result of the region.
  let results: [Int32]
  /// The tensors that each run allocates for its results, by the index that `Home.output` names.
  let outputs: [TensorFacts]
  /// For each of them, which result of the region it is.
  let outputPositions: [Int]
  /// Bytes of the one block that holds everything that lives only during a run.
  let arenaBytes: Int

  /// The slots that are bound to other memory in every run.
  let bindings: [Binding]

  init(
    inputs: [ValueType], slots: [Slot], steps: [Step], results: [Int32], outputs: [TensorFacts], outputPositions: [Int],
    arenaBytes: Int
  ) {
    self.inputs = inputs.map { InputTensor($0) }
    self.slots = slots
    self.steps = steps
    self.results = results
    self.outputs = outputs
    self.outputPositions = outputPositions
    self.arenaBytes = arenaBytes
    bindings = slots.enumerated().compactMap { index, slot in
      switch slot.home {
      case .input(let input): Binding(slot: index, source: .input(input))
      case .output(let output): Binding(slot: index, source: .output(output))
      case .constant, .arena, .boxed: nil
      }
    }
  }

  /// A tensor, strings included, whose sizes are known.
  struct InputTensor: Sendable {
    let elementType: ElementType
    let shape: [Int]

    init?(_ type: ValueType) {
      guard let tensor = type.tensorType, let shape = tensor.shape?.sizes else { return nil }
      (elementType, self.shape) = (tensor.elementType, shape)
    }

    func fits(_ tensor: Tensor) -> Bool { tensor.elementType == elementType && tensor.shape == shape }
  }

  struct Binding: Sendable {
    enum Source: Sendable {
      case input(Int)
      case output(Int)
    }
    let slot: Int
    let source: Source
  }

  /// Arena and outputs: what a run needs beyond weights, inputs, and values whose size only the run tells.
  var peakBytes: Int { outputs.reduce(arenaBytes) { $0 + $1.byteCount } }

  /// A value of the region, or a constant.
  struct Slot: Sendable {
    let home: Home
    /// `nil` if only the run tells, if the value is no tensor, or for strings, whose type may be known.
    let facts: TensorFacts?
    /// Of a tensor whose rank is known.
    let type: ValueType?
  }

  /// Where a value's bytes are.
  enum Home: Sendable {
    case constant(Tensor)
    case input(Int)
    case arena(offset: Int)
    case output(Int)
    /// Made during the run by a step that allocates, such as a reference kernel.
    case boxed
  }

  final class Step: Sendable {
    enum Work: Sendable {
      case kernel(any Kernel, scratchOffset: Int)
      /// Operands are handed over as values; types are found out then.
      case evaluate
    }
    let node: Node
    let work: Work
    /// -1 for an operand that is left out.
    let operands: [Int32]
    /// -1 for a result that nobody wants.
    let results: [Int32]
    /// Boxed slots nobody needs after this step.
    let releases: [Int32]

    init(node: Node, work: Work, operands: [Int32], results: [Int32], releases: [Int32]) {
      self.node = node
      self.work = work
      self.operands = operands
      self.results = results
      self.releases = releases
    }
  }
}

/// Element type and sizes of a tensor whose bytes can be laid out.
struct TensorFacts: Sendable, Equatable {
  let elementType: ElementType
  let shape: [Int]
  /// In memory, with the channels past the last where they lie in blocks.
  let byteCount: Int
  /// Whether it is an image whose channels lie in blocks.
  let isInBlocks: Bool

  /// `nil` for types with unknown sizes and for strings.
  init?(_ type: ValueType) {
    guard case .tensor(let tensor) = type, let shape = tensor.shape?.sizes else { return nil }
    self.init(tensor.elementType, shape)
  }

  init?(_ elementType: ElementType, _ shape: [Int]) {
    guard let count = try? Tensor.elementCount(of: shape, elementType),
      let byteCount = elementType.byteCount(elements: count)
    else { return nil }
    self.elementType = elementType
    self.shape = shape
    self.byteCount = byteCount
    isInBlocks = false
  }

  /// An image of `float32` with its channels in blocks; `nil` for other tensors.
  init?(_ plain: TensorFacts, inBlocksOf block: Int) {
    guard plain.elementType == .float32, plain.shape.count == 4,
      let padded = TensorFacts(
        .float32, [plain.shape[0], (plain.shape[1] + block - 1) / block, plain.shape[2], plain.shape[3], block])
    else { return nil }
    elementType = .float32
    shape = plain.shape
    byteCount = padded.byteCount
    isInBlocks = true
  }

  var type: ValueType { .tensor(elementType, Shape(shape)) }
}
