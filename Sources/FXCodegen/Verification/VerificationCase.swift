import FXCore

/// A graph with inputs and what it gives for them: what a generated program is compared with.
public struct VerificationCase: Sendable {
  /// What lists of outcomes call the case.
  public let name: String
  /// The graph that a program is generated from.
  public let graph: Graph
  /// One value per input of the graph.
  public let inputs: [RuntimeValue]
  /// One value per output of the graph, such as a reference executor's.
  public let expected: [RuntimeValue]
  /// How far a result may be off: `atol + rtol × |expected|`, where `atol` of `float32` is at least 10⁻⁶ of the output's
  /// largest element.
  public let rtol: Double
  /// The absolute part of what is allowed.
  public let atol: Double

  /// A case whose results may be off by 10⁻⁵ + 10⁻⁴ × |expected|, unless told otherwise.
  public init(
    _ name: String, _ graph: Graph, inputs: [RuntimeValue], expected: [RuntimeValue], rtol: Double = 1e-4,
    atol: Double = 1e-5
  ) {
    self.name = name
    self.graph = graph
    self.inputs = inputs
    self.expected = expected
    self.rtol = rtol
    self.atol = atol
  }
}

/// How far a generated program was verified.
public enum VerificationOutcome: Sendable, Equatable {
  /// It ran, and its results are those expected; the largest deviation of any element.
  /// `specialized` says that small inputs became constants, without which the target cannot write the graph.
  case executed(largestError: Double, specialized: Bool = false)
  /// The target's compiler accepts it; nothing here runs it.
  case compiled
  /// The target's parser accepts it; nothing here compiles it.
  case parsed
  /// The target cannot write the graph.
  case refused(String)
  /// Nothing here can tell, for the reason given.
  case skipped(String)
  /// The program does not compile or run, or its results are others; says what is wrong.
  case failed(String)

  /// Whether it is `failed`: what is refused or skipped is no failure.
  public var isFailure: Bool { if case .failed = self { true } else { false } }

  /// Whether something judged the program and found nothing wrong.
  public var isVerified: Bool {
    switch self {
    case .executed, .compiled, .parsed: true
    case .refused, .skipped, .failed: false
    }
  }
}

extension VerificationOutcome: CustomStringConvertible {
  public var description: String {
    switch self {
    case .executed(let error, false): "executed, largest error \(error.short)"
    case .executed(let error, true): "executed with constants for small inputs, largest error \(error.short)"
    case .compiled: "compiled"
    case .parsed: "parsed"
    case .refused(let reason): "refused: \(reason)"
    case .skipped(let reason): "skipped: \(reason)"
    case .failed(let reason): "FAILED: \(reason)"
    }
  }
}

extension Double {
  /// Two digits are enough of an error.
  fileprivate var short: String {
    guard self != 0, isFinite else { return self == 0 ? "0" : "\(self)" }
    var (mantissa, exponent) = (magnitude, 0)
    while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    return "\((mantissa * 10).rounded() / 10)e\(exponent)"
  }
}

extension VerificationCase {
  /// The case with constants in place of the inputs that a program's structure may hang on, short vectors and scalars, and
  /// numbers in place of the sizes of the others.
  func specialized() throws -> VerificationCase {
    var graph = graph
    var bound: Set<Int> = []
    for (index, (input, value)) in zip(graph.inputs, inputs).enumerated() {
      guard let tensor = value.tensor, tensor.shape.count <= 1, tensor.elementCount <= 16 else { continue }
      try graph.replaceAllUses(of: input, with: .parameter(graph.addConstant(tensor, name: graph.name(of: input))))
      bound.insert(index)
    }
    try graph.removeArguments(of: graph.body, at: bound)
    let rest = inputs.indices.filter { !bound.contains($0) }.map { inputs[$0] }
    for (input, value) in zip(graph.inputs, rest) { try graph.setType(of: input, to: value.type) }
    // What followed from inputs of unknown contents follows anew.
    for node in try graph.nodes(in: graph.body) {
      for result in try graph[node].results { try graph.setType(of: result, to: .unknown) }
    }
    return VerificationCase(name, graph, inputs: rest, expected: expected, rtol: rtol, atol: atol)
  }
}

/// A program in a folder, to be run once.
public struct ProgramJob: Sendable {
  /// The files, which have been written.
  public let program: GeneratedProgram
  /// Where the program's files are.
  public let folder: String
  /// What the program is to be run on, in the order of its inputs.
  public let inputs: [RuntimeValue]
  /// The types of the results, as far as they are known.
  public let resultTypes: [ValueType]

  /// A job for a runner; the program's files must be in the folder.
  public init(program: GeneratedProgram, folder: String, inputs: [RuntimeValue], resultTypes: [ValueType]) {
    (self.program, self.folder, self.inputs, self.resultTypes) = (program, folder, inputs, resultTypes)
  }

  /// What the program is called: its main file's name up to the point, which is also the name of what the file defines.
  public var name: String {
    program.files.first.map { String($0.name.prefix { $0 != "." }) } ?? ""
  }
}

/// What became of a job.
public enum ProgramRun: Sendable {
  /// The program ran and gave these results, in order.
  case executed([RuntimeValue])
  /// A compiler accepts the program; nothing here runs it.
  case compiled
  /// A parser accepts the program; nothing here compiles it.
  case parsed
  /// Nothing here can tell, for the reason given.
  case skipped(String)
  /// The program does not compile or ended early; says what the tools said.
  case failed(String)
}

/// Runs generated programs, as far as a machine can.
public protocol ProgramRunner: Sendable {
  /// One answer per job, in order.
  func run(_ jobs: [ProgramJob]) throws -> [ProgramRun]
}

/// A target whose programs can be run, or at least judged, where its tools are.
public protocol VerifiableTarget: CodeTarget {
  /// What runs the target's programs with the tools of an environment; where one is missing, it answers `skipped`.
  func makeRunner(_ environment: RunnerEnvironment) -> any ProgramRunner
}

/// Where runners find the tools of other stacks.
public struct RunnerEnvironment: Sendable {
  /// A Python interpreter with the packages that programs need.
  public var python: String
  /// A C++ compiler.
  public var compiler: String
  /// NVIDIA's compiler.
  public var nvcc: String
  /// Seconds after which programs are given up.
  public var timeout: Double

  /// Tools by the names that they have on the search path, and half an hour for programs.
  public init(python: String = "python3", compiler: String = "c++", nvcc: String = "nvcc", timeout: Double = 1800) {
    self.python = python
    self.compiler = compiler
    self.nvcc = nvcc
    self.timeout = timeout
  }
}
