import FXCore

extension Module {
  /// The parameters of the module and those inside it, each once, by their paths of properties (`layers.0.weight`), in
  /// the order of properties.
  public var parameters: [(path: String, parameter: ModuleParameter)] { ModulePaths(self).ordered }

  /// Binds a tensor to every parameter to which none is bound, the same for the same seed, path and shape.
  ///
  /// `Graph.initializeParameters(seed:)` binds the same in the module's graph where parameters keep the initializer that
  /// their operator has there; a graph knows no initializers of the module's own.
  /// - Throws: `TensorError` for a shape that no tensor can have.
  public func initializeParameters(seed: UInt64) throws {
    for (path, parameter) in parameters where parameter.tensor == nil {
      try parameter.bind(parameter.initializer.tensor(parameter.type, parameter.shape, seed: seed, name: path))
    }
  }

  /// The tensors of all parameters and buffers by path.
  /// - Throws: `TraceError` naming parameters to which nothing is bound.
  public func stateDictionary() throws -> [String: Tensor] {
    var state: [String: Tensor] = [:]
    var unbound: [String] = []
    for (path, parameter) in parameters {
      if let tensor = parameter.tensor { state[path] = tensor } else { unbound.append(path) }
    }
    guard unbound.isEmpty else { throw TraceError(.unboundParameters(unbound)) }
    return state
  }

  /// Binds the tensors of a state dictionary. Nothing is bound if one does not fit.
  /// - Parameter strict: whether every parameter must be there, and nothing else.
  /// - Throws: `TraceError` naming what is missing and what the module has not; `GraphError.bindingType` for a tensor of
  ///   another type or shape.
  public func load(_ state: [String: Tensor], strict: Bool = true) throws {
    let parameters = self.parameters
    let paths = Set(parameters.map(\.path))
    if strict {
      let missing = parameters.map(\.path).filter { state[$0] == nil }
      // PyTorch's norms count the batches of their training, which nothing reads afterwards.
      let unexpected = state.keys.filter { !paths.contains($0) && !$0.hasSuffix("num_batches_tracked") }.sorted()
      guard missing.isEmpty, unexpected.isEmpty else {
        let suggestions = Dictionary(uniqueKeysWithValues: unexpected.map { ($0, paths.nearest(to: $0)) })
        throw TraceError(.stateDictionary(missing: missing, unexpected: unexpected, suggestions: suggestions))
      }
    }
    for (path, parameter) in parameters {
      guard let tensor = state[path], !parameter.type.admits(tensor.type) else { continue }
      throw GraphError.bindingType(path, expected: parameter.type, actual: tensor.type)
    }
    for (path, parameter) in parameters { try state[path].map { try parameter.bind($0) } }
  }
}
