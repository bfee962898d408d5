import CKernels
import Foundation
import Testing

@Suite struct KernelsConvTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var batch = 1
    var groups = 1
    var channels: Int
    var filters: Int
    var size: (Int, Int, Int)
    var kernel: (Int, Int, Int)
    var stride = (1, 1, 1)
    var dilation = (1, 1, 1)
    var before = (0, 0, 0)
    var after = (0, 0, 0)
    var testDescription: String {
      "\(batch)x\(channels)x\(size) by \(filters)x\(kernel), groups \(groups), stride \(stride), dilation \(dilation)"
    }
  }

  static let cases: [Case] = [
    Case(channels: 3, filters: 5, size: (1, 9, 11), kernel: (1, 3, 3), before: (0, 1, 1), after: (0, 1, 1)),
    Case(batch: 2, channels: 17, filters: 33, size: (1, 7, 7), kernel: (1, 1, 1)),
    Case(channels: 20, filters: 15, size: (1, 13, 10), kernel: (1, 1, 1), stride: (1, 2, 2)),
    Case(channels: 3, filters: 16, size: (1, 30, 31), kernel: (1, 7, 7), stride: (1, 2, 2), before: (0, 3, 3), after: (0, 3, 2)),
    Case(batch: 2, groups: 2, channels: 6, filters: 10, size: (1, 8, 9), kernel: (1, 3, 2), stride: (1, 1, 3), before: (0, 2, 0)),
    Case(channels: 4, filters: 3, size: (1, 12, 15), kernel: (1, 3, 3), dilation: (1, 2, 3), before: (0, 2, 3), after: (0, 2, 3)),
    Case(channels: 60, filters: 30, size: (1, 1, 50), kernel: (1, 1, 9), dilation: (1, 1, 4), before: (0, 0, 32)),
    Case(channels: 2, filters: 3, size: (5, 6, 7), kernel: (3, 2, 3), stride: (2, 1, 1), before: (1, 0, 1), after: (1, 1, 1)),
    Case(channels: 64, filters: 20, size: (1, 14, 14), kernel: (1, 3, 3), before: (0, 1, 1), after: (0, 1, 1)),
    Case(batch: 2, channels: 19, filters: 21, size: (1, 10, 37), kernel: (1, 3, 3), before: (0, 1, 0), after: (0, 0, 1)),
    Case(channels: 16, filters: 32, size: (1, 3, 3), kernel: (1, 3, 3)),
    Case(batch: 2, groups: 5, channels: 5, filters: 5, size: (1, 7, 7), kernel: (1, 3, 3), before: (0, 1, 1), after: (0, 1, 1)),
    Case(
      groups: 4, channels: 4, filters: 4, size: (1, 13, 12), kernel: (1, 3, 3), stride: (1, 2, 2), before: (0, 1, 1),
      after: (0, 1, 0)),
    Case(groups: 3, channels: 3, filters: 3, size: (1, 20, 17), kernel: (1, 5, 5), before: (0, 2, 2), after: (0, 2, 2)),
    Case(groups: 3, channels: 3, filters: 3, size: (1, 9, 9), kernel: (1, 9, 9), before: (0, 4, 4), after: (0, 4, 4)),
    Case(
      groups: 3, channels: 3, filters: 3, size: (1, 11, 16), kernel: (1, 2, 3), stride: (1, 3, 4), dilation: (1, 2, 2),
      before: (0, 1, 2)),
    Case(groups: 2, channels: 2, filters: 2, size: (1, 1, 40), kernel: (1, 1, 5), before: (0, 0, 4)),
    Case(groups: 2, channels: 2, filters: 6, size: (1, 8, 8), kernel: (1, 3, 3), before: (0, 1, 1), after: (0, 1, 1)),
  ]

  @Test("convolutions by every method that applies, in every cut", arguments: availableISAs, cases)
  func convolutions(isa: fxk_isa, test: Case) {
    var conv = fxk_conv()
    (conv.batch, conv.groups, conv.in_channels, conv.out_channels) = (test.batch, test.groups, test.channels, test.filters)
    conv.in = test.size
    (conv.kernel, conv.stride, conv.dilation, conv.pad) = (test.kernel, test.stride, test.dilation, test.before)
    func output(_ size: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ pad: Int) -> Int {
      (size + pad - (kernel - 1) * dilation - 1) / stride + 1
    }
    conv.out = (
      output(test.size.0, test.kernel.0, test.stride.0, test.dilation.0, test.before.0 + test.after.0),
      output(test.size.1, test.kernel.1, test.stride.1, test.dilation.1, test.before.1 + test.after.1),
      output(test.size.2, test.kernel.2, test.stride.2, test.dilation.2, test.before.2 + test.after.2)
    )
    let outputs = test.batch * test.filters * conv.out.0 * conv.out.1 * conv.out.2
    var random = KernelRandom(77)
    let x = random.floats(test.batch * test.channels * test.size.0 * test.size.1 * test.size.2)
    let taps = test.kernel.0 * test.kernel.1 * test.kernel.2, depth = test.channels / test.groups * taps
    let weights = random.floats(test.filters * depth), bias = random.floats(test.filters), residual = random.floats(outputs)
    let sums = Self.reference(conv, x, weights)
    withISA(isa) {
      var methods = [FXK_CONV_GEMM, fxk_conv_choose(&conv, true), fxk_conv_choose(&conv, false)]
      if test.kernel == (1, 3, 3), test.stride == (1, 1, 1), test.dilation == (1, 1, 1), test.groups == 1 {
        methods.append(FXK_CONV_WINOGRAD)
      }
      methods = methods.enumerated().filter { pair in !methods[..<pair.offset].contains(pair.element) }.map(\.element)
      for method in methods {
        conv.method = method
        var packed = [Float](repeating: .nan, count: fxk_conv_packed_size(&conv))
        fxk_conv_pack(&conv, weights, &packed)
        for variant in 0..<4 {
          conv.epilogue = fxk_epilogue_none()
          let perImage = outputs / test.batch / test.filters
          let expected = sums.enumerated().map { i, sum -> Double in
            let v = sum + (variant > 0 ? Double(bias[i / perImage % test.filters]) : 0)
            switch variant {
            case 1: return min(max(v, 0), 6)
            case 2: return max(v + Double(residual[i]), 0)
            case 3: return v / (1 + exp(-v)) + Double(residual[i])
            default: return v
            }
          }
          let activations = [FXK_UNARY_IDENTITY, FXK_UNARY_CLIP, FXK_UNARY_RELU, FXK_UNARY_SILU]
          conv.epilogue.activation = activations[variant]
          (conv.epilogue.act_alpha, conv.epilogue.act_beta) = variant == 3 ? (1, 0) : (0, 6)
          conv.epilogue.residual_last = variant == 3
          var results: [[Float]] = []
          for threads in [1, 5] {
            var y = [Float](repeating: .nan, count: outputs)
            x.withUnsafeBufferPointer { x in
              packed.withUnsafeBufferPointer { packed in
                bias.withUnsafeBufferPointer { bias in
                  residual.withUnsafeBufferPointer { residual in
                    y.withUnsafeMutableBufferPointer { y in
                      (conv.x, conv.packed, conv.y) = (x.baseAddress, packed.baseAddress, y.baseAddress)
                      conv.epilogue.bias_row = variant > 0 ? bias.baseAddress : nil
                      conv.epilogue.residual = variant > 1 ? residual.baseAddress : nil
                      let tasks = fxk_conv_plan(&conv, threads)
                      var scratch = [Float](repeating: .nan, count: fxk_conv_scratch(&conv) + 1)
                      for task in (0..<tasks).reversed() { fxk_conv_run(&conv, task, task + 1, &scratch) }
                    }
                  }
                }
              }
            }
            results.append(y)
          }
          let bound = method == FXK_CONV_WINOGRAD ? 4e-6 : 1e-6
          #expect(
            largestDifference(results[0], expected) < bound * Double(depth).squareRoot() + 1e-6, "\(method), variant \(variant)")
          #expect(results[0] == results[1], "other bits when cut for five threads")
        }
      }
    }
  }

  static func reference(_ g: fxk_conv, _ x: [Float], _ w: [Float]) -> [Double] {
    let channels = g.in_channels / g.groups, filters = g.out_channels / g.groups
    var y: [Double] = []
    for image in 0..<g.batch {
      for filter in 0..<g.out_channels {
        for oz in 0..<g.out.0 {
          for oy in 0..<g.out.1 {
            for ox in 0..<g.out.2 {
              var sum = 0.0
              for channel in 0..<channels {
                let plane = image * g.in_channels + filter / filters * channels + channel
                for kz in 0..<g.kernel.0 {
                  let z = oz * g.stride.0 + kz * g.dilation.0 - g.pad.0
                  guard z >= 0, z < g.in.0 else { continue }
                  for ky in 0..<g.kernel.1 {
                    let row = oy * g.stride.1 + ky * g.dilation.1 - g.pad.1
                    guard row >= 0, row < g.in.1 else { continue }
                    for kx in 0..<g.kernel.2 {
                      let column = ox * g.stride.2 + kx * g.dilation.2 - g.pad.2
                      guard column >= 0, column < g.in.2 else { continue }
                      let weight = (((filter * channels + channel) * g.kernel.0 + kz) * g.kernel.1 + ky) * g.kernel.2 + kx
                      sum += Double(x[((plane * g.in.0 + z) * g.in.1 + row) * g.in.2 + column]) * Double(w[weight])
                    }
                  }
                }
              }
              y.append(sum)
            }
          }
        }
      }
    }
    return y
  }
}
