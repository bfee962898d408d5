import CKernels
import Foundation
import Testing

/// An operation, its definition in double, its error bound, and its parameters.
struct UnaryCase: CustomTestStringConvertible, Sendable {
  let name: String
  let op: fxk_unary
  /// Bound in ulps; where nil, the bound is 2e-7 max(1, |y|).
  let ulps: Double?
  var alpha: Float = 0
  var beta: Float = 0
  let exact: @Sendable (Double) -> Double
  var testDescription: String { name }
}

private func sigmoid(_ x: Double) -> Double { x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)) }
private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
private func relu(_ x: Double) -> Double { x < 0 ? 0 : x }
private func clip(_ x: Double, _ low: Double, _ high: Double) -> Double { x < low ? low : (x > high ? high : x) }
private let selu = (alpha: Float(1.67326319), gamma: Float(1.05070102))

@Suite struct KernelsElementwiseTests {
  static let unaryCases: [UnaryCase] = [
    UnaryCase(name: "identity", op: FXK_UNARY_IDENTITY, ulps: 0) { $0 },
    UnaryCase(name: "abs", op: FXK_UNARY_ABS, ulps: 0) { abs($0) },
    UnaryCase(name: "neg", op: FXK_UNARY_NEG, ulps: 0) { -$0 },
    UnaryCase(name: "sign", op: FXK_UNARY_SIGN, ulps: 0) { $0.isNaN ? $0 : ($0 > 0 ? 1 : ($0 < 0 ? -1 : 0)) },
    UnaryCase(name: "reciprocal", op: FXK_UNARY_RECIPROCAL, ulps: 0.5) { 1 / $0 },
    UnaryCase(name: "square", op: FXK_UNARY_SQUARE, ulps: 0.5) { $0 * $0 },
    UnaryCase(name: "sqrt", op: FXK_UNARY_SQRT, ulps: 0.5) { sqrt($0) },
    UnaryCase(name: "rsqrt", op: FXK_UNARY_RSQRT, ulps: 1.5) { 1 / sqrt($0) },
    UnaryCase(name: "exp", op: FXK_UNARY_EXP, ulps: 1.5) { exp($0) },
    UnaryCase(name: "expm1", op: FXK_UNARY_EXPM1, ulps: 4) { expm1($0) },
    UnaryCase(name: "log", op: FXK_UNARY_LOG, ulps: 1.5) { log($0) },
    UnaryCase(name: "log1p", op: FXK_UNARY_LOG1P, ulps: 2) { log1p($0) },
    UnaryCase(name: "sin", op: FXK_UNARY_SIN, ulps: 1.5) { sin($0) },
    UnaryCase(name: "cos", op: FXK_UNARY_COS, ulps: 3) { cos($0) },
    UnaryCase(name: "tan", op: FXK_UNARY_TAN, ulps: 2) { tan($0) },
    UnaryCase(name: "asin", op: FXK_UNARY_ASIN, ulps: 2) { asin($0) },
    UnaryCase(name: "acos", op: FXK_UNARY_ACOS, ulps: 2) { acos($0) },
    UnaryCase(name: "atan", op: FXK_UNARY_ATAN, ulps: 2) { atan($0) },
    UnaryCase(name: "sinh", op: FXK_UNARY_SINH, ulps: 3) { sinh($0) },
    UnaryCase(name: "cosh", op: FXK_UNARY_COSH, ulps: 3) { cosh($0) },
    UnaryCase(name: "asinh", op: FXK_UNARY_ASINH, ulps: 3) { asinh($0) },
    UnaryCase(name: "acosh", op: FXK_UNARY_ACOSH, ulps: 3) { acosh($0) },
    UnaryCase(name: "atanh", op: FXK_UNARY_ATANH, ulps: 3) { atanh($0) },
    UnaryCase(name: "erf", op: FXK_UNARY_ERF, ulps: 3) { erf($0) },
    UnaryCase(name: "floor", op: FXK_UNARY_FLOOR, ulps: 0) { $0.rounded(.down) },
    UnaryCase(name: "ceil", op: FXK_UNARY_CEIL, ulps: 0) { $0.rounded(.up) },
    UnaryCase(name: "round", op: FXK_UNARY_ROUND, ulps: 0) { $0.rounded(.toNearestOrEven) },
    UnaryCase(name: "trunc", op: FXK_UNARY_TRUNC, ulps: 0) { $0.rounded(.towardZero) },
    UnaryCase(name: "relu", op: FXK_UNARY_RELU, ulps: 0, exact: relu),
    UnaryCase(name: "leaky relu", op: FXK_UNARY_LEAKY_RELU, ulps: 0.5, alpha: 0.125) { $0 < 0 ? 0.125 * $0 : $0 },
    UnaryCase(name: "elu", op: FXK_UNARY_ELU, ulps: 4, alpha: 1.5) { $0 < 0 ? 1.5 * expm1($0) : $0 },
    UnaryCase(name: "selu", op: FXK_UNARY_SELU, ulps: 5, alpha: selu.alpha, beta: selu.gamma) {
      Double(selu.gamma) * ($0 < 0 ? Double(selu.alpha) * expm1($0) : $0)
    },
    UnaryCase(name: "celu", op: FXK_UNARY_CELU, ulps: 4, alpha: 2) { relu($0) + ($0 < 0 ? 2 * expm1($0 / 2) : 0) },
    UnaryCase(name: "thresholded relu", op: FXK_UNARY_THRESHOLDED_RELU, ulps: 0, alpha: 1) { $0 <= 1 ? 0 : $0 },
    UnaryCase(name: "clip", op: FXK_UNARY_CLIP, ulps: 0, alpha: -0.5, beta: 6) { clip($0, -0.5, 6) },
    UnaryCase(name: "sigmoid", op: FXK_UNARY_SIGMOID, ulps: 3, exact: sigmoid),
    UnaryCase(name: "hard sigmoid", op: FXK_UNARY_HARD_SIGMOID, ulps: nil, alpha: 0.25, beta: 0.5) {
      clip(0.25 * $0 + 0.5, 0, 1)
    },
    UnaryCase(name: "hard swish", op: FXK_UNARY_HARD_SWISH, ulps: nil) { $0 * clip($0 / 6 + 0.5, 0, 1) },
    UnaryCase(name: "silu", op: FXK_UNARY_SILU, ulps: nil, alpha: 1) { $0 * sigmoid($0) },
    UnaryCase(name: "tanh", op: FXK_UNARY_TANH, ulps: 1.5) { tanh($0) },
    UnaryCase(name: "softplus", op: FXK_UNARY_SOFTPLUS, ulps: 2, exact: softplus),
    UnaryCase(name: "softsign", op: FXK_UNARY_SOFTSIGN, ulps: 1.5) { $0 / (1 + abs($0)) },
    UnaryCase(name: "mish", op: FXK_UNARY_MISH, ulps: nil) { $0 * tanh(softplus($0)) },
    UnaryCase(name: "gelu", op: FXK_UNARY_GELU, ulps: nil) { 0.5 * $0 * erfc(-$0 / 2.squareRoot()) },
    UnaryCase(name: "gelu tanh", op: FXK_UNARY_GELU_TANH, ulps: nil) {
      $0 * sigmoid(2 * (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))
    },
    UnaryCase(name: "affine", op: FXK_UNARY_AFFINE, ulps: nil, alpha: 3, beta: -2) { 3 * $0 - 2 },
  ]

  /// Floats of every exponent, both signs, and the values where functions break.
  static let arguments: [Float] = {
    var bits = stride(from: UInt32(0), to: UInt32.max - 400_009, by: 400_009).map { Float(bitPattern: $0) }
    bits += [0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNormalMagnitude, .greatestFiniteMagnitude]
    bits += [1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 88.722, 88.73, -87.4, -103.9, -104.1, 8_388_608.5, 0.34, -0.34, 0.625, 4]
    var random = KernelRandom(1)
    return bits + random.floats(4000, in: -10...10) + random.floats(2000, in: -1...1)
  }()

  @Test("unary maps keep their bounds over all floats", arguments: unaryCases)
  func unary(test: UnaryCase) {
    let x = Self.arguments
    for isa in availableISAs {
      var y = [Float](repeating: -7, count: x.count)
      withISA(isa) { fxk_unary_f32(test.op, x, &y, x.count, test.alpha, test.beta) }
      var worst = (error: 0.0, at: Float(0), y: Float(0))
      for (x, y) in zip(x, y) {
        let exact = test.exact(Double(x))
        var error = ulpDistance(y, exact)
        if test.ulps == nil, error.isFinite, y.isFinite { error = abs(Double(y) - exact) / max(1, abs(exact)) / 2e-7 }
        if error > worst.error { worst = (error, x, y) }
      }
      #expect(worst.error <= test.ulps ?? 1, "\(isa.testDescription): \(worst) instead of \(test.exact(Double(worst.at)))")
    }
  }

  @Test("tails, places and in-place runs give the same bits", arguments: availableISAs)
  func tails(isa: fxk_isa) {
    var random = KernelRandom(2)
    let x = random.floats(300, in: -5...5)
    withISA(isa) {
      for test in Self.unaryCases {
        var whole = x
        fxk_unary_f32(test.op, x, &whole, x.count, test.alpha, test.beta)
        for count in [0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 63, 65, 129] {
          var part = [Float](x[3..<(3 + count)]) + [42]
          part.withUnsafeMutableBufferPointer { part in
            guard let base = part.baseAddress else { return }
            fxk_unary_f32(test.op, base, base, count, test.alpha, test.beta)
          }
          let same = (0..<count).allSatisfy {
            part[$0].bitPattern == whole[3 + $0].bitPattern || part[$0].isNaN && whole[3 + $0].isNaN
          }
          #expect(same && part[count] == 42, "\(test.name), \(count) elements")
        }
      }
    }
  }

  struct BinaryCase: Sendable {
    let op: fxk_binary
    let ulps: Double
    let exact: @Sendable (Double, Double) -> Double
  }

  static let binaryCases: [BinaryCase] = [
    BinaryCase(op: FXK_BINARY_ADD, ulps: 0.5) { $0 + $1 },
    BinaryCase(op: FXK_BINARY_SUB, ulps: 0.5) { $0 - $1 },
    BinaryCase(op: FXK_BINARY_MUL, ulps: 0.5) { $0 * $1 },
    BinaryCase(op: FXK_BINARY_DIV, ulps: 0.5) { $0 / $1 },
    BinaryCase(op: FXK_BINARY_MIN, ulps: 0) { $0.isNaN || $1.isNaN ? .nan : min($0, $1) },
    BinaryCase(op: FXK_BINARY_MAX, ulps: 0) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) },
    BinaryCase(op: FXK_BINARY_POW, ulps: 1.01) { pow($0, $1) },
    BinaryCase(op: FXK_BINARY_FMOD, ulps: 0) { fmod($0, $1) },
    BinaryCase(op: FXK_BINARY_MOD, ulps: 0.5) { a, b in
      let r = fmod(a, b)
      return r != 0 && (r < 0) != (b < 0) ? r + b : r
    },
    BinaryCase(op: FXK_BINARY_PRELU, ulps: 0.5) { $0 < 0 ? $0 * $1 : $0 },
    BinaryCase(op: FXK_BINARY_ADD_RELU, ulps: 0.5) { $0 + $1 < 0 ? 0 : $0 + $1 },
  ]

  @Test("binary maps, in every combination of scalars and arrays", arguments: availableISAs)
  func binary(isa: fxk_isa) {
    let special: [Float] = [0, -0.0, 1, -1, 2, -2, 3, 0.5, -0.5, 0x1p-140, -0x1p-140, 1e30, .infinity, -.infinity, .nan]
    var a = special.flatMap { value in special.map { _ in value } }
    var b = special.flatMap { _ in special }
    var random = KernelRandom(3)
    a += random.floats(1000, in: 0...4) + random.floats(800, in: -30...30)
    b += random.floats(1000, in: -8...8) + random.floats(800, in: -5...5)
    for test in Self.binaryCases {
      for (strideA, strideB) in [(1, 1), (1, 0), (0, 1), (0, 0)] {
        for offset in [0, 12, 230, 600] {
          let count = a.count - offset
          var y = [Float](repeating: 0, count: count)
          withISA(isa) {
            a[offset...].withUnsafeBufferPointer { a in
              b[offset...].withUnsafeBufferPointer { b in
                fxk_binary_f32(test.op, a.baseAddress, strideA, b.baseAddress, strideB, &y, count)
              }
            }
          }
          var worst = (error: 0.0, a: Float(0), b: Float(0), y: Float(0))
          for i in 0..<count {
            let (u, v) = (a[offset + i * strideA], b[offset + i * strideB])
            let error = ulpDistance(y[i], test.exact(Double(u), Double(v)))
            if error > worst.error { worst = (error, u, v, y[i]) }
          }
          #expect(worst.error <= test.ulps, "op \(test.op.rawValue), strides \(strideA) \(strideB): \(worst)")
        }
      }
    }
  }

  @Test("comparisons, selection and integer arithmetic", arguments: availableISAs)
  func discrete(isa: fxk_isa) {
    let values: [Float] = [0, -0.0, 1, -1, .nan, .infinity, -.infinity, 2.5]
    let a = values.flatMap { value in values.map { _ in value } }
    let b = values.flatMap { _ in values }
    let compare: [@Sendable (Float, Float) -> Bool] = [
      { $0 == $1 }, { $0 != $1 }, { $0 < $1 }, { $0 <= $1 }, { $0 > $1 }, { $0 >= $1 },
    ]
    var mask = [UInt8](repeating: 9, count: a.count)
    var chosen = [Float](repeating: 0, count: a.count)
    withISA(isa) {
      for op in 0..<FXK_COMPARE_COUNT.rawValue {
        fxk_compare_f32(fxk_compare(op), a, 1, b, 1, &mask, a.count)
        #expect(mask == zip(a, b).map { compare[Int(op)]($0, $1) ? 1 : 0 })
      }
      fxk_select_f32(mask, 1, a, 1, [7], 0, &chosen, a.count)
      #expect(zip(chosen, zip(mask, a)).allSatisfy { $0 == ($1.0 != 0 ? $1.1 : 7) || $0.isNaN && $1.1.isNaN })
    }
    let integers: [Int64] = [0, 1, -1, 2, -3, 7, .max, .min]
    for u in integers {
      for v in integers {
        var y: Int64 = 0
        func run(_ op: fxk_binary) -> Int64 {
          fxk_binary_i64(op, [u], 1, [v], 1, &y, 1)
          return y
        }
        #expect(run(FXK_BINARY_ADD) == u &+ v)
        #expect(run(FXK_BINARY_MUL) == u &* v)
        #expect(run(FXK_BINARY_DIV) == (v == 0 ? 0 : u.dividedReportingOverflow(by: v).partialValue))
        #expect(run(FXK_BINARY_FMOD) == (v == 0 || v == -1 ? 0 : u % v))
        let modulo = v == 0 || v == -1 ? 0 : ((u % v) + (u % v != 0 && (u % v < 0) != (v < 0) ? v : 0))
        #expect(run(FXK_BINARY_MOD) == modulo)
      }
    }
    var power: Int64 = 0
    fxk_binary_i64(FXK_BINARY_POW, [-3], 1, [5], 1, &power, 1)
    #expect(power == -243)
  }
}
