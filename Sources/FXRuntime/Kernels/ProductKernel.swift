internal import CKernels
import FXCore

/// Matrix products `act(alpha A B + biases + residual)`, one for each element of a batch.
///
/// `@unchecked Sendable` for the pointers of the prototype: its packed operands are read only, the others are null.
struct ProductKernel: Kernel, @unchecked Sendable {
  /// Sizes, strides, packed operands and epilogue; the other pointers are filled in by each run.
  private var prototype: fxk_gemm
  /// Keeps the packed operands alive.
  private let packed: [PackedWeights]
  private let batch: Batch
  private let addends: Addends
  /// Of one product.
  private let tasks: Int
  private let division: WorkDivision
  private let scratchFloats: Int

  /// Where the products of a batch find their operands, in elements.
  struct Batch: Sendable {
    var count = 1
    var a: [Int] = [0]
    var b: [Int] = [0]
    var residual: [Int] = [0]
  }

  /// Up to this depth a sum is stored once, so that the result may take the residual's memory. Deeper sums are stored in
  /// parts, over a residual that is still to be read.
  static let undividedDepth = 256

  /// Which operands are added to the product, by index.
  struct Addends: Sendable {
    var biasRow: Int?
    var biasColumn: Int?
    var residual: Int?
  }

  init(_ gemm: fxk_gemm, packed: [PackedWeights], batch: Batch, addends: Addends, threads: Int) {
    var gemm = gemm
    tasks = fxk_gemm_plan(&gemm, batch.count >= 2 * threads ? 1 : threads)
    prototype = gemm
    self.packed = packed
    self.batch = batch
    self.addends = addends
    // At about 60 GFLOP/s, or at the speed of memory where each element is used once or twice.
    let (m, n, k) = (Double(gemm.m), Double(gemm.n), Double(gemm.k))
    let cost = max(2 * m * n * k / 60, 0.1 * (m * k + k * n + m * n))
    division = WorkDivision(batch.count * tasks, nanosecondsEach: cost / Double(max(tasks, 1)), threads: threads)
    // Threads begin at cache lines of their own.
    scratchFloats = (fxk_gemm_scratch(&gemm) + 15) / 16 * 16
  }

  func scratchBytes(threads: Int) -> Int { scratchFloats * threads * MemoryLayout<Float>.stride }

  func run(_ arguments: borrowing KernelArguments) {
    let a = prototype.packed_a == nil ? arguments.operand(0, as: Float.self) : nil
    let b = prototype.packed_b == nil ? arguments.operand(1, as: Float.self) : nil
    let c = arguments.result(as: Float.self)
    let residual = addends.residual.map { arguments.operand($0, as: Float.self) }
    var gemm = prototype
    gemm.epilogue.bias_row = addends.biasRow.map { arguments.operand($0) }
    gemm.epilogue.bias_column = addends.biasColumn.map { arguments.operand($0) }
    let shared = gemm
    let scratch = arguments.scratch.assumingMemoryBound(to: Float.self)
    division.run(on: arguments.pool) { range, worker in
      var own = shared
      var task = range.lowerBound
      while task < range.upperBound {
        let (index, first) = task.quotientAndRemainder(dividingBy: tasks)
        let last = min(tasks, first + range.upperBound - task)
        own.a = a.map { $0 + batch.a[index] }
        own.b = b.map { $0 + batch.b[index] }
        own.c = c + index * own.m * own.n
        own.epilogue.residual = residual.map { $0 + batch.residual[index] }
        fxk_gemm_run(&own, first, last, scratch + worker * scratchFloats)
        task += last - first
      }
    }
  }
}

/// A matrix product as an operator describes it, before it is decided how to run it.
struct ProductDescription {
  var m: Int
  var n: Int
  var k: Int
  /// Elements between rows and columns of each operand.
  var aStrides: (row: Int, column: Int)
  var bStrides: (row: Int, column: Int)
  /// The batch's shape, and the shapes of the operands' batches, which broadcast to it.
  var batch: [Int] = []
  var aBatch: [Int] = []
  var bBatch: [Int] = []
  var alpha: Float = 1
  var addends = ProductKernel.Addends()
  /// The residual's shape, which broadcasts to the batch's with [m, n] appended.
  var residualShape: [Int] = []
}

extension KernelRequest {
  /// The kernel of a product of operands 0 and 1, constant ones packed; `nil` if the residual's form is not covered.
  func product(_ description: ProductDescription) -> KernelChoice? {
    if isAll(.float64) { return doubleProduct(description) }
    guard let activation = fusedFunctionIfAny() else { return nil }
    var d = description
    var batch = ProductKernel.Batch()
    var residualRow = 0
    // Rows of all batches are one matrix where B is the same for all of them.
    let fold =
      d.bBatch.allSatisfy { $0 == 1 } && d.aBatch.reduce(1, *) == d.batch.reduce(1, *)
      && d.aStrides.column == 1 && (d.aStrides.row == d.k || d.m == 1)
    if d.addends.residual != nil {
      guard let strides = d.residualStrides() else { return nil }
      residualRow = strides.row
      if fold, strides.isUniform {
        foldBatch()
      } else {
        batch.residual = strides.batch
        spreadBatch()
      }
    } else if fold {
      foldBatch()
    } else {
      spreadBatch()
    }
    func foldBatch() {
      d.m *= d.batch.reduce(1, *)
      if d.aStrides.row == 0 || d.m > 1 { d.aStrides.row = d.k }
    }
    func spreadBatch() {
      batch.count = d.batch.reduce(1, *)
      batch.a = ProductDescription.offsets(d.aBatch, in: d.batch, step: d.m * d.k)
      batch.b = ProductDescription.offsets(d.bBatch, in: d.batch, step: d.k * d.n)
      if batch.residual.count != batch.count { batch.residual = Array(repeating: 0, count: batch.count) }
    }

    var gemm = fxk_gemm()
    (gemm.m, gemm.n, gemm.k) = (d.m, d.n, d.k)
    (gemm.a_row, gemm.a_column, gemm.b_row, gemm.b_column) =
      (d.aStrides.row, d.aStrides.column, d.bStrides.row, d.bStrides.column)
    gemm.c_row = d.n
    gemm.epilogue = fxk_epilogue_none()
    gemm.epilogue.alpha = d.alpha
    gemm.epilogue.activation = activation.function
    gemm.epilogue.act_alpha = activation.alpha
    gemm.epilogue.act_beta = activation.beta
    gemm.epilogue.residual_row = residualRow

    var packed: [PackedWeights] = []
    if let b = operands[1]?.constant, d.bBatch.allSatisfy({ $0 == 1 }) {
      let weights = packB(b, d)
      gemm.packed_b = weights.floats()
      packed.append(weights)
    } else if let a = operands[0]?.constant, d.aBatch.allSatisfy({ $0 == 1 }) {
      let weights = packA(a, d)
      gemm.packed_a = weights.floats()
      packed.append(weights)
    }
    let kernel = ProductKernel(gemm, packed: packed, batch: batch, addends: d.addends, threads: threads)
    let residual = d.k <= ProductKernel.undividedDepth ? d.addends.residual : nil
    return .kernel(
      kernel, scratch: kernel.scratchBytes(threads: threads), inPlace: inPlace(residual.map { [$0] } ?? []),
      unread: gemm.packed_b != nil ? [1] : gemm.packed_a != nil ? [0] : [])
  }

  /// The activation of a fused operator, none for others; `nil` for one without a C kernel.
  private func fusedFunctionIfAny() -> FusedFunction? {
    node.attributes[FusedActivation.activation.name] == nil ? FusedFunction() : fusedFunction()
  }

  private func packB(_ tensor: Tensor, _ d: ProductDescription) -> PackedWeights {
    weights.packed(
      tensor, layout: "gemm.b \(d.k)×\(d.n) \(d.bStrides)",
      byteCount: fxk_gemm_packed_b_size(d.k, d.n) * MemoryLayout<Float>.stride, isLoose: true
    ) { source, target in
      fxk_gemm_pack_b(
        source.baseAddress?.assumingMemoryBound(to: Float.self), d.bStrides.row, d.bStrides.column, d.k, d.n,
        target.assumingMemoryBound(to: Float.self), 0, fxk_gemm_packed_b_panels(d.k, d.n))
    }
  }

  private func packA(_ tensor: Tensor, _ d: ProductDescription) -> PackedWeights {
    weights.packed(
      tensor, layout: "gemm.a \(d.m)×\(d.k) \(d.aStrides)",
      byteCount: fxk_gemm_packed_a_size(d.m, d.k) * MemoryLayout<Float>.stride, isLoose: true
    ) { source, target in
      fxk_gemm_pack_a(
        source.baseAddress?.assumingMemoryBound(to: Float.self), d.aStrides.row, d.aStrides.column, d.m, d.k,
        target.assumingMemoryBound(to: Float.self), 0, fxk_gemm_packed_a_panels(d.m, d.k))
    }
  }
}

extension ProductDescription {
  /// The first element of each matrix of a batch of matrices of `step` elements that broadcasts to `batch`.
  static func offsets(_ own: [Int], in batch: [Int], step: Int) -> [Int] {
    let strides = BroadcastLayout.strides(of: own, in: batch) ?? batch.map { _ in 0 }
    var offsets = [0]
    for axis in batch.indices {
      offsets = offsets.flatMap { base in (0..<batch[axis]).map { base + $0 * strides[axis] * step } }
    }
    return offsets
  }

  /// How the residual is read: by rows that repeat or follow each other. `nil` for one whose columns repeat.
  fileprivate func residualStrides() -> (row: Int, batch: [Int], isUniform: Bool)? {
    let matrix = batch + [m, n]
    let rank = matrix.count
    guard let strides = BroadcastLayout.strides(of: residualShape, in: matrix), n == 1 || strides[rank - 1] == 1 else {
      return nil
    }
    var offsets = [0]
    for axis in batch.indices { offsets = offsets.flatMap { base in (0..<batch[axis]).map { base + $0 * strides[axis] } } }
    let isFull = residualShape.reduce(1, *) == matrix.reduce(1, *)
    let isRepeated = strides.dropLast().allSatisfy { $0 == 0 }
    return (isFull ? n : strides[rank - 2], offsets, isFull || isRepeated)
  }
}
