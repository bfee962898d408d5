import FXCore

extension CodegenOptions {
  /// What the program of a graph is called: an identifier.
  package func programName(of graph: Graph) -> String {
    let name = Identifiers.sanitized(name ?? graph.name)
    return name == "main" || name == "value" ? "model" : name
  }
}
