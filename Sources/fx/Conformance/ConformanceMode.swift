import ArgumentParser
import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes

/// How a case's model is executed.
enum ConformanceMode: String, ExpressibleByArgument, CaseIterable {
  /// Compiled for the CPU.
  case run
  /// By the slow kernels that define the operators.
  case reference
  /// After the aggressive pipeline.
  case optimized
  /// After export to ONNX and import of the result.
  case roundtrip
  /// With every composite operator expressed by others; one that is not is a failure.
  case decomposed
  /// The same, with every size of every input symbolic.
  case symbolicDecomposed = "symbolic-decomposed"
  /// With the inputs as constants of the graph, which the aggressive pipeline folds.
  case constant
  /// With every size of every input symbolic.
  case symbolic
  /// Not executed: the inferred types are those of the outputs, and tell no less than ONNX's own inference.
  case shapes

  /// What runs the model in this mode; `nil` for the one that runs nothing.
  func executable(_ original: Graph) throws -> (([RuntimeValue]) throws -> [RuntimeValue])? {
    var graph = original
    let backend = CPUBackend()
    switch self {
    case .run: break
    case .shapes: return nil
    case .reference: return { try ReferenceExecutor().run(original, inputs: $0) }
    case .optimized: try PassManager.aggressiveOptimizationPasses(executor: backend).run(&graph)
    case .roundtrip:
      graph = try OnnxImporter().graph(from: OnnxDocument(bytes: exportToOnnx(graph).serialized()))
      try graph.verify(.typed)
      try ShapeInference().run(&graph)
    case .decomposed, .symbolicDecomposed:
      if self == .symbolicDecomposed {
        try graph.makeInputsSymbolic()
        try ShapeInference().run(&graph)
      }
      let outcome = try DecompositionPass().apply(to: &graph)
      try graph.verify(.typed)
      let composites = graph.operatorCounts.map(\.op).filter { $0.has(.composite) }
      guard composites.isEmpty else {
        throw ConformanceError.notDecomposed(composites.map(\.description), reasons: outcome.declined.map(\.reason))
      }
      return try CPUBackend(.init(optimizes: false)).compiled(graph).run
    case .constant:
      return { inputs in
        var graph = original
        let rest = try graph.bindInputs(to: inputs)
        try PassManager.aggressiveOptimizationPasses(executor: backend).run(&graph)
        return try backend.compiled(graph).run(rest)
      }
    case .symbolic:
      try graph.makeInputsSymbolic()
      try ShapeInference().run(&graph)
      try graph.verify(.typed)
    }
    return try backend.compiled(graph).run
  }
}

extension Graph {
  /// Makes constants of the inputs that are tensors. Gives the values of the others.
  mutating func bindInputs(to values: [RuntimeValue]) throws -> [RuntimeValue] {
    var bound: Set<Int> = []
    for (index, (input, value)) in zip(inputs, values).enumerated() {
      guard let tensor = value.tensor, try type(of: input).tensorType != nil else { continue }
      try replaceAllUses(of: input, with: .parameter(addConstant(tensor, name: name(of: input))))
      bound.insert(index)
    }
    try removeArguments(of: body, at: bound)
    return values.indices.filter { !bound.contains($0) }.map { values[$0] }
  }

  /// Forgets the sizes of the inputs, each of which becomes a symbol of its own, and the types of all results.
  mutating func makeInputsSymbolic() throws {
    for (index, input) in inputs.enumerated() {
      guard let type = try type(of: input).tensorType, let shape = type.shape else { continue }
      let symbols = Shape(shape.indices.map { Dimension(symbol: "input\(index)_\($0)") })
      try setType(of: input, to: .tensor(type.elementType, symbols))
    }
    try forgetTypes()
  }

  /// Makes the types of all results of the body unknown. Regions keep theirs, which no inference finds again: that each turn of
  /// a loop gives a tensor of one size.
  mutating func forgetTypes() throws {
    for node in try nodes(in: body) {
      for result in try self[node].results { try setType(of: result, to: .unknown) }
    }
  }
}
