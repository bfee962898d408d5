import FXCore

/// Views of a graph for people: text, Graphviz's DOT, and a page for a browser.
///
/// ```swift
/// let debugger = GraphDebugger(graph)
/// print(debugger.generateTextVisualization())
/// let dot = debugger.generateDotVisualization()
/// let html = debugger.generateHTMLVisualization()
/// ```
///
/// Views are deterministic: equal graphs give equal text. They carry facts, not weights: a view of a model of any size is
/// small. Names may hold anything; they are escaped for each format.
public struct GraphDebugger: Sendable {
  /// What the views show.
  public let graph: Graph

  /// Views of a graph. Nothing is computed before one is asked for.
  public init(_ graph: Graph) { self.graph = graph }

  /// A summary (inputs, outputs, operators, modules) and a table with a row per node. O(nodes).
  public func generateTextVisualization() -> String { TextView(GraphOutline(graph)).text }

  /// The graph in Graphviz's language: modules and regions as clusters, types on the edges. `dot -Tsvg` draws it. O(nodes).
  public func generateDotVisualization() -> String {
    var view = DotView(GraphOutline(graph))
    return view.text()
  }

  /// One HTML file that needs nothing else, not even a network: pan, zoom, search, modules and regions that open and
  /// close, types on edges, and attributes, operands and source location of what is clicked. O(nodes).
  public func generateHTMLVisualization() -> String { HTMLView(GraphOutline(graph)).text }
}
