import FXCore

extension CodegenOptions {
  /// What the program of a graph is called: an identifier that is none of `reserved`, and neither is what its class is called.
  func programName(of graph: Graph, reserved: Set<String> = []) -> String {
    let name = Identifiers.sanitized(name ?? graph.name)
    if name == "main" || name == "value" { return "model" }
    return reserved.contains(name) || reserved.contains(Identifiers.capitalized(name)) ? name + "_model" : name
  }
}

extension CodegenError {
  /// Refuses two functions of one name, of which the program would have the last only.
  static func requireDistinct(_ functions: [String], in graph: Graph, for target: String) throws {
    var seen: Set<String> = []
    for name in functions where !seen.insert(name).inserted {
      let reason = "its calls need two functions that are both called '\(name)'"
      throw CodegenError.unsupported(target: target, [.init(node: graph.name, op: "graph", location: nil, reason: reason)])
    }
  }
}
