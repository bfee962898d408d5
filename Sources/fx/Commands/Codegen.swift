import ArgumentParser
import FXCodegen
import FXCore
import FXPasses
import FXRuntime
import Foundation

struct Codegen: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a model as a program of another stack.",
    discussion: """
      Targets: \(CodeGenerator().availableTargets.joined(separator: ", ")); all for each of them.
      With --verify programs are run where their stacks are, and compared with what this framework computes, or with the \
      outputs in test_data_set_0 beside the model. MODEL may then be a folder with such models below it.

      Examples:
        fx codegen model.onnx --target pytorch -o program
        fx codegen model.onnx --target all --verify
      """)

  @Argument(help: "The model, or with --verify a folder of models with inputs and outputs beside them.") var model: String
  @Option(help: "The target, or all.") var target: String
  @Option(name: .shortAndLong, help: "Folder for the program's files.") var output: String?
  @OptionGroup var shapes: ShapeOptions
  @Option(help: "What the program is called; by default as the graph.") var name: String?
  @Flag(help: "Run the program and compare.") var verify = false
  @Option(help: "With --verify: folder with input_I.npy, input_I.pb or NAME.npy.") var inputs: String?
  @Option(help: "With --verify: only models whose path matches this regular expression.") var filter: String?
  @Option(help: "A Python interpreter with the target's packages.")
  var python = ProcessInfo.processInfo.environment["FX_CODEGEN_PYTHON"] ?? "python3"
  @Option(help: "NVIDIA's compiler.") var nvcc = ProcessInfo.processInfo.environment["FX_NVCC"] ?? "nvcc"
  @Option(help: "Relative tolerance where a model says none.") var rtol = 1e-3
  @Option(help: "Absolute tolerance where a model says none.") var atol = 1e-5
  @Flag(help: "Print failures and refusals only, and how many there are of each.") var brief = false

  func validate() throws {
    if !verify, output == nil { throw ValidationError("-o DIR says where the program goes") }
  }

  func run() throws {
    let generator = CodeGenerator()
    let targets =
      target == "all" ? try generator.availableTargets.map(generator.target) : [try generator.target(named: target)]
    if verify { return try check(targets) }
    guard let output else { return }
    var graph = try ModelFile.read(model)
    try shapes.apply(to: &graph)
    for target in targets {
      let folder = targets.count == 1 ? output : "\(output)/\(target.name)"
      let options = CodegenOptions(name: name ?? defaultName(of: graph))
      let program = try named { try generator.generate(graph, target: target.name, options) }
      try program.write(to: folder)
      for file in program.files { Terminal.line("\(folder)/\(file.name)  \(file.bytes.count.byteText)") }
    }
  }

  /// Graphs that exporters call by a word that says nothing are called as their file.
  private func defaultName(of graph: Graph) -> String? {
    let dull = ["", "main", "main_graph", "torch_jit", "graph", "model"]
    guard dull.contains(graph.name) else { return nil }
    let file = ((model as NSString).lastPathComponent as NSString).deletingPathExtension
    return file == "model" ? (((model as NSString).deletingLastPathComponent) as NSString).lastPathComponent : file
  }

  /// Errors name the file.
  private func named<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch { throw ModelFileError(path: model, problem: .content(error)) }
  }

  private func check(_ targets: [any CodeTarget]) throws {
    var isDirectory: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: model, isDirectory: &isDirectory)
    let cases = isDirectory.boolValue ? try folderCases() : [try singleCase()]
    let root = output ?? NSTemporaryDirectory() + "fx-codegen-\(ProcessInfo.processInfo.processIdentifier)"
    defer { if output == nil { try? FileManager.default.removeItem(atPath: root) } }
    var failures = 0
    for target in targets {
      let verifier = ProgramVerifier(
        target, folder: "\(root)/\(target.name)", environment: RunnerEnvironment(python: python, nvcc: nvcc),
        executor: ReferenceExecutor())
      let outcomes = try verifier.verify(cases)
      report(target, cases, outcomes)
      failures += outcomes.count(where: \.isFailure)
    }
    if failures > 0 { throw ExitCode(1) }
  }

  private func report(_ target: any CodeTarget, _ cases: [VerificationCase], _ outcomes: [VerificationOutcome]) {
    let width = cases.map(\.name.count).max() ?? 0
    var counts: [String: Int] = [:]
    for (item, outcome) in zip(cases, outcomes) {
      let kind = String(outcome.description.prefix { $0 != "," && $0 != ":" })
      counts[kind, default: 0] += 1
      if case .executed = outcome, brief { continue }
      Terminal.line("\(target.name)  \(item.name.left(width))  \(outcome)")
    }
    guard cases.count > 1 else { return }
    Terminal.line("\(target.name): " + counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
  }

  private func singleCase() throws -> VerificationCase {
    var graph = try ModelFile.read(model)
    try shapes.apply(to: &graph)
    let folder = ((model as NSString).deletingLastPathComponent) as NSString
    let data = inputs ?? folder.appendingPathComponent("test_data_set_0")
    if inputs == nil, FileManager.default.fileExists(atPath: data) {
      return try verificationCase(ConformanceCase(folder: folder as String), graph)
    }
    let values = try inputs.map { try ValueFiles.inputs(of: graph, in: $0) } ?? InputSampler().inputs(of: graph)
    let expected = try named { try CPUBackend().compiled(graph).run(values) }
    return VerificationCase(
      defaultName(of: graph) ?? graph.name, graph, inputs: values, expected: expected, rtol: rtol, atol: atol)
  }

  private func verificationCase(_ item: ConformanceCase, _ graph: Graph) throws -> VerificationCase {
    let data = item.folder + "/test_data_set_0"
    let own = try item.tolerances()
    return VerificationCase(
      item.name, graph, inputs: try ValueFiles.inputs(of: graph, in: data), expected: try item.outputs(of: graph, in: data),
      rtol: own?.rtol ?? rtol, atol: max(own?.atol ?? atol, atol))
  }

  private func folderCases() throws -> [VerificationCase] {
    let pattern = try filter.map { try Regex($0) }
    var cases: [VerificationCase] = []
    for item in try ConformanceCase.find(below: model) {
      if let pattern, try pattern.firstMatch(in: item.folder) == nil { continue }
      // What makes a case one of random numbers, or expected to fail, is the executor's business too.
      if RandomCases.contains(item.name) || ExpectedFailures.reason(case: item.name, mode: .reference) != nil { continue }
      Terminal.progress("reading \(item.name)")
      do {
        cases.append(try verificationCase(item, ModelFile.read(item.folder + "/model.onnx")))
      } catch {
        Terminal.line("\(item.name) cannot be read: \(error)")
      }
    }
    Terminal.progress("")
    return cases
  }
}
