import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import FXTrace
import Foundation
import LoopBackend
import Testing

@Suite struct LoopBackendTests {
  static let digits = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../../Models/digits").standardized.path

  private func expectEqual(_ a: [RuntimeValue], _ b: [RuntimeValue], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(a.count == b.count, sourceLocation: sourceLocation)
    for (x, y) in zip(a, b) {
      guard case .differ(let mismatch) = OutputComparison(.reassociates).compare(x, y) else { continue }
      Issue.record("\(mismatch)", sourceLocation: sourceLocation)
    }
  }

  /// Loops where they can, the CPU elsewhere: the same probabilities as the CPU alone, for every image and any batch.
  @Test func mixedDigits() throws {
    var graph = try OnnxImporter().graph(path: "\(Self.digits)/model.onnx")
    try ShapeInference().run(&graph)
    let mixed = try PartitionedBackend([LoopBackend(), CPUBackend()]).compiled(graph)
    #expect(Set(mixed.split.parts.map(\.target)) == ["loops", "cpu"])
    let loops = mixed.split.parts.filter { $0.target == "loops" }.reduce(0) { $0 + $1.graph.bodyNodes.count }
    #expect(loops >= 8)
    let images = try Npy.read("\(Self.digits)/images.npy")
    let cpu = try CPUBackend().compiled(graph)
    expectEqual(try mixed.run([.tensor(images)]), try cpu.run([.tensor(images)]))
    let one = try Tensor(
      [1] + images.shape.dropFirst(),
      Array(images.converted(to: .float32).elements(Float.self).prefix(images.elementCount / images.shape[0])))
    if images.elementType == .float32 { expectEqual(try mixed.run([.tensor(one)]), try cpu.run([.tensor(one)])) }
  }

  /// Each operator alone, compared with the kernels that define it.
  @Test(arguments: [
    "%y = add(%x, %v)", "%y = sub(%v, %x)", "%y = mul(%x, 3.0)", "%y = div(%x, %v)", "%y = neg(%x)", "%y = relu(%x)",
    "%y = leaky_relu(%x) {alpha = 0.25}", "%y = exp(%x)", "%y = tanh(%x)", "%y = sigmoid(%x)", "%y = softmax(%x)",
    "%y = softmax(%x) {axis = 1}", "%y = gemm(%x, @w, %v) {transB = true, alpha = 0.5, beta = 2.0}", "%y = gemm(%x, @u)",
    "%y = linear(%x, @w, %v)", "%y = linear(%x, @w)", "%y = batch_normalization(%x, %v, @s, @s, @t)", "%y = identity(%x)",
  ]) func operators(_ call: String) throws {
    var graph = try Graph(
      text: """
        fx 1
        graph @main(%x: f32[n, 3], %v: f32[3]) {
          parameter @w: f32[3, 3] weight = [1.0, -1.0, 0.5, 2.0, 0.25, -0.75, 3.0, 1.5, -2.0]
          parameter @u: f32[3, 2] weight = [1.0, -1.0, 0.5, 2.0, 0.25, -0.75]
          parameter @s: f32[3] weight = [1.0, -1.0, 0.5]
          parameter @t: f32[3] weight = [1.0, 4.0, 0.5]
          \(call)
          return %y
        }
        """)
    try ShapeInference().run(&graph)
    let program = try LoopBackend().compile(graph)
    for rows in [0, 1, 7] {
      let x = try Tensor([rows, 3], (0..<rows * 3).map { Float($0 % 5) - 1.75 })
      let inputs: [RuntimeValue] = [.tensor(x), .tensor(Tensor(vector: [0.5, -2, 1.25] as [Float]))]
      expectEqual(try program.run(inputs), try ReferenceExecutor().run(graph, inputs: inputs))
    }
  }

  @Test func whatItDoesNotSupportItSays() throws {
    var graph = try Graph(
      text: """
        fx 1
        graph @main(%x: f64[2], %v: f32[2, 2]) {
          %a = relu(%x)
          %b = sin(%v)
          %c = softmax(%v) {axis = 0}
          return %a, %b, %c
        }
        """)
    try ShapeInference().run(&graph)
    #expect {
      try LoopBackend().compile(graph)
    } throws: { error in
      "\(error)" == "no kernel for relu (loops run on f32, 'x' is f64[2]), sin (loops have no sin), "
        + "softmax (loops take softmax along the last axis only)"
    }
  }
}
