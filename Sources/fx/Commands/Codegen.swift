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
      Targets: \(CodeGenerator().availableTargets.joined(separator: ", ")); all for each of them, whose refusals are listed.
      With --verify programs are run where their stacks are, and compared with what this framework computes, or with the \
      outputs in test_data_set_0 beside the model. MODEL may then be a folder with such models below it.
      Exit status 1 if all was asked for and a target refuses the model, if a program gives other results, or if nothing could \
      be verified.

      Examples:
        fx codegen model.onnx --target pytorch -o program
        fx codegen model.onnx --target all --verify
        fx codegen model.onnx --target std_cpp --size batch=1 -o program --verify
      """)

  @Argument(help: "The model, or with --verify a folder of models with inputs and outputs beside them.") var model: String
  @Option(help: "The target, or all.") var target: String
  @Option(name: .shortAndLong, help: "Folder for the program's files; one in it for each target of all.") var output: String?
  @OptionGroup var shapes: ShapeOptions
  @Option(help: "What the program is called; by default as the graph.") var name: String?
  @Flag(help: "Run the program and compare.") var verify = false
  @Option(help: "With --verify: folder with input_I.npy, input_I.pb or NAME.npy.") var inputs: String?
  @Option(help: "With --verify of a folder: only models whose path matches this regular expression.") var filter: String?
  @Option(help: "With --verify: a Python interpreter with the target's packages; by default $FX_CODEGEN_PYTHON or python3.")
  var python: String?
  @Option(help: "With --verify: NVIDIA's compiler; by default $FX_NVCC or nvcc.") var nvcc: String?
  @Option(help: "With --verify: relative tolerance where a model says none; by default 0.001.") var rtol: Double?
  @Option(help: "With --verify: absolute tolerance where a model says none; by default 0.00001.") var atol: Double?
  @Flag(help: "With --verify: print failures and refusals only, and how many there are of each.") var brief = false

  func validate() throws {
    if !verify, output == nil { throw ValidationError("-o DIR says where the program goes") }
    if !verify, inputs != nil || filter != nil || python != nil || nvcc != nil || rtol != nil || atol != nil || brief {
      throw ValidationError("--inputs, --filter, --python, --nvcc, --rtol, --atol and --brief belong to --verify")
    }
    if target != "all" {
      do { _ = try CodeGenerator().target(named: target) } catch { throw ValidationError("--target: \(error)") }
    }
    try Tolerance.check(rtol, atol)
    try CaseFilter.check(filter)
    guard verify else { return }
    if isFolder, !shapes.isEmpty || inputs != nil || name != nil {
      throw ValidationError("--shape, --size, --inputs and --name are for one model, and \(model) is a folder")
    }
    if !isFolder, filter != nil { throw ValidationError("--filter chooses among the models of a folder; \(model) is none") }
  }

  private var isFolder: Bool { FileManager.isFolder(model) }

  func run() throws {
    let generator = CodeGenerator()
    let targets =
      target == "all" ? try generator.availableTargets.map(generator.target) : [try generator.target(named: target)]
    if verify, isFolder { return try check(targets, try folderCases(), in: output) }
    var graph = try ModelFile.read(model)
    try shapes.apply(to: &graph)
    let refused = try output.map { try write(graph, targets, to: $0) } ?? []
    if verify { try check(targets, [try singleCase(graph)], in: nil) }
    if !refused.isEmpty { throw CheckFailed(message: "\(model): not written: \(refused.joined(separator: ", "))") }
  }

  /// Writes the program of each target. The names of those that refuse the model, where there are several: one is an error.
  private func write(_ graph: Graph, _ targets: [any CodeTarget], to output: String) throws -> [String] {
    var refused: [String] = []
    let options = CodegenOptions(name: name ?? defaultName(of: graph))
    for target in targets {
      let folder = self.target == "all" ? "\(output)/\(target.name)" : output
      do {
        let program = try named { try CodeGenerator(targets: [target]).generate(graph, target: target.name, options) }
        try program.write(to: folder)
        for file in program.files { Terminal.line("\(folder)/\(file.name)  \(file.bytes.count.byteText)") }
        for note in program.notes { Terminal.line(note) }
      } catch let error as ModelFileError where self.target == "all" {
        guard case .content(let reason as CodegenError) = error.problem else { throw error }
        Terminal.line("refused: \(reason)")
        refused.append(target.name)
      }
    }
    return refused
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

  /// - Parameter folder: where programs are put; a temporary one if there is none.
  private func check(_ targets: [any CodeTarget], _ cases: [VerificationCase], in folder: String?) throws {
    let root = folder ?? NSTemporaryDirectory() + "fx-codegen-\(ProcessInfo.processInfo.processIdentifier)"
    defer { if folder == nil { try? FileManager.default.removeItem(atPath: root) } }
    let variables = ProcessInfo.processInfo.environment
    let environment = RunnerEnvironment(
      python: python ?? variables["FX_CODEGEN_PYTHON"] ?? "python3", nvcc: nvcc ?? variables["FX_NVCC"] ?? "nvcc")
    var (failures, verified) = (0, 0)
    for target in targets {
      let verifier = ProgramVerifier(
        target, folder: "\(root)/\(target.name)", environment: environment, executor: ReferenceExecutor())
      let outcomes = try verifier.verify(cases)
      report(target, cases, outcomes)
      failures += outcomes.count(where: \.isFailure)
      verified += outcomes.count(where: \.isVerified)
    }
    if failures > 0 { throw CheckFailed(message: "\(model): \(failures) of \(cases.count * targets.count) programs failed") }
    if verified == 0 { throw CheckFailed(message: "\(model): nothing was verified: every program was refused or skipped") }
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

  private func singleCase(_ graph: Graph) throws -> VerificationCase {
    let folder = ((model as NSString).deletingLastPathComponent) as NSString
    // Outputs beside the model are those of its own sizes.
    if inputs == nil, shapes.isEmpty, FileManager.default.fileExists(atPath: folder.appendingPathComponent("test_data_set_0")) {
      return try verificationCase(ConformanceCase(folder: folder as String), graph)
    }
    let values = try inputs.map { try ValueFiles.inputs(of: graph, in: $0) } ?? InputSampler().inputs(of: graph)
    let expected = try named { try CPUBackend().compiled(graph).run(values) }
    return VerificationCase(
      name ?? defaultName(of: graph) ?? graph.name, graph, inputs: values, expected: expected, rtol: rtol ?? Self.tolerance.rtol,
      atol: atol ?? Self.tolerance.atol)
  }

  private static let tolerance = (rtol: 1e-3, atol: 1e-5)

  private func verificationCase(_ item: ConformanceCase, _ graph: Graph) throws -> VerificationCase {
    let data = item.folder + "/test_data_set_0"
    let own = try item.tolerances()
    return VerificationCase(
      item.name, graph, inputs: try ValueFiles.inputs(of: graph, in: data), expected: try item.outputs(of: graph, in: data),
      rtol: own?.rtol ?? rtol ?? Self.tolerance.rtol,
      atol: max(own?.atol ?? 0, atol ?? Self.tolerance.atol))
  }

  private func folderCases() throws -> [VerificationCase] {
    var cases: [VerificationCase] = []
    for item in try ConformanceCase.find(below: [model], matching: filter) {
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
