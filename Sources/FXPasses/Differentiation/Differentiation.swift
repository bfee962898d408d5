import FXCore
import FXShapes
import FXTrace

/// Reverse-mode differentiation of graphs: the gradient of a graph is a graph.
///
/// Operators without a rule are decomposed first. Branches, loops and scans are differentiated as such: the gradient of a
/// branch is a branch, of a loop a scan that runs backwards over the states that the loop left. Where a function has a
/// kink, the gradient is that of PyTorch.
public struct Differentiation: Sendable {
  /// How the gradient goes through each operator.
  public var rules: GradientRules
  /// What `prepare` makes of operators that have no rule.
  public var decompositions: Decompositions

  /// Differentiation by the rules and decompositions of this package, unless others are given.
  public init(rules: GradientRules = .standard, decompositions: Decompositions = .standard) {
    self.rules = rules
    self.decompositions = decompositions
  }

  /// Adds to a graph's body what computes gradients.
  /// - Parameters:
  ///   - values: what is differentiated, with the cotangent to start from; without one the value must be one number, and
  ///     the cotangent is 1.
  ///   - operands: values and parameters of the body with respect to which.
  /// - Returns: for each of `operands` the gradient, of its type; zeros where nothing depends on it.
  /// - Throws: `DifferentiationError` naming the node that has no gradient; `TraceError`; `ShapeInferenceError`. The graph is
  ///   then as it was.
  /// - Complexity: O(nodes); as a program it costs a small multiple of the graph's.
  public func gradients(
    of values: [(value: Operand, cotangent: Operand?)], wrt operands: [Operand], in graph: inout Graph
  ) throws -> [Operand] {
    for operand in values.map(\.value) + operands {
      let type = graph.type(of: operand)
      guard type.elementType?.isFloatingPoint == true else { throw DifferentiationError(.notFloating(type)) }
    }
    let nodes = try graph.nodes(in: graph.body)
    let writer = GraphWriter(graph)
    let sweep = ReverseSweep(writer, rules, wanted: operands)
    var seeds: [(Operand, SymbolicTensor)] = []
    for (value, cotangent) in values {
      let tensor = writer.tensor(value)
      if let cotangent {
        seeds.append((value, writer.tensor(cotangent)))
      } else if let sizes = tensor.shape?.sizes, sizes.allSatisfy({ $0 == 1 }), let element = tensor.elementType {
        let ones = try Tensor(element, sizes, numbers: .floats([1]))
        seeds.append((value, writer.tensor(.parameter(writer.edit { $0.addConstant(ones, name: "one") }))))
      } else {
        throw DifferentiationError(.notScalar(tensor.type))
      }
    }
    try sweep.run(nodes, seeds: seeds)
    writer.setLocation(nil)
    var results: [Operand] = []
    for operand in operands {
      results.append(try writer.operand(sweep.cotangent(of: operand) ?? writer.tensor(operand).zeros()))
    }
    graph = try writer.finish()
    return results
  }

  /// Brings a graph into the form that `gradients` takes: operators without a rule decomposed, types inferred.
  /// - Throws: `ShapeInferenceError`, or what a decomposition throws.
  public func prepare(_ graph: inout Graph) throws { try prepare(&graph, only: nil) }

  /// - Parameter nodes: those that are decomposed; the others stay as they are.
  func prepare(_ graph: inout Graph, only nodes: Set<NodeID>?) throws {
    try ShapeInference().run(&graph)
    var pass = DecompositionPass(decompositions.only(decompositions.operators.filter { rules[$0] == nil }))
    pass.scope = nodes
    try pass.apply(to: &graph)
    try ShapeInference().run(&graph)
  }
}

extension Graph {
  /// This graph with the gradient of an output as further outputs, named after `names`: `w_gradient`.
  /// - Parameters:
  ///   - output: the output that is differentiated; one number.
  ///   - names: inputs and parameters with respect to which.
  /// - Throws: what `Differentiation.gradients` throws; `DifferentiationError` for a name that the graph does not have.
  public func gradient(
    of output: String, wrt names: [String], by differentiation: Differentiation = Differentiation()
  ) throws -> Graph {
    var graph = self
    try differentiation.prepare(&graph)
    guard let index = graph.outputNames.firstIndex(of: output) else { throw DifferentiationError(.unknownName(output)) }
    let operands = try names.map { name in
      if let parameter = graph.parameter(named: name) { return Operand.parameter(parameter) }
      guard let value = graph.value(named: name) else { throw DifferentiationError(.unknownName(name)) }
      return .value(value)
    }
    let gradients = try differentiation.gradients(of: [(graph.outputs[index], nil)], wrt: operands, in: &graph)
    for (name, gradient) in zip(names, gradients) { try graph.addOutput(gradient, name: "\(name)_gradient") }
    return graph
  }
}
