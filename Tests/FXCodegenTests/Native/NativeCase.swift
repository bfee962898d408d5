import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import Foundation

/// A model with inputs and expected outputs, in the layout of ONNX's backend tests.
struct NativeCase {
  let name: String
  let graph: Graph
  let inputs: [Tensor]
  let expected: [Tensor]
  let rtol: Double
  let atol: Double

  private struct Tolerances: Decodable {
    let rtol: Double?
    let atol: Double?
  }

  enum Unsuitable: Error { case notTensors }

  /// - Throws: `Unsuitable.notTensors` for sequences, optionals and maps; what reading throws.
  init(folder: String) throws {
    name = (folder as NSString).lastPathComponent
    var graph = try OnnxImporter().graph(path: folder + "/model.onnx")
    let data = folder + "/test_data_set_0"
    func tensor(_ file: String, _ type: ValueType) throws -> Tensor {
      guard let tensor = try OnnxValues.read(path: data + "/" + file, as: type).tensor else { throw Unsuitable.notTensors }
      return tensor
    }
    inputs = try graph.inputs.enumerated().map { try tensor("input_\($0).pb", graph.type(of: $1)) }
    expected = try graph.outputs.enumerated().map { try tensor("output_\($0).pb", graph.type(of: $1)) }
    // Sizes are fixed to those of the data.
    for (input, tensor) in zip(graph.inputs, inputs) { try graph.setType(of: input, to: .tensor(tensor.type)) }
    self.graph = graph
    let own = FileManager.default.contents(atPath: folder + "/data.json").flatMap {
      try? JSONDecoder().decode(Tolerances.self, from: $0)
    }
    // Differences of sums leave more than ONNX's 1e-7 in `float`; ONNX Runtime compares with 1e-5.
    (rtol, atol) = (own?.rtol ?? 1e-3, max(own?.atol ?? 1e-7, 1e-6))
  }

  private init(_ other: NativeCase, _ graph: Graph, _ inputs: [Tensor]) {
    (name, expected, rtol, atol) = (other.name, other.expected, other.rtol, other.atol)
    (self.graph, self.inputs) = (graph, inputs)
  }

  /// The case with inputs that say sizes, axes or scales made constants: what native code must know.
  func withConstantSizes() throws -> NativeCase {
    var graph = graph
    var kept: [Tensor] = []
    var constants: Set<Int> = []
    for (index, (input, tensor)) in zip(graph.inputs, inputs).enumerated() {
      let feedsResize = try graph.uses(of: input).contains {
        try !graph.isTerminator($0.node) && graph[$0.node].op == .resize && $0.operand > 0
      }
      let isSize = tensor.shape.count == 1 && (tensor.elementType == .int64 || tensor.elementType == .int32)
      guard tensor.shape.isEmpty || isSize || feedsResize else {
        kept.append(tensor)
        continue
      }
      let constant = graph.addConstant(tensor, name: graph.name(of: input))
      try graph.replaceAllUses(of: input, with: .parameter(constant))
      constants.insert(index)
    }
    try graph.removeArguments(of: graph.body, at: constants)
    // What floats say of sizes, such as the turns of a loop that counts from one number to another, is known only when computed.
    try ConstantFoldingPass(executor: ReferenceExecutor()).apply(to: &graph)
    return NativeCase(self, graph, kept)
  }

  /// What is wrong with results, as ONNX's runner compares; `nil` if nothing.
  func difference(_ results: [Tensor]) -> String? {
    for (result, expected) in zip(results, expected) {
      guard result.elementType == expected.elementType, result.shape == expected.shape else {
        return "\(result.type), expected \(expected.type)"
      }
      guard let x = try? result.numbers().doubles, let y = try? expected.numbers().doubles else { return "no numbers" }
      // Two units in the last place of the types whose units are no smaller than the tolerance.
      let rtol = max(rtol, result.elementType == .bfloat16 ? 0x1p-6 : result.elementType == .float16 ? 0x1p-9 : 0)
      for (a, b) in zip(x, y) where a != b && !(a.isNaN && b.isNaN) {
        if !((a - b).magnitude <= atol + rtol * b.magnitude) { return "\(a), expected \(b)" }
      }
    }
    return nil
  }

  /// The folders of cases below a folder, by name.
  static func folders(in root: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root).sorted()
      .filter { FileManager.default.fileExists(atPath: "\(root)/\($0)/model.onnx") }.map { "\(root)/\($0)" }
  }
}
