import CKernels
import Foundation
import Testing

@Suite struct KernelsRowsTests {
  static let sizes = [1, 2, 3, 7, 8, 15, 16, 31, 33, 64, 65, 127, 257, 1000]

  @Test("softmax forms against double", arguments: availableISAs)
  func softmax(isa: fxk_isa) {
    var random = KernelRandom(11)
    for columns in Self.sizes {
      let rows = 3
      let x = random.floats(rows * columns, in: -20...20), mask = random.floats(columns, in: -3...0)
      func exact(scale: Double, mask: [Float]?) -> [Double] {
        (0..<rows).flatMap { r in
          let v = (0..<columns).map { Double(x[r * columns + $0]) * scale + Double(mask?[$0] ?? 0) }
          let top = v.max() ?? 0
          let e = v.map { exp($0 - top) }
          let sum = e.reduce(0, +)
          return e.map { $0 / sum }
        }
      }
      withISA(isa) {
        var y = x
        fxk_softmax_f32(x, &y, rows, columns, 1, nil, 0)
        #expect(largestDifference(y, exact(scale: 1, mask: nil)) < 1e-6)
        fxk_softmax_f32(x, &y, rows, columns, 0.125, mask, 0)
        #expect(largestDifference(y, exact(scale: 0.125, mask: mask)) < 1e-6)
        fxk_log_softmax_f32(x, &y, rows, columns)
        #expect(largestDifference(y, exact(scale: 1, mask: nil).map { log($0) }) < 2e-5)
        // The strided form on the transposed layout, in two ranges.
        let transposed = (0..<(rows * columns)).map { x[$0 % rows * columns + $0 / rows] }
        for logarithm in [false, true] {
          var z = transposed
          var scratch = [Float](repeating: 0, count: 2 * rows)
          fxk_softmax_inner_f32(transposed, &z, 1, columns, rows, 0, 2, logarithm, &scratch)
          fxk_softmax_inner_f32(transposed, &z, 1, columns, rows, 2, 3, logarithm, &scratch)
          let back = (0..<(rows * columns)).map { z[$0 % columns * rows + $0 / columns] }
          let wanted = exact(scale: 1, mask: nil).map { logarithm ? log($0) : $0 }
          #expect(largestDifference(back, wanted) < 2e-5)
        }
        // Masked entries vanish; a row that is masked whole is 0 / 0.
        var masked: [Float] = [0, -.infinity, 0, -.infinity, -.infinity, -.infinity]
        let source = masked
        fxk_softmax_f32(source, &masked, 2, 3, 1, nil, 0)
        #expect(masked[0...2] == [0.5, 0, 0.5] && masked[3...].allSatisfy { $0.isNaN })
      }
    }
  }

  @Test("normalisations against double", arguments: availableISAs)
  func normalisation(isa: fxk_isa) {
    var random = KernelRandom(12)
    for columns in Self.sizes {
      let rows = 2
      let x = random.floats(rows * columns, in: 1...3), skip = random.floats(rows * columns)
      let gamma = random.floats(columns), beta = random.floats(columns), bias = random.floats(columns)
      func exact(_ x: [Double], gamma: [Float]?, beta: [Float]?, rms: Bool) -> [Double] {
        (0..<rows).flatMap { r in
          let v = Array(x[(r * columns)..<((r + 1) * columns)])
          let mean = rms ? 0 : v.reduce(0, +) / Double(columns)
          let variance = v.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
          return (0..<columns).map {
            (v[$0] - mean) / (variance + 1e-3).squareRoot() * Double(gamma?[$0] ?? 1) + Double(beta?[$0] ?? 0)
          }
        }
      }
      let wide = x.map(Double.init)
      withISA(isa) {
        var y = x
        var mean = [Float](repeating: 0, count: rows), rstd = mean
        fxk_layer_norm_f32(x, &y, rows, columns, gamma, beta, 1e-3, &mean, &rstd)
        #expect(largestDifference(y, exact(wide, gamma: gamma, beta: beta, rms: false)) < 4e-6)
        fxk_layer_norm_f32(x, &y, rows, columns, nil, nil, 1e-3, nil, nil)
        #expect(largestDifference(y, exact(wide, gamma: nil, beta: nil, rms: false)) < 4e-6)
        fxk_rms_norm_f32(x, &y, rows, columns, gamma, 1e-3)
        #expect(largestDifference(y, exact(wide, gamma: gamma, beta: nil, rms: true)) < 4e-6)
        var sum = x
        let summed = (0..<x.count).map { Double(x[$0]) + Double(skip[$0]) + Double(bias[$0 % columns]) }
        fxk_skip_layer_norm_f32(x, skip, bias, &y, &sum, rows, columns, gamma, beta, 1e-3, false)
        #expect(largestDifference(sum, summed) < 1e-6)
        #expect(largestDifference(y, exact(summed, gamma: gamma, beta: beta, rms: false)) < 6e-6)
      }
    }
  }

  @Test("reductions along rows and along the middle axis", arguments: availableISAs)
  func reductions(isa: fxk_isa) {
    var random = KernelRandom(13)
    for columns in Self.sizes {
      let (outer, inner) = (2, 3)
      let x = random.floats(outer * columns * inner, in: 0.5...1.5)
      // The same data as rows [outer, inner, columns].
      let rows = (0..<x.count).map { i -> Float in
        let (o, rest) = i.quotientAndRemainder(dividingBy: columns * inner)
        return x[o * columns * inner + rest % columns * inner + rest / columns]
      }
      for op in 0..<FXK_REDUCE_COUNT.rawValue {
        let exact = (0..<(outer * inner)).map {
          reduce(fxk_reduce(op), rows[($0 * columns)..<(($0 + 1) * columns)].map(Double.init))
        }
        withISA(isa) {
          var a = [Float](repeating: 0, count: outer * inner), b = a
          fxk_reduce_rows_f32(fxk_reduce(op), rows, &a, outer * inner, columns)
          fxk_reduce_inner_f32(fxk_reduce(op), x, &b, outer, columns, inner, 0, 1)
          fxk_reduce_inner_f32(fxk_reduce(op), x, &b, outer, columns, inner, 1, inner)
          for (i, e) in exact.enumerated() {
            // Products of a thousand factors lose one rounding each.
            let bound = abs(e) * Double(columns) * 6e-8 + 1e-6
            #expect(abs(Double(a[i]) - e) <= bound && abs(Double(b[i]) - e) <= bound, "op \(op), \(columns) columns")
          }
        }
      }
      var largest = [Int64](repeating: 0, count: 6), smallest = largest
      withISA(isa) {
        fxk_arg_rows_f32(rows, &largest, 6, columns, false, false)
        fxk_arg_rows_f32(rows, &smallest, 6, columns, true, true)
      }
      for r in 0..<6 {
        let row = Array(rows[(r * columns)..<((r + 1) * columns)])
        #expect(row[Int(largest[r])] == row.max() && row[Int(smallest[r])] == row.min())
      }
    }
    withISA(isa) {
      var y: [Float] = [0]
      for (op, value) in [(FXK_REDUCE_MAX, Float.nan), (FXK_REDUCE_MIN, .nan)] {
        for place in 0..<40 {
          var x = [Float](repeating: 1, count: 40)
          x[place] = value
          fxk_reduce_rows_f32(op, x, &y, 1, 40)
          #expect(y[0].isNaN)
        }
      }
      var index: Int64 = -1
      fxk_arg_rows_f32([1, 3, 3, 2], &index, 1, 4, false, false)
      #expect(index == 1)
      fxk_arg_rows_f32([1, 3, 3, 2], &index, 1, 4, false, true)
      #expect(index == 2)
      fxk_arg_rows_f32([1, .nan, 3, 2], &index, 1, 4, false, false)
      #expect(index == 1)
    }
  }

  private func reduce(_ op: fxk_reduce, _ x: [Double]) -> Double {
    let sum = x.reduce(0, +), squares = x.reduce(0) { $0 + $1 * $1 }
    switch op {
    case FXK_REDUCE_SUM: return sum
    case FXK_REDUCE_MEAN: return sum / Double(x.count)
    case FXK_REDUCE_MAX: return x.max() ?? -.infinity
    case FXK_REDUCE_MIN: return x.min() ?? .infinity
    case FXK_REDUCE_SUM_SQUARE: return squares
    case FXK_REDUCE_L1: return x.reduce(0) { $0 + abs($1) }
    case FXK_REDUCE_L2: return squares.squareRoot()
    case FXK_REDUCE_PROD: return x.reduce(1, *)
    case FXK_REDUCE_LOG_SUM: return log(sum)
    default: return log(x.reduce(0) { $0 + exp($1) })
    }
  }
}
