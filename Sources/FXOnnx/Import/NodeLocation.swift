internal import COnnx
import FXCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where an exporter says that a node comes from.
///
/// PyTorch writes the stack trace and the module path of every call into the node's metadata; we write `source` and
/// `namespace`. Old exporters put the stack trace into the doc string.
enum NodeLocation {
  static func location(_ node: NodeProto) -> Location? {
    guard node.n_metadata_props > 0 || node.doc_string != nil else { return nil }
    var source: (file: String, line: Int)?
    var path = ""
    // Traces are long and there is one for every node: only what is wanted becomes a string.
    for entry in node.metadata {
      guard let key = entry.pointee.key, let value = entry.pointee.value else { continue }
      if 0 == strcmp(key, "source") {
        source = fileAndLine(text(value))
      } else if 0 == strcmp(key, "pkg.torch.onnx.stack_trace") {
        source = innermost(value)
      } else if 0 == strcmp(key, "fx.module_path") {
        path = text(value)
      } else if 0 == strcmp(key, "pkg.torch.onnx.name_scopes") {
        path = innermostScope(text(value))
      }
    }
    if source == nil, let trace = node.doc_string { source = innermost(trace) }
    guard source != nil || !path.isEmpty else { return nil }
    return Location(file: source?.file ?? "", line: source?.line ?? 0, modulePath: path)
  }

  /// Whether metadata under the key says where a node comes from and nothing else.
  static func isDebugging(_ key: UnsafePointer<CChar>) -> Bool {
    strncmp(key, "pkg.torch.", 10) == 0 || ["source", "namespace", "fx.module_path"].contains(String(cString: key))
  }

  /// `Model.swift:12`
  private static func fileAndLine(_ text: String) -> (file: String, line: Int)? {
    guard let colon = text.lastIndex(of: ":"), let line = Int(text[text.index(after: colon)...]) else { return nil }
    return (String(text[..<colon]), line)
  }

  /// The last `File "x.py", line 12` of a Python stack trace.
  private static func innermost(_ trace: UnsafePointer<CChar>) -> (file: String, line: Int)? {
    let mark = "File \""
    var found: UnsafeMutablePointer<CChar>?
    var next = strstr(trace, mark)
    while let place = next {
      found = place
      next = strstr(place + 1, mark)
    }
    guard let name = found.map({ $0 + mark.utf8.count }), let end = strchr(name, Int32(UInt8(ascii: "\""))) else { return nil }
    let file = UnsafeRawBufferPointer(start: name, count: end - name)
    guard let digits = strpbrk(end, "0123456789"), let line = Int(exactly: strtol(digits, nil, 10)) else { return nil }
    return (String(decoding: file, as: UTF8.self), line)
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
