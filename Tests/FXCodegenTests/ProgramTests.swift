import FXCodegen
import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import Foundation
import Testing

/// Generated programs run in their own stacks, and give what this framework's definitions, and ONNX's cases, say.
@Suite(.serialized) struct ProgramTests {
  /// A target with what it may leave out.
  struct Expectation: CustomTestStringConvertible, Sendable {
    let target: String
    /// Core operators of which the target runs no case, because it cannot.
    let without: Set<String>
    /// The fewest official cases that must run.
    let atLeast: Int
    var testDescription: String { target }
  }

  static let numpy = Expectation(target: "numpy", without: [], atLeast: 1_770)
  static let heavy = [
    Expectation(target: "pytorch", without: [], atLeast: 1_700),
    // A result whose size depends on elements has no type there.
    Expectation(target: "xla", without: ["nonzero"], atLeast: 1_600),
    Expectation(target: "libtorch", without: [], atLeast: 1_600),
  ]

  @Test(.enabled(if: CodegenCases.python != nil && CodegenCases.folder != nil, "`make test` says where Python and the cases are"))
  func officialCases() throws { try run(Self.numpy) }

  @Test(
    .enabled(if: CodegenCases.heavyPython != nil && CodegenCases.folder != nil, "`make codegen` runs these"), arguments: heavy)
  func officialCasesInHeavyStacks(_ expectation: Expectation) throws { try run(expectation) }

  private func run(_ expectation: Expectation) throws {
    let verifier = CodegenCases.verifier(try CodegenCases.target(expectation.target))
    defer { try? FileManager.default.removeItem(atPath: verifier.folder) }
    let cases = try CodegenCases.official(try #require(CodegenCases.folder)) + CodegenCases.own()
    #expect(cases.count > 1_800, "the official cases are not all there")
    let outcomes = try verifier.verify(cases)
    var executed = 0
    var covered: Set<Operator> = []
    for (item, outcome) in zip(cases, outcomes) {
      switch outcome {
      case .executed:
        executed += 1
        covered.formUnion(item.graph.operatorCounts.map(\.op))
      case .refused: break
      default: Issue.record("\(expectation.target) \(item.name): \(outcome)")
      }
    }
    #expect(executed >= expectation.atLeast)
    let core = OperatorTable.standard.operators.filter { $0.has(.core) }
    #expect(core.count > 80)
    #expect(Set(core.filter { !covered.contains($0) }.map(\.name)) == expectation.without)
  }

  @Test(.enabled(if: CodegenCases.python != nil, "`make test` says where Python is")) func shippedModel() throws {
    try checkModel("numpy")
  }

  @Test(.enabled(if: CodegenCases.heavyPython != nil, "`make codegen` runs these"), arguments: ["pytorch", "xla", "libtorch"])
  func shippedModelInHeavyStacks(_ target: String) throws { try checkModel(target) }

  private func checkModel(_ target: String) throws {
    var graph = try OnnxImporter().graph(path: "Models/digits/model.onnx")
    try ShapeInference().run(&graph)
    let inputs = try InputSampler().inputs(of: graph)
    let item = VerificationCase(
      "digits", graph, inputs: inputs, expected: try CPUBackend().compiled(graph).run(inputs), rtol: 1e-4, atol: 1e-5)
    let verifier = CodegenCases.verifier(try CodegenCases.target(target))
    defer { try? FileManager.default.removeItem(atPath: verifier.folder) }
    let outcome = try verifier.verify([item])[0]
    guard case .executed(let error, _) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(error < 1e-5)
  }

  /// A check that cannot fail is none: a wrong row is found, and the node that it wrote is named.
  @Test(.enabled(if: CodegenCases.python != nil, "`make test` says where Python is")) func findsWrongRows() throws {
    var rows = NumpyRows.standard
    rows[.relu] = { call in .expression("np.minimum(\(call[0]), 0)") }
    let verifier = CodegenCases.verifier(NumpyTarget(rows: rows))
    defer { try? FileManager.default.removeItem(atPath: verifier.folder) }
    let item = try CodegenCases.text(
      "wrong",
      """
      fx 1
      graph @wrong(%x: f32[8]) {
        %a: f32[8] = exp(%x)
        %b: f32[8] = relu(%a)
        %c: f32[8] = add(%b, 1.0)
        return %c
      }
      """)
    let outcome = try verifier.verify([item])[0]
    #expect(outcome.isFailure)
    #expect("\(outcome)".contains("first at 'b' (relu)"))
  }

  @Test func missingInterpreterIsSaid() throws {
    let verifier = ProgramVerifier(
      NumpyTarget(), folder: NSTemporaryDirectory() + "fx-none-\(UUID())", environment: RunnerEnvironment(python: "/no/python"))
    defer { try? FileManager.default.removeItem(atPath: verifier.folder) }
    let item = try CodegenCases.text("one", "fx 1\ngraph @one(%x: f32[2]) {\n  %y: f32[2] = relu(%x)\n  return %y\n}\n")
    #expect(try verifier.verify([item]) == [.skipped("'/no/python' does not start")])
  }

  private static let rectified = "fx 1\ngraph @one(%x: f32[n, 2]) {\n  %y: f32[n, 2] = relu(%x)\n  return %y\n}\n"

  private func outcome(_ target: any CodeTarget, _ environment: RunnerEnvironment) throws -> VerificationOutcome {
    let folder = NSTemporaryDirectory() + "fx-tools-\(UUID())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let item = try CodegenCases.text("one", Self.rectified)
    return try #require(try ProgramVerifier(target, folder: folder, environment: environment).verify([item]).first)
  }

  /// C++ is compiled, loaded and run with the sizes of its inputs: open ones, and loops that no case of ONNX's has.
  @Test func nativeProgramsRun() throws {
    #expect(try outcome(StdCppTarget(), RunnerEnvironment()) == .executed(largestError: 0, specialized: true))
    let verifier = CodegenCases.verifier(StdCppTarget())
    defer { try? FileManager.default.removeItem(atPath: verifier.folder) }
    let cases = try CodegenCases.own()
    for (item, outcome) in zip(cases, try verifier.verify(cases)) {
      guard case .executed = outcome else {
        Issue.record("\(item.name): \(outcome)")
        continue
      }
    }
  }

  /// Each tool that is not there is named; what can be judged without it is.
  @Test func missingToolsAreSaid() throws {
    let none = RunnerEnvironment(compiler: "/no/c++", nvcc: "/no/nvcc")
    #expect(try outcome(StdCppTarget(), none) == .skipped("'/no/c++' does not start"))
    #expect(try outcome(CudaTarget(), none) == .skipped("'/no/nvcc' does not start"))
    #expect(try outcome(TensorRTTarget(), none) == .skipped("'/no/c++' does not start"))
    #expect(try outcome(SwiftTarget(), none) == .skipped("nothing here runs swift"))
    // The stand-in's headers serve for those of a machine; it has no builder.
    let compiler = NSTemporaryDirectory() + "fx-compiler-\(UUID())"
    defer { try? FileManager.default.removeItem(atPath: compiler) }
    let shim = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Native/Shim").path
    for (options, expected) in [("-DFX_NO_MAIN", VerificationOutcome.parsed), ("-DFX_NO_MAIN -Dfx=int", .failed(""))] {
      let script = "#!/bin/sh\nexec g++ -isystem '\(shim)' \(options) \"$@\"\n"
      try script.write(toFile: compiler, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: compiler)
      let outcome = try outcome(TensorRTTarget(), RunnerEnvironment(compiler: compiler))
      #expect(expected.isFailure ? outcome.isFailure : outcome == expected, "\(outcome)")
    }
    if !FileManager.default.fileExists(atPath: "/usr/include/x86_64-linux-gnu/NvInfer.h"),
      !FileManager.default.fileExists(atPath: "/usr/include/NvInfer.h")
    {
      #expect(
        try outcome(TensorRTTarget(), RunnerEnvironment())
          == .skipped("NvInfer.h is not where the compiler looks for headers"))
    }
  }
}
