import ArgumentParser

/// Tolerances that a user gives.
enum Tolerance {
  /// - Throws: `ValidationError` for one that is negative or no number.
  static func check(_ rtol: Double?, _ atol: Double?) throws {
    for (name, value) in [("--rtol", rtol), ("--atol", atol)] {
      if let value, !(value >= 0) { throw ValidationError("\(name) must not be negative, \(value) was given") }
    }
  }
}

/// A regular expression that chooses cases.
enum CaseFilter {
  /// - Throws: `ValidationError` for what is no regular expression.
  static func check(_ filter: String?) throws {
    guard let filter else { return }
    do { _ = try Regex(filter) } catch { throw ValidationError("--filter '\(filter)' is not a regular expression: \(error)") }
  }
}
