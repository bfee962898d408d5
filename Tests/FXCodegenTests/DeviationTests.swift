import FXCore
import Testing

@testable import FXCodegen

/// What a result of a generated program may be off by.
@Suite struct DeviationTests {
  private func isWithin(_ actual: [Double], _ expected: [Double], _ type: ElementType = .float32) throws -> Bool {
    func tensor(_ elements: [Double]) throws -> RuntimeValue {
      .tensor(try Tensor(type, [elements.count], numbers: .floats(elements)))
    }
    let deviation = Deviation(try tensor(actual), try tensor(expected), rtol: 1e-4, atol: 1e-5)
    if case .within = deviation { return true } else { return false }
  }

  /// A difference of large numbers carries their rounding.
  @Test func smallElementsBesideLargeOnes() throws {
    #expect(try isWithin([640, 0.1004], [640, 0.1]))
    #expect(try !isWithin([640, 0.102], [640, 0.1]))
    #expect(try !isWithin([1, 0.1004], [1, 0.1]))
    // Rounding is that of float32 only.
    #expect(try !isWithin([640, 0.1004], [640, 0.1], .float64))
    // What is not finite allows nothing.
    #expect(try !isWithin([.infinity, 0.1004], [.infinity, 0.1]))
  }

  @Test func notANumberIsOffUnlessExpected() throws {
    #expect(try isWithin([.nan, 1], [.nan, 1.00001]))
    #expect(try !isWithin([.nan], [1]))
    #expect(try !isWithin([1], [.nan]))
    #expect(try !isWithin([1, 2], [1]))
  }
}
