import FXCore
import FXOnnx
import FXRuntime
import FXShapes
import FXTrace
import LoopBackend

/// Runs the digits model on loops and, where those have no kernel, on the CPU backend.
@main
enum MixedDigits {
  static func main() throws {
    let folder = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "Models/digits"
    var graph = try OnnxImporter().graph(path: "\(folder)/model.onnx")
    // Types decide what a backend supports.
    try ShapeInference().run(&graph)
    let images = try Npy.read("\(folder)/images.npy")
    let mixed = try PartitionedBackend([LoopBackend(), CPUBackend()]).compiled(graph)
    for part in mixed.split.parts {
      let names = try part.graph.bodyNodes.map { try part.graph[$0].op.description }
      print("\(part.target): \(names.joined(separator: " "))")
    }
    let clock = ContinuousClock()
    let (whole, result) = (try CPUBackend().compiled(graph), try mixed.run([.tensor(images)]))
    let expected = try whole.run([.tensor(images)])
    let (a, b) = (try elements(result[0]), try elements(expected[0]))
    let deviation = zip(a, b).map { abs($0 - $1) }.max() ?? 0
    print("largest deviation from the CPU backend: \(deviation)")
    let mixedTime = try clock.measure { _ = try mixed.run([.tensor(images)]) }
    let wholeTime = try clock.measure { _ = try whole.run([.tensor(images)]) }
    print("mixed \(mixedTime), cpu \(wholeTime)")
    guard deviation < 1e-5 else { throw ExecutionError.unsupported(["the results differ"]) }
  }

  private static func elements(_ value: RuntimeValue) throws -> [Float] {
    guard let tensor = value.tensor else { throw ExecutionError.notATensor(value.type) }
    return try tensor.elements()
  }
}
