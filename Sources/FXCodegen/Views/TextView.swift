import FXCore

/// A summary of a graph and its nodes as a table.
struct TextView {
  private let outline: GraphOutline
  private var graph: Graph { outline.graph }

  init(_ outline: GraphOutline) { self.outline = outline }

  var text: String {
    var lines = [headline]
    lines += facts("inputs", graph.inputs.map { "\(graph.name(of: $0).nameText): \(outline.type(of: .value($0)))" })
    lines += facts("outputs", zip(graph.outputNames, graph.outputs).map { "\($0.nameText): \(outline.type(of: $1))" })
    let size = graph.parameterSize
    if !graph.parameterIDs.isEmpty {
      lines += facts("parameters", ["\(graph.parameterIDs.count) with \(size.elements) elements in \(size.bytes) bytes"])
    }
    let unbound = graph.parameterIDs.compactMap { id in (try? graph[id]).flatMap { $0.isBound ? nil : $0.name.nameText } }
    if !unbound.isEmpty {
      let more = unbound.count > 8 ? ["… and \(unbound.count - 8) more"] : []
      lines += facts("unbound", [(unbound.prefix(8) + more).joined(separator: ", ")])
    }
    lines += facts("operators", wrapped(graph.operatorCounts.map { "\($0.op) × \($0.count)" }))
    lines += modules
    return lines.joined(separator: "\n") + "\n\n" + graph.tabularText
  }

  private var headline: String {
    "graph \(graph.name.nameText): \(graph.nodeCount) nodes, \(graph.edgeCount) edges"
  }

  private func facts(_ title: String, _ facts: [String]) -> [String] {
    facts.enumerated().map { index, fact in
      "  " + (index == 0 ? title : "") + String(repeating: " ", count: max(1, 12 - (index == 0 ? title.count : 0))) + fact
    }
  }

  /// Facts in lines of at most about 100 characters.
  private func wrapped(_ facts: [String]) -> [String] {
    var lines: [String] = []
    for fact in facts {
      if let last = lines.last, last.count + fact.count < 100 {
        lines[lines.count - 1] = last + ", " + fact
      } else {
        lines.append(fact)
      }
    }
    return lines
  }

  /// The modules as a tree, each with the number of calls inside.
  private var modules: [String] {
    let boxes = outline.boxes
    guard boxes.contains(where: { $0.kind == .module }) else { return [] }
    var counts = Array(repeating: 0, count: boxes.count)
    for box in boxes where box.kind == .call {
      var parent = box.parent
      while parent >= 0 {
        counts[parent] += 1
        parent = boxes[parent].parent
      }
    }
    let children = outline.children
    var lines: [String] = []
    var pending = children[boxes.count].reversed().map { ($0, 0) }
    while let (index, depth) = pending.popLast() {
      let isModule = boxes[index].kind == .module
      if isModule {
        lines.append(String(repeating: "  ", count: depth) + "\(boxes[index].title.nameText) (\(counts[index]))")
      }
      pending += children[index].reversed().map { ($0, depth + (isModule ? 1 : 0)) }
    }
    return facts("modules", lines)
  }
}
