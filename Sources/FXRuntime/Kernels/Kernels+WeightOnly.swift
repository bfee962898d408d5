internal import CKernels
import FXCore

/// Products with weights of 4 or 8 bits in blocks, decoded as they are multiplied.
extension KernelTable {
  mutating func addWeightOnly() { self[.matmulNBits] = { $0.weightOnlyProduct() } }
}

extension KernelRequest {
  fileprivate func weightOnlyProduct() -> KernelChoice? {
    let (n, k, bits, block) = (
      self[MatmulNBits.n], self[MatmulNBits.k], self[MatmulNBits.bits], self[MatmulNBits.blockSize]
    )
    guard [4, 8].contains(bits), block >= 32, block & (block - 1) == 0, n > 0, k > 0, type(0) == .float32, type(2) == .float32,
      results[0].elementCount > 0, !has(4), shape(0).last == k
    else { return nil }
    let blocks = (k - 1) / block + 1
    guard operands[1]?.elementCount == n * blocks * block * bits / 8, operands[2]?.elementCount == n * blocks else {
      return nil
    }
    if has(3) {
      let row = bits == 4 ? (blocks + 1) / 2 : blocks
      guard type(3) == .uint8, operands[3]?.elementCount == n * row else { return nil }
    }
    if has(5) { guard type(5) == .float32, shape(5) == [n] else { return nil } }
    var product = fxk_weight_only()
    (product.m, product.n, product.k) = (results[0].elementCount / n, n, k)
    (product.bits, product.block) = (Int32(bits), block)
    let kernel = WeightOnlyKernel(product, hasZeros: has(3), hasBias: has(5), threads: threads)
    return .kernel(kernel, scratch: kernel.scratchBytes)
  }
}

/// Few rows are multiplied by weights decoded in registers; for many, columns are decoded and packed as floats first, which
/// every row then shares.
///
/// `@unchecked Sendable` for the pointers of the prototype, which are null.
private struct WeightOnlyKernel: Kernel, @unchecked Sendable {
  private let prototype: fxk_weight_only
  private let hasZeros: Bool
  private let hasBias: Bool
  private let division: WorkDivision
  private let isDecoded: Bool
  /// Of each thread.
  private let scratchFloats: Int
  private let threads: Int

  /// Columns that are decoded at a time.
  private static let unit = 32
  /// From this number of rows on decoding pays.
  private static let decodedRows = 16

  init(_ product: fxk_weight_only, hasZeros: Bool, hasBias: Bool, threads: Int) {
    var product = product
    prototype = product
    self.hasZeros = hasZeros
    self.hasBias = hasBias
    self.threads = threads
    isDecoded = product.m >= WeightOnlyKernel.decodedRows
    let unit = WeightOnlyKernel.unit
    if isDecoded {
      var gemm = WeightOnlyKernel.gemm(product, columns: unit)
      scratchFloats =
        WeightOnlyKernel.rounded(unit * product.k) + WeightOnlyKernel.rounded(fxk_gemm_packed_b_size(product.k, unit))
        + WeightOnlyKernel.rounded(fxk_gemm_scratch(&gemm))
    } else {
      scratchFloats = WeightOnlyKernel.rounded(fxk_weight_only_scratch(&product))
    }
    let cost = Double(unit * product.k) * (isDecoded ? 1 + Double(product.m) / 30 : 0.15 * Double(product.m))
    division = WorkDivision((product.n + unit - 1) / unit, nanosecondsEach: cost, threads: threads)
  }

  var scratchBytes: Int { scratchFloats * threads * MemoryLayout<Float>.stride }

  /// Threads begin at cache lines of their own.
  private static func rounded(_ floats: Int) -> Int { (floats + 15) / 16 * 16 }

  private static func gemm(_ product: fxk_weight_only, columns: Int) -> fxk_gemm {
    var gemm = fxk_gemm()
    (gemm.m, gemm.n, gemm.k) = (product.m, columns, product.k)
    (gemm.a_row, gemm.a_column, gemm.b_row, gemm.b_column) = (product.k, 1, 1, product.k)
    gemm.c_row = product.n
    gemm.epilogue = fxk_epilogue_none()
    _ = fxk_gemm_plan(&gemm, 1)
    return gemm
  }

  func run(_ arguments: borrowing KernelArguments) {
    var product = prototype
    product.x = arguments.operand(0)
    product.codes = arguments.operand(1)
    product.scales = arguments.operand(2)
    if hasZeros { product.zeros = arguments.operand(3) }
    if hasBias { product.bias = arguments.operand(5) }
    product.y = arguments.result()
    let scratch = arguments.scratch.assumingMemoryBound(to: Float.self)
    let shared = product
    let unit = WeightOnlyKernel.unit
    division.run(on: arguments.pool) { range, worker in
      let own = scratch + worker * scratchFloats
      if !isDecoded {
        withUnsafePointer(to: shared) {
          fxk_weight_only_run($0, range.lowerBound * unit, min(range.upperBound * unit, $0.pointee.n), own)
        }
        return
      }
      for index in range { decode(shared, index * unit, min((index + 1) * unit, shared.n), own) }
    }
  }

  /// Columns [first, last) of the product, by way of floats.
  private func decode(_ product: fxk_weight_only, _ first: Int, _ last: Int, _ scratch: UnsafeMutablePointer<Float>) {
    var gemm = WeightOnlyKernel.gemm(product, columns: last - first)
    let packed = scratch + WeightOnlyKernel.rounded(WeightOnlyKernel.unit * product.k)
    let rest = packed + WeightOnlyKernel.rounded(fxk_gemm_packed_b_size(product.k, WeightOnlyKernel.unit))
    withUnsafePointer(to: product) { fxk_weight_only_numbers($0, first, last, scratch) }
    fxk_gemm_pack_b(scratch, 1, product.k, product.k, last - first, packed, 0, fxk_gemm_packed_b_panels(product.k, last - first))
    gemm.packed_b = UnsafePointer(packed)
    gemm.a = product.x
    gemm.c = product.y + first
    gemm.epilogue.bias_column = product.bias.map { $0 + first }
    // Planned anew, as its right operand is packed.
    let tasks = fxk_gemm_plan(&gemm, 1)
    fxk_gemm_run(&gemm, 0, tasks, rest)
  }
}
