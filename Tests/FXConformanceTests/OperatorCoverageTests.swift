import FXCore
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

  /// A name, alias or ONNX name that two operators claimed would resolve to either.
  @Test func namesAreUnique() throws {
    let schemas = try OperatorTable.standard.operators.map { try #require($0.schema) }
    let names = OperatorTable.standard.operators.map(\.description) + schemas.flatMap(\.aliases)
    #expect(Set(names).count == names.count, "\(names.filter { name in names.count { $0 == name } > 1 })")
  }
}
