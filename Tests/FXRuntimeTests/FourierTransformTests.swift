import FXTestSupport
import Foundation
import Testing

@testable import FXRuntime

@Suite struct FourierTransformTests {
  private func numbers(_ count: Int) -> [ComplexNumber<Double>] {
    var random = RandomSource(seed: UInt64(count))
    return (0..<count).map { _ in
      ComplexNumber(Double(random.below(2001)) / 1000 - 1, Double(random.below(2001)) / 1000 - 1)
    }
  }

  /// Radices 2, 3, 4, 5 and others, powers, mixtures, and primes that only the convolution does.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 20, 31, 37, 45, 64, 74, 101, 210, 400, 514, 1009])
  func isTheDefinition(count: Int) throws {
    let x = numbers(count)
    for isInverse in [false, true] {
      let exact = FourierTransform<Double>(count)(x, isInverse: isInverse)
      let rounded = FourierTransform<Float>(count)(
        x.map { ComplexNumber(Float($0.re), Float($0.im)) }, isInverse: isInverse)
      let scale = isInverse ? 1 / Double(count) : 1
      let bound = Double(count).squareRoot() * scale
      for j in 0..<count {
        var (re, im) = (0.0, 0.0)
        for (k, number) in x.enumerated() {
          let angle = (isInverse ? 2 : -2) * Double.pi * Double(j * k % count) / Double(count)
          re += number.re * cos(angle) - number.im * sin(angle)
          im += number.re * sin(angle) + number.im * cos(angle)
        }
        #expect(abs(exact[j].re - re * scale) <= 1e-13 * bound && abs(exact[j].im - im * scale) <= 1e-13 * bound)
        #expect(
          abs(Double(rounded[j].re) - re * scale) <= 2e-6 * bound && abs(Double(rounded[j].im) - im * scale) <= 2e-6 * bound)
      }
    }
  }

  /// NumPy 2.4: `np.fft.ifft(np.arange(0, 100, 10, dtype=np.complex64))`, to the last bit.
  @Test func roundsAsNumPyDoes() {
    let x = (0..<10).map { ComplexNumber(Float(10 * $0), 0) }
    let result = FourierTransform<Float>(10)(x, isInverse: true)
    #expect(result.map(\.re) == [45, -5, -5, -5, -5.0000005, -5, -5.0000005, -5, -5, -5])
    #expect(
      result.map(\.im) == [
        0, -15.388419, -6.88191, -3.6327133, -1.6245981, 1.9073487e-07, 1.6245981, 3.6327126, 6.88191, 15.388419,
      ])
  }

  @Test func timeGrowsWithTheLengthTimesItsLogarithm() {
    // By the definition a prime of this size would take long.
    let count = 16_381
    let result = FourierTransform<Double>(count)(numbers(count), isInverse: false)
    #expect(result.count == count)
  }
}
