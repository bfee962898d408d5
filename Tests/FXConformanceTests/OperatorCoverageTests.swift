import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import Foundation
import Testing

/// Every operator has its row in the layers that define it.
@Suite struct OperatorCoverageTests {
  /// Operators that are not run or typed by tables, with the reason.
  static let exceptions: [String: String] = [
    "output": "ends a region and is never called"
  ]

  @Test func everyOperatorHasAShapeRule() {
    let missing = OperatorTable.standard.operators.filter { ShapeRules.standard[$0] == nil }.map(\.description)
    #expect(Set(missing) == Set(Self.exceptions.keys), "missing or no longer missing: \(missing)")
  }

  @Test func everyOperatorHasAReferenceKernel() {
    let missing = OperatorTable.standard.operators.filter { ReferenceKernels.standard[$0] == nil }.map(\.description)
    // Executors expand gradients before they run, and one executor is one rank.
    let elsewhere = ["gradient"] + OperatorTable.standard.operators.filter { $0.schema?.family == .collective }.map(\.name)
    #expect(Set(missing) == Set(Self.exceptions.keys).union(elsewhere), "missing or no longer missing: \(missing)")
  }

  // MARK: Core and composite

  /// Families whose operators are neither core nor composite unless they say so, and why.
  static let opaqueFamilies: [OperatorFamily: String] = [
    .sequence: "on sequences and optionals, which formulas on tensors do not make",
    .text: "on strings",
    .random: "draw numbers",
    .image: "read between elements at places that are operands, or decode files",
    .trees: "walk trees and tables that are attributes",
    .training: "optimizer steps: whole formulas of their own, which nothing differentiates",
    .collective: "talk to other ranks",
  ]

  /// Operators of other families that are neither, and why.
  static let opaque: [String: String] = [
    "output": "ends a region and is never called",
    "deform_conv": "reads between elements at places that are operands",
    "max_roi_pool": "its windows are operands",
    "det": "a factorization, whose steps depend on the elements",
    "unique": "a result whose size depends on the elements, by sorting",
  ]

  @Test func everyCompositeHasADecomposition() {
    let composites = OperatorTable.standard.operators.filter { $0.has(.composite) }
    let missing = composites.filter { Decompositions.standard[$0] == nil }
    #expect(missing.isEmpty, "without decomposition: \(missing)")
    let others = Decompositions.standard.operators.filter { !$0.has(.composite) }
    #expect(others.isEmpty, "decomposed, but not composite: \(others)")
  }

  @Test func everyOperatorIsCoreOrComposite() {
    for op in OperatorTable.standard.operators {
      let isOpaque = Self.opaque[op.name] != nil || op.schema.map { Self.opaqueFamilies[$0.family] != nil } ?? false
      #expect(!(op.has(.core) && op.has(.composite)), "\(op) is both")
      #expect(op.has(.core) || op.has(.composite) || isOpaque, "\(op) is neither")
      #expect(Self.opaque[op.name] == nil || !(op.has(.core) || op.has(.composite)), "\(op) is no longer neither")
    }
    #expect(OperatorTable.standard.operators.count { $0.has(.core) } < 100, "the core set is meant to be small")
  }

  // MARK: Names

  /// A name, alias or ONNX name that two operators claimed would resolve to either.
  @Test func namesAreUnique() throws {
    let schemas = try OperatorTable.standard.operators.map { try #require($0.schema) }
    let names = OperatorTable.standard.operators.map(\.description) + schemas.flatMap(\.aliases)
    #expect(Set(names).count == names.count, "\(names.filter { name in names.count { $0 == name } > 1 })")
  }

  // MARK: ONNX

  /// ONNX's operators that lack a layer here, with the reason.
  static let incomplete: [String: String] = [
    "ai.onnx Constant": "a parameter beside the nodes, not an operator",
    "ai.onnx.preview.training Gradient": "executors expand gradients before they run",
  ]

  /// The output of `scripts/onnx-schemas.py`.
  static let schemas = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Cases/onnx-schemas.txt")

  /// Every operator of ONNX's own domains, in every version, has all layers.
  @Test func everyOperatorOfOnnxIsThere() throws {
    var lacking: [String: [String]] = [:]
    let lines = try String(contentsOf: Self.schemas, encoding: .utf8).split(separator: "\n")
    #expect(lines.count > 220)
    for line in lines {
      let words = line.split(separator: " ").map(String.init)
      let domain = words[0] == "ai.onnx" ? "" : words[0]
      let newest = try #require(words.dropFirst(2).compactMap { Int($0) }.map(abs).max())
      let row = OnnxOperators.standard.row(words[1], domain: domain)
      var layers: [String] = []
      if row == nil { layers.append("import") }
      if row?.op.schema == nil { layers.append("schema") }
      if row.flatMap({ ShapeRules.standard[$0.op] }) == nil { layers.append("shape rule") }
      if row.flatMap({ ReferenceKernels.standard[$0.op] }) == nil { layers.append("kernel") }
      if row.flatMap({ OnnxOperators.standard.row(for: $0.op) }) == nil { layers.append("export") }
      if OnnxOperators.standard.newest[domain] ?? 0 < newest { layers.append("version \(newest)") }
      if !layers.isEmpty { lacking["\(words[0]) \(words[1])"] = layers }
    }
    #expect(Set(lacking.keys) == Set(Self.incomplete.keys), "missing, or no longer missing: \(lacking)")
  }

  /// The list is that of the installed package.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["FX_PYTHON"] != nil, "FX_PYTHON names no interpreter"))
  func listOfOnnxOperatorsIsCurrent() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(ProcessInfo.processInfo.environment["FX_PYTHON"]))
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    process.arguments = [root.appendingPathComponent("scripts/onnx-schemas.py").path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = try #require(try pipe.fileHandleForReading.readToEnd())
    process.waitUntilExit()
    #expect(String(decoding: output, as: UTF8.self) == (try String(contentsOf: Self.schemas, encoding: .utf8)))
  }
}
