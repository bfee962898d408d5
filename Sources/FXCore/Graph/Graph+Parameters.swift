/// Weights and constants live beside the nodes: operands refer to them by id, bytes are shared until changed,
/// and two operands with one id are tied.
extension Graph {
  /// Adds a parameter that holds `tensor`.
  /// - Throws: `GraphError.duplicateName`.
  @discardableResult
  public mutating func addParameter(
    _ name: String, _ tensor: Tensor, role: Parameter.Role = .weight
  ) throws(GraphError) -> ParameterID {
    try insert(Parameter(name: name, role: role, type: tensor.type, tensor: tensor))
  }

  /// Adds a parameter to which nothing is bound yet.
  /// - Throws: `GraphError.duplicateName`.
  @discardableResult
  public mutating func addParameter(
    _ name: String, unbound type: TensorType, role: Parameter.Role = .weight
  ) throws(GraphError) -> ParameterID {
    try insert(Parameter(name: name, role: role, type: type, tensor: nil))
  }

  /// Adds a constant, under a name derived from `name` if that is taken.
  public mutating func addConstant(_ tensor: Tensor, name: String = "constant") -> ParameterID {
    let parameter = Parameter(name: uniqueParameterName(name), role: .constant, type: tensor.type, tensor: tensor)
    let id = parameters.insert(parameter)
    parameterNames[parameter.name] = id
    return id
  }

  private func uniqueParameterName(_ name: String) -> String {
    guard parameterNames[name] != nil else { return name }
    // Counting on from the number of parameters finds a free name in a step or two.
    let first = parameters.count - 1
    return "\(name)_\(first + Graph.freeSuffix { parameterNames["\(name)_\(first + $0)"] != nil })"
  }

  private mutating func insert(_ parameter: Parameter) throws(GraphError) -> ParameterID {
    guard parameterNames[parameter.name] == nil else { throw .duplicateName(parameter.name) }
    let id = parameters.insert(parameter)
    parameterNames[parameter.name] = id
    return id
  }

  /// The parameter.
  /// - Throws: `GraphError.stale`.
  public subscript(id: ParameterID) -> Parameter {
    get throws(GraphError) {
      guard let parameter = parameters.find(id) else { throw .stale(id) }
      return parameter
    }
  }

  /// Whether the parameter is still in the graph. O(1).
  public func contains(_ id: ParameterID) -> Bool { parameters.contains(id) }

  /// The parameter called `name`.
  public func parameter(named name: String) -> ParameterID? { parameterNames[name] }

  /// All parameters in the order in which they were added, except that one added after others were removed may stand in the
  /// place of one of these. O(parameters).
  public var parameterIDs: [ParameterID] { parameters.ids }

  /// Binds a tensor to a parameter, replacing one already bound.
  /// - Throws: `GraphError.stale`; `.bindingType` if element type or shape do not fit the parameter's type.
  public mutating func bind(_ id: ParameterID, to tensor: Tensor) throws(GraphError) {
    guard let parameter = parameters.find(id) else { throw .stale(id) }
    guard parameter.type.admits(tensor.type) else {
      throw .bindingType(parameter.name, expected: parameter.type, actual: tensor.type)
    }
    parameters[id].tensor = tensor
    parameters[id].type = tensor.type
  }

  /// Binds a tensor to the parameter called `name`.
  /// - Throws: as `bind(_:to:)`; `GraphError.unknownName` with names that look alike.
  public mutating func bind(_ name: String, to tensor: Tensor) throws(GraphError) {
    guard let id = parameterNames[name] else {
      throw .unknownName(name, suggestions: parameterNames.keys.nearest(to: name))
    }
    try bind(id, to: tensor)
  }

  /// Replaces a parameter's tensor and type, whatever they were: for passes that fold weights.
  /// - Throws: `GraphError.stale`.
  public mutating func setTensor(_ tensor: Tensor, of id: ParameterID) throws(GraphError) {
    guard parameters.contains(id) else { throw .stale(id) }
    parameters[id].tensor = tensor
    parameters[id].type = tensor.type
  }

  /// Sets the type of an unbound parameter.
  /// - Throws: `GraphError.stale`; `.bindingType` if a tensor of another type is bound.
  public mutating func setType(of id: ParameterID, to type: TensorType) throws(GraphError) {
    guard let parameter = parameters.find(id) else { throw .stale(id) }
    if let tensor = parameter.tensor, !type.admits(tensor.type) {
      throw .bindingType(parameter.name, expected: type, actual: tensor.type)
    }
    parameters[id].type = type
  }

  /// Renames a parameter.
  /// - Throws: `GraphError.stale`, `.duplicateName`.
  public mutating func setName(_ name: String, of id: ParameterID) throws(GraphError) {
    guard let parameter = parameters.find(id) else { throw .stale(id) }
    guard parameter.name != name else { return }
    guard parameterNames[name] == nil else { throw .duplicateName(name) }
    parameterNames[parameter.name] = nil
    parameterNames[name] = id
    parameters[id].name = name
  }

  /// The parameters that no operand refers to. O(nodes).
  public var unusedParameters: [ParameterID] {
    var used: Set<ParameterID> = []
    func note(_ operands: [Operand]) {
      for operand in operands { if let id = operand.parameter { used.insert(id) } }
    }
    note(outputs)
    for node in allNodes {
      note(nodes[node].operands)
      for region in nodes[node].regions { note(results(of: region)) }
    }
    return parameters.ids.filter { !used.contains($0) }
  }

  /// Removes the parameters that no operand refers to. O(nodes). Returns how many.
  @discardableResult
  public mutating func removeUnusedParameters() -> Int {
    let unused = unusedParameters
    for id in unused {
      parameterNames[parameters[id].name] = nil
      parameters.remove(id)
    }
    return unused.count
  }

  /// Removes a parameter that the caller knows no operand to refer to. O(1).
  package mutating func removeParameter(_ id: ParameterID) {
    guard let parameter = parameters.find(id) else { return }
    parameterNames[parameter.name] = nil
    parameters.remove(id)
  }

  /// The tensor of an operand that is a bound parameter.
  public func tensor(of operand: Operand) -> Tensor? {
    operand.parameter.flatMap { parameters.find($0)?.tensor }
  }

  /// The type of an operand: of its value or parameter; literals and `none` have none of their own.
  public func type(of operand: Operand) -> ValueType {
    switch operand {
    case .value(let value): values.find(value)?.type ?? .unknown
    case .parameter(let parameter): parameters.find(parameter).map { .tensor($0.type) } ?? .unknown
    case .literal, .none: .unknown
    }
  }
}

extension TensorType {
  /// Whether a tensor of the fixed type `actual` may stand where this type is asked for: symbols and unknowns admit any size.
  public func admits(_ actual: TensorType) -> Bool {
    guard elementType == actual.elementType else { return false }
    guard let shape, let other = actual.shape else { return true }
    return shape.rank == other.rank
      && zip(shape, other).allSatisfy { $0.size == nil || $1.size == nil || $0.size == $1.size }
  }
}
