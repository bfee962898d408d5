import ArgumentParser
import FXCore
import Foundation

struct Inspect: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Inputs, outputs, operators, parameters and opsets of a model.",
    discussion: """
      Weights stay in their file where the format allows, so that large models are told of at once.

      Examples:
        fx inspect model.onnx
        fx inspect model.onnx --text | less
      """)

  @Argument(help: "The model.") var model: String
  @Flag(help: "As JSON.") var json = false
  @Flag(help: "The graph in the text format, large weights left out.") var text = false

  func validate() throws {
    if json, text { throw ValidationError("--json or --text, not both") }
  }

  func execute() throws {
    let graph = try ModelFile.read(model, checksWeights: false)
    if text {
      print(graph)
      return
    }
    let summary = try GraphSummary(graph)
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      print(String(decoding: try encoder.encode(summary), as: UTF8.self))
    } else {
      summary.print(path: model)
    }
  }
}

/// What `fx inspect` tells of a graph.
struct GraphSummary: Codable {
  struct Port: Codable {
    let name: String
    let type: String
  }
  struct Count: Codable {
    let op: String
    let count: Int
    let registered: Bool
  }
  let name: String
  let inputs: [Port]
  let outputs: [Port]
  let nodes: Int
  let calls: Int
  let edges: Int
  let parameters: Int
  let parameterElements: Int
  let parameterBytes: Int
  let unbound: [String]
  let operators: [Count]
  let opsets: [String: Int]
  let metadata: [String: String]

  init(_ graph: Graph) throws {
    name = graph.name
    inputs = graph.inputs.map { Port(name: graph.name(of: $0), type: graph.type(of: .value($0)).description) }
    outputs = zip(graph.outputNames, graph.outputs).map { Port(name: $0, type: graph.type(of: $1).description) }
    nodes = graph.nodeCount
    calls = graph.allNodes.count
    edges = graph.edgeCount
    let all = try graph.parameterIDs.map { try graph[$0] }
    parameters = all.count
    parameterElements = all.reduce(0) { $0 + ($1.tensor?.elementCount ?? 0) }
    parameterBytes = all.reduce(0) { $0 + ($1.tensor?.byteCount ?? 0) }
    unbound = all.filter { !$0.isBound }.map(\.name)
    operators = graph.operatorCounts.map { Count(op: $0.op.description, count: $0.count, registered: $0.op.isRegistered) }
    opsets = graph.operatorSets
    metadata = graph.metadata
  }

  func print(path: String) {
    Terminal.line("\(Terminal.bold(name))  (\(path))")
    if !opsets.isEmpty {
      let list = opsets.sorted { $0.key < $1.key }.map { "\($0.key.isEmpty ? "ai.onnx" : $0.key) \($0.value)" }
      Terminal.line("opsets      \(list.joined(separator: ", "))")
    }
    for port in inputs { Terminal.line("input       \(port.name): \(port.type)") }
    for port in outputs { Terminal.line("output      \(port.name): \(port.type)") }
    Terminal.line("nodes       \(nodes) (\(calls) calls), \(edges) edges")
    Terminal.line("parameters  \(parameters) with \(parameterElements) elements, \(parameterBytes.byteText)")
    if !unbound.isEmpty { Terminal.line("unbound     \(unbound.joined(separator: ", "))") }
    Terminal.line("operators")
    for entry in operators {
      Terminal.line("\(entry.count)".right(8) + "  " + entry.op + (entry.registered ? "" : "  (not registered)"))
    }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where value.count <= 120 {
      Terminal.line("\(key.left(12))\(value)")
    }
  }
}
