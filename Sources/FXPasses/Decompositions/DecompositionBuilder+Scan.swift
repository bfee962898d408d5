import FXCore

extension DecompositionBuilder {
  /// Runs a body along the first axis of some terms.
  /// - Parameters:
  ///   - captures: what the body uses besides.
  ///   - isReverse: whether to begin with the last elements, and to stack from the end.
  ///   - body: from states, elements and captures to states and elements.
  /// - Returns: the last states, then the elements of all turns stacked.
  func scan(
    states: [Term], _ inputs: [Term], captures: [Term] = [], isReverse: Bool = false,
    body: (_ states: [Term], _ elements: [Term], _ captures: [Term]) throws -> ([Term], [Term])
  ) throws -> [Term] {
    let count = states.count
    var attributes = Attributes()
    attributes[Loop.stateCount] = count
    attributes[Scan.inputCount] = inputs.count
    if isReverse { attributes[Scan.inputDirections] = inputs.map { _ in 1 } }
    let operands = (states + inputs + captures).map(\.operand)
    let slices = inputs.map { input in
      guard let type = input.type.tensorType else { return input.type }
      return ValueType.tensor(type.elementType, type.shape.map { Shape(Array($0.dropFirst())) })
    }
    let types = states.map(\.type) + slices + captures.map(\.type)
    // One stacked result: none of the formulas has more.
    if isReverse { attributes[Scan.outputDirections] = [1] }
    let results = try call(.scan, operands, attributes, arguments: types) { arguments in
      let terms = arguments.map { Term(self, $0) }
      let (next, elements) = try body(
        Array(terms[..<count]), Array(terms[count..<count + inputs.count]), Array(terms[(count + inputs.count)...]))
      return (next + elements).map(\.operand)
    }
    return results.map { Term(self, $0) }
  }
}
