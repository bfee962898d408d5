extension TextError: CustomStringConvertible {
  /// `3:14: expected a value such as %x, not 'foo'`
  public var description: String { "\(line):\(column): \(fault)" }
}

extension TextError.Fault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .expected(let what, ""): "expected \(what), but the text ends"
    case .expected(let what, let found): "expected \(what), not '\(found)'"
    case .version(let found, _) where found < 1: "there is no version \(found) of the text format"
    case .version(let found, let supported):
      "this is version \(found) of the text format; versions up to \(supported) can be read"
    case .elidedWeights: "the weights were left out when this was printed: print all of them with text()"
    case .undefined(let name, let suggestions): "nothing is called '\(name)' here" + GraphError.didYouMean(suggestions)
    case .duplicate(let name): "the name '\(name)' is taken"
    case .outOfRange(let number): "\(number) is out of range here"
    case .tooDeep(let limit): "this is nested more than \(limit) levels deep"
    case .graph(let error): error.description
    case .tensor(let error): error.description
    }
  }
}
