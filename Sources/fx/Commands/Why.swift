import ArgumentParser
import FXCore
import FXPasses

struct Why: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell where a node of the optimized model comes from, or what became of one of the model's.",
    discussion: """
      Optimizes the model and says which passes made or changed the node, from which nodes of the model and which lines of \
      its source. NODE is the name of a node or of a value, as `fx inspect --text` and `fx optimize --dump` show them; of an \
      input or a parameter it says who uses it, before and after.

      Example:
        fx why model.onnx conv_5 --level aggressive
      """)

  @Argument(help: "The model to read.") var model: String
  @Argument(help: "The node's name, in the model or in the optimized model.") var node: String
  @Option(help: OptimizationLevel.help) var level = OptimizationLevel.default

  func execute() throws {
    let original = try ModelFile.read(model)
    var graph = original
    var manager = level.passes()
    manager.tracksProvenance = true
    let report = try manager.run(&graph)
    guard let provenance = report.provenance else { return }
    let now = graph.node(called: node)
    guard let then = original.node(called: node) else {
      if now == nil, let given = try original.role(of: node, optimized: graph) { return Terminal.line(given) }
      guard let now else { throw GraphError.unknownName(node, suggestions: original.nodeNames(near: node)) }
      return Terminal.line(provenance.story(of: now, in: graph))
    }
    if graph.contains(then) {
      Terminal.line(provenance.story(of: then, in: graph))
    } else {
      let fate = provenance.fate(of: then, in: graph)
      Terminal.line(fate.text)
      if let successor = fate.successor { Terminal.line(provenance.story(of: successor, in: graph)) }
    }
    // Names move to what has a node's place: the one that is called so now may be another.
    if let now, now != then, provenance.fate(of: then, in: graph).successor != now {
      Terminal.line("called so now:\n" + provenance.story(of: now, in: graph))
    }
    for (pass, refusals) in report.declined {
      for refusal in refusals where refusal.node == node { Terminal.line("left alone by \(pass): \(refusal.reason)") }
    }
  }
}

extension Graph {
  /// The node whose name, or a result's, is `name`; those of the body first.
  fileprivate func node(called name: String) -> NodeID? {
    if let value = value(named: name), let producer = try? producer(of: value) { return producer }
    return allNodes.first { id in
      self.name(of: id) == name || ((try? self[id].results)?.contains { self.name(of: $0) == name } ?? false)
    }
  }

  /// Names of inputs, parameters and nodes that are like a name.
  func nodeNames(near name: String) -> [String] {
    let parameters = parameterIDs.compactMap { try? self[$0].name }
    return (inputs.map { self.name(of: $0) } + parameters + allNodes.map { self.name(of: $0) }).nearest(to: name)
  }

  /// What is to say of an input or a parameter, which no pass makes: who uses it, in this graph and in what became of it.
  fileprivate func role(of name: String, optimized: Graph) throws -> String? {
    if let input = inputs.first(where: { self.name(of: $0) == name }) {
      let now = optimized.inputs.first { optimized.name(of: $0) == name }
      return "'\(name)' is an input of the model, \(type(of: .value(input))): " + (try users(of: input))
        + "\noptimized: " + (try now.map { try optimized.users(of: $0) } ?? "no longer an input")
    }
    guard let parameter = try parameterIDs.first(where: { try self[$0].name == name }) else {
      guard let made = try optimized.parameterIDs.first(where: { try optimized[$0].name == name }) else { return nil }
      return "'\(name)' is a parameter that passes made, \(try optimized[made].type): " + (try optimized.users(of: made))
    }
    let now = optimized.parameter(named: name)
    return "'\(name)' is a parameter of the model, \(try self[parameter].type): " + (try users(of: parameter)) + "\noptimized: "
      + (try now.map { try optimized.users(of: $0) } ?? "gone: folded into what used it, or used no more")
  }

  private func users(of value: ValueID) throws -> String { try users(try uses(of: value).map(\.node)) }
  private func users(of parameter: ParameterID) throws -> String {
    try users(allNodes.filter { try self[$0].operands.contains(.parameter(parameter)) })
  }

  private func users(_ nodes: [NodeID]) throws -> String {
    let names = try nodes.map { isTerminator($0) ? "the result" : "\(name(of: $0)) (\(try self[$0].op))" }
    return names.isEmpty ? "used by nothing" : "used by " + names.joined(separator: ", ")
  }
}
