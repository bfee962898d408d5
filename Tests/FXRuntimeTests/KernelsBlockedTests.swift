import CKernels
import Foundation
import Testing

/// Convolutions and pooling in blocks of channels, judged by direct sums in double precision.
@Suite struct KernelsBlockedTests {
  /// Images in blocks, as the kernels see them; what lies past the last channel is no number.
  private static func inBlocks(_ x: [Float], _ batch: Int, _ channels: Int, _ pixels: Int) -> [Float] {
    let blocks = batch * ((channels + fxk_channel_block() - 1) / fxk_channel_block())
    var y = [Float](repeating: .nan, count: blocks * fxk_channel_block() * pixels)
    fxk_to_blocks(x, channels, pixels, &y, 0, blocks)
    let lanes = fxk_channel_block(), perImage = blocks / batch * lanes
    for index in y.indices where index / (pixels * lanes) * lanes % perImage + index % lanes >= channels { y[index] = .nan }
    return y
  }

  private static func inOrder(_ x: [Float], _ batch: Int, _ channels: Int, _ pixels: Int) -> [Float] {
    let blocks = batch * ((channels + fxk_channel_block() - 1) / fxk_channel_block())
    var y = [Float](repeating: .nan, count: batch * channels * pixels)
    fxk_from_blocks(x, channels, pixels, &y, 0, blocks)
    return y
  }

  static let cases =
    KernelsConvTests.cases.filter {
      $0.kernel.0 == 1 && $0.size.0 == 1 && ($0.groups == 1 || ($0.groups == $0.channels && $0.groups == $0.filters))
    } + [
      .init(batch: 2, channels: 20, filters: 130, size: (1, 7, 11), kernel: (1, 1, 1)),
      .init(channels: 400, filters: 5, size: (1, 3, 9), kernel: (1, 1, 1)),
      .init(channels: 70, filters: 18, size: (1, 6, 9), kernel: (1, 3, 3), before: (0, 1, 1), after: (0, 1, 1)),
      .init(channels: 33, filters: 17, size: (1, 13, 18), kernel: (1, 3, 3), before: (0, 1, 1), after: (0, 1, 1)),
      .init(groups: 37, channels: 37, filters: 37, size: (1, 9, 40), kernel: (1, 3, 3), before: (0, 1, 1), after: (0, 1, 1)),
      .init(
        groups: 20, channels: 20, filters: 20, size: (1, 19, 40), kernel: (1, 5, 5), stride: (1, 2, 2), before: (0, 2, 2),
        after: (0, 2, 2)),
    ]

  @Test("convolutions in blocks by every method that applies", arguments: availableISAs, cases)
  func convolutions(isa: fxk_isa, test: KernelsConvTests.Case) {
    var plain = fxk_conv()
    (plain.batch, plain.groups, plain.in_channels, plain.out_channels) = (test.batch, test.groups, test.channels, test.filters)
    (plain.in, plain.kernel, plain.stride, plain.dilation) = (test.size, test.kernel, test.stride, test.dilation)
    plain.pad = test.before
    func output(_ size: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ pad: Int) -> Int {
      (size + pad - (kernel - 1) * dilation - 1) / stride + 1
    }
    plain.out = (
      1, output(test.size.1, test.kernel.1, test.stride.1, test.dilation.1, test.before.1 + test.after.1),
      output(test.size.2, test.kernel.2, test.stride.2, test.dilation.2, test.before.2 + test.after.2)
    )
    let pixels = plain.out.1 * plain.out.2, outputs = test.batch * test.filters * pixels
    var random = KernelRandom(78)
    let x = random.floats(test.batch * test.channels * test.size.1 * test.size.2)
    let depth = test.channels / test.groups * test.kernel.1 * test.kernel.2
    let weights = random.floats(test.filters * depth), bias = random.floats(test.filters), residual = random.floats(outputs)
    let sums = KernelsConvTests.reference(plain, x, weights)
    withISA(isa) {
      var conv = fxk_blocked_conv()
      (conv.batch, conv.in_channels, conv.out_channels) = (test.batch, test.channels, test.filters)
      conv.depthwise = test.groups > 1
      conv.in = (test.size.1, test.size.2)
      conv.out = (plain.out.1, plain.out.2)
      conv.kernel = (test.kernel.1, test.kernel.2)
      conv.stride = (test.stride.1, test.stride.2)
      conv.dilation = (test.dilation.1, test.dilation.2)
      conv.pad = (test.before.1, test.before.2)
      var methods: [(fxk_blocked_method, plainInput: Bool)] = [(fxk_blocked_choose(&conv), false)]
      if test.groups == 1 { methods += [(FXK_BLOCKED_DIRECT, false), (FXK_BLOCKED_DIRECT, true)] }
      if test.kernel == (1, 3, 3), test.stride == (1, 1, 1), test.dilation == (1, 1, 1), test.groups == 1 {
        methods.append((FXK_BLOCKED_WINOGRAD, false))
      }
      let padded = (test.filters + fxk_channel_block() - 1) / fxk_channel_block() * fxk_channel_block()
      let paddedBias = bias + [Float](repeating: 0, count: padded - test.filters)
      let blocks = Self.inBlocks(x, test.batch, test.channels, test.size.1 * test.size.2)
      let blockedResidual = Self.inBlocks(residual, test.batch, test.filters, pixels)
      for (method, plainInput) in methods {
        conv.method = method
        conv.plain_input = plainInput
        var packed = [Float](repeating: .nan, count: fxk_blocked_packed_size(&conv))
        fxk_blocked_pack(&conv, weights, &packed)
        for variant in 0..<4 {
          let expected = sums.enumerated().map { i, sum -> Double in
            let v = sum + Double(bias[i / pixels % test.filters])
            switch variant {
            case 1: return min(max(v, 0), 6)
            case 2: return max(v + Double(residual[i]), 0)
            case 3: return v / (1 + exp(-v)) + Double(residual[i])
            default: return v
            }
          }
          conv.epilogue = fxk_epilogue_none()
          conv.epilogue.activation = [FXK_UNARY_IDENTITY, FXK_UNARY_CLIP, FXK_UNARY_RELU, FXK_UNARY_SILU][variant]
          (conv.epilogue.act_alpha, conv.epilogue.act_beta) = variant == 3 ? (1, 0) : (0, 6)
          conv.epilogue.residual_last = variant == 3
          var results: [[Float]] = []
          for threads in [1, 5] {
            // In the residual's memory where that is allowed.
            var y =
              fxk_blocked_in_place(&conv) && threads == 5
              ? blockedResidual : [Float](repeating: .nan, count: test.batch * padded * pixels)
            (plainInput ? x : blocks).withUnsafeBufferPointer { x in
              packed.withUnsafeBufferPointer { packed in
                paddedBias.withUnsafeBufferPointer { bias in
                  blockedResidual.withUnsafeBufferPointer { residual in
                    y.withUnsafeMutableBufferPointer { y in
                      (conv.x, conv.packed, conv.y) = (x.baseAddress, packed.baseAddress, y.baseAddress)
                      conv.epilogue.bias_row = bias.baseAddress
                      let there =
                        fxk_blocked_in_place(&conv) && threads == 5 ? UnsafePointer(y.baseAddress) : residual.baseAddress
                      conv.epilogue.residual = variant > 1 ? there : nil
                      let tasks = fxk_blocked_plan(&conv, threads)
                      var scratch = [Float](repeating: .nan, count: fxk_blocked_scratch(&conv) + 1)
                      for task in (0..<tasks).reversed() { fxk_blocked_run(&conv, task, task + 1, &scratch) }
                    }
                  }
                }
              }
            }
            results.append(Self.inOrder(y, test.batch, test.filters, pixels))
          }
          let bound = method == FXK_BLOCKED_WINOGRAD ? 4e-6 : 2e-6
          #expect(
            largestDifference(results[0], expected) < bound * Double(depth).squareRoot() + 1e-6,
            "\(method), plain input \(plainInput), variant \(variant)")
          #expect(results[0] == results[1], "other bits when cut for five threads")
        }
      }
    }
  }

  @Test("pooling in blocks is pooling", arguments: availableISAs, [false, true])
  func pooling(isa: fxk_isa, countsPadding: Bool) {
    var random = KernelRandom(79)
    var pool = fxk_pool2d()
    (pool.in_h, pool.in_w, pool.out_h, pool.out_w, pool.kernel_h, pool.kernel_w) = (9, 12, 5, 6, 3, 2)
    (pool.stride_h, pool.stride_w, pool.dilation_h, pool.dilation_w, pool.pad_top, pool.pad_left) = (2, 2, 1, 2, 1, 1)
    (pool.pad_bottom, pool.pad_right) = (1, 1)
    let (batch, channels) = (2, 21)
    var x = random.floats(batch * channels * pool.in_h * pool.in_w)
    x[40] = .nan
    withISA(isa) {
      let blocks = Self.inBlocks(x, batch, channels, pool.in_h * pool.in_w)
      let planes = blocks.count / (fxk_channel_block() * pool.in_h * pool.in_w)
      for isMax in [true, false] {
        var expected = [Float](repeating: 0, count: batch * channels * pool.out_h * pool.out_w)
        var y = [Float](repeating: 0, count: planes * fxk_channel_block() * pool.out_h * pool.out_w)
        if isMax {
          fxk_max_pool2d_f32(&pool, x, &expected, nil, 0, 0, batch * channels)
          fxk_blocked_max_pool(&pool, blocks, &y, 0, planes)
        } else {
          fxk_average_pool2d_f32(&pool, x, &expected, countsPadding, 0, batch * channels)
          fxk_blocked_average_pool(&pool, blocks, &y, countsPadding, 0, planes)
        }
        for (actual, wanted) in zip(Self.inOrder(y, batch, channels, pool.out_h * pool.out_w), expected) {
          #expect(actual == wanted || (actual.isNaN && wanted.isNaN) || (!isMax && abs(actual - wanted) <= 1e-6))
        }
      }
    }
  }
}
