internal import CKernels
import FXCore

extension KernelRequest {
  /// One- and two-dimensional transposed convolutions with padding given in numbers.
  func transposedConvolution() -> KernelChoice? {
    let rank = shape(0).count - 2
    guard isAll(.float32), rank == 1 || rank == 2, results[0].elementCount > 0, (operands[0]?.elementCount ?? 0) > 0,
      self[Conv.autoPad] == "NOTSET", self[ConvTranspose.outputShape] == nil,
      // The window slides over the result; the operand is the grid of its places.
      let window = WindowGeometry(
        self, input: Array(results[0].shape.dropFirst(2)), output: Array(shape(0).dropFirst(2)),
        kernel: Array(shape(1).dropFirst(2)))
    else { return nil }
    let groups = self[Conv.group]
    guard groups > 0, shape(0)[1] % groups == 0 else { return nil }
    let kernel = TransposedConvolutionKernel(
      window.plane, batch: shape(0)[0], groups: groups, inChannels: shape(0)[1] / groups, outChannels: shape(1)[1],
      bias: has(2) ? 2 : nil, weights: operands[1]?.constant, cache: weights, threads: threads)
    return .kernel(
      kernel, scratch: kernel.scratchBytes(threads: threads), unread: operands[1]?.constant == nil ? [] : [1])
  }
}

/// Columns = weightsᵀ x by a matrix product, then summed where they overlap.
///
/// `@unchecked Sendable` for the pointers of the prototype, which are null or point to packed weights.
private struct TransposedConvolutionKernel: Kernel, @unchecked Sendable {
  private let window: fxk_pool2d
  private let batch: Int
  private let groups: Int
  /// Per group.
  private let inChannels: Int
  private let outChannels: Int
  private let bias: Int?
  private var prototype: fxk_gemm
  /// The transposed weights of each group, if they are constant.
  private let packed: PackedWeights?
  private let packedStride: Int
  private let tasks: WorkDivision
  private let channels: WorkDivision
  private let columnFloats: Int
  private let scratchFloats: Int

  init(
    _ window: fxk_pool2d, batch: Int, groups: Int, inChannels: Int, outChannels: Int, bias: Int?, weights: Tensor?,
    cache: WeightCache, threads: Int
  ) {
    self.window = window
    self.batch = batch
    self.groups = groups
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.bias = bias
    let taps = window.kernel_h * window.kernel_w
    var gemm = fxk_gemm()
    (gemm.m, gemm.n, gemm.k) = (outChannels * taps, window.out_h * window.out_w, inChannels)
    (gemm.a_row, gemm.a_column, gemm.b_row, gemm.b_column) = (1, gemm.m, gemm.n, 1)
    gemm.c_row = gemm.n
    gemm.epilogue = fxk_epilogue_none()
    let (m, k) = (gemm.m, gemm.k)
    let stride = fxk_gemm_packed_a_size(m, k)
    packed = weights.map { weights in
      cache.packed(
        weights, layout: "conv_transpose \(groups) \(m)×\(k)", byteCount: groups * stride * MemoryLayout<Float>.stride,
        isLoose: true
      ) { source, target in
        guard let floats = source.baseAddress?.assumingMemoryBound(to: Float.self) else { return }
        for group in 0..<groups {
          fxk_gemm_pack_a(
            floats + group * m * k, 1, m, m, k, target.assumingMemoryBound(to: Float.self) + group * stride, 0,
            fxk_gemm_packed_a_panels(m, k))
        }
      }
    }
    packedStride = stride
    gemm.packed_a = packed?.floats()
    let count = fxk_gemm_plan(&gemm, threads)
    prototype = gemm
    let cost = 2 * Double(gemm.m) * Double(gemm.n) * Double(gemm.k) / 60
    tasks = WorkDivision(count, nanosecondsEach: cost / Double(max(count, 1)), threads: threads)
    channels = WorkDivision(
      outChannels, nanosecondsEach: 0.5 * Double(taps * gemm.n) + 0.2 * Double(window.in_h * window.in_w), threads: threads)
    columnFloats = (gemm.m * gemm.n + 15) / 16 * 16
    scratchFloats = (fxk_gemm_scratch(&gemm) + 15) / 16 * 16
  }

  func scratchBytes(threads: Int) -> Int { (columnFloats + scratchFloats * threads) * MemoryLayout<Float>.stride }

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    let weights = packed == nil ? arguments.operand(1, as: Float.self) : nil
    let shift = bias.map { arguments.operand($0, as: Float.self) }
    let columns = arguments.scratch.assumingMemoryBound(to: Float.self)
    let scratch = columns + columnFloats
    let size = window.in_h * window.in_w
    for index in 0..<(batch * groups) {
      let group = index % groups
      var gemm = prototype
      gemm.packed_a = packed.map { $0.floats() + group * packedStride }
      gemm.a = weights.map { $0 + group * gemm.m * gemm.k }
      gemm.b = x + index * gemm.k * gemm.n
      gemm.c = columns
      let product = gemm
      tasks.run(on: arguments.pool) { range, worker in
        withUnsafePointer(to: product) {
          fxk_gemm_run($0, range.lowerBound, range.upperBound, scratch + worker * scratchFloats)
        }
      }
      let image = y + index * outChannels * size
      channels.run(on: arguments.pool) { range, _ in
        withUnsafePointer(to: window) { fxk_col2im_f32($0, columns, image, range.lowerBound, range.upperBound) }
        guard let shift else { return }
        for channel in range {
          let plane = image + channel * size
          fxk_binary_f32(FXK_BINARY_ADD, plane, 1, shift + group * outChannels + channel, 0, plane, size)
        }
      }
    }
  }
}
