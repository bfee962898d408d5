import FXCore
import FXPasses
import FXRuntime
import FXShapes
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
    // Executors expand gradients before they run.
    #expect(Set(missing) == Set(Self.exceptions.keys).union(["gradient"]), "missing or no longer missing: \(missing)")
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
    "flex_attention": "its formula stands in its regions",
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
}
