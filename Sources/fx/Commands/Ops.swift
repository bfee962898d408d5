import ArgumentParser
import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes

struct Ops: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "The operators and what each layer knows of them.")

  @Option(help: "Only operators whose name contains this.") var filter: String?

  func run() throws {
    Terminal.line("operator".left(32) + "family".left(16) + "shape reference kernel onnx  core")
    var counts = [0, 0, 0, 0]
    let operators = OperatorTable.standard.operators.filter { op in
      !op.has(.terminator) && filter.map { op.name.contains($0) } ?? true
    }
    for op in operators {
      let layers = [
        ShapeRules.standard[op] != nil, ReferenceKernels.standard[op] != nil, KernelTable.standard[op] != nil,
        OnnxOperators.standard.row(for: op) != nil,
      ]
      for (index, isThere) in layers.enumerated() where isThere { counts[index] += 1 }
      let marks = zip(layers, [6, 10, 7, 6]).map { ($0 ? "yes" : "–").left($1) }.joined()
      Terminal.line(op.description.left(32) + (op.schema?.family.rawValue ?? "").left(16) + marks + (op.has(.core) ? "core" : ""))
    }
    Terminal.line(
      "\(operators.count) operators: \(counts[0]) shape rules, \(counts[1]) reference kernels, \(counts[2]) fast kernels, "
        + "\(counts[3]) ONNX rows")
  }
}
