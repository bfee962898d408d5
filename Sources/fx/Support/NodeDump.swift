import FXCore
import FXRuntime
import FXTrace

/// Runs a graph by the reference kernels and writes what every node gives: `0007_conv1.npy`, and `nodes.txt`, a line per
/// node with its file, operator, types, time and source. Nodes in loops are written each time they run.
struct NodeDump {
  let folder: String

  func run(_ graph: Graph, inputs: [RuntimeValue], timeLimit: Duration? = nil) throws -> [RuntimeValue] {
    try Folder.make(folder)
    var interpreter = Interpreter(executor: ReferenceExecutor(timeLimit: timeLimit))
    var lines: [String] = []
    interpreter.didRun = { run in
      let number = String(lines.count)
      let stem =
        String(repeating: "0", count: max(0, 5 - number.count)) + number + "_" + NodeDump.fileName(run.visit.qualifiedName)
      var files: [String] = []
      for (index, value) in run.results.enumerated() {
        guard let tensor = value.tensor, let bytes = try? Npy.encode(tensor) else { continue }
        let file = stem + (index == 0 ? "" : ".\(index)") + ".npy"
        try AtomicFile.write(bytes, to: "\(folder)/\(file)")
        files.append(file)
      }
      let types = run.results.map { "\($0.type)" }.joined(separator: ", ")
      let milliseconds = Double(run.duration.components.attoseconds) / 1e15 + Double(run.duration.components.seconds) * 1e3
      let location = run.visit.node.location.map { "  \($0)" } ?? ""
      lines.append(
        "\(run.visit.qualifiedName.nameText)  \(run.visit.node.op)  \(types)  \(milliseconds.fixed(3)) ms  "
          + "\(files.isEmpty ? "not written" : files.joined(separator: " "))\(location)")
      return nil
    }
    // A run that fails leaves the nodes before the failure: that is what a dump is for.
    defer { try? AtomicFile.write([UInt8](lines.map { $0 + "\n" }.joined().utf8), to: "\(folder)/nodes.txt") }
    return try interpreter.run(graph, inputs: inputs).outputs
  }

  /// The name with what file systems may refuse as `_`, at most 80 characters.
  private static func fileName(_ name: String) -> String {
    String(
      name.unicodeScalars.prefix(80).map {
        $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "._-[]".unicodeScalars.contains($0))
          ? Character($0) : "_"
      })
  }
}
