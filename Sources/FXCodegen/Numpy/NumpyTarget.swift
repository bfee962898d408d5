import FXCore
import FXTrace

/// Functions on NumPy arrays, with weights in an npz file: runs with Python 3 and NumPy 2 alone.
public struct NumpyTarget: CodeTarget {
  public let name = "numpy"
  public let summary = "a Python function on NumPy arrays"
  /// How calls are spelled, all but those of control flow.
  public var rows: NumpyRows

  /// Writes by the rows of this package, unless others are given.
  public init(rows: NumpyRows = .standard) { self.rows = rows }

  public func refusal(of node: Node, in graph: Graph) -> String? {
    // Control flow is the writer's.
    if [Operator.cond, .whileLoop, .loop, .scan].contains(node.op) { return nil }
    guard let row = rows[node.op] else { return "NumPy has no row for it" }
    var call = NumpyCall(CallSite(node, in: graph), operands: node.operands.indices.map { "operand\($0)" })
    do {
      _ = try row(&call)
      return nil
    } catch {
      return "\(error)"
    }
  }

  public func emit(_ graph: Graph, _ options: CodegenOptions) throws -> GeneratedProgram {
    // What functions the calls need is known when they are written, and no name may hide one of them.
    let functions = NumpyFunction.ordered(try written(graph, reserved: []).writer.dialect.functions).map(\.name)
    try CodegenError.requireDistinct(functions, in: graph, for: self.name)
    let reserved = NumpyTarget.reserved.union(functions)
    let name = options.programName(of: graph, reserved: reserved.union(Identifiers.pythonModules))
    let (writer, inputs) = try written(graph, reserved: reserved.union([name]))
    let weights = try stored(writer.dialect.stored, of: graph)
    var program = GeneratedProgram()
    program.add("\(name).py", try source(graph, name, inputs, writer, hasWeights: !writer.dialect.stored.isEmpty))
    if !weights.isEmpty { program.add("\(name).npz", try Npz.encode(weights)) }
    return program
  }

  private static let reserved = Identifiers.python.union(["np", "weights", "itertools", "Path", "run", "file"])
    .union(NumpyFunction.all.map(\.name))

  private func written(
    _ graph: Graph, reserved: Set<String>
  ) throws -> (writer: RegionWriter<NumpyDialect>, inputs: [String]) {
    var writer = RegionWriter(
      graph, NumpyDialect(rows: rows), identifiers: Identifiers(reserved: reserved), source: SourceText(depth: 1))
    let inputs = graph.inputs.map { writer.identifiers.unique(graph.name(of: $0)) }
    let results = try writer.write(graph.body, arguments: inputs)
    writer.source.add("return " + (results.isEmpty ? "()" : results.joined(separator: ", ")))
    return (writer, inputs)
  }

  /// The tensors of the file of weights, in types that NumPy has.
  private func stored(_ ids: Set<ParameterID>, of graph: Graph) throws -> [String: Tensor] {
    var weights: [String: Tensor] = [:]
    for id in ids {
      let parameter = try graph[id]
      guard let tensor = parameter.tensor else { continue }
      weights[parameter.name] = try tensor.converted(to: NumpyTypes.storage(tensor.elementType))
    }
    return weights
  }

  private func source(
    _ graph: Graph, _ name: String, _ inputs: [String], _ writer: RegionWriter<NumpyDialect>, hasWeights: Bool
  ) throws -> String {
    var text = SourceText()
    let unbound = try writer.dialect.stored.map { try graph[$0] }.filter { !$0.isBound }.map(\.name).sorted()
    text.add("\"\"\"The graph \(graph.name.docText) in NumPy.")
    if !unbound.isEmpty {
      text.add("\nNothing is bound to these weights: set them before calling.")
      for name in unbound { text.add("  \(name.docText)") }
    }
    text.add("\"\"\"")
    let functions = NumpyFunction.ordered(writer.dialect.functions)
    let body = writer.source.text
    if body.contains("itertools.") { text.add("import itertools") }
    if functions.contains(where: { $0.source.contains("math.") }) { text.add("import math") }
    if hasWeights { text.add("from pathlib import Path") }
    if text.lines.last != "\"\"\"" { text.add() }
    text.add("import numpy as np")
    if hasWeights {
      text.add()
      text.add("file = Path(__file__).with_suffix(\".npz\")")
      text.add("weights = dict(np.load(file, allow_pickle=True)) if file.exists() else {}")
    }
    for function in functions {
      text.add("\n")
      text.add(function.source)
    }
    text.add("\n")
    text.add("def \(name)(\(inputs.joined(separator: ", "))):")
    text.depth = 1
    let signature = zip(inputs, graph.inputs).map { "\($0): \(graph.type(of: .value($1)))" }
    let results = zip(graph.outputNames, graph.outputs).map { "\($0.docText): \(graph.type(of: $1))" }
    text.add("\"\"\"" + (signature + ["returns " + results.joined(separator: ", ")]).joined(separator: "\n") + "\n\"\"\"")
    text.depth = 0
    return text.text + body
  }
}

extension String {
  /// The text for a place inside a documentation string.
  var docText: String { oneLine.replacing("\\", with: "/").replacing("\"", with: "'") }
}
