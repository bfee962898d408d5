import FXCore

/// Checks what a caller hands to a graph against its inputs' types, symbols and parameters.
struct InputCheck: Sendable {
  private let names: [String]
  private let types: [ValueType]
  private let symbols: [String: SymbolBounds]
  private let unbound: [String]

  init(_ graph: Graph) {
    names = graph.inputs.map { graph.name(of: $0) }
    types = graph.inputs.map { (try? graph.type(of: $0)) ?? .unknown }
    symbols = graph.symbols
    unbound = graph.parameterIDs.compactMap { id in (try? graph[id]).flatMap { $0.isBound ? nil : $0.name } }
  }

  /// - Throws: `ExecutionError` for the wrong number of inputs, a type that does not fit, a symbol with two sizes or one
  ///   out of its bounds, or parameters to which nothing is bound.
  func check(_ inputs: [RuntimeValue]) throws(ExecutionError) {
    guard unbound.isEmpty else { throw .unboundParameters(unbound) }
    guard inputs.count == names.count else { throw .inputCount(expected: names, actual: inputs.count) }
    var sizes: [String: Int] = [:]
    for (index, input) in inputs.enumerated() {
      guard case .tensor(let expected) = types[index] else { continue }
      guard case .tensor(let tensor) = input, expected.admits(tensor.type) else {
        throw .inputType(names[index], expected: types[index], actual: input.type)
      }
      for (axis, dimension) in (expected.shape ?? []).enumerated() {
        guard let symbol = dimension.symbol else { continue }
        let size = tensor.shape[axis]
        if let earlier = sizes[symbol], earlier != size {
          throw .symbolConflict(symbol: symbol, input: names[index], dimension: axis, size: size, earlier: earlier)
        }
        sizes[symbol] = size
        if let bounds = symbols[symbol], !bounds.contains(size) {
          throw .symbolBounds(symbol: symbol, input: names[index], dimension: axis, size: size, bounds)
        }
      }
    }
  }
}

extension SymbolBounds {
  func contains(_ size: Int) -> Bool {
    size >= minimum && size <= maximum ?? .max && (divisor <= 1 || size % divisor == 0)
  }
}
