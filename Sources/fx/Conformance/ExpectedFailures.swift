/// Cases of ONNX's suite that do not pass, each with one of few reasons. One of them that passes is a failure too: the list
/// says what is true now.
enum ExpectedFailures {
  enum Reason: String {
    case none
  }

  private static let reasons: [String: Reason] = [:]

  static func reason(case name: String, mode: ConformanceMode) -> Reason? { reasons[name] }
}

/// Cases whose expected outputs are one sample of a random operator: its type and range are checked, and that a node with a
/// seed repeats itself. Distributions are checked by the tests of the operators.
enum RandomCases {
  static func contains(_ name: String) -> Bool { name.hasPrefix("test_bernoulli") }
}
