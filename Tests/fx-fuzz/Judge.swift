import CAllocationMeter
import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import Foundation

/// What became of one file.
struct Verdict {
  /// `compiled`, or the step that refused and why, in a word.
  var outcome: String
  /// What must not be: a graph that a step of ours broke, a message of many lines.
  var defect: String?
  var milliseconds = 0.0
  /// Bytes of heap beyond those before, and the biggest block of them, until the model is compiled. What a plan and a run
  /// take has limits of its own.
  var peak: Int64 = 0
  var largest: Int64 = 0
}

/// Takes files through the steps that every user's model takes.
struct Judge {
  private let backend = CPUBackend(CPUBackend.Options(threads: 1, memoryLimit: 64 << 20))
  /// Where models stand that are read from files.
  let folder: String
  /// Prints each step as it begins.
  var isVerbose = false

  init(folder: String) { self.folder = folder }

  /// - Parameter variant: which of the further steps are taken.
  func judge(_ bytes: [UInt8], variant: Int) -> Verdict {
    fx_allocations_reset()
    let before = fx_allocations_read().live
    let start = Judge.processorSeconds
    var verdict = Verdict(outcome: "")
    var compiled: fx_allocations?
    do throws(Refusal) {
      try run(bytes, variant, &verdict) { compiled = fx_allocations_read() }
    } catch {
      verdict.outcome = error.step + ": " + error.reason
      if error.text.contains("\n") { verdict.defect = "message of several lines: \(error.text)" }
    }
    verdict.milliseconds = (Judge.processorSeconds - start) * 1e3
    let after = compiled ?? fx_allocations_read()
    verdict.peak = after.peak - before
    verdict.largest = after.largest
    return verdict
  }

  /// Of the whole process: what others do on the machine does not count.
  static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private struct Refusal: Error {
    let step: String
    let reason: String
    let text: String
  }

  private func step<Result>(_ name: String, _ body: () throws -> Result) throws(Refusal) -> Result {
    if isVerbose { print(name, terminator: " ") }
    let start = Judge.processorSeconds
    defer { if isVerbose { print(String(format: "%.3f s", Judge.processorSeconds - start)) } }
    do {
      return try body()
    } catch {
      let text = "\(error)"
      if isVerbose { print(text) }
      throw Refusal(step: name, reason: Judge.kind(error), text: text)
    }
  }

  // MARK: Steps

  private func run(
    _ bytes: [UInt8], _ variant: Int, _ verdict: inout Verdict, whenCompiled: () -> Void
  ) throws(Refusal) {
    let document: OnnxDocument
    if variant % 16 == 15 {
      let path = folder + "/model.onnx"
      document = try step("open") {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try OnnxDocument(path: path)
      }
    } else {
      document = try step("open") { try OnnxDocument(bytes: bytes) }
    }
    let graph = try step("import") { try OnnxImporter().graph(from: document) }
    do { try graph.verify(.structural) } catch { verdict.defect = "the imported graph does not verify: \(error)" }
    verdict.outcome = "compiled"
    if variant % 16 == 2 { writeFormats(graph, document, &verdict) }
    _ = try step("verify") { try graph.verify(.typed) }
    if variant % 4 == 1 { try writeOnnx(graph, &verdict) }
    var typed = graph
    _ = try step("infer") { try ShapeInference().run(&typed) }
    if variant % 8 == 3 { optimize(graph, &verdict) }
    let compiled = try step("compile") { try backend.compiled(graph) }
    do { try compiled.graph.verify(.typed) } catch { verdict.defect = "the compiled graph does not verify: \(error)" }
    whenCompiled()
    guard variant % 2 == 0, let inputs = inputs(typed) else { return }
    _ = try? step("plan") { try compiled.planSummary(for: inputs) }
    if variant % 8 == 4, Judge.isSmall(typed) {
      _ = try? step("run") { try compiled.run(inputs) }
      _ = try? step("reference") { try ReferenceExecutor().run(graph, inputs: inputs) }
    }
  }

  /// A graph that verifies can be written, or it is said why not; what was written can be read.
  private func writeOnnx(_ graph: Graph, _ verdict: inout Verdict) throws(Refusal) {
    guard let bytes = try? step("export", { try exportToOnnx(graph).serialized() }) else { return }
    do {
      _ = try step("import again") { try OnnxImporter().graph(from: OnnxDocument(bytes: bytes)) }
    } catch {
      verdict.defect = "what was written cannot be read: \(error.text)"
    }
  }

  private func writeFormats(_ graph: Graph, _ document: OnnxDocument, _ verdict: inout Verdict) {
    _ = document.json()
    _ = graph.tabularText
    func check(_ name: String, _ body: () throws -> Graph) {
      do {
        if try body() != graph { verdict.defect = "\(name) gives another graph" }
      } catch {
        verdict.defect = "\(name): \(error)"
      }
    }
    check("text") { try Graph(text: graph.text()) }
    check("JSON") { try Graph.fromJSON(graph.json()) }
    check("binary") { try Graph.fromBinary(graph.binary()) }
  }

  private func optimize(_ graph: Graph, _ verdict: inout Verdict) {
    var copy = graph
    do {
      _ = try step("optimize") { try PassManager.aggressiveOptimizationPasses(executor: ReferenceExecutor()).run(&copy) }
    } catch {
      if error.text.contains("broke the graph") { verdict.defect = error.text }
    }
  }

  // MARK: Inputs

  /// Inputs for graphs whose inputs are small.
  private func inputs(_ graph: Graph) -> [RuntimeValue]? {
    var bytes = 0
    for input in graph.inputs {
      guard case .tensor(let type)? = try? graph.type(of: input), let shape = type.shape else { return nil }
      let sizes = shape.map { $0.size ?? 2 }
      guard let count = try? Tensor.elementCount(of: sizes, type.elementType), count < 1 << 20, sizes.count < 16 else {
        return nil
      }
      bytes += 16 * count
    }
    guard bytes < 1 << 22 else { return nil }
    return try? InputSampler(seed: 1).inputs(of: graph)
  }

  /// Whether the graph has no loops and little to compute, as far as types tell.
  private static func isSmall(_ graph: Graph) -> Bool {
    var elements = 0
    for id in graph.allNodes {
      guard let node = try? graph[id], node.regions.isEmpty || node.op == .cond else { return false }
      for result in node.results {
        guard case .tensor(let type)? = try? graph.type(of: result), let sizes = type.shape?.sizes,
          let count = try? Tensor.elementCount(of: sizes, type.elementType), count < 1 << 16
        else { return false }
        elements += count
      }
    }
    return elements < 1 << 18
  }

  // MARK: Kinds of errors

  /// The name of an error without what it carries.
  private static func kind(_ error: any Error) -> String {
    switch error {
    case let error as OnnxError:
      if case .wire(let wire) = error.problem { return "wire, \(label(wire.fault))" }
      if case .graph(let inner) = error.problem { return "graph, \(label(inner))" }
      return label(error.problem)
    case let error as VerificationError: return label(error.fault)
    case let error as ShapeInferenceError: return label(error.reason)
    case let error as PassError: return label(error)
    case let error as ExecutionError: return label(error)
    default: return "\(type(of: error))"
    }
  }

  private static func label(_ value: Any) -> String {
    Mirror(reflecting: value).children.first?.label ?? String("\(value)".prefix(40).split(separator: "(").first ?? "")
  }
}
