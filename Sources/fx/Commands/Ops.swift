import ArgumentParser
import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes

struct Ops: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The operators and what each layer knows of them.",
    discussion: """
      Exit status 1 if --filter leaves none.

      Example:
        fx ops --filter conv
      """)

  @Option(help: "Only operators whose name contains this.") var filter: String?
  @Flag(help: "Print a table in Markdown.") var markdown = false

  /// One operator's row.
  private struct Row {
    let op: Operator
    let layers: [Bool]

    init(_ op: Operator) {
      self.op = op
      layers = [
        ShapeRules.standard[op] != nil, ReferenceKernels.standard[op] != nil, KernelTable.standard[op] != nil,
        OnnxOperators.standard.row(for: op) != nil, Decompositions.standard[op] != nil,
      ]
    }

    var family: String { op.schema?.family.rawValue ?? "" }
    var set: String { op.has(.core) ? "core" : op.has(.composite) ? "composite" : "" }
  }

  private static let layers = ["shape", "reference", "fast", "ONNX", "decomposition"]

  func run() throws {
    let rows = OperatorTable.standard.operators.filter { op in
      !op.has(.terminator) && filter.map { op.name.contains($0) } ?? true
    }.map(Row.init)
    if let filter, rows.isEmpty { throw CheckFailed(message: "no operator's name contains '\(filter)'") }
    let counts = Self.layers.indices.map { layer in rows.count { $0.layers[layer] } }
    let summary =
      "\(rows.count) operators: \(counts[0]) shape rules, \(counts[1]) reference kernels, \(counts[2]) fast kernels, "
      + "\(counts[3]) ONNX rows, \(counts[4]) decompositions"
    if markdown {
      printTable(rows, summary)
    } else {
      Terminal.line(
        "operator".left(32) + "family".left(16) + Self.layers.map { $0.left($0.count + 2) }.joined() + "set")
      for row in rows {
        let marks = zip(row.layers, Self.layers).map { ($0 ? "yes" : "–").left($1.count + 2) }.joined()
        Terminal.line(row.op.description.left(32) + row.family.left(16) + marks + row.set)
      }
      Terminal.line(summary)
    }
  }

  private func printTable(_ rows: [Row], _ summary: String) {
    Terminal.line(
      """
      # Operators

      What each layer knows of every operator: `fx ops --markdown`, written by `make tables`. \(summary).

      *Reference* is the slow kernel that defines the operator, *fast* one of those that plans choose from (operators without
      run by the reference kernel), *decomposition* its expression by other operators. The core set is what code generators and
      differentiation know; composite operators are expressed by it.

      | operator | family | ONNX | PyTorch | \(Self.layers.joined(separator: " | ")) | set |
      |---|---|---|---|\(Self.layers.map { _ in ":-:" }.joined(separator: "|"))|---|
      """)
    for row in rows {
      let marks = row.layers.map { $0 ? "✓" : "" }.joined(separator: " | ")
      let (onnx, torch) = (row.op.schema?.onnxName ?? "", row.op.schema?.torchName ?? "")
      Terminal.line("| `\(row.op)` | \(row.family) | \(onnx) | \(torch) | \(marks) | \(row.set) |")
    }
  }
}
