internal import COnnx
import FXCore

/// Where an exporter says that a node comes from.
///
/// PyTorch writes the stack trace and the module path of every call into the node's metadata; we write `source` and
/// `namespace`. Old exporters put the stack trace into the doc string.
enum NodeLocation {
  static func location(_ node: NodeProto) -> Location? {
    guard node.n_metadata_props > 0 || node.doc_string != nil else { return nil }
    var source: (file: String, line: Int)?
    var path = ""
    for (key, value) in node.metadata.pairs {
      switch key {
      case "source": source = fileAndLine(value)
      case "pkg.torch.onnx.stack_trace": source = innermost(value)
      case "fx.module_path": path = value
      case "pkg.torch.onnx.name_scopes": path = innermostScope(value)
      default: break
      }
    }
    if source == nil, let trace = node.doc_string { source = innermost(text(trace)) }
    guard source != nil || !path.isEmpty else { return nil }
    return Location(file: source?.file ?? "", line: source?.line ?? 0, modulePath: path)
  }

  /// `Model.swift:12`
  private static func fileAndLine(_ text: String) -> (file: String, line: Int)? {
    guard let colon = text.lastIndex(of: ":"), let line = Int(text[text.index(after: colon)...]) else { return nil }
    return (String(text[..<colon]), line)
  }

  /// The last `File "x.py", line 12` of a Python stack trace.
  private static func innermost(_ trace: String) -> (file: String, line: Int)? {
    for line in trace.split(separator: "\n").reversed() {
      let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
      guard parts.count >= 3, parts[0].hasSuffix("File ") else { continue }
      let digits = parts[2].drop { !$0.isNumber }.prefix { $0.isNumber }
      if let number = Int(digits) { return (String(parts[1]), number) }
    }
    return nil
  }

  /// The last module path of a Python list such as `['', 'layers.0', 'layers.0.attention', 'linear']`; the last entry
  /// is the call itself.
  private static func innermostScope(_ list: String) -> String {
    let scopes = list.split(separator: "'", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    return scopes.dropLast().last ?? ""
  }
}

extension NodeLocation {
  /// A location as node metadata that `location(_:)` reads.
  static func entries(_ location: Location) -> [(key: String, value: String)] {
    var entries: [(key: String, value: String)] = []
    if !location.file.isEmpty { entries.append(("source", "\(location.file):\(location.line)")) }
    if !location.modulePath.isEmpty { entries.append(("fx.module_path", location.modulePath)) }
    return entries
  }
}
