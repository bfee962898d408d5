import FXCore
import FXOnnx
import FXTrace
import Foundation
import Testing

/// ONNX's checker and ONNX Runtime, where `FX_PYTHON` names an interpreter that has them: what others make of our models.
enum OnnxRuntime {
  private static let python = ProcessInfo.processInfo.environment["FX_PYTHON"]

  /// Folders of models and inputs; `basic` in the place of the level leaves calls as the model has them.
  private static let script = """
    import numpy as np, onnx, onnxruntime, sys
    level = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level.ORT_ENABLE_BASIC if sys.argv[1] == "basic" else level.ORT_ENABLE_ALL
    for folder in sys.argv[2:]:
        onnx.checker.check_model(folder + "/model.onnx", full_check=True)
        session = onnxruntime.InferenceSession(folder + "/model.onnx", options, providers=["CPUExecutionProvider"])
        names = [input.name for input in session.get_inputs()]
        values = {name: np.load(f"{folder}/input_{index}.npy") for index, name in enumerate(names)}
        for index, output in enumerate(session.run(None, values)):
            np.save(f"{folder}/output_{index}.npy", np.asarray(output))
    """

  /// What ONNX Runtime computes from the exported graph, which the checker accepts; `nil` without an interpreter.
  static func run(_ graph: Graph, _ inputs: Tensor...) throws -> [Tensor]? { try run([(graph, inputs)])?[0] }

  /// What ONNX Runtime computes from each of several exported graphs, by one process.
  /// - Parameter fuses: whether ONNX Runtime applies optimizations that change what is computed, such as products in fewer
  ///   bits.
  static func run(_ cases: [(graph: Graph, inputs: [Tensor])], fuses: Bool = true) throws -> [[Tensor]]? {
    guard let python else { return nil }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-onnx-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let folders = cases.indices.map { "\(folder)/\($0)" }
    for (path, (graph, inputs)) in zip(folders, cases) {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try exportToOnnx(graph).saveToFile("\(path)/model.onnx")
      for (index, input) in inputs.enumerated() { try Npy.write(input, to: "\(path)/input_\(index).npy") }
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", script, fuses ? "all" : "basic"] + folders
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return try zip(folders, cases).map { path, entry in
      try entry.graph.outputs.indices.map { try Npy.read("\(path)/output_\($0).npy") }
    }
  }
}
