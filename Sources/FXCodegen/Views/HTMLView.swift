import FXCore

/// A graph as one page for a browser: the facts as JSON, and a script that lays them out and draws them.
///
/// The page's policy forbids every request, so that opening a model's view tells nobody. Facts enter the document as JSON
/// in which `<`, `>` and `&` are escaped, and the script only ever writes text, never markup: names cannot become code.
struct HTMLView {
  private let outline: GraphOutline
  private var graph: Graph { outline.graph }

  init(_ outline: GraphOutline) { self.outline = outline }

  var text: String {
    let title = HTMLView.escaped(GraphOutline.clipped(graph.name, 200))
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
      script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <link rel="icon" href="data:,">
      <title>\(title)</title>
      <style>
      \(HTMLView.style)
      </style>
      </head>
      <body>
      <header>
      <h1>\(title)</h1>
      <span id="facts"></span>
      <input id="search" type="search" placeholder="Search names, operators, types  ( / )" aria-label="Search" autocomplete="off">
      <span id="found" role="status"></span>
      <button id="open" title="Open all modules and regions">Open all</button>
      <button id="close" title="Close all modules and regions">Close all</button>
      <button id="fit" title="Show everything ( 0 )">Fit</button>
      </header>
      <main>
      <canvas id="view" tabindex="0" aria-label="Graph"></canvas>
      <aside id="side" hidden></aside>
      <div id="tip" hidden></div>
      </main>
      <noscript>This view needs JavaScript.</noscript>
      <script type="application/json" id="graph">\(json)</script>
      <script>
      "use strict";
      \(HTMLView.layoutScript)
      \(HTMLView.drawingScript)
      \(HTMLView.controlScript)
      </script>
      </body>
      </html>

      """
  }

  /// Text for an element's content.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): result += "�"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  // MARK: Facts

  /// The graph's facts. Strings stand once, in `strings`; elsewhere they are numbers.
  ///
  /// - `boxes`: kind, title, name, parent, then for calls a family, and details: location, description, attributes, constant
  ///   operands, values used, values given.
  /// - `values`: name, type, box of origin. `edges`: from, to, value, role.
  private var json: String {
    var writer = JSONWriter()
    var strings = StringIndex()
    var valueNumbers: [ValueID: Int] = [:]
    var values: [(name: Int, type: Int, origin: Int)] = []
    for id in outline.values {
      valueNumbers[id] = values.count
      values.append((strings[graph.name(of: id)], strings[outline.type(of: .value(id))], outline.origins[id] ?? -1))
    }
    writer.raw("{\"boxes\":[")
    for (index, box) in outline.boxes.enumerated() {
      if index > 0 { writer.raw(",\n") }
      write(box, valueNumbers, &strings, &writer)
    }
    writer.raw("],\n\"values\":[")
    writer.list(values) { writer, value in writer.raw("[\(value.name),\(value.type),\(value.origin)]") }
    writer.raw("],\n\"edges\":[")
    writer.list(outline.edges) { writer, edge in
      let box = outline.boxes[edge.to]
      let role = box.node.flatMap { try? graph[$0] }.map { outline.role(edge.operand, of: $0) } ?? ""
      writer.raw("[\(edge.from),\(edge.to),\(valueNumbers[edge.value] ?? -1),\(strings[role])]")
    }
    writer.raw("],\n\"facts\":")
    writer.string(summary)
    writer.raw(",\n\"strings\":[")
    writer.list(strings.all) { $0.string($1) }
    writer.raw("]}")
    return writer.text
  }

  private var summary: String {
    let size = graph.parameterSize
    let parameters = graph.parameterIDs.isEmpty ? "" : ", \(graph.parameterIDs.count) parameters (\(size.bytes.byteText))"
    return "\(graph.nodeCount) nodes, \(graph.edgeCount) edges\(parameters)"
  }

  private func write(
    _ box: GraphOutline.Box, _ numbers: [ValueID: Int], _ strings: inout StringIndex, _ writer: inout JSONWriter
  ) {
    func number(_ text: String) -> Int { strings[GraphOutline.clipped(text)] }
    writer.raw("[\(box.kind.rawValue),\(number(box.title)),\(number(box.name)),\(box.parent)")
    if let id = box.node, let node = try? graph[id] {
      let schema = node.op.schema
      writer.raw(",\(number(schema.map { "\($0.family)" } ?? "unregistered")),\(number(node.location?.description ?? "")),")
      writer.raw("\(number(schema?.summary ?? "An operator that nobody registered.")),[")
      let attributes = outline.attributes(of: node).map { [number($0.name), number($0.value), $0.isDefault ? 1 : 0] }
      writer.list(attributes.flatMap { $0 }) { $0.raw(String($1)) }
      writer.raw("],[")
      let operands = node.operands.enumerated().flatMap { index, operand in
        let value = operand.value.flatMap { numbers[$0] } ?? -1
        return [number(outline.role(index, of: node)), value, value < 0 ? number(outline.text(ofConstant: operand)) : -1]
      }
      writer.list(operands) { $0.raw(String($1)) }
      writer.raw("],[")
      writer.list(node.results.compactMap { numbers[$0] }) { $0.raw(String($1)) }
      writer.raw("]")
    } else if let operand = box.value, operand.value == nil {
      // An output that is a constant of the graph.
      writer.raw(",-1,-1,-1,[],[\(number("value")),-1,\(number(outline.text(ofConstant: operand)))],[]")
    } else if let value = box.value?.value.flatMap({ numbers[$0] }) {
      let isSource = box.kind == .input || box.kind == .argument
      writer.raw(",-1,-1,-1,[],[\(isSource ? "" : "\(number("value")),\(value),-1")],[\(isSource ? "\(value)" : "")]")
    }
    writer.raw("]")
  }
}

/// Numbers strings in the order in which they are first met.
private struct StringIndex {
  private(set) var all: [String] = []
  private var numbers: [String: Int] = [:]

  subscript(text: String) -> Int {
    mutating get {
      if let known = numbers[text] { return known }
      numbers[text] = all.count
      all.append(text)
      return all.count - 1
    }
  }
}

/// Writes JSON that may stand inside a `script` element.
struct JSONWriter {
  private(set) var text = ""

  mutating func raw(_ text: String) { self.text += text }

  mutating func list<Element>(_ elements: [Element], _ write: (inout JSONWriter, Element) -> Void) {
    for (index, element) in elements.enumerated() {
      if index > 0 { text += "," }
      write(&self, element)
    }
  }

  mutating func string(_ string: String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "<", ">", "&", "\u{2028}", "\u{2029}": escape(scalar)
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): escape(scalar)
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }

  private mutating func escape(_ scalar: Unicode.Scalar) {
    let digits = String(scalar.value, radix: 16)
    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}

extension Int {
  /// Bytes as people read them, rounded down: `512 B`, `3.4 MB`.
  fileprivate var byteText: String {
    var (unit, scale) = ("B", 1)
    for next in ["kB", "MB", "GB"] where self / scale >= 1000 { (unit, scale) = (next, scale * 1000) }
    return scale == 1 ? "\(self) B" : "\(self / scale).\(self % scale * 10 / scale) \(unit)"
  }
}
