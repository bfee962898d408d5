import CKernels
import Foundation
import Testing

@Suite struct KernelsMoveTests {
  struct Window: Sendable, CustomTestStringConvertible {
    let size: (Int, Int)
    let kernel: (Int, Int)
    var stride = (1, 1)
    var dilation = (1, 1)
    var before = (0, 0)
    var after = (0, 0)
    /// Outputs beyond what the padding allows, as ceil_mode asks for.
    var extra = 0
    var testDescription: String { "\(size) by \(kernel), stride \(stride), dilation \(dilation), pads \(before) \(after)" }

    var pool: fxk_pool2d {
      let reach = ((kernel.0 - 1) * dilation.0, (kernel.1 - 1) * dilation.1)
      return fxk_pool2d(
        in_h: size.0, in_w: size.1, out_h: (size.0 + before.0 + after.0 - reach.0 - 1) / stride.0 + 1 + extra,
        out_w: (size.1 + before.1 + after.1 - reach.1 - 1) / stride.1 + 1 + extra, kernel_h: kernel.0, kernel_w: kernel.1,
        stride_h: stride.0, stride_w: stride.1, dilation_h: dilation.0, dilation_w: dilation.1, pad_top: before.0,
        pad_left: before.1, pad_bottom: after.0, pad_right: after.1)
    }
  }

  static let windows: [Window] = [
    Window(size: (7, 9), kernel: (2, 2), stride: (2, 2)),
    Window(size: (16, 33), kernel: (3, 3), stride: (2, 2), before: (1, 1), after: (1, 1)),
    Window(size: (5, 40), kernel: (3, 3), before: (1, 1), after: (1, 1)),
    Window(size: (9, 8), kernel: (3, 2), stride: (3, 1), dilation: (2, 3), before: (2, 0), after: (0, 3)),
    Window(size: (6, 6), kernel: (6, 6)),
    Window(size: (7, 7), kernel: (3, 3), stride: (2, 2), before: (0, 0), after: (1, 1), extra: 0),
    Window(size: (8, 8), kernel: (3, 3), stride: (3, 3), extra: 1),
    Window(size: (2, 3), kernel: (5, 5), before: (2, 2), after: (2, 2)),
    Window(size: (1, 20), kernel: (1, 4), stride: (1, 3), before: (0, 2)),
  ]

  @Test("pooling, im2col and col2im against their definitions", arguments: availableISAs, windows)
  func pooling(isa: fxk_isa, window: Window) {
    var pool = window.pool
    let planes = 2, size = pool.in_h * pool.in_w, pixels = pool.out_h * pool.out_w, taps = pool.kernel_h * pool.kernel_w
    var random = KernelRandom(5)
    let x = random.floats(planes * size)
    var largest: [Float] = [], positions: [Int64] = [], means: [Double] = [], paddedMeans: [Double] = [], columns: [Float] = []
    for plane in 0..<planes {
      columns += [Float](repeating: 0, count: taps * pixels)
      for oy in 0..<pool.out_h {
        for ox in 0..<pool.out_w {
          var best = -Float.infinity, place = -1, sum = 0.0, inside = 0, padded = 0
          for ky in 0..<pool.kernel_h {
            for kx in 0..<pool.kernel_w {
              let y = oy * pool.stride_h + ky * pool.dilation_h, column = ox * pool.stride_w + kx * pool.dilation_w
              if y < pool.in_h + pool.pad_top + pool.pad_bottom, column < pool.in_w + pool.pad_left + pool.pad_right {
                padded += 1
              }
              guard y >= pool.pad_top, y < pool.in_h + pool.pad_top, column >= pool.pad_left, column < pool.in_w + pool.pad_left
              else { continue }
              let position = (y - pool.pad_top) * pool.in_w + column - pool.pad_left, value = x[plane * size + position]
              if value > best { (best, place) = (value, position) }
              (sum, inside) = (sum + Double(value), inside + 1)
              columns[((plane * taps) + ky * pool.kernel_w + kx) * pixels + oy * pool.out_w + ox] = value
            }
          }
          largest.append(best)
          positions.append(place < 0 ? -1 : Int64(plane * 1000 + place))
          means.append(sum / Double(inside))
          paddedMeans.append(sum / Double(padded))
        }
      }
    }
    withISA(isa) {
      var y = [Float](repeating: .nan, count: planes * pixels), indices = [Int64](repeating: -5, count: planes * pixels)
      fxk_max_pool2d_f32(&pool, x, &y, nil, 0, 0, 1)
      fxk_max_pool2d_f32(&pool, x, &y, nil, 0, 1, 2)
      #expect(y == largest)
      fxk_max_pool2d_f32(&pool, x, &y, &indices, 1000, 0, 2)
      #expect(y == largest && indices == positions)
      fxk_average_pool2d_f32(&pool, x, &y, false, 0, planes)
      #expect(zip(y, means).allSatisfy { abs(Double($0) - $1) < 1e-6 || $0.isNaN && $1.isNaN })
      fxk_average_pool2d_f32(&pool, x, &y, true, 0, planes)
      #expect(zip(y, paddedMeans).allSatisfy { abs(Double($0) - $1) < 1e-6 || $0.isNaN && $1.isNaN })
      var matrix = [Float](repeating: .nan, count: planes * taps * pixels)
      fxk_im2col_f32(&pool, x, &matrix, 0, taps)
      fxk_im2col_f32(&pool, x, &matrix, taps, 2 * taps)
      #expect(matrix == columns)
      // <im2col(x), c> = <x, col2im(c)>.
      let c = random.floats(planes * taps * pixels)
      var image = [Float](repeating: .nan, count: x.count)
      fxk_col2im_f32(&pool, c, &image, 0, planes)
      let left = zip(matrix, c).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      let right = zip(x, image).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      #expect(abs(left - right) < 1e-4)
    }
  }

  @Test("resizing, channel maps and recurrent steps", arguments: availableISAs)
  func others(isa: fxk_isa) {
    var random = KernelRandom(6)
    let (inH, inW, outH, outW) = (5, 7, 12, 9)
    let x = random.floats(2 * inH * inW)
    func source(_ count: Int, _ size: Int) -> (low: [Int32], high: [Int32], weight: [Float]) {
      let at = (0..<count).map { min(max((Double($0) + 0.5) * Double(size) / Double(count) - 0.5, 0), Double(size - 1)) }
      return (at.map { Int32($0) }, at.map { min(Int32($0) + 1, Int32(size - 1)) }, at.map { Float($0 - $0.rounded(.down)) })
    }
    let (rows, columns) = (source(outH, inH), source(outW, inW))
    let hidden = 19, sequences = 2
    let gates = random.floats(sequences * 4 * hidden, in: -3...3), cell = random.floats(sequences * hidden)
    let peephole = random.floats(3 * hidden)
    func sigmoid(_ v: Double) -> Double { 1 / (1 + exp(-v)) }
    withISA(isa) {
      var y = [Float](repeating: .nan, count: 2 * outH * outW), scratch = [Float](repeating: 0, count: 2 * outW)
      fxk_resize_linear2d_f32(
        x, &y, inH, inW, outH, outW, rows.low, rows.high, rows.weight, columns.low, columns.high, columns.weight, 0, 2, &scratch)
      let linear = (0..<y.count).map { i -> Double in
        let (plane, rest) = i.quotientAndRemainder(dividingBy: outH * outW)
        let (r, c) = (rest / outW, rest % outW)
        func at(_ row: Int32, _ column: Int32) -> Double { Double(x[plane * inH * inW + Int(row) * inW + Int(column)]) }
        func along(_ row: Int32) -> Double {
          let w = Double(columns.weight[c])
          return at(row, columns.low[c]) * (1 - w) + at(row, columns.high[c]) * w
        }
        let w = Double(rows.weight[r])
        return along(rows.low[r]) * (1 - w) + along(rows.high[r]) * w
      }
      #expect(largestDifference(y, linear) < 1e-6)
      fxk_resize_nearest2d_f32(x, &y, inH, inW, outH, outW, rows.low, columns.low, 0, 2)
      #expect(
        (0..<y.count).allSatisfy { i in
          let (plane, rest) = i.quotientAndRemainder(dividingBy: outH * outW)
          return y[i] == x[plane * inH * inW + Int(rows.low[rest / outW]) * inW + Int(columns.low[rest % outW])]
        })
      var mapped = x
      fxk_channel_affine_f32(x, &mapped, inH * inW, 2, [2, -3], [0.5, 1], true, 0, 2)
      #expect(
        largestDifference(mapped, x.enumerated().map { max(Double($1) * ($0 < 35 ? 2 : -3) + ($0 < 35 ? 0.5 : 1), 0) }) < 1e-6)
      for peep in [nil, peephole] {
        var nextCell = cell, nextHidden = cell
        fxk_lstm_step_f32(gates, cell, peep, &nextCell, &nextHidden, sequences, hidden)
        for s in 0..<sequences {
          for j in 0..<hidden {
            func gate(_ g: Int) -> Double { Double(gates[(s * 4 + g) * hidden + j]) }
            func peek(_ g: Int) -> Double { Double(peep?[g * hidden + j] ?? 0) }
            let c = Double(cell[s * hidden + j])
            let next = sigmoid(gate(2) + peek(2) * c) * c + sigmoid(gate(0) + peek(0) * c) * tanh(gate(3))
            let out = sigmoid(gate(1) + peek(1) * next) * tanh(next)
            #expect(abs(Double(nextCell[s * hidden + j]) - next) < 1e-6 && abs(Double(nextHidden[s * hidden + j]) - out) < 1e-6)
          }
        }
      }
      var state = cell
      let projected = gates, recurrent = Array(gates.reversed())
      fxk_gru_step_f32(projected, recurrent, cell, &state, sequences, hidden)
      for s in 0..<sequences {
        for j in 0..<hidden {
          func gate(_ v: [Float], _ g: Int) -> Double { Double(v[(s * 3 + g) * hidden + j]) }
          let z = sigmoid(gate(projected, 0) + gate(recurrent, 0)), r = sigmoid(gate(projected, 1) + gate(recurrent, 1))
          let candidate = tanh(gate(projected, 2) + r * gate(recurrent, 2))
          #expect(abs(Double(state[s * hidden + j]) - ((1 - z) * candidate + z * Double(cell[s * hidden + j]))) < 1e-6)
        }
      }
    }
  }

  @Test("conversions: every half, rounding, saturation", arguments: availableISAs)
  func conversions(isa: fxk_isa) {
    let halves = (0...UInt16.max).map { $0 }
    var random = KernelRandom(8)
    var floats = halves.flatMap { bits -> [Float] in
      // Each half, the midpoint to its neighbour, and what lies next to the midpoint.
      guard bits & 0x7FFF < 0x7C00 else { return [] }
      let value = reference(half: bits), middle = (value + reference(half: bits &+ 1)) / 2
      return middle.isFinite ? [value, middle, middle.nextUp, middle.nextDown] : [value]
    }
    floats += [65519.9, 65520, 65535, 1e30, -1e30, .infinity, -.infinity, .nan, 0x1p-25, 0x1.000002p-25, 0x1p-140, -0.0]
    floats += random.floats(5000, in: -70000...70000)
    withISA(isa) {
      var wide = [Float](repeating: 0, count: halves.count)
      fxk_f16_to_f32(halves, &wide, halves.count)
      #expect(
        zip(halves, wide).allSatisfy { $1.bitPattern == reference(half: $0).bitPattern || $1.isNaN && $0 & 0x7FFF > 0x7C00 })
      var narrow = [UInt16](repeating: 0, count: floats.count)
      fxk_f32_to_f16(floats, &narrow, floats.count)
      var wrong = zip(floats, narrow).first { x, h in
        x.isNaN ? h & 0x7FFF <= 0x7C00 : !isNearestHalf(x, h)
      }
      #expect(wrong == nil)
      fxk_f32_to_bf16(floats, &narrow, floats.count)
      wrong = zip(floats, narrow).first { x, h in
        let bits = x.bitPattern, rest = bits & 0xFFFF
        let up = rest > 0x8000 || rest == 0x8000 && bits & 0x10000 != 0
        return x.isNaN ? !Float(bitPattern: UInt32(h) << 16).isNaN : UInt32(h) != (bits >> 16) + (up ? 1 : 0)
      }
      #expect(wrong == nil)
      let x: [Float] = [0, 0.5, 1.5, 2.5, -0.5, -1.5, 1000, -1000, .infinity, -.infinity, .nan, 3.49, -3.51, 12.5, 0.1, 100, -7]
      var signed = [Int8](repeating: 1, count: x.count), unsigned = [UInt8](repeating: 1, count: x.count)
      fxk_quantize_i8(x, &signed, x.count, 0.5, 3)
      fxk_quantize_u8(x, &unsigned, x.count, 0.5, 3)
      for (i, v) in x.enumerated() {
        let q = v.isNaN ? 3 : (v / 0.5).rounded(.toNearestOrEven) + 3
        #expect(Float(signed[i]) == min(max(q, -128), 127) && Float(unsigned[i]) == min(max(q, 0), 255))
      }
      var back = [Float](repeating: 0, count: x.count)
      fxk_dequantize_i8(signed, &back, x.count, 0.5, 3)
      #expect(zip(signed, back).allSatisfy { (Float($0) - 3) * 0.5 == $1 })
      let large: [Float] = [1e10, -1e10, .nan, 3e9, 2147483520, -2147483648, -2.9, 2.9, 1e30, -1e30, .infinity]
      var words = [Int32](repeating: 5, count: large.count), longs = [Int64](repeating: 5, count: large.count)
      fxk_f32_to_i32(large, &words, large.count)
      fxk_f32_to_i64(large, &longs, large.count)
      for (i, v) in large.enumerated() {
        #expect(words[i] == (v.isNaN ? 0 : v >= 0x1p31 ? .max : v < -0x1p31 ? .min : Int32(v)))
        #expect(longs[i] == (v.isNaN ? 0 : v >= 0x1p63 ? .max : v < -0x1p63 ? .min : Int64(v)))
      }
    }
  }

  private func reference(half bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 != 0 ? -1 : 1
    let exponent = Int(bits >> 10 & 31), fraction = Float(bits & 1023)
    if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
    if exponent == 0 { return sign * fraction * 0x1p-24 }
    return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
  }

  private func isNearestHalf(_ x: Float, _ half: UInt16) -> Bool {
    guard (half & 0x8000 != 0) == (x.sign == .minus), half & 0x7FFF <= 0x7C00 else { return false }
    let magnitude = half & 0x7FFF, a = Double(abs(x))
    // Infinity stands for 65536 when halfway points are taken.
    func value(_ m: UInt16) -> Double { m >= 0x7C00 ? 65536 : Double(reference(half: m)) }
    let above = (value(magnitude) + value(magnitude + 1)) / 2, even = magnitude & 1 == 0
    let below = magnitude == 0 ? -1 : (value(magnitude) + value(magnitude - 1)) / 2
    let lowOK = a > below || a == below && even, highOK = magnitude == 0x7C00 || a < above || a == above && even
    return lowOK && highOK
  }

  @Test("transpositions, permutations, broadcasts, slices and gathers")
  func movement() {
    for size in [1, 2, 4, 8, 16] {
      for (rows, columns) in [(1, 1), (3, 5), (4, 4), (33, 70), (65, 31), (128, 40)] {
        let x = (0..<(rows * columns * size)).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 8) }
        var y = [UInt8](repeating: 0, count: x.count)
        fxk_transpose2d(x, columns, &y, rows, 0, rows / 2, columns, size)
        fxk_transpose2d(x, columns, &y, rows, rows / 2, rows, columns, size)
        let right = (0..<(rows * columns)).allSatisfy { e in
          (0..<size).allSatisfy { y[(e % columns * rows + e / columns) * size + $0] == x[e * size + $0] }
        }
        #expect(right)
      }
    }
    let source = (0..<100_000).map { Int32($0) }
    let views: [(sizes: [Int], strides: [Int], base: Int)] = [
      ([3, 5, 7], [35, 7, 1], 0), ([3, 7, 5], [35, 1, 7], 0), ([2, 70, 6, 9], [7560, 1, 1260, 70], 0), ([5, 4], [0, 1], 0),
      ([5, 4], [1, 0], 0), ([4, 5, 6], [60, -12, 2], 50), ([1, 9, 1], [9, 1, 1], 0), ([], [], 3),
      ([2, 3, 4, 5], [1, 2, 6, 24], 0),
      ([130, 80], [1, 130], 0), ([0, 4], [4, 1], 0), ([2, 2, 2, 2, 2, 2, 2, 2], [1, 2, 4, 8, 16, 32, 64, 128], 0),
    ]
    for view in views {
      var copy = fxk_copy()
      #expect(fxk_copy_prepare(&copy, view.sizes.count, view.sizes, view.strides, 4))
      let count = view.sizes.reduce(1, *)
      var y = [Int32](repeating: -1, count: count + 1)
      source.withUnsafeBufferPointer { source in
        guard let base = source.baseAddress else { return }
        for part in (0..<copy.parts).reversed() { fxk_copy_run(&copy, base + view.base, &y, part, part + 1) }
      }
      let expected = (0..<count).map { index -> Int32 in
        var (rest, offset) = (index, view.base)
        for axis in view.sizes.indices.reversed() {
          offset += rest % view.sizes[axis] * view.strides[axis]
          rest /= view.sizes[axis]
        }
        return source[offset]
      }
      #expect(Array(y.dropLast()) == expected && y.last == -1, "\(view)")
    }
    var copy = fxk_copy()
    #expect(!fxk_copy_prepare(&copy, 9, [Int](repeating: 2, count: 9), [Int](repeating: 1, count: 9), 4))
    #expect(!fxk_copy_prepare(&copy, 1, [2], [1], 3))
    var y = [Int32](repeating: -1, count: 12)
    #expect(fxk_gather(source, &y, [2, -1, 0], 3, 5, 8, 0, 2))
    #expect(y == [4, 5, 8, 9, 0, 1, 14, 15, 18, 19, 10, 11])
    #expect(!fxk_gather(source, &y, [0, 5], 2, 5, 8, 0, 1) && !fxk_gather(source, &y, [-6], 1, 5, 8, 0, 1))
  }
}
