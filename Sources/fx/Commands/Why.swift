import ArgumentParser
import FXCore
import FXPasses

struct Why: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell where a node of the optimized model comes from, or what became of one of the model's.",
    discussion: """
      Optimizes the model and says which passes made or changed the node, from which nodes of the model and which lines of \
      its source. NODE is the name of a node or of a value, as `fx inspect --text` and `fx optimize --dump` show them.

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
      guard let now else { throw GraphError.unknownName(node, suggestions: graph.suggestions(for: node)) }
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

  fileprivate func suggestions(for name: String) -> [String] { allNodes.map { self.name(of: $0) }.nearest(to: name) }
}
