internal import CKernels
import FXCore

extension KernelTable {
  mutating func addIntegerProducts() {
    self[.matmulInteger] = { request in
      func place(_ index: Int) -> Int? { request.has(index) ? index : nil }
      return request.integerProduct(IntegerScaling.Places(aZero: place(2), bZero: place(3)))
    }
    self[.qlinearMatmul] = { request in
      request.integerProduct(
        IntegerScaling.Places(b: 3, aScale: 1, aZero: 2, bScale: 4, bZero: 5, yScale: 6, yZero: 7))
    }
    self[.integerProduct] = { request in
      request.integerProduct(
        request.integerPlaces, transB: request[IntegerOutput.transB], low: request[IntegerOutput.low],
        high: request[IntegerOutput.high])
    }
  }
}

extension KernelRequest {
  fileprivate func integerProduct(
    _ places: IntegerScaling.Places, transB: Bool = false, low: Int? = nil, high: Int? = nil
  ) -> KernelChoice? {
    let (a, b) = (shape(places.a), shape(places.b))
    guard a.count >= 2, b.count >= 2 else { return nil }
    if results[0].elementCount == 0 { return .kernel(NothingKernel()) }
    let (m, k) = (a[a.count - 2], a[a.count - 1])
    let (rows, n) = transB ? (b[b.count - 1], b[b.count - 2]) : (b[b.count - 2], b[b.count - 1])
    guard rows == k, let scaling = IntegerScaling(self, places, n: n, k: k, low: low, high: high) else { return nil }
    // Zero points of columns that differ by matrix are the reference kernel's.
    let batch = Array(results[0].shape.dropLast(2))
    let isShared = b.dropLast(2).allSatisfy { $0 == 1 }
    var description = IntegerProductKernel.Form(m: m, n: n, k: k, bStrides: transB ? (1, k) : (n, 1))
    if isShared, a.dropLast(2).reduce(1, *) == batch.reduce(1, *) {
      description.m = m * batch.reduce(1, *)
    } else {
      guard !isShared || operands[places.b]?.constant == nil else { return nil }
      description.a = ProductDescription.offsets(Array(a.dropLast(2)), in: batch, step: m * k)
      description.b = ProductDescription.offsets(Array(b.dropLast(2)), in: batch, step: k * n)
    }
    let kernel = IntegerProductKernel(self, description, scaling)
    return .kernel(kernel, scratch: kernel.scratchBytes, unread: kernel.isPacked ? [places.b] : [])
  }
}

/// Makes a result without elements.
struct NothingKernel: Kernel {
  func run(_ arguments: borrowing KernelArguments) {}
}

/// Packed weights of bytes, with the sums of their columns behind them.
struct PackedIntegers: Sendable {
  let weights: PackedWeights
  private let sumsOffset: Int

  /// - Parameter pack: writes the weights to its second argument, and sums to its third.
  init(
    _ tensor: Tensor, _ cache: WeightCache, layout: String, byteCount: Int, columns: Int,
    _ pack: (UnsafePointer<UInt8>, UnsafeMutableRawPointer, UnsafeMutablePointer<Int32>) -> Void
  ) {
    let offset = (byteCount + 63) / 64 * 64
    sumsOffset = offset
    weights = cache.packed(tensor, layout: layout, byteCount: offset + columns * 4) { source, target in
      guard let bytes = source.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
      pack(bytes, target, (target + offset).assumingMemoryBound(to: Int32.self))
    }
  }

  var sums: UnsafePointer<Int32> { UnsafePointer((weights.bytes + sumsOffset).assumingMemoryBound(to: Int32.self)) }
}

/// Products of matrices of bytes, one for each element of a batch. Constant right operands are packed once, others by each
/// run.
private struct IntegerProductKernel: Kernel {
  struct Form {
    var m: Int
    let n: Int
    let k: Int
    let bStrides: (row: Int, column: Int)
    /// The first byte of each product's operands.
    var a = [0]
    var b = [0]
  }

  private let form: Form
  private let scaling: IntegerScaling
  private let packed: PackedIntegers?
  private let division: WorkDivision
  /// Whether pieces of work are columns, in units of `unit`, else rows.
  private let splitsColumns: Bool
  private let unit: Int
  private let packedBytes: Int
  private let runBytes: Int
  private let threads: Int
  /// Of the result, in bytes.
  private let elementSize: Int

  init(_ request: KernelRequest, _ form: Form, _ scaling: IntegerScaling) {
    self.form = form
    self.scaling = scaling
    threads = request.threads
    elementSize = request.results[0].elementType.bitWidth / 8
    let packedBytes = (fxk_int_packed_size(form.k, form.n) + 63) / 64 * 64
    self.packedBytes = packedBytes
    packed = request.operands[scaling.places.b]?.constant.map { tensor in
      PackedIntegers(
        tensor, request.weights, layout: "integer \(form.k)×\(form.n) \(form.bStrides) \(scaling.bFlip)", byteCount: packedBytes,
        columns: form.n
      ) { source, target, sums in
        fxk_int_pack(source, 1, 0, form.k, form.bStrides.row, form.bStrides.column, form.n, scaling.bFlip, target, sums)
      }
    }
    // At about 200 billion operations a second.
    let cost = Double(form.m) * Double(form.n) * Double(form.k) / 100
    splitsColumns = form.m < 24 * threads && form.a.count == 1
    unit = splitsColumns ? fxk_int_columns() : 12
    if form.a.count > 1 {
      division = WorkDivision(form.a.count, nanosecondsEach: cost + Double(form.k * form.n), threads: threads)
    } else {
      let units = ((splitsColumns ? form.n : form.m) + unit - 1) / unit
      division = WorkDivision(units, nanosecondsEach: cost / Double(max(units, 1)), threads: threads)
    }
    var product = fxk_int_product()
    (product.m, product.n, product.k, product.a_flip) = (form.m, form.n, form.k, scaling.aFlip)
    runBytes = (fxk_int_scratch(&product) + 63) / 64 * 64
  }

  var isPacked: Bool { packed != nil }
  /// Of a right operand that is packed by the run: its panels, sums, and what the sums are scaled by.
  private var packingBytes: Int { packedBytes + (form.n * 4 + 63) / 64 * 64 }
  private var isBatch: Bool { form.a.count > 1 }

  var scratchBytes: Int {
    let shared = scaling.preparedBytes + (isPacked ? 0 : packingBytes)
    return isBatch ? (shared + runBytes) * threads : shared + runBytes * threads
  }

  func run(_ arguments: borrowing KernelArguments) {
    let a = arguments.operand(scaling.places.a, as: UInt8.self)
    let c = arguments.result(as: UInt8.self)
    let size = form.m * form.n * elementSize
    let memory = arguments.scratch
    if isBatch {
      let shared = scaling.preparedBytes + (isPacked ? 0 : packingBytes) + runBytes
      division.run(on: arguments.pool) { range, worker in
        let own = memory + worker * shared
        for index in range {
          var product = prepared(arguments, own, matrix: form.b[index])
          product.a = a + form.a[index]
          product.c = UnsafeMutableRawPointer(c + index * size)
          fxk_int_run(&product, 0, form.m, 0, form.n, own + shared - runBytes)
        }
      }
      return
    }
    var product = prepared(arguments, memory, matrix: 0)
    product.a = a
    product.c = UnsafeMutableRawPointer(c)
    let scratch = memory + scaling.preparedBytes + (isPacked ? 0 : packingBytes)
    let shared = product
    division.run(on: arguments.pool) { range, worker in
      let (first, last) = (range.lowerBound * unit, range.upperBound * unit)
      withUnsafePointer(to: shared) {
        if splitsColumns {
          fxk_int_run($0, 0, form.m, first, min(last, form.n), scratch + worker * runBytes)
        } else {
          fxk_int_run($0, first, min(last, form.m), 0, form.n, scratch + worker * runBytes)
        }
      }
    }
  }

  /// The product with its right operand packed and its scaling in `memory`.
  private func prepared(
    _ arguments: borrowing KernelArguments, _ memory: UnsafeMutableRawPointer, matrix offset: Int
  ) -> fxk_int_product {
    var product = fxk_int_product()
    (product.m, product.n, product.k, product.a_row, product.c_row) = (form.m, form.n, form.k, form.k, form.n)
    product.a_flip = scaling.aFlip
    if let packed {
      product.b = UnsafeRawPointer(packed.weights.bytes)
      product.scaling = scaling.prepare(arguments, sums: packed.sums, memory: memory)
    } else {
      let panels = memory + scaling.preparedBytes
      let sums = (panels + packedBytes).assumingMemoryBound(to: Int32.self)
      fxk_int_pack(
        arguments.operand(scaling.places.b, as: UInt8.self) + offset, 1, 0, form.k, form.bStrides.row, form.bStrides.column,
        form.n, scaling.bFlip, panels, sums)
      product.b = UnsafeRawPointer(panels)
      product.scaling = scaling.prepare(arguments, sums: sums, memory: memory)
    }
    return product
  }
}
