import FXCore
import FXOnnx
import FXTrace
import Foundation
import Testing

/// ONNX's checker and ONNX Runtime, where `FX_PYTHON` names an interpreter that has them: what others make of our models.
enum OnnxRuntime {
  private static let python = ProcessInfo.processInfo.environment["FX_PYTHON"]

  private static let script = """
    import numpy as np, onnx, onnxruntime, sys
    folder, count = sys.argv[1], int(sys.argv[2])
    onnx.checker.check_model(folder + "/model.onnx", full_check=True)
    session = onnxruntime.InferenceSession(folder + "/model.onnx", providers=["CPUExecutionProvider"])
    names = [input.name for input in session.get_inputs()]
    assert len(names) == count, names
    values = {name: np.load(f"{folder}/input_{index}.npy") for index, name in enumerate(names)}
    for index, output in enumerate(session.run(None, values)):
        np.save(f"{folder}/output_{index}.npy", np.asarray(output))
    """

  /// What ONNX Runtime computes from the exported graph, which the checker accepts; `nil` without an interpreter.
  static func run(_ graph: Graph, _ inputs: Tensor...) throws -> [Tensor]? {
    guard let python else { return nil }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-onnx-\(UUID())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try exportToOnnx(graph).saveToFile("\(folder)/model.onnx")
    for (index, input) in inputs.enumerated() { try Npy.write(input, to: "\(folder)/input_\(index).npy") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", script, folder, "\(inputs.count)"]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return try graph.outputs.indices.map { try Npy.read("\(folder)/output_\($0).npy") }
  }
}
