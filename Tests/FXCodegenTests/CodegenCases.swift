import FXCodegen
import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import Foundation

/// Graphs with inputs and outputs that generated programs are compared on.
enum CodegenCases {
  private static let environment = ProcessInfo.processInfo.environment

  /// An interpreter with NumPy.
  static let python = environment["FX_PYTHON"]
  /// An interpreter with PyTorch and JAX, which `make codegen` makes.
  static let heavyPython = environment["FX_CODEGEN_PYTHON"]
  static let folder = environment["FX_CASES"]

  static func target(_ name: String) throws -> any CodeTarget { try CodeGenerator().target(named: name) }

  static func verifier(_ target: any CodeTarget) -> ProgramVerifier {
    let folder = NSTemporaryDirectory() + "fx-codegen-\(target.name)-\(ProcessInfo.processInfo.processIdentifier)-\(UUID())"
    return ProgramVerifier(
      target, folder: folder,
      environment: RunnerEnvironment(python: (target.name == "numpy" ? python : heavyPython) ?? "python3"),
      executor: ReferenceExecutor())
  }

  /// ONNX's own cases of single operators and functions.
  static func official(_ root: String) throws -> [VerificationCase] {
    try FileManager.default.contentsOfDirectory(atPath: root + "/node").sorted().compactMap { name in
      let folder = "\(root)/node/\(name)"
      // Random numbers differ, and no program reads the gradient's region.
      guard FileManager.default.fileExists(atPath: folder + "/model.onnx"), !name.hasPrefix("test_bernoulli"),
        var graph = try? OnnxImporter().graph(path: folder + "/model.onnx"), (try? ShapeInference().run(&graph)) != nil
      else { return nil }
      let data = folder + "/test_data_set_0"
      guard
        let inputs = try? graph.inputs.enumerated().map({ index, input in
          try OnnxValues.read(path: "\(data)/input_\(index).pb", as: graph.type(of: input))
        }),
        let outputs = try? graph.outputs.enumerated().map({ index, output in
          try OnnxValues.read(path: "\(data)/output_\(index).pb", as: graph.type(of: output))
        })
      else { return nil }
      let own = tolerances(folder)
      return VerificationCase(
        name, graph, inputs: inputs, expected: outputs, rtol: own.rtol ?? 1e-3, atol: max(own.atol ?? 0, 1e-5))
    }
  }

  private struct Tolerances: Decodable {
    var rtol: Double?
    var atol: Double?
  }

  private static func tolerances(_ folder: String) -> Tolerances {
    FileManager.default.contents(atPath: folder + "/data.json")
      .flatMap { try? JSONDecoder().decode(Tolerances.self, from: $0) } ?? Tolerances()
  }

  /// A graph in the text format, on inputs drawn from a seed.
  static func text(_ name: String, _ text: String, seed: UInt64 = 1, rtol: Double = 1e-5) throws -> VerificationCase {
    var graph = try Graph(text: text)
    try ShapeInference().run(&graph)
    let inputs = try InputSampler(seed: seed).inputs(of: graph)
    return VerificationCase(
      name, graph, inputs: inputs, expected: try ReferenceExecutor().run(graph, inputs: inputs), rtol: rtol, atol: 1e-6)
  }

  /// What ONNX's cases have not: PyTorch's loop, nested control flow, literals, ties.
  static func own() throws -> [VerificationCase] {
    [
      try text(
        "while",
        """
        fx 1
        graph @count(%x: f32[3], %steps: i64[]) {
          parameter @limit: i64[] constant = [10]
          %y: f32[3], %n: i64[] = while_loop(%x, %steps) condition(%a: f32[3], %i: i64[]) {
            %more: bool[] = less(%i, @limit)
            return %more
          } body(%a: f32[3], %i: i64[]) {
            %b: f32[3] = add(%a, 1.0)
            %j: i64[] = add(%i, 1)
            return %b, %j
          }
          return %y, %n
        }
        """),
      try text(
        "while with a condition of two calls",
        """
        fx 1
        graph @grow(%x: f32[4]) {
          %y: f32[4] = while_loop(%x) condition(%a: f32[4]) {
            %s: f32[] = reduce_sum(%a) {keepdims = false}
            %more: bool[] = less(%s, 100.0)
            return %more
          } body(%a: f32[4]) {
            %p: f32[4] = abs(%a)
            %q: f32[4] = add(%p, 3.0)
            return %q
          }
          return %y
        }
        """),
      try text(
        "loop that collects",
        """
        fx 1
        graph @collect(%x: f32[3], %step: f32[3]) {
          parameter @turns: i64[] constant = [4]
          %y: f32[3], %all: f32[4, 3] = loop(@turns, none, %x, %step) {state_count = 1} body(%i: i64[], %c: bool[], %a: f32[3], %s: f32[3]) {
            %b: f32[3] = add(%a, %s)
            %d: f32[3] = mul(%b, %a)
            return %c, %b, %d
          }
          return %y, %all
        }
        """),
      try text(
        "cond in cond",
        """
        fx 1
        graph @pick(%x: f32[2, 3]) {
          %s: f32[] = reduce_sum(%x) {keepdims = false}
          %p: bool[] = greater(%s, 0.0)
          %y: f32[2, 3] = cond(%p, %x, %s) then(%a: f32[2, 3], %t: f32[]) {
            %q: bool[] = greater(%t, 1.0)
            %z: f32[2, 3] = cond(%q, %a) then(%c: f32[2, 3]) {
              %r: f32[2, 3] = relu(%c)
              return %r
            } else(%c: f32[2, 3]) {
              return %c
            }
            return %z
          } else(%a: f32[2, 3], %t: f32[]) {
            %m: f32[2, 3] = mul(%a, %t)
            return %m
          }
          return %y
        }
        """),
    ]
  }
}
