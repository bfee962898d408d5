import ArgumentParser
import FXCore
import FXPasses
import FXRuntime
import Foundation

struct ProfileCommand: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile", abstract: "Where a run's time goes, node by node.",
    discussion: """
      Steps of the compiled model by the time that they take, with the share of the machine's peak that they reach.

      Example:
        fx profile model.onnx --threads 1 --trace trace.json
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "Folder with the inputs; without it they are drawn from a fixed seed.") var inputs: String?
  @OptionGroup var threads: ThreadOptions
  @Option(help: "Runs; the fastest is shown.") var iterations = 5
  @Option(help: "Lines of each table; by default 20.") var top: Int?
  @Option(help: "Write a trace that Chrome's tracing page and Perfetto read.") var trace: String?
  @Flag(help: "The steps and the machine's peak as JSON instead of tables.") var json = false

  func validate() throws {
    if !(1...Bench.mostIterations).contains(iterations) {
      throw ValidationError("--iterations must be 1 to \(Bench.mostIterations)")
    }
    if let top, top < 1 { throw ValidationError("--top must be at least 1") }
    if json, top != nil { throw ValidationError("--top is about tables, which --json replaces") }
  }

  func execute() throws {
    if let trace { try OutputFile.check(trace) }
    let graph = try ModelFile.read(model)
    let compiled = try CPUBackend(.init(threads: threads.count)).compiled(graph)
    let values = try inputs.map { try ValueFiles.inputs(of: graph, in: $0) } ?? InputSampler().inputs(of: graph)
    _ = try compiled.run(values)
    var best = try compiled.profile(values).profile
    for _ in 1..<iterations {
      let next = try compiled.profile(values).profile
      if next.total < best.total { best = next }
    }
    let table = ProfileTable(best, threads: threads.count)
    if json { Terminal.line(try table.json()) } else { table.print(top: top ?? 20) }
    if let trace { try AtomicFile.write([UInt8](best.chromeTrace().utf8), to: trace) }
  }
}

/// A profile as tables: by operator and by node.
struct ProfileTable {
  private let profile: Profile
  /// Operations a second that the machine can reach.
  private let peak: Double

  init(_ profile: Profile, threads: Int) {
    self.profile = profile
    peak = MachinePeak.operationsPerSecond() * Double(min(threads, CPUBackend.coreCount))
  }

  func print(top: Int) {
    let total = profile.total.milliseconds
    Terminal.line("\(profile.entries.count) steps in \(total.fixed(3)) ms")
    let groups = Dictionary(grouping: profile.entries) { "\($0.op.left(24))\($0.kernel)" }
    let rows = groups.map { name, entries in
      (
        name: name, count: entries.count, time: entries.reduce(0) { $0 + $1.duration.milliseconds },
        operations: entries.reduce(0) { $0 + $1.operations }
      )
    }
    Terminal.line("peak: \((peak / 1e9).fixed(0)) GFLOP/s, as measured; less work than the definition has can pass it")
    Terminal.line(
      "\n" + "ms".right(10) + "share".right(8) + "of peak".right(9) + "steps".right(7) + "  operator".left(26) + "kernel")
    for row in rows.sorted(by: { $0.time > $1.time }).prefix(top) {
      Terminal.line(
        row.time.fixed(3).right(10) + share(row.time, total) + ofPeak(row.operations, row.time) + "\(row.count)".right(7)
          + "  " + row.name)
    }
    Terminal.line("\n" + "ms".right(10) + "share".right(8) + "of peak".right(9) + "GB/s".right(7) + "  node")
    for entry in profile.entries.sorted(by: { $0.duration > $1.duration }).prefix(top) {
      let time = entry.duration.milliseconds
      let rate = time > 0 ? Double(entry.bytes) / time / 1e6 : 0
      Terminal.line(
        time.fixed(3).right(10) + share(time, total) + ofPeak(entry.operations, time) + rate.fixed(1).right(7)
          + "  \(entry.node) (\(entry.op))")
    }
  }

  /// One object: the total, the peak, and the steps in their order.
  func json() throws -> String {
    struct Step: Encodable {
      let node, op, family, kernel: String
      let ms: Double
      let operations, bytes: Int
    }
    struct Run: Encodable {
      let total_ms, peak_gflops: Double
      let steps: [Step]
    }
    let steps = profile.entries.map { entry in
      Step(
        node: entry.node, op: entry.op, family: OperatorTable.standard[entry.op]?.schema?.family.rawValue ?? "other",
        kernel: entry.kernel, ms: entry.duration.milliseconds, operations: entry.operations, bytes: entry.bytes)
    }
    let run = Run(total_ms: profile.total.milliseconds, peak_gflops: peak / 1e9, steps: steps)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(run), as: UTF8.self)
  }

  /// More than 100 % where a kernel needs fewer operations than the definition.
  private func ofPeak(_ operations: Int, _ time: Double) -> String {
    (operations == 0 ? "" : "\((Double(operations) / max(time, 1e-9) / 1e-3 / peak * 100).fixed(0))%").right(9)
  }

  private func share(_ time: Double, _ total: Double) -> String { "\((time / max(total, 1e-9) * 100).fixed(1))%".right(8) }
}

extension Profile {
  /// The run as complete events of the Trace Event Format.
  func chromeTrace() throws -> String {
    struct Event: Encodable {
      let name, cat: String
      let ph = "X"
      let ts, dur: Double
      let pid = 1
      let tid = 1
    }
    let events = entries.map {
      Event(name: $0.node, cat: $0.op, ts: $0.start.milliseconds * 1e3, dur: $0.duration.milliseconds * 1e3)
    }
    return String(decoding: try JSONEncoder().encode(["traceEvents": events]), as: UTF8.self)
  }
}
