import FXCore
import FXPasses
import FXShapes

/// Writes graphs as programs of other stacks.
///
/// ```swift
/// let generator = CodeGenerator()
/// print(generator.availableTargets)
/// print(try generator.generateCode(graph, target: "numpy"))
/// try generator.generate(graph, target: "std_cpp").write(to: "model")
/// ```
///
/// The same graph gives the same program. A value: users add targets of their own.
public struct CodeGenerator: Sendable {
  private var targets: [String: any CodeTarget] = [:]

  /// - Parameter targets: those of this package, unless others are given.
  public init(targets: [any CodeTarget] = CodeGenerator.standardTargets) {
    for target in targets { add(target) }
  }

  /// The names of all targets, sorted.
  public var availableTargets: [String] { targets.keys.sorted() }

  /// Adds a target, in place of one of its name.
  public mutating func add(_ target: any CodeTarget) { targets[target.name] = target }

  /// The target of a name.
  /// - Throws: `CodegenError.unknownTarget`, listing those there are.
  public func target(named name: String) throws -> any CodeTarget {
    guard let target = targets[name] else { throw CodegenError.unknownTarget(name, available: availableTargets) }
    return target
  }

  /// The source that a reader starts with, of what `generate` gives.
  /// - Throws: as `generate`.
  public func generateCode(
    _ graph: Graph, target: String, _ options: CodegenOptions = CodegenOptions()
  ) throws -> String {
    try generate(graph, target: target, options).source
  }

  /// The program of a graph.
  /// - Throws: `CodegenError`, listing every call that the target cannot write; `ShapeInferenceError`.
  public func generate(
    _ graph: Graph, target name: String, _ options: CodegenOptions = CodegenOptions()
  ) throws -> GeneratedProgram {
    let target = try target(named: name)
    return try target.emit(prepare(graph, for: target), options)
  }

  /// The graph that a target is given: types are inferred, and composite operators that it refuses are decomposed.
  /// - Throws: as `generate`.
  public func prepare(_ graph: Graph, for target: any CodeTarget) throws -> Graph {
    var graph = graph
    if target.needsFixedSizes { try graph.requireFixedSizes(for: target.name) }
    try graph.foldKnownSizes()
    while true {
      var refusals: [CodegenError.Refusal] = []
      var decomposable: Set<Operator> = []
      for id in graph.allNodes {
        let node = try graph[id]
        guard let reason = target.refusal(of: node, in: graph) else { continue }
        refusals.append(.init(node: graph.name(of: id), op: node.op.description, location: node.location, reason: reason))
        if Decompositions.codegen[node.op] != nil { decomposable.insert(node.op) }
      }
      if refusals.isEmpty { return graph }
      let pass = DecompositionPass(.codegen.only([Operator](decomposable)))
      guard try pass.apply(to: &graph).changes > 0 else {
        throw CodegenError.unsupported(target: target.name, refusals)
      }
      try graph.foldKnownSizes()
    }
  }
}

extension Graph {
  /// - Throws: `CodegenError.unsupported`, naming every input with a size that is no number.
  func requireFixedSizes(for target: String) throws {
    let open = inputs.filter { type(of: .value($0)).tensorType.map { $0.shape?.sizes == nil } ?? false }
    guard open.isEmpty else {
      throw CodegenError.unsupported(
        target: target,
        open.map { input in
          .init(
            node: name(of: input), op: "input", location: nil,
            reason: "it is \(type(of: .value(input))), and sizes must be fixed when code is generated: give them, as "
              + Self.optionText(name(of: input), type(of: .value(input))) + " does")
        })
    }
  }

  /// The option of `fx` that gives an input its sizes.
  private static func optionText(_ name: String, _ type: ValueType) -> String {
    let symbols = Set((type.shape?.dimensions ?? []).flatMap(\.symbols)).sorted()
    let isKnown = !symbols.isEmpty && type.shape?.contains(where: \.isUnknown) == false
    return isKnown ? symbols.map { "--size \($0)=8" }.joined(separator: " ") : "--shape \(name)=…"
  }
}
