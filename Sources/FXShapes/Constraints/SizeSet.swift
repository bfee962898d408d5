import FXCore

/// The sizes that a dimension may have: an interval, and within it every `divisor`-th number.
public struct SizeSet: Sendable, Hashable {
  /// The lower end of the interval; that of an expression may be negative.
  public var minimum: Int
  /// `nil` if there is no upper bound.
  public var maximum: Int?
  /// Sizes leave `remainder` when divided by this; at least 1.
  public let divisor: Int
  /// From 0 up to `divisor`.
  public let remainder: Int

  /// All sizes from 0 on, unless told otherwise. A divisor below 1 counts as 1; of a remainder its own remainder counts.
  public init(minimum: Int = 0, maximum: Int? = nil, divisor: Int = 1, remainder: Int = 0) {
    self.minimum = minimum
    self.maximum = maximum
    self.divisor = max(1, divisor)
    self.remainder = SizeSet.rest(remainder, self.divisor)
  }

  /// The only size, if there is just one.
  public var size: Int? { minimum == maximum ? minimum : nil }

  /// Whether the size lies in the interval and leaves the remainder.
  public func contains(_ size: Int) -> Bool {
    guard size >= minimum, size <= maximum ?? .max else { return false }
    return SizeSet.rest(size, divisor) == remainder
  }

  /// The remainder of floor division by a positive number.
  private static func rest(_ number: Int, _ divisor: Int) -> Int {
    let rest = number % divisor
    return rest < 0 ? rest + divisor : rest
  }
}

extension SizeSet: CustomStringConvertible {
  /// `768`, `1...1024`, `at least 1`, with `, a multiple of 8` or `, 8·n + 1` where that is known.
  public var description: String {
    if let size { return String(size) }
    let range = maximum.map { "\(minimum)...\($0)" } ?? "at least \(minimum)"
    if divisor == 1 { return range }
    return range + (remainder == 0 ? ", a multiple of \(divisor)" : ", \(divisor)·n + \(remainder)")
  }
}
