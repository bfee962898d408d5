import FXCore

/// A graph in Graphviz's language. Source: graphviz.org, "DOT Language".
struct DotView {
  private let outline: GraphOutline
  private let children: [[Int]]
  private var output = ""

  init(_ outline: GraphOutline) {
    self.outline = outline
    children = outline.children
  }

  mutating func text() -> String {
    output = """
      digraph \(DotView.quoted(outline.graph.name)) {
        rankdir=TB; compound=true; fontname="Helvetica"; fontsize=11;
        node [shape=box, style="rounded,filled", fillcolor="#eef3fb", color="#5b7aa8", fontname="Helvetica", fontsize=10];
        edge [color="#666666", fontname="Helvetica", fontsize=8, arrowsize=0.6];

      """
    // Boxes to open (with their depth), and clusters to close once what is inside them is written.
    var pending: [(box: Int, depth: Int, closes: Bool)] = children[outline.boxes.count].reversed().map { ($0, 1, false) }
    while let (index, depth, closes) = pending.popLast() {
      let indent = String(repeating: "  ", count: min(depth, 40))
      if closes {
        output += indent + "}\n"
        continue
      }
      guard !children[index].isEmpty else {
        writeBox(index, indent)
        continue
      }
      open(index, indent)
      pending.append((index, depth, true))
      pending += children[index].reversed().map { ($0, depth + 1, false) }
    }
    for edge in outline.edges { write(edge) }
    writeRegionLinks()
    output += "}\n"
    return output
  }

  private mutating func open(_ index: Int, _ indent: String) {
    let box = outline.boxes[index]
    output += indent + "subgraph \"cluster_\(index)\" {\n"
    switch box.kind {
    case .module:
      output +=
        indent + "  label=\(DotView.quoted(box.title)); style=\"rounded,filled\"; color=\"#b9c4d4\"; fillcolor=\"#f8fafc\";\n"
    case .region:
      output += indent + "  label=\(DotView.quoted(box.title)); style=\"dashed\"; color=\"#a06a2c\";\n"
      // A region without arguments and results still has a place.
      output += indent + "  r\(index) [shape=point, style=invis];\n"
    default:
      output += indent + "  label=\"\"; style=\"rounded\"; color=\"#a06a2c\";\n"
      writeBox(index, indent + "  ")
    }
  }

  private mutating func writeBox(_ index: Int, _ indent: String) {
    let box = outline.boxes[index]
    var lines = [box.title, box.name]
    var style = ""
    switch box.kind {
    case .call:
      guard let id = box.node, let node = try? outline.graph[id] else { break }
      if let first = lines.last, first == box.title { lines.removeLast() }
      lines += outline.attributes(of: node).filter { !$0.isDefault }.prefix(6).map {
        "\($0.name) = \(GraphOutline.clipped($0.value, 60))"
      }
      lines += node.operands.enumerated().filter { $1.value == nil && !$1.isNone }.prefix(6).map { index, operand in
        "\(outline.role(index, of: node)): \(GraphOutline.clipped(outline.text(ofConstant: operand), 80))"
      }
      let location = node.location.map { ", tooltip=\(DotView.quoted($0.description))" } ?? ""
      style = (node.op.isRegistered ? "" : ", fillcolor=\"#fbe9e7\"") + location
    case .input, .argument:
      style = ", shape=ellipse, fillcolor=\"#e7f6ea\""
    case .output, .result:
      style = ", shape=ellipse, fillcolor=\"#fdf3dc\""
      if let operand = box.value, operand.value == nil { lines.append(outline.text(ofConstant: operand)) }
    case .module, .region: break
    }
    let label = lines.map { DotView.escaped(GraphOutline.clipped($0, 120)) }.joined(separator: "\\n")
    output += indent + "n\(index) [label=\"\(label)\"\(style)];\n"
  }

  private mutating func write(_ edge: GraphOutline.Edge) {
    let label = DotView.quoted(GraphOutline.clipped(outline.type(of: .value(edge.value)), 80))
    output += "  n\(edge.from) -> n\(edge.to) [label=\(label), tooltip=\(DotView.quoted(outline.graph.name(of: edge.value)))];\n"
  }

  /// Dotted lines from an owner to the arguments of its regions, so that regions stand below it.
  private mutating func writeRegionLinks() {
    for (index, box) in outline.boxes.enumerated() where box.kind == .region {
      output += "  n\(box.parent) -> r\(index) [style=invis];\n"
      for child in children[index] where outline.boxes[child].kind == .argument {
        output += "  n\(box.parent) -> n\(child) [style=dotted, arrowhead=none];\n"
      }
    }
  }

  /// A string in DOT's double quotes.
  static func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

  /// What stands between double quotes. DOT takes `\n`, `\N`, `\G` and the like for codes, so every backslash is doubled;
  /// control characters, which XML cannot hold, become visible ones; `&` is written as an entity, or `&lt;` in a name
  /// would be read as one.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "&": result += "&amp;"
      case "\n": result += "⏎"
      case _ where scalar.value < 0x20: result.unicodeScalars.append(Unicode.Scalar(0x2400 + scalar.value) ?? "�")
      case _ where (0x7F...0x9F).contains(scalar.value) || (0xFFFE...0xFFFF).contains(scalar.value & 0xFFFF): result += "�"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
