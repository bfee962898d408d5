import CKernels
import Testing

/// The instruction sets this processor can run.
let availableISAs: [fxk_isa] = (0..<FXK_ISA_COUNT.rawValue).map(fxk_isa.init(rawValue:)).filter(fxk_isa_available)

extension fxk_isa: @retroactive CustomTestStringConvertible {
  public var testDescription: String { String(cString: fxk_isa_name(self)) }
}

/// Runs `body` with the kernels of `isa` on this thread.
func withISA<Result>(_ isa: fxk_isa, _ body: () throws -> Result) rethrows -> Result {
  #expect(fxk_select_thread_isa(isa))
  defer { _ = fxk_select_thread_isa(FXK_ISA_COUNT) }
  return try body()
}

/// Reproducible values: SplitMix64.
struct KernelRandom {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
    (0..<count).map { _ in range.lowerBound + Float(next() >> 40) * 0x1p-24 * (range.upperBound - range.lowerBound) }
  }
}

/// The distance from `actual` to the exact value in units in the last place of its rounding; 0 for equal infinities
/// and for two NaNs, infinite where only one of them is finite.
func ulpDistance(_ actual: Float, _ exact: Double) -> Double {
  let rounded = Float(exact)
  if rounded.isNaN || actual.isNaN { return rounded.isNaN && actual.isNaN ? 0 : .infinity }
  if rounded.isInfinite || actual.isInfinite {
    // Rounding may pass the largest finite value on either side.
    if rounded == actual { return 0 }
    return abs(Double(actual)) >= 0x1.fffffcp127 && abs(exact) >= 0x1.fffffcp127 ? 1 : .infinity
  }
  return abs(Double(actual) - exact) / Double(rounded.ulp)
}

/// The largest |actual - expected|, NaN if there is one.
func largestDifference(_ actual: [Float], _ expected: [Double]) -> Double {
  var worst = 0.0
  for (a, e) in zip(actual, expected) {
    let difference = abs(Double(a) - e)
    if !(difference <= worst) { worst = difference }
    if worst.isNaN { return worst }
  }
  return actual.count == expected.count ? worst : .infinity
}
