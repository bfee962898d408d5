import FXCore

/// What shape inference tells of one node's results.
public struct InferredResults: Sendable {
  /// One per result; `unknown` where the rule does not tell.
  public var types: [ValueType]
  /// For integer and `bool` results of rank 0 or 1: their elements as far as known.
  public var contents: [[Dimension]?]
}

extension ShapeInference {
  /// The results of one node without regions, apart from any graph: what executors ask when sizes are at hand.
  /// - Parameters:
  ///   - operandTypes: `nil` where an optional operand is left out; literals have the type their node gives them.
  ///   - operandTensors: the operands whose elements are known.
  /// - Returns: `nil` if the operator has no rule, or owns regions.
  /// - Throws: `ShapeError`.
  public func results(
    of node: Node, operandTypes: [ValueType?], operandTensors: [Tensor?]
  ) throws(ShapeError) -> InferredResults? {
    guard let rule = rules[node.op], node.regions.isEmpty else { return nil }
    var context = InferenceContext(
      node: node, operandTypes: operandTypes, operandContents: operandTensors.map { $0.flatMap(contents(of:)) },
      operandTensors: operandTensors, inferRegion: { _, _, _ in .init(types: [], contents: []) },
      freshSymbol: { .unknown })
    try context.checked(by: node.op.schema).get()
    let types = try rule(&context)
    return InferredResults(
      types: node.results.indices.map { $0 < types.count ? types[$0] : .unknown },
      contents: node.results.indices.map { context.resultContents[$0] })
  }

  /// The results of a node without regions, from the types that the graph's values have now; those that they have if the
  /// operator has no rule.
  func call(_ node: Node, in graph: Graph, memory: inout InferenceMemory) throws -> InferenceContext.RegionResults {
    guard let rule = rules[node.op] else {
      return .init(types: try node.results.map(graph.type(of:)), contents: node.results.map { _ in nil })
    }
    var context = context(of: node, in: graph, memory)
    let outcome = context.apply(rule)
    return try results(outcome, of: context, in: graph, memory: &memory)
  }

  /// What a rule sees of a node.
  func context(of node: Node, in graph: Graph, _ memory: InferenceMemory) -> InferenceContext {
    InferenceContext(
      node: node, operandTypes: operandTypes(of: node, in: graph),
      operandContents: node.operands.map { contents(of: $0, in: graph, memory) },
      operandTensors: node.operands.map { graph.tensor(of: $0) }, inferRegion: { _, _, _ in .init(types: [], contents: []) },
      freshSymbol: { [fresh = memory.fresh] in fresh.make() })
  }

  /// What a rule found, in place of what the graph has; facts go to `memory`.
  func results(
    _ outcome: Result<[ValueType], ShapeError>, of context: InferenceContext, in graph: Graph, memory: inout InferenceMemory
  ) throws -> InferenceContext.RegionResults {
    let node = context.node
    switch outcome {
    case .success(let types):
      if !context.facts.isEmpty {
        let origin = graph.origin(of: node.id)
        memory.facts += context.facts.map { AttributedConstraint($0, origin: origin) }
      }
      return .init(
        types: try node.results.enumerated().map { index, result in
          index < types.count ? types[index] : try graph.type(of: result)
        }, contents: node.results.indices.map { context.resultContents[$0] })
    case .failure(let reason):
      if let inner = context.innerError { throw inner }
      throw ShapeInferenceError(
        node: graph.name(of: node.id), op: node.op.description, location: node.location,
        operandTypes: node.operands.map { $0.literal?.description ?? graph.type(of: $0).description }, reason: reason)
    }
  }

  /// Literals take the element type of the first operand that has one of the same type variable.
  private func operandTypes(of node: Node, in graph: Graph) -> [ValueType?] {
    node.operands.enumerated().map { index, operand in
      switch operand {
      case .none: nil
      case .literal(let literal): type(of: literal, at: index, of: node, in: graph)
      case .value, .parameter: graph.type(of: operand)
      }
    }
  }

  /// Unknown where the only operands that could tell are unknown themselves: the literal's own type would be a guess.
  private func type(of literal: Literal, at index: Int, of node: Node, in graph: Graph) -> ValueType {
    var isOpen = false
    let schema = node.op.schema
    let type = node.elementType(ofLiteral: literal, at: index) { operand in
      guard operand.literal == nil, !operand.isNone else { return nil }
      let type = graph.type(of: operand).elementType
      if type == nil { isOpen = true }
      return type
    }
    let isTold = node.operands.enumerated().contains { other, operand in
      schema?.operand(other)?.typeVariable == schema?.operand(index)?.typeVariable && operand.literal == nil
        && graph.type(of: operand).elementType == type
    }
    return isOpen && !isTold ? .unknown : .tensor(type, [])
  }

  /// The elements of an integer operand of rank 0 or 1 as far as known.
  func contents(of operand: Operand, in graph: Graph, _ memory: InferenceMemory) -> [Dimension]? {
    switch operand {
    case .value(let value): memory.contents[value]
    case .literal(.int(let value)): [Dimension(Int(value))]
    case .literal, .none: nil
    case .parameter: graph.tensor(of: operand).flatMap(contents(of:))
    }
  }

  /// The elements of an integer or `bool` tensor of rank 0 or 1 that is small enough to follow.
  func contents(of tensor: Tensor) -> [Dimension]? {
    guard tensor.elementType.isInteger || tensor.elementType == .bool, tensor.shape.count <= 1,
      tensor.elementCount <= contentLimit,
      case .signed(let numbers)? = try? tensor.numbers()
    else { return nil }
    return numbers.map { Dimension(Int($0)) }
  }
}
