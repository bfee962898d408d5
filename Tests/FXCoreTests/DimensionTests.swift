import FXTestSupport
import Testing

@testable import FXCore

/// Dimensions against plain integers: whatever form an expression is brought into, its value is what arithmetic says.
@Suite struct DimensionTests {
  /// An expression as it was built, next to the dimension that the same operations made.
  private indirect enum Expression {
    case number(Int)
    case symbol(String)
    case binary(Character, Expression, Expression)

    /// `nil` for a zero divisor or a result beyond `Int`.
    func evaluate(_ values: [String: Int]) -> Int? {
      switch self {
      case .number(let x): return x
      case .symbol(let name): return values[name]
      case .binary(let sign, let a, let b):
        guard let x = a.evaluate(values), let y = b.evaluate(values) else { return nil }
        switch sign {
        case "+": return checked(x.addingReportingOverflow(y))
        case "-": return checked(x.subtractingReportingOverflow(y))
        case "*": return checked(x.multipliedReportingOverflow(by: y))
        case "<": return min(x, y)
        case ">": return max(x, y)
        default:
          // Floor division by way of Double: the values are small here.
          guard y != 0 else { return nil }
          let quotient = Int((Double(x) / Double(y)).rounded(.down))
          return sign == "/" ? quotient : x - quotient * y
        }
      }
    }

    private func checked(_ result: (partialValue: Int, overflow: Bool)) -> Int? { result.overflow ? nil : result.partialValue }

    var dimension: Dimension {
      switch self {
      case .number(let x): return Dimension(x)
      case .symbol(let name): return Dimension(symbol: name)
      case .binary(let sign, let a, let b):
        let (x, y) = (a.dimension, b.dimension)
        switch sign {
        case "+": return x + y
        case "-": return x - y
        case "*": return x * y
        case "/": return x / y
        case "%": return x % y
        case "<": return .minimum(x, y)
        default: return .maximum(x, y)
        }
      }
    }

    static func random(_ random: inout RandomSource, depth: Int) -> Expression {
      if depth == 0 || random.oneIn(4) {
        return random.oneIn(2) ? .number(random.below(20) - 4) : .symbol(random.pick(["a", "b", "c"]))
      }
      let sign = random.pick(Array("++--**/%<>"))
      return .binary(sign, .random(&random, depth: depth - 1), .random(&random, depth: depth - 1))
    }
  }

  @Test func algebraAgreesWithArithmetic() throws {
    var random = RandomSource(seed: 1)
    var compared = 0
    for _ in 0..<4000 {
      let expression = Expression.random(&random, depth: 4)
      let dimension = expression.dimension
      #expect(try TextScanner.dimension(dimension.description) == dimension)
      for _ in 0..<4 {
        let values = ["a": 1 + random.below(30), "b": 1 + random.below(30), "c": random.below(30) - 10]
        // Where the expression divides by zero, simplification may have removed the division.
        guard let expected = expression.evaluate(values), !dimension.isUnknown else { continue }
        compared += 1
        if dimension.evaluate(values) != expected {
          Issue.record("\(dimension) is \(dimension.evaluate(values) ?? -1) for \(values), not \(expected)")
          return
        }
        let bound = dimension.substituting(values.mapValues { Dimension($0) })
        if let size = bound.size, size != expected {
          Issue.record("\(dimension) becomes \(bound) for \(values), not \(expected)")
        }
      }
    }
    #expect(compared > 8000)
  }

  @Test func equalPolynomialsAreEqual() {
    let (a, b) = (Dimension(symbol: "a"), Dimension(symbol: "b"))
    #expect(a + a == 2 * a)
    #expect((a + b) * (a - b) == a * a - b * b)
    #expect((6 * a + 4 * b) / 2 == 3 * a + 2 * b)
    #expect(a * b / b == a)
    #expect((a * b) % a == 0)
    #expect(Dimension.maximum(a + 1, a) == a + 1)
    #expect(Dimension.minimum(a, b) == Dimension.minimum(b, a))
    #expect((2 * a + 1).description == "2*a + 1")
    #expect((a / 8).description == "floordiv(a, 8)")
    #expect(a != b)
  }

  @Test func overflowIsUnknown() {
    #expect((Dimension(Int.max) + 1).isUnknown)
    #expect((Dimension(Int.max) * Dimension(symbol: "a") * 2).isUnknown)
    #expect((Dimension(Int.min) / -1).isUnknown)
    #expect((Dimension(symbol: "a") / 0).isUnknown)
    #expect(Dimension.maximum(Dimension(Int.min), 0) == 0)
    #expect(Dimension.maximum(0, Dimension(Int.min)) == 0)
    #expect((Dimension(symbol: "a") * Dimension(Int.max)).evaluate(["a": 2]) == nil)
  }

  /// Programs that compute sizes from sizes can double an expression with each node.
  @Test func expressionsThatDoubleBecomeUnknown() {
    var (square, quotient, sum) = (Dimension(symbol: "n"), Dimension(symbol: "n"), Dimension(symbol: "n"))
    for turn in 0..<64 {
      square = square * square
      quotient = .minimum(quotient / "a", quotient % "b")
      sum = sum * Dimension(symbol: "s\(turn)") + Dimension(symbol: "t\(turn)") * sum
    }
    #expect(square.isUnknown)
    #expect(quotient.isUnknown)
    #expect(sum.isUnknown)
    #expect((0..<100).reduce(Dimension(0)) { $0 + Dimension(symbol: "s\($1)") }.terms?.count == 100)
  }
}
