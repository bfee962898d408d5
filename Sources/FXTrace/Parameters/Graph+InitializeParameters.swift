import FXCore
import FXShapes

extension Graph {
  /// Binds a tensor to every unbound parameter, the same for the same seed, name and shape.
  ///
  /// Weights start as PyTorch's layers start: see `ParameterDeclarations` and `Initializer`. Sizes that parameters leave
  /// open come from the types of the operands beside them, which are inferred first. Each parameter has a stream of
  /// random numbers of its own, named as it is: adding one changes no other.
  /// - Parameters:
  ///   - inputTypes: types for the inputs in place of those they have, where these do not say enough.
  ///   - initializers: what parameters of these names start with instead.
  /// - Throws: `TraceError` naming the parameters whose shapes nothing determines, or where shapes do not fit.
  public mutating func initializeParameters(
    seed: UInt64, inputTypes: [ValueType]? = nil, initializers: [String: Initializer] = [:],
    declarations: ParameterDeclarations = .standard, inference: ShapeInference = ShapeInference()
  ) throws {
    var initialization = ParameterInitialization(
      graph: self, inputTypes: inputTypes, seed: seed, initializers: initializers, declarations: declarations,
      inference: inference)
    do {
      try initialization.run()
      for (id, tensor) in initialization.tensors { try bind(id, to: tensor) }
      if !initialization.tensors.isEmpty { try inference.run(&self) }
    } catch let error as ShapeInferenceError {
      throw TraceError(error)
    }
  }
}

/// One initialization: binds in a typed copy of the graph, since each bound weight may determine the next one's shape.
private struct ParameterInitialization {
  var graph: Graph
  let inputTypes: [ValueType]?
  let seed: UInt64
  let initializers: [String: Initializer]
  let declarations: ParameterDeclarations
  let inference: ShapeInference
  var tensors: [(ParameterID, Tensor)] = []

  private struct Pending {
    let parameter: ParameterID
    /// The first call that declares the parameter, if one does.
    var user: (node: NodeID, declaration: ParameterDeclaration)?
  }

  mutating func run() throws {
    var pending = try pendingParameters()
    guard !pending.isEmpty else { return }
    try inference.run(&graph, inputTypes: inputTypes)
    while true {
      let before = pending.count
      pending = try pending.filter { try !bind($0, isFinal: false) }
      // Only where nothing else helps are widths chosen, and one at a time: the choice may determine others.
      if pending.count == before {
        guard let chosen = try pending.firstIndex(where: { try bind($0, isFinal: true) }) else { break }
        pending.remove(at: chosen)
      }
      if pending.isEmpty { return }
      try inference.run(&graph, inputTypes: inputTypes)
    }
    throw TraceError(.parameterShapes(try pending.map(explain)))
  }

  private func pendingParameters() throws -> [Pending] {
    var users: [ParameterID: (NodeID, ParameterDeclaration)] = [:]
    for id in graph.allNodes {
      let node = try graph[id]
      guard let entry = declarations[node.op] else { continue }
      for declaration in entry.parameters {
        guard let parameter = node.operand(declaration.operand).parameter, users[parameter] == nil else { continue }
        users[parameter] = (id, declaration)
      }
    }
    return try graph.parameterIDs.filter { try !graph[$0].isBound }.map { Pending(parameter: $0, user: users[$0]) }
  }

  /// Binds the parameter if its shape is known. Returns whether it is.
  private mutating func bind(_ pending: Pending, isFinal: Bool) throws -> Bool {
    let parameter = try graph[pending.parameter]
    let context = try pending.user.map { try self.context($0.node, isFinal: isFinal) }
    var shape = parameter.type.shape
    if let user = pending.user, let context, let found = user.declaration.shape(context) {
      shape = shape.map { $0.rank == found.rank ? Shape(zip($0, found).map { $0.size == nil ? $1 : $0 }) : $0 } ?? found
    }
    guard let sizes = shape?.sizes else { return false }
    let initializer =
      initializers[parameter.name]
      ?? (context.flatMap { context in pending.user?.declaration.initializer(sizes, context) } ?? .standard(for: sizes))
    let tensor = try initializer.tensor(parameter.type, sizes, seed: seed, name: parameter.name)
    try graph.bind(pending.parameter, to: tensor)
    tensors.append((pending.parameter, tensor))
    return true
  }

  private func context(_ node: NodeID, isFinal: Bool) throws -> DeclarationContext {
    DeclarationContext(
      attributes: try graph[node].attributes, widths: [:],
      operandTypes: try graph[node].operands.map { graph.type(of: $0) }, isFinal: isFinal)
  }

  private func explain(_ pending: Pending) throws -> String {
    let parameter = try graph[pending.parameter]
    let known = "the shape of '\(parameter.name)' is not determined (\(parameter.type))"
    guard let user = pending.user, let input = try graph[user.node].operands.first else {
      return known + ": bind a tensor to it"
    }
    return known + ": '\(graph.text(of: input))' is \(graph.type(of: input)); "
      + "give inputs types, or call initializeParameters(seed:inputTypes:)"
  }
}
