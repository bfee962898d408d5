/// The equation of an `einsum`, such as `"bij,bjk->bik"`, read and completed.
///
/// Without `->` the result's subscripts are those that occur once, in alphabetical order, after those of an ellipsis.
package struct EinsumEquation: Sendable, Equatable {
  package enum Subscript: Sendable, Hashable {
    case letter(Character)
    /// Any number of axes that broadcast.
    case ellipsis
  }
  package let inputs: [[Subscript]]
  package let output: [Subscript]

  /// Why text is no equation.
  package struct ParseError: Error, Sendable, Equatable {
    package let reason: String
  }

  package init(_ text: String) throws(ParseError) {
    let halves = text.split(separator: "->", omittingEmptySubsequences: false)
    guard halves.count <= 2 else { throw ParseError(reason: "holds more than one '->'") }
    var inputs: [[Subscript]] = []
    for term in halves[0].split(separator: ",", omittingEmptySubsequences: false) {
      inputs.append(try EinsumEquation.subscripts(term))
    }
    self.inputs = inputs
    if halves.count == 2 {
      output = try EinsumEquation.subscripts(halves[1])
      guard Set(output).count == output.count else { throw ParseError(reason: "repeats a subscript in its result") }
      for subscript_ in output where subscript_ != .ellipsis && !inputs.contains(where: { $0.contains(subscript_) }) {
        throw ParseError(reason: "has a subscript in its result that no operand has")
      }
    } else {
      var counts: [Character: Int] = [:]
      for case .letter(let letter) in inputs.flatMap(\.self) { counts[letter, default: 0] += 1 }
      let free = counts.filter { $0.value == 1 }.keys.sorted().map(Subscript.letter)
      output = (inputs.contains { $0.contains(.ellipsis) } ? [.ellipsis] : []) + free
    }
  }

  private static func subscripts(_ text: Substring) throws(ParseError) -> [Subscript] {
    var result: [Subscript] = []
    var rest = text.filter { $0 != " " }[...]
    while let character = rest.first {
      if rest.hasPrefix("...") {
        guard !result.contains(.ellipsis) else { throw ParseError(reason: "repeats '...' in a term") }
        result.append(.ellipsis)
        rest = rest.dropFirst(3)
      } else {
        guard character.isLetter, character.isASCII else { throw ParseError(reason: "holds \(String(character).inQuotes)") }
        result.append(.letter(character))
        rest = rest.dropFirst()
      }
    }
    return result
  }
}
