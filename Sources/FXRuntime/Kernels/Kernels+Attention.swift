internal import CKernels
import FXCore

extension KernelTable {
  mutating func addAttention() {
    self[.attention] = { $0.attention() }
  }
}

extension KernelRequest {
  /// Attention without cache, window and softcap, of which only the result is wanted.
  fileprivate func attention() -> KernelChoice? {
    guard (0...2).allSatisfy({ type($0) == .float32 }), results[0].elementType == .float32, !has(4), !has(5), !has(6),
      !wanted.dropFirst().contains(true), self[Attention.softcap] == 0, self[Attention.leftWindowSize] == -1,
      self[Attention.rightWindowSize] == -1, self[Attention.softmaxPrecision].map({ $0 == .float32 }) ?? true,
      let q = HeadLayout(shape(0), heads: self[Attention.queryHeadCount]),
      let k = HeadLayout(shape(1), heads: self[Attention.keyHeadCount]),
      let v = HeadLayout(shape(2), heads: self[Attention.keyHeadCount]),
      let y = HeadLayout(results[0].shape, heads: self[Attention.queryHeadCount]),
      k.batch == q.batch, v.batch == q.batch, k.heads > 0, q.heads % k.heads == 0, v.heads == k.heads, k.size == q.size,
      v.length == k.length, y.size == v.size, k.length > 0, q.size > 0
    else { return nil }
    var mask: AttentionKernel.Mask?
    if has(3) {
      // A mask that is shorter than the keys is padded, never broadcast along them.
      guard type(3) == .float32 || type(3) == .bool, shape(3).last == k.length,
        let strides = BroadcastLayout.strides(of: shape(3), in: [q.batch, q.heads, q.length, k.length])
      else { return nil }
      mask = AttentionKernel.Mask(isBool: type(3) == .bool, strides: strides)
    }
    let kernel = AttentionKernel(
      q: q, k: k, v: v, y: y, mask: mask, isCausal: self[Attention.isCausal],
      scale: self[Attention.scale] ?? Float(1 / Double(q.size).squareRoot()), threads: threads)
    return .kernel(kernel, scratch: kernel.scratchBytes(threads: threads))
  }
}

/// How heads lie in [batch, heads, length, size], or in [batch, length, heads × size].
private struct HeadLayout {
  let batch: Int
  let heads: Int
  let length: Int
  let size: Int
  /// Elements between images, heads and positions.
  let batchStride: Int
  let headStride: Int
  let rowStride: Int

  init?(_ shape: [Int], heads: Int?) {
    if shape.count == 4 {
      (batch, self.heads, length, size) = (shape[0], shape[1], shape[2], shape[3])
      (headStride, rowStride) = (length * size, size)
    } else {
      guard shape.count == 3, let heads, heads > 0, shape[2] % heads == 0 else { return nil }
      (batch, self.heads, length, size) = (shape[0], heads, shape[1], shape[2] / heads)
      (headStride, rowStride) = (size, heads * size)
    }
    batchStride = self.heads * length * size
  }
}

/// Blocks of queries, each against all keys: scores, softmax, weighted values.
private struct AttentionKernel: Kernel {
  struct Mask {
    /// `true` where a key takes part; else a number that is added.
    let isBool: Bool
    /// Along images, heads, queries and keys.
    let strides: [Int]
  }

  let q: HeadLayout
  let k: HeadLayout
  let v: HeadLayout
  let y: HeadLayout
  let mask: Mask?
  let isCausal: Bool
  let scale: Float
  /// Of blocks of queries of all heads and images.
  let division: WorkDivision
  let blocks: Int
  /// Floats that a thread needs: the scores of a block, then what the products need.
  let threadFloats: Int

  /// Queries of a block: enough that the keys, which each block packs anew, are used often.
  private static let blockSize = 64

  init(
    q: HeadLayout, k: HeadLayout, v: HeadLayout, y: HeadLayout, mask: Mask?, isCausal: Bool, scale: Float, threads: Int
  ) {
    self.q = q
    self.k = k
    self.v = v
    self.y = y
    self.mask = mask
    self.isCausal = isCausal
    self.scale = scale
    let rows = min(AttentionKernel.blockSize, q.length)
    blocks = rows == 0 ? 0 : (q.length + rows - 1) / rows
    let cost = Double(rows * k.length) * (2 * Double(q.size + v.size) / 50 + 1)
    division = WorkDivision(q.batch * q.heads * blocks, nanosecondsEach: cost, threads: threads)
    // What a product needs depends on how its operands lie: as `run` has them.
    func scratch(_ m: Int, _ n: Int, _ depth: Int, a: Int, b: (row: Int, column: Int), c: Int) -> Int {
      var gemm = fxk_gemm()
      (gemm.m, gemm.n, gemm.k, gemm.a_row, gemm.a_column, gemm.c_row) = (m, n, depth, a, 1, c)
      (gemm.b_row, gemm.b_column) = b
      gemm.epilogue = fxk_epilogue_none()
      return fxk_gemm_scratch(&gemm)
    }
    let product = (1...max(rows, 1)).reduce(0) { largest, m in
      max(
        largest, scratch(m, k.length, q.size, a: q.rowStride, b: (1, k.rowStride), c: k.length),
        scratch(m, v.size, k.length, a: k.length, b: (v.rowStride, 1), c: y.rowStride))
    }
    threadFloats = (rows * k.length + 15) / 16 * 16 + (product + 15) / 16 * 16
  }

  func scratchBytes(threads: Int) -> Int { threads * threadFloats * MemoryLayout<Float>.stride }

  func run(_ arguments: borrowing KernelArguments) {
    let (queries, keys) = (arguments.operand(0, as: Float.self), arguments.operand(1, as: Float.self))
    let (values, result) = (arguments.operand(2, as: Float.self), arguments.result(as: Float.self))
    let added = mask?.isBool == false ? arguments.operand(3, as: Float.self) : nil
    let allowed = mask?.isBool == true ? arguments.operand(3, as: Bool.self) : nil
    let scratch = arguments.scratch.assumingMemoryBound(to: Float.self)
    let rows = min(AttentionKernel.blockSize, q.length)
    division.run(on: arguments.pool) { range, worker in
      let scores = scratch + worker * threadFloats
      let memory = scores + (rows * k.length + 15) / 16 * 16
      for task in range {
        let (head, block) = task.quotientAndRemainder(dividingBy: blocks)
        let (image, queryHead) = head.quotientAndRemainder(dividingBy: q.heads)
        let keyHead = queryHead / (q.heads / k.heads)
        let first = block * rows
        let count = min(rows, q.length - first)

        var product = fxk_gemm()
        (product.m, product.n, product.k) = (count, k.length, q.size)
        product.a = queries + image * q.batchStride + queryHead * q.headStride + first * q.rowStride
        (product.a_row, product.a_column) = (q.rowStride, 1)
        product.b = keys + image * k.batchStride + keyHead * k.headStride
        (product.b_row, product.b_column) = (1, k.rowStride)
        (product.c, product.c_row) = (scores, k.length)
        product.epilogue = fxk_epilogue_none()
        product.epilogue.alpha = scale
        fxk_gemm_run(&product, 0, fxk_gemm_plan(&product, 1), memory)

        for row in 0..<count {
          let place = mask.map { $0.strides[0] * image + $0.strides[1] * queryHead + $0.strides[2] * (first + row) } ?? 0
          weigh(scores + row * k.length, query: first + row, added.map { $0 + place }, allowed.map { $0 + place })
        }

        (product.m, product.n, product.k) = (count, v.size, k.length)
        (product.a, product.a_row, product.a_column) = (UnsafePointer(scores), k.length, 1)
        product.b = values + image * v.batchStride + keyHead * v.headStride
        (product.b_row, product.b_column) = (v.rowStride, 1)
        product.c = result + image * y.batchStride + queryHead * y.headStride + first * y.rowStride
        product.c_row = y.rowStride
        product.epilogue.alpha = 1
        fxk_gemm_run(&product, 0, fxk_gemm_plan(&product, 1), memory)
      }
    }
  }

  /// Scores of one query become weights; zeros where it sees no key.
  private func weigh(
    _ row: UnsafeMutablePointer<Float>, query: Int, _ added: UnsafePointer<Float>?, _ allowed: UnsafePointer<Bool>?
  ) {
    let visible = isCausal ? min(k.length, query + 1) : k.length
    var seesAny = mask == nil
    let step = mask?.strides[3] ?? 0
    if let added {
      for key in 0..<visible {
        let value = added[key * step]
        if value != -.infinity { seesAny = true }
        row[key] += value
      }
    }
    if let allowed {
      for key in 0..<visible {
        if allowed[key * step] { seesAny = true } else { row[key] = -.infinity }
      }
    }
    if seesAny { fxk_softmax_f32(row, row, 1, visible, 1, nil, 0) }
    let rest = seesAny ? visible : 0
    (row + rest).update(repeating: 0, count: k.length - rest)
  }
}
