import ArgumentParser
import FXCore
import FXPasses
import FXRuntime
import Dispatch
import Foundation
import Synchronization

struct Bench: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time loading, the first run and later runs of a model.",
    discussion: """
      Runs are on the same inputs; what is told of memory is what the process took beyond its start.

      Example:
        fx bench model.onnx --threads 1 --iterations 50
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "Folder with the inputs; without it they are drawn from a fixed seed.") var inputs: String?
  @OptionGroup var threads: ThreadOptions
  @Option(help: "Timed runs after the first.") var iterations = 20
  @Option(help: "Also let so many callers run at once, each as often, and count the runs per second of all.")
  var callers: Int?
  @Flag(help: "As JSON on one line.") var json = false

  static let mostIterations = 1_000_000_000

  func validate() throws {
    if let callers, callers < 1 || callers > 1024 { throw ValidationError("--callers must be 1 to 1024") }
    if !(1...Self.mostIterations).contains(iterations) {
      throw ValidationError("--iterations must be 1 to \(Self.mostIterations)")
    }
  }

  func execute() throws {
    let baseline = Bench.peakMegabytes
    let clock = ContinuousClock()
    let count = threads.count
    var start = clock.now
    let graph = try ModelFile.read(model, checksWeights: false)
    let compiled = try CPUBackend(.init(threads: count)).compiled(graph)
    let load = start.duration(to: clock.now)
    let values = try inputs.map { try ValueFiles.inputs(of: graph, in: $0) } ?? InputSampler().inputs(of: graph)
    start = clock.now
    var results = try compiled.run(values)
    let first = start.duration(to: clock.now)
    var times: [Double] = []
    for _ in 0..<iterations {
      start = clock.now
      try compiled.run(values, into: &results)
      times.append(start.duration(to: clock.now).milliseconds)
    }
    times.sort()
    let throughput = try callers.map { try runsPerSecond(compiled, values, callers: $0) }
    let report = Report(
      load_ms: load.milliseconds, first_run_ms: first.milliseconds, median_ms: times[times.count / 2],
      p90_ms: times[min(times.count - 1, times.count * 9 / 10)], min_ms: times[0],
      peak_rss_mb: Bench.peakMegabytes - baseline, threads: count, iterations: iterations, runs_per_second: throughput)
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      Terminal.line(String(decoding: try encoder.encode(report), as: UTF8.self))
    } else {
      Terminal.line("load        \(report.load_ms.fixed(2)) ms")
      Terminal.line("first run   \(report.first_run_ms.fixed(2)) ms")
      Terminal.line("median      \(report.median_ms.fixed(3)) ms of \(iterations) runs on \(count) threads")
      Terminal.line("90 %        \(report.p90_ms.fixed(3)) ms, fastest \(report.min_ms.fixed(3)) ms")
      if let throughput { Terminal.line("throughput  \(throughput.fixed(1)) runs a second by \(callers ?? 1) callers") }
      Terminal.line("memory      \(report.peak_rss_mb.fixed(1)) MB at the peak")
    }
  }

  /// Field names are the documented ones, which scripts read.
  private struct Report: Codable {
    let load_ms, first_run_ms, median_ms, p90_ms, min_ms, peak_rss_mb: Double
    let threads, iterations: Int
    let runs_per_second: Double?
  }

  /// Runs of all callers by the second, each with memory of its own.
  private func runsPerSecond(_ compiled: CompiledGraph, _ values: [RuntimeValue], callers: Int) throws -> Double {
    let failures = Mutex<[any Error]>([])
    let start = ContinuousClock.now
    DispatchQueue.concurrentPerform(iterations: callers) { _ in
      do {
        var results: [RuntimeValue] = []
        for _ in 0..<iterations { try compiled.run(values, into: &results) }
      } catch {
        failures.withLock { $0.append(error) }
      }
    }
    if let error = failures.withLock({ $0.first }) { throw error }
    return Double(callers * iterations) / (start.duration(to: .now).milliseconds / 1e3)
  }

  /// The largest resident size so far. Linux counts that of whoever started the program into `rusage`, but not here.
  static var peakMegabytes: Double {
    if let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
    {
      return kilobytes / 1024
    }
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1024
  }
}

extension Duration {
  var milliseconds: Double { Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15 }
}
