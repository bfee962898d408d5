internal import CKernels
import FXCore

extension KernelTable {
  mutating func addConvolutions() {
    self[.conv] = { $0.convolution(residual: nil) }
    self[.fusedConv] = { $0.convolution(residual: 3) }
    self[.convTranspose] = { $0.transposedConvolution() }
  }
}

extension KernelRequest {
  fileprivate func convolution(residual: Int?) -> KernelChoice? {
    guard isAll(.float32), (3...5).contains(shape(0).count), results[0].elementCount > 0,
      let activation = residual == nil ? FusedFunction() : fusedFunction()
    else { return nil }
    let spatial = Array(shape(0).dropFirst(2))
    guard
      let window = WindowGeometry(
        self, input: spatial, output: Array(results[0].shape.dropFirst(2)), kernel: Array(shape(1).dropFirst(2)))
    else { return nil }

    var conv = fxk_conv()
    conv.batch = shape(0)[0]
    conv.groups = self[Conv.group]
    conv.in_channels = shape(0)[1]
    conv.out_channels = shape(1)[0]
    guard conv.groups > 0, conv.in_channels > 0, spatial.allSatisfy({ $0 > 0 }) else { return nil }
    conv.in = KernelRequest.volume(window.input, 1)
    conv.out = KernelRequest.volume(window.output, 1)
    conv.kernel = KernelRequest.volume(window.kernel, 1)
    conv.stride = KernelRequest.volume(window.strides, 1)
    conv.dilation = KernelRequest.volume(window.dilations, 1)
    conv.pad = KernelRequest.volume(window.padBefore, 0)
    conv.epilogue = fxk_epilogue_none()
    conv.epilogue.activation = activation.function
    conv.epilogue.act_alpha = activation.alpha
    conv.epilogue.act_beta = activation.beta
    conv.method = fxk_conv_choose(&conv, false)

    var given: Int?
    if let residual, has(residual) {
      guard shape(residual) == results[0].shape else { return nil }
      given = residual
    }
    let bytes = fxk_conv_packed_size(&conv) * MemoryLayout<Float>.stride
    var packed: PackedWeights?
    if let constant = operands[1]?.constant {
      let layout = "conv \(conv.method.rawValue) \(conv.groups) \(window.kernel) \(conv.in) \(conv.out) \(window.strides)"
      packed = weights.packed(constant, layout: layout, byteCount: bytes, isLoose: true) { source, target in
        if let floats = source.baseAddress?.assumingMemoryBound(to: Float.self) {
          fxk_conv_pack(&conv, floats, target.assumingMemoryBound(to: Float.self))
        }
      }
    }
    let kernel = ConvolutionKernel(conv, packed: packed, bias: has(2) ? 2 : nil, residual: given, threads: threads)
    let depth = shape(1).dropFirst().reduce(1, *)
    return .kernel(
      kernel, scratch: kernel.scratchBytes(threads: threads),
      inPlace: depth <= ProductKernel.undividedDepth ? inPlace(given.map { [$0] } ?? []) : [],
      unread: packed == nil ? [] : [1])
  }

  /// Up to three spatial sizes as (depth, height, width).
  private static func volume(_ sizes: [Int], _ fill: Int) -> (Int, Int, Int) {
    let padded = Array(repeating: fill, count: 3 - sizes.count) + sizes
    return (padded[0], padded[1], padded[2])
  }
}

/// `@unchecked Sendable` for the pointers of the prototype, which are null or point to packed weights.
private struct ConvolutionKernel: Kernel, @unchecked Sendable {
  private var prototype: fxk_conv
  /// `nil` if the weights are packed by each run.
  private let packed: PackedWeights?
  private let bias: Int?
  private let residual: Int?
  private let division: WorkDivision
  private let packedFloats: Int
  private let scratchFloats: Int

  init(_ conv: fxk_conv, packed: PackedWeights?, bias: Int?, residual: Int?, threads: Int) {
    var conv = conv
    conv.packed = packed?.floats()
    let tasks = fxk_conv_plan(&conv, threads)
    prototype = conv
    self.packed = packed
    self.bias = bias
    self.residual = residual
    let taps = conv.in_channels / conv.groups * conv.kernel.0 * conv.kernel.1 * conv.kernel.2
    let outputs = conv.batch * conv.out_channels * conv.out.0 * conv.out.1 * conv.out.2
    // At about 50 GFLOP/s.
    let cost = 2 * Double(taps) * Double(outputs) / 50
    division = WorkDivision(tasks, nanosecondsEach: cost / Double(max(tasks, 1)), threads: threads)
    // Threads begin at cache lines of their own.
    packedFloats = packed == nil ? (fxk_conv_packed_size(&conv) + 15) / 16 * 16 : 0
    scratchFloats = (fxk_conv_scratch(&conv) + 15) / 16 * 16
  }

  func scratchBytes(threads: Int) -> Int { (packedFloats + scratchFloats * threads) * MemoryLayout<Float>.stride }

  func run(_ arguments: borrowing KernelArguments) {
    var conv = prototype
    let memory = arguments.scratch.assumingMemoryBound(to: Float.self)
    if packed == nil {
      fxk_conv_pack(&conv, arguments.operand(1), memory)
      conv.packed = UnsafePointer(memory)
    }
    conv.x = arguments.operand(0)
    conv.y = arguments.result()
    conv.epilogue.bias_row = bias.map { arguments.operand($0) }
    conv.epilogue.residual = residual.map { arguments.operand($0) }
    let scratch = memory + packedFloats
    let shared = conv
    division.run(on: arguments.pool) { range, worker in
      withUnsafePointer(to: shared) {
        fxk_conv_run($0, range.lowerBound, range.upperBound, scratch + worker * scratchFloats)
      }
    }
  }
}
