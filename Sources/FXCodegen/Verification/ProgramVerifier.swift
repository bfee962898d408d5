import FXCore
import Foundation

/// Generates programs, runs them, and compares what they give.
///
/// ```swift
/// let verifier = ProgramVerifier(NumpyTarget(), folder: "build/check")
/// for (item, outcome) in zip(cases, try verifier.verify(cases)) { print(item.name, outcome) }
/// ```
public struct ProgramVerifier: Sendable {
  /// What writes the programs; those of one that is no `VerifiableTarget` are skipped.
  public let target: any CodeTarget
  /// Where programs, inputs and outputs are put: a folder per case.
  public let folder: String
  /// Where the tools are that compile and run programs.
  public let environment: RunnerEnvironment
  /// What says where a program goes wrong: nobody does without one.
  public let executor: (any GraphExecutor)?

  /// A verifier that finds tools on the search path and does not say where programs go wrong, unless told otherwise.
  public init(
    _ target: any CodeTarget, folder: String, environment: RunnerEnvironment = RunnerEnvironment(),
    executor: (any GraphExecutor)? = nil
  ) {
    self.target = target
    self.folder = folder
    self.environment = environment
    self.executor = executor
  }

  /// One outcome per case, in order. All programs go to the target's runner at once.
  /// - Throws: what the file system or the runner says.
  public func verify(_ cases: [VerificationCase]) throws -> [VerificationOutcome] {
    var outcomes = Array(repeating: VerificationOutcome.skipped("not run"), count: cases.count)
    var jobs: [ProgramJob] = []
    var owners: [(index: Int, item: VerificationCase, isSpecialized: Bool)] = []
    for (index, item) in cases.enumerated() {
      do {
        jobs.append(try job(generate(item.graph, name: "case_\(index)"), item, "\(folder)/case_\(index)"))
        owners.append((index, item, false))
      } catch let error as CodegenError {
        outcomes[index] = .refused(error.description)
        guard let special = try? item.specialized(),
          let program = try? generate(special.graph, name: "case_\(index)")
        else { continue }
        jobs.append(try job(program, special, "\(folder)/case_\(index)"))
        owners.append((index, special, true))
      }
    }
    for (owner, run) in zip(owners, try runs(jobs)) {
      outcomes[owner.index] = outcome(run, owner.item, isSpecialized: owner.isSpecialized)
      if case .executed = run, case .failed(let reason) = outcomes[owner.index],
        let place = try? divergence(owner.item, number: owner.index)
      {
        outcomes[owner.index] = .failed("\(reason); first at \(place)")
      }
    }
    return outcomes
  }

  private func generate(_ graph: Graph, name: String) throws -> GeneratedProgram {
    try CodeGenerator(targets: [target]).generate(graph, target: target.name, CodegenOptions(name: name))
  }

  private func job(_ program: GeneratedProgram, _ item: VerificationCase, _ path: String) throws -> ProgramJob {
    try program.write(to: path)
    return ProgramJob(
      program: program, folder: path, inputs: item.inputs, resultTypes: item.expected.map(\.type))
  }

  private func runs(_ jobs: [ProgramJob]) throws -> [ProgramRun] {
    guard let target = target as? any VerifiableTarget else {
      return jobs.map { _ in .skipped("nothing here runs \(target.name)") }
    }
    return jobs.isEmpty ? [] : try target.makeRunner(environment).run(jobs)
  }

  private func outcome(
    _ run: ProgramRun, _ item: VerificationCase, isSpecialized: Bool
  ) -> VerificationOutcome {
    switch run {
    case .executed(let results):
      guard results.count == item.expected.count else {
        return .failed("\(results.count) results, expected \(item.expected.count)")
      }
      var largest = 0.0
      for (name, (result, expected)) in zip(item.graph.outputNames, zip(results, item.expected)) {
        switch Deviation(result, expected, rtol: item.rtol, atol: item.atol) {
        case .within(let error): largest = max(largest, error)
        case .beyond(let what): return .failed("output '\(name)': \(what)")
        }
      }
      return .executed(largestError: largest, specialized: isSpecialized)
    case .compiled: return .compiled
    case .parsed: return .parsed
    case .skipped(let reason): return .skipped(reason)
    case .failed(let reason): return .failed(reason)
    }
  }

  /// The first node of the body whose result differs from the executor's.
  private func divergence(_ item: VerificationCase, number: Int) throws -> String? {
    guard let executor else { return nil }
    var graph = try CodeGenerator(targets: [target]).prepare(item.graph, for: target)
    let nodes = graph.bodyNodes
    guard nodes.count > 1 else { return nil }
    var values: [ValueID] = []
    for node in nodes { values += try graph[node].results.filter { graph.type(of: .value($0)).tensorType != nil } }
    try graph.setResults(of: graph.body, values.map(Operand.value))
    let expected = try executor.run(graph, inputs: item.inputs)
    let probe = VerificationCase(
      item.name, graph, inputs: item.inputs, expected: expected, rtol: item.rtol, atol: item.atol)
    let run = try runs([try job(try generate(graph, name: "probe_\(number)"), probe, "\(folder)/probe_\(number)")])
    guard case .executed(let results)? = run.first, results.count == values.count else { return nil }
    for (index, value) in values.enumerated() {
      guard case .beyond(let what) = Deviation(results[index], expected[index], rtol: item.rtol, atol: item.atol) else {
        continue
      }
      let op = try graph.producer(of: value).map { try graph[$0].op.description } ?? "input"
      return "'\(graph.name(of: value))' (\(op)): \(what)"
    }
    return nil
  }
}

/// How far a result is from what is expected.
enum Deviation {
  /// The largest absolute error.
  case within(Double)
  case beyond(String)

  init(_ actual: RuntimeValue, _ expected: RuntimeValue, rtol: Double, atol: Double) {
    switch (actual, expected) {
    case (.tensor(let a), .tensor(let b)): self = Deviation.tensors(a, b, rtol, atol)
    case (.sequence(let a, _), .sequence(let b, _)):
      guard a.count == b.count else {
        self = .beyond("\(a.count) elements, expected \(b.count)")
        return
      }
      var largest = 0.0
      for (x, y) in zip(a, b) {
        switch Deviation(x, y, rtol: rtol, atol: atol) {
        case .within(let error): largest = max(largest, error)
        case let other:
          self = other
          return
        }
      }
      self = .within(largest)
    case (.optional(nil, _), .optional(nil, _)): self = .within(0)
    case (.optional(let a?, _), let b): self = Deviation(a, b, rtol: rtol, atol: atol)
    case (let a, .optional(let b?, _)): self = Deviation(a, b, rtol: rtol, atol: atol)
    default: self = .beyond("\(actual.type), expected \(expected.type)")
    }
  }

  private static func tensors(_ a: Tensor, _ b: Tensor, _ rtol: Double, _ atol: Double) -> Deviation {
    guard a.elementType == b.elementType, a.shape == b.shape else { return .beyond("\(a.type), expected \(b.type)") }
    if let x = a.strings, let y = b.strings { return x == y ? .within(0) : .beyond("the strings differ") }
    if a == b { return .within(0) }
    guard let x = a.components, let y = b.components else { return .beyond("the bytes differ") }
    // A type's own steps are what a result cannot be closer than.
    let step: Double =
      switch a.elementType {
      case .bfloat16: 0x1p-6
      case .float16: 0x1p-9
      case .float8e4m3fn, .float8e4m3fnuz: 0x1p-3
      case .float8e5m2, .float8e5m2fnuz: 0x1p-2
      default: 0
      }
    let rtol = max(rtol, step)
    // Elements that are differences of large numbers carry the rounding of those: some steps of the largest element.
    let magnitude = y.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
    let atol = a.elementType == .float32 ? max(atol, 8 * Double(Float.ulpOfOne) * magnitude) : atol
    var (largest, worst, excess) = (0.0, -1, 0.0)
    for index in x.indices {
      let (p, q) = (x[index], y[index])
      if p == q || (p.isNaN && q.isNaN) { continue }
      let error = (p - q).magnitude
      let over = error - (atol + rtol * q.magnitude)
      // Written so that NaN counts as beyond.
      if !(over <= 0), worst < 0 || !(over <= excess) { (worst, excess) = (index, over) }
      if error > largest { largest = error }
    }
    guard worst >= 0 else { return .within(largest) }
    return .beyond("element \(worst) of \(a.type) is \(x[worst]), expected \(y[worst])")
  }
}
