internal import CKernels
import FXCore

extension KernelTable {
  /// The kernels of images in blocks of channels; after the others, which serve on them too where they work element by
  /// element.
  mutating func addBlocked() {
    blocked[.conv] = { $0.blockedConvolution($1, residual: nil) }
    blocked[.fusedConv] = { $0.blockedConvolution($1, residual: 3) }
    blocked[.maxPool] = { $0.blockedPooling($1, isMax: true) }
    blocked[.averagePool] = { $0.blockedPooling($1, isMax: false) }
    blocked[.globalAveragePool] = { $0.blockedMean($1) }
    blocked[.reduceMean] = { request, layout in
      let axes = request.constantIntegers(1).map { Set($0.map { $0 < 0 ? $0 + 4 : $0 }) }
      return axes == [2, 3] ? request.blockedMean(layout) : nil
    }
    let elementwise: [Operator] = [
      .add, .sub, .mul, .div, .neg, .abs, .sqrt, .exp, .maximum, .minimum, .relu, .leakyRelu, .clip, .sigmoid, .tanh, .silu,
      .quickGelu, .hardSigmoid,
      .hardSwish, .gelu, .elu, .mish, .softplus,
    ]
    for op in elementwise {
      guard let factory = self[op] else { continue }
      blocked[op] = { request, layout in
        guard let (inner, images) = request.withFiveAxes(layout), let choice = try factory(inner) else { return nil }
        return BlockedChoice(choice: choice, operands: images, result: true)
      }
    }
    if let factory = self[.concat] {
      blocked[.concat] = { request, layout in
        guard request[Concat.axis] == 1,
          request.operands.allSatisfy({ $0?.shape.count == 4 && $0?.shape[1].isMultiple(of: layout.block) ?? false }),
          let (inner, images) = request.withFiveAxes(layout, sameChannels: false), !images.contains(false),
          let choice = try factory(inner)
        else { return nil }
        return BlockedChoice(choice: choice, operands: images, result: true)
      }
    }
  }
}

extension KernelRequest {
  fileprivate func blockedConvolution(_ layout: BlockedLayout, residual: Int?) -> BlockedChoice? {
    guard isAll(.float32), shape(0).count == 4, results[0].elementCount > 0, let source = operands[1]?.constant,
      !has(2) || operands[2]?.constant != nil, let activation = residual == nil ? FusedFunction() : fusedFunction(),
      let window = WindowGeometry(
        self, input: Array(shape(0).dropFirst(2)), output: Array(results[0].shape.dropFirst(2)),
        kernel: Array(shape(1).dropFirst(2)))
    else { return nil }
    let (channels, filters, groups) = (shape(0)[1], shape(1)[0], self[Conv.group])
    let isDepthwise = groups > 1 && groups == channels && groups == filters
    guard channels > 0, window.input.allSatisfy({ $0 > 0 }), groups == 1 || isDepthwise else { return nil }
    if !layout.operands[0] {
      // A single pixel lies the same way in blocks; few filters would leave lanes empty.
      guard layout.isWanted, window.output != [1, 1], filters >= layout.block / 4 else { return nil }
    }

    var conv = fxk_blocked_conv()
    conv.batch = shape(0)[0]
    conv.in_channels = channels
    conv.out_channels = filters
    conv.depthwise = isDepthwise
    conv.plain_input = !layout.operands[0] && !isDepthwise && channels < layout.block
    conv.in = (window.input[0], window.input[1])
    conv.out = (window.output[0], window.output[1])
    conv.kernel = (window.kernel[0], window.kernel[1])
    conv.stride = (window.strides[0], window.strides[1])
    conv.dilation = (window.dilations[0], window.dilations[1])
    conv.pad = (window.padBefore[0], window.padBefore[1])
    conv.epilogue = fxk_epilogue_none()
    conv.epilogue.activation = activation.function
    conv.epilogue.act_alpha = activation.alpha
    conv.epilogue.act_beta = activation.beta
    conv.method = fxk_blocked_choose(&conv)

    var given: Int?
    if let residual, has(residual) {
      guard shape(residual) == results[0].shape, operands[residual]?.constant == nil else { return nil }
      given = residual
    }
    let packed = weights.packed(
      source, layout: "blocks \(conv.method.rawValue) \(conv.plain_input) \(window.kernel)",
      byteCount: fxk_blocked_packed_size(&conv) * MemoryLayout<Float>.stride, isLoose: true
    ) { source, target in
      if let floats = source.baseAddress?.assumingMemoryBound(to: Float.self) {
        fxk_blocked_pack(&conv, floats, target.assumingMemoryBound(to: Float.self))
      }
    }
    let bias = PackedWeights(
      floats: has(2) ? operands[2]?.constant : nil, count: (filters + layout.block - 1) / layout.block * layout.block)
    let kernel = BlockedConvolutionKernel(conv, packed: packed, bias: bias, residual: given, threads: threads)
    var images = operands.map { _ in false }
    images[0] = !conv.plain_input
    if let given { images[given] = true }
    let choice = KernelChoice.kernel(
      kernel, scratch: kernel.scratchBytes(threads: threads),
      inPlace: fxk_blocked_in_place(&conv) ? given.map { [$0] } ?? [] : [], unread: [1, 2])
    return BlockedChoice(choice: choice, operands: images, result: true)
  }

  fileprivate func blockedPooling(_ layout: BlockedLayout, isMax: Bool) -> BlockedChoice? {
    guard layout.operands[0], results[0].elementCount > 0, wanted.dropFirst().allSatisfy({ !$0 }),
      let window = poolWindow(isMax: isMax)
    else { return nil }
    let planes = shape(0)[0] * ((shape(0)[1] + layout.block - 1) / layout.block)
    let cost = 0.3 * Double(window.out_h * window.out_w * window.kernel_h * window.kernel_w * layout.block) + 20
    let division = WorkDivision(planes, nanosecondsEach: cost, threads: threads)
    let kernel = BlockedPoolKernel(
      window: window, isMax: isMax, countsPadding: !isMax && self[AveragePool.countIncludePad], division: division)
    return BlockedChoice(choice: .kernel(kernel), operands: [true], result: true)
  }

  /// The mean of each plane, which lies the same way with and without blocks.
  fileprivate func blockedMean(_ layout: BlockedLayout) -> BlockedChoice? {
    guard layout.operands[0], isAllFloatButAxes, shape(0)[1].isMultiple(of: layout.block) else { return nil }
    let (batch, blocks) = (shape(0)[0], shape(0)[1] / layout.block)
    let inner = with(
      [OperandFacts(elementType: .float32, shape: [batch, blocks, shape(0)[2], shape(0)[3], layout.block], constant: nil)],
      [OperandFacts(elementType: .float32, shape: [batch, blocks, 1, 1, layout.block], constant: nil)])
    return inner.reduction(FXK_REDUCE_MEAN, over: [2, 3]).map {
      BlockedChoice(choice: $0, operands: operands.indices.map { $0 == 0 }, result: false)
    }
  }

  private var isAllFloatButAxes: Bool { type(0) == .float32 && results[0].elementType == .float32 }
}

extension PackedWeights {
  /// Numbers with zeros up to `count`; all zeros without a tensor.
  convenience init(floats tensor: Tensor?, count: Int) {
    self.init(byteCount: count * MemoryLayout<Float>.stride)
    bytes.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    tensor?.withUnsafeBytes { source in
      if let base = source.baseAddress { bytes.copyMemory(from: base, byteCount: min(source.count, byteCount)) }
    }
  }
}

/// `@unchecked Sendable` for the pointers of the prototype, which are null or point to packed weights.
private struct BlockedConvolutionKernel: Kernel, @unchecked Sendable {
  private var prototype: fxk_blocked_conv
  private let packed: PackedWeights
  private let bias: PackedWeights
  private let residual: Int?
  private let division: WorkDivision
  private let scratchFloats: Int

  init(_ conv: fxk_blocked_conv, packed: PackedWeights, bias: PackedWeights, residual: Int?, threads: Int) {
    var conv = conv
    conv.packed = packed.floats()
    conv.epilogue.bias_row = bias.floats()
    let tasks = fxk_blocked_plan(&conv, threads)
    prototype = conv
    self.packed = packed
    self.bias = bias
    self.residual = residual
    let taps = (conv.depthwise ? 1 : conv.in_channels) * conv.kernel.0 * conv.kernel.1
    // At about 80 GFLOP/s.
    let cost = 2 * Double(taps) * Double(conv.batch * conv.out_channels * conv.out.0 * conv.out.1) / 80
    division = WorkDivision(tasks, nanosecondsEach: cost / Double(max(tasks, 1)), threads: threads)
    // Threads begin at cache lines of their own.
    scratchFloats = (fxk_blocked_scratch(&conv) + 15) / 16 * 16
  }

  func scratchBytes(threads: Int) -> Int { scratchFloats * threads * MemoryLayout<Float>.stride }

  func run(_ arguments: borrowing KernelArguments) {
    var conv = prototype
    conv.x = arguments.operand(0)
    conv.y = arguments.result()
    conv.epilogue.residual = residual.map { arguments.operand($0) }
    let scratch = arguments.scratch.assumingMemoryBound(to: Float.self)
    let shared = conv
    division.run(on: arguments.pool) { tasks, worker in
      withUnsafePointer(to: shared) {
        fxk_blocked_run($0, tasks.lowerBound, tasks.upperBound, scratch + worker * scratchFloats)
      }
    }
  }
}

private struct BlockedPoolKernel: Kernel {
  let window: fxk_pool2d
  let isMax: Bool
  let countsPadding: Bool
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    division.run(on: arguments.pool) { planes, _ in
      withUnsafePointer(to: window) {
        if isMax {
          fxk_blocked_max_pool($0, x, y, planes.lowerBound, planes.upperBound)
        } else {
          fxk_blocked_average_pool($0, x, y, countsPadding, planes.lowerBound, planes.upperBound)
        }
      }
    }
  }
}
