import FXCodegen
import FXCore
import FXRuntime
import Foundation
import Testing

extension TutorialTests {
  @Suite struct CodeGeneration {
    func generatePythonCode() throws -> [String] {
      let graph = try createSimpleGraph()

      // Generate PyTorch code
      let pytorchCode = try graph.toPython()
      print("PyTorch code:\n\(pytorchCode)")

      // Generate NumPy code
      let generator = CodeGenerator()
      let numpyCode = try generator.generateCode(graph, target: "numpy")
      print("NumPy code:\n\(numpyCode)")

      return [pytorchCode, numpyCode]
    }

    @Test func python() throws {
      let sources = try generatePythonCode()
      #expect(sources[0].contains("nn.Module") && sources[1].contains("import numpy as np"))
      // Both say what the graph says; NumPy is here to run one.
      let model = try TutorialTests.model()
      let x = try TutorialTests.rows()
      let folder = NSTemporaryDirectory() + "tutorial-\(UUID().uuidString)"
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let item = VerificationCase(
        "model", model, inputs: [.tensor(x)], expected: try ReferenceExecutor().run(model, inputs: [.tensor(x)]), rtol: 1e-5,
        atol: 1e-6)
      let python = try #require(ProcessInfo.processInfo.environment["FX_PYTHON"], "FX_PYTHON names no interpreter")
      let verifier = ProgramVerifier(NumpyTarget(), folder: folder, environment: RunnerEnvironment(python: python))
      guard case .executed = try verifier.verify([item])[0] else {
        Issue.record("\(try verifier.verify([item])[0])")
        return
      }
    }

    func generateCppCode() throws -> [String] {
      var graph = try createSimpleGraph()

      // Generate LibTorch C++ code
      let libtorchCode = try graph.toCpp()
      print("LibTorch code:\n\(libtorchCode)")

      // Generate standard C++ code, for two rows of three numbers
      try graph.setType(of: graph.inputs[0], to: .tensor(.float32, [2, 3]))
      try graph.initializeParameters(seed: 42)
      let generator = CodeGenerator()
      let stdCppCode = try generator.generateCode(graph, target: "std_cpp")
      print("Standard C++ code:\n\(stdCppCode)")

      return [libtorchCode, stdCppCode]
    }

    func compile(_ model: Graph, to path: String) throws -> CompiledModel {
      try NativeCompiler().compile(model, to: path)
      return try CompiledModel(path: path)
    }

    @Test func cpp() throws {
      let sources = try generateCppCode()
      #expect(sources[0].contains("#include <ATen/ATen.h>") && sources[1].contains("#include \""))
      var model = try TutorialTests.model()
      try model.setType(of: model.inputs[0], to: .tensor(.float32, [2, 3]))
      let path = NSTemporaryDirectory() + "tutorial-\(UUID().uuidString).so"
      defer { try? FileManager.default.removeItem(atPath: path) }
      let x = try TutorialTests.rows()
      let results = try compile(model, to: path).run([.tensor(x)])
      #expect(try areNear(results[0].tensor?.elements() ?? [], TutorialTests.expected(model, x)))
    }

    func generateHardwareSpecificCode() throws -> [String] {
      var graph = try createSimpleGraph()
      try graph.setType(of: graph.inputs[0], to: .tensor(.float32, [2, 3]))
      try graph.initializeParameters(seed: 42)
      let generator = CodeGenerator()

      // Generate CUDA kernels
      let cudaCode = try generator.generateCode(graph, target: "cuda")
      print("CUDA code:\n\(cudaCode)")

      // Generate TensorRT code
      let tensorrtCode = try generator.generateCode(graph, target: "tensorrt")
      print("TensorRT code:\n\(tensorrtCode)")

      // Generate XLA HLO
      let xlaCode = try generator.generateCode(graph, target: "xla")
      print("XLA HLO code:\n\(xlaCode)")

      return [cudaCode, tensorrtCode, xlaCode]
    }

    @Test func hardware() throws {
      let sources = try generateHardwareSpecificCode()
      #expect(sources[0].contains("__global__ void"))
      #expect(sources[1].contains("nvinfer1::"))
      #expect(sources[2].contains("stablehlo.dot_general"))
    }

    func unknownTarget() throws {
      do {
        _ = try CodeGenerator().generateCode(createSimpleGraph(), target: "fortran")
      } catch {
        // there is no target 'fortran'; available: cuda, libtorch, numpy, pytorch, std_cpp, std_cpp_cblas, swift, tensorrt, xla
        print(error)
        throw error
      }
    }

    @Test func unknown() throws {
      let error = #expect(throws: CodegenError.self) { try unknownTarget() }
      #expect(
        error?.description
          == "there is no target 'fortran'; available: cuda, libtorch, numpy, pytorch, std_cpp, std_cpp_cblas, swift, tensorrt, xla"
      )
    }
  }
}
