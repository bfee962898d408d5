import FXCodegen
import FXCore
import FXRuntime
import Foundation
import Testing

/// Graphs as shared libraries of the machine's compiler.
@Suite struct CompiledModelTests {
  private func graph() throws -> Graph {
    var graph = Graph(name: "model")
    let x = try graph.addInput("x", .tensor(.float32, [4, 8]))
    let w = try graph.addParameter("w", try Tensor([8, 8], (0..<64).map { Float($0 % 7) / 7 - 0.4 }))
    let product = try graph.call(.matmul, [.value(x), .parameter(w)])
    let sum = try graph.call(.add, [.value(product), .value(x)])
    let result = try graph.call(.tanh, [.value(sum)])
    let first = try graph.call(.softmax, [.value(result)])
    try graph.addOutput(first, name: "probabilities")
    return graph
  }

  @Test func backendAgreesWithTheReference() throws {
    let graph = try graph()
    let input = RuntimeValue.tensor(try Tensor([4, 8], (0..<32).map { Float($0) / 16 - 1 }))
    let expected = try ReferenceExecutor().run(graph, inputs: [input])
    let executable = try CompiledBackend().compile(graph)
    for _ in 0..<2 {
      let result = try executable.run([input])
      let (x, y) = (try result[0].tensor?.numbers().doubles ?? [], try expected[0].tensor?.numbers().doubles ?? [])
      #expect(x.count == 32 && zip(x, y).allSatisfy { abs($0 - $1) < 1e-6 })
    }
    let model = try #require(executable as? CompiledModel)
    #expect(model.inputs.map(\.name) == ["x"] && model.inputs.map(\.type) == [TensorType(.float32, [4, 8])])
    #expect(model.outputs.map(\.name) == ["probabilities"])
    #expect(throws: ExecutionError.self) { try model.run([]) }
    #expect(throws: ExecutionError.self) { try model.run([.tensor(Tensor(Float(1)))]) }
  }

  /// Names that the library's own code has are no names of models.
  @Test func namesOfLibraries() throws {
    let folder = NSTemporaryDirectory() + "fx-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in ["fx", "fx_model"] {
      let source = try CodeGenerator().generateCode(graph(), target: "cuda", CodegenOptions(name: name))
      #expect(source.contains("int model_\(name)_create("))
    }
    // Whose functions once had the name of a table.
    try NativeCompiler().compile(graph(), to: folder + "/model.so")
    #expect(try CompiledModel(path: folder + "/model.so").outputs.map(\.name) == ["probabilities"])
  }

  @Test func programsAreDeterministicAndReadable() throws {
    let graph = try graph()
    for target in ["std_cpp", "std_cpp_cblas", "cuda", "tensorrt"] {
      let generator = CodeGenerator()
      let (first, second) = (try generator.generate(graph, target: target), try generator.generate(graph, target: target))
      #expect(first.files.map(\.name) == second.files.map(\.name))
      #expect(zip(first.files, second.files).allSatisfy { $0.bytes == $1.bytes })
      #expect(first.source.contains("probabilities"))
    }
    // Addition and hyperbolic tangent are one loop.
    let source = try CodeGenerator().generateCode(graph, target: "std_cpp")
    #expect(source.contains("add_tanh_kernel"))
  }

  @Test func openSizesAreRefusedWithTheRemedy() throws {
    var graph = try graph()
    let remedies: [(Shape, String)] = [(["batch", 8], "as --size batch=8 does"), ([.unknown, 8], "as --shape x=… does")]
    for (shape, remedy) in remedies {
      try graph.setType(of: graph.inputs[0], to: .tensor(.float32, shape))
      let error = #expect(throws: CodegenError.self) { try CodeGenerator().generate(graph, target: "std_cpp") }
      #expect(error?.description.hasSuffix(remedy) == true)
    }
  }

  @Test func missingCompilersAndLibrariesAreErrors() throws {
    let path = NSTemporaryDirectory() + "fx-\(UUID().uuidString).so"
    for name in ["no-such-compiler", "/no/compiler"] {
      var compiler = NativeCompiler()
      compiler.compiler = name
      let error = #expect(throws: NativeCompilerError.self) { try compiler.compile(graph(), to: path) }
      #expect(error?.description == "there is no compiler '\(name)' on this machine")
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(throws: CompiledModelError.self) { try CompiledModel(path: path) }
    // A library that is no model.
    #expect(throws: CompiledModelError.self) { try CompiledModel(path: "libm.so.6") }
  }
}
