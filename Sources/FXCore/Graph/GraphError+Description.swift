extension GraphError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .stale(let id): "\(id) is not in this graph: it was erased or belongs to another"
    case .unknownOperator(let name, let suggestions):
      "there is no operator '\(name)'" + GraphError.didYouMean(suggestions)
    case .unknownName(let name, let suggestions): "nothing is called '\(name)'" + GraphError.didYouMean(suggestions)
    case .duplicateName(let name): "the name '\(name)' is taken"
    case .duplicateOutput(let name): "two outputs are called '\(name)'"
    case .notVisible(let name):
      "'\(name)' belongs to another region: pass it as an operand of the node that owns the region"
    case .inUse(let name, let user): "'\(name)' cannot be erased: '\(user)' uses it"
    case .operandIndex(let node, let index, let count): "'\(node)' has \(count) operands, there is no operand \(index)"
    case .operandCount(let op, let expected, let actual):
      "\(op) takes \(GraphError.range(expected)) operands, not \(actual)"
    case .resultCount(let op, let expected, let actual):
      "\(op) has \(GraphError.range(expected)) results, not \(actual)"
    case .regionCount(let op, let expected, let actual): "\(op) owns \(expected) regions, not \(actual)"
    case .regionsTooDeep(let limit): "more than \(limit) regions are inside each other"
    case .badAttribute(let op, let name, .unknown(let suggestions)):
      "\(op) has no attribute '\(name)'" + GraphError.didYouMean(suggestions)
    case .badAttribute(let op, let name, .kind(let expected, let actual)):
      "attribute '\(name)' of \(op) is of kind \(expected.rawValue), not \(actual.rawValue)"
    case .badAttribute(let op, let name, .value(let text, let allowed)):
      "attribute '\(name)' of \(op) cannot be \(text.inQuotes): it is one of \(allowed.joined(separator: ", "))"
    case .badAttribute(let op, let name, .missing): "\(op) needs the attribute '\(name)'"
    case .bindingType(let name, let expected, let actual): "parameter '\(name)' is \(expected), a tensor \(actual) does not fit"
    }
  }

  /// `; did you mean 'relu' or 'elu'?`, or nothing.
  package static func didYouMean(_ names: [String]) -> String {
    names.isEmpty ? "" : "; did you mean \(names.map { "'\($0)'" }.joined(separator: " or "))?"
  }

  /// `2`, `1 to 3`, `at least 1`.
  static func range(_ range: ClosedRange<Int>) -> String {
    if range.upperBound == .max { return "at least \(range.lowerBound)" }
    return range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }
}
