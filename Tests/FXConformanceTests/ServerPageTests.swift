import FXCore
import FXOnnx
import FXRuntime
import FXTrace
import Foundation
import Testing

/// `docs/OnAServer.md`.
@Suite struct ServerPageTests {
  @Test func concurrentRequests() async throws {
    try expectProgramsOfPage("docs/OnAServer.md", in: [#filePath])
    let folder = ReadmeTests.root.appendingPathComponent("Models/digits").path
    let path = "\(folder)/model.onnx"
    let images = try Npy.read("\(folder)/images.npy").elements(Float.self)
    let requests = try (0..<40).map { index in
      let count = index % 3 == 0 ? 4 : 1
      return try Tensor([count, 1, 8, 8], Array(images[index * 64..<(index + count) * 64]))
    }

    let graph = try OnnxImporter().graph(path: path)
    let backend = CPUBackend(.init(threads: 1, memoryLimit: 64 << 20, timeLimit: .seconds(2)))
    let model = try backend.compiled(graph)

    // A plan is made when sizes first appear: the first request should not wait for it.
    for batch in [1, 4] { _ = try model.run([.tensor(Tensor(zeros: .float32, [batch, 1, 8, 8]))]) }

    let answers = try await withThrowingTaskGroup(of: (Int, Tensor?).self) { group in
      for (index, request) in requests.enumerated() {
        group.addTask { (index, try model.run([.tensor(request)])[0].tensor) }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }

    #expect(answers.count == requests.count)
    let alone = try CPUBackend(.init(threads: 2)).compiled(graph)
    for (index, request) in requests.enumerated() {
      #expect(answers[index] == (try alone.run([.tensor(request)])[0].tensor), "request \(index)")
    }
    #expect(throws: ExecutionError.self) { try model.run([.tensor(Tensor(zeros: .float32, [4, 1, 9, 8]))]) }
    #expect(throws: ExecutionError.self) { try model.run([.tensor(Tensor(zeros: .float32, [40_000, 1, 8, 8]))]) }
  }
}
