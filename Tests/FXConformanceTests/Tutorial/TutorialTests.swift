import FXCodegen  // GraphDebugger
import FXCore  // Graph, Node, Edge, Tensor, CustomBackend
import FXOnnx  // OnnxExporter, OnnxImporter
import FXPasses  // PassManager, OperationFusionPass, DeadCodeEliminationPass
import FXQuant  // QuantizationParams, QuantizationAnnotation, CalibrationData, QATUtils
import FXRuntime  // CPUBackend, ReferenceExecutor
import FXShapes  // DynamicDim, DynamicShape, ShapeConstraint
import FXTrace  // ModuleTracer, Module, SymbolicTensor
import Foundation
import Testing

/// `docs/Tutorial.md`: the files beside this one hold its programs and run them, a file for each section.
@Suite struct TutorialTests {
  @Test func everyBlockStandsInTheseFiles() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).map(\.path)
    try expectProgramsOfPage("docs/Tutorial.md", in: files)
  }

  @Test func everySectionHasAProgram() throws {
    let page = try String(contentsOf: ReadmeTests.root.appendingPathComponent("docs/Tutorial.md"), encoding: .utf8)
    let titles = page.split(separator: "\n").filter { $0.hasPrefix("## ") }.map { $0.dropFirst(3) }
    for title in titles {
      let link = title.lowercased().replacingOccurrences(of: " ", with: "-")
      #expect(page.contains(". [\(title)](#\(link))\n"), "\(title) is not in the table of contents")
    }
    for section in page.components(separatedBy: "\n### ").dropFirst() { #expect(section.contains("```swift\n"), "\(section)") }
  }

  /// The names that the page's imports promise.
  @Test func names() {
    let types: [Any.Type] = [
      Graph.self, ModuleTracer.self, Node.self, Edge.self, PassManager.self, OperationFusionPass.self,
      DeadCodeEliminationPass.self, OnnxExporter.self, OnnxImporter.self, GraphDebugger.self, Tensor.self, CPUBackend.self,
      ReferenceExecutor.self, DynamicDim.self, DynamicShape.self, ShapeConstraint.self, SymbolicTensor.self,
      QuantizationParams.self, QuantizationAnnotation.self, CalibrationData.self, QATUtils.self,
      (any CustomBackend).self, (any Module).self,
    ]
    #expect(Set(types.map { String(reflecting: $0) }).count == types.count)
  }

  /// The tutorial's first graph, with weights for rows of three numbers.
  static func model() throws -> Graph {
    var model = try createSimpleGraph()
    try model.setType(of: model.inputs[0], to: .tensor(.float32, ["batch", 3]))
    try model.initializeParameters(seed: 42)
    return model
  }

  static func rows() throws -> Tensor { try Tensor([2, 3], [1, -2, 3, -4, 5, -6] as [Float]) }

  /// relu(x Wᵀ + b) by hand.
  static func expected(_ model: Graph, _ x: Tensor) throws -> [Float] {
    func parameter(_ name: String) throws -> [Float] {
      let id = try #require(model.parameter(named: name))
      return try #require(try model[id].tensor).elements()
    }
    let (weight, bias, x) = (try parameter("node_0.weight"), try parameter("node_0.bias"), try x.elements(Float.self))
    let width = x.count / 2
    return (0..<2 * bias.count).map { index in
      let (row, column) = (index / bias.count, index % bias.count)
      return max(0, (0..<width).reduce(bias[column]) { $0 + x[row * width + $1] * weight[column * width + $1] })
    }
  }
}

/// Whether two lists of numbers are equal to rounding.
func areNear(_ a: [Float], _ b: [Float], _ tolerance: Float = 1e-6) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}
