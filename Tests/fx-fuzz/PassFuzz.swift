import FXCore
import FXPasses
import FXRuntime
import Foundation
import Synchronization

/// Random graphs through every pass, the pipelines and the fast backend, each compared with the reference executor.
///
/// Processes of this program do the work, so that one that dies is told like any other failure.
struct PassFuzz {
  static let usage = """
    fx-fuzz passes [--count N] [--seed S] [--workers N] [--only NAME] [--show]
    fx-fuzz passes --graph FILE [--only NAME]

    Makes N random graphs, from seed S on, and applies to each every pass, both pipelines, decomposition after optimization,
    and compiles it for the CPU. Outputs must stay what the reference executor gives, within each pass's numeric contract;
    graphs must verify; a second application must change nothing. Failures are reduced and printed as text; --only leaves
    one trial, --show prints the graphs too, --graph tries one that is in a file. Ends with status 1 if there are any.

    """

  var count = 1000
  var seed: UInt64 = 1
  var workers = 2
  var shows = false
  /// The trial that is made; all if `nil`.
  var only: String?
  /// A graph in the text format, in place of random ones.
  var path: String?
  /// Whether this process does the work, rather than starting others.
  var isWorker = false

  init?(_ arguments: ArraySlice<String>) {
    var rest = arguments
    while let argument = rest.popFirst() {
      switch argument {
      case "--count": guard let value = rest.popFirst().flatMap({ Int($0) }) else { return nil }; count = value
      case "--seed": guard let value = rest.popFirst().flatMap({ UInt64($0) }) else { return nil }; seed = value
      case "--workers": guard let value = rest.popFirst().flatMap({ Int($0) }) else { return nil }; workers = max(1, value)
      case "--worker": isWorker = true
      case "--show": shows = true
      case "--only": guard let value = rest.popFirst() else { return nil }; only = value
      case "--graph": guard let value = rest.popFirst() else { return nil }; path = value
      default: return nil
      }
    }
  }

  /// Returns whether nothing was found.
  func run() throws -> Bool {
    if let path {
      let graph = try Graph(text: String(contentsOfFile: path, encoding: .utf8))
      onSmallStack { attempt(graph, seed) }
      return true
    }
    if isWorker {
      onSmallStack { work() }
      return true
    }
    let start = Date()
    let failures = Mutex(0)
    let supervisors = (0..<workers).map { number in
      Supervisor(fuzz: self, number: number) { failures.withLock { $0 += 1 } }
    }
    for supervisor in supervisors { Thread { supervisor.main() }.start() }
    for supervisor in supervisors { supervisor.done.wait() }
    let found = failures.withLock(\.self)
    print("\(count) graphs, \(found) failures, \(Int(Date().timeIntervalSince(start))) s")
    return found == 0
  }

  // MARK: The work

  /// Tries every graph of its own.
  func work() {
    for seed in stride(from: seed, to: seed + UInt64(count), by: workers) {
      say("B \(seed)")
      var program = RandomProgram(seed: seed)
      let graph: Graph
      do {
        graph = try program.make()
        try graph.verify(.executable)
        _ = try ReferenceExecutor().run(graph, inputs: InputSampler(seed: seed).inputs(of: graph))
      } catch {
        say("F seed \(seed): the generator: \(error)")
        continue
      }
      if shows { say(graph.text()) }
      attempt(graph, seed)
    }
    say("D")
  }

  private func attempt(_ graph: Graph, _ seed: UInt64) {
    for (name, trial) in PassFuzz.trials where only == nil || name == only {
      do { try trial(graph, seed) } catch { say("F seed \(seed), \(name): \(error)") }
    }
  }

  private func say(_ line: String) {
    var text = line.replacingOccurrences(of: "\n", with: "\u{1}") + "\n"
    text.withUTF8 { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
  }

  private typealias Trial = (name: String, check: @Sendable (Graph, UInt64) throws -> Void)

  private static let trials: [Trial] = {
    let trial = PassTrial(executor: ReferenceExecutor())
    var trials: [Trial] = StandardPasses.all(executor: ReferenceExecutor()).map { pass in
      (pass.name, { try trial.check(pass, on: $0, seed: $1) })
    }
    let level = PassManager.defaultOptimizationPasses(executor: ReferenceExecutor())
    let aggressive = PassManager.aggressiveOptimizationPasses(executor: ReferenceExecutor())
    trials.append(("default", { try trial.check(level, named: "default", on: $0, seed: $1) }))
    trials.append(("aggressive", { try trial.check(aggressive, named: "aggressive", on: $0, seed: $1) }))
    trials.append(
      (
        "decomposition of the optimized graph",
        { graph, seed in
          var graph = graph
          try aggressive.run(&graph)
          try trial.check(DecompositionPass(), on: graph, seed: seed)
        }
      ))
    for optimizes in [false, true] {
      let backend = CPUBackend(CPUBackend.Options(threads: 1, optimizes: optimizes))
      let name = optimizes ? "CPU, optimizing" : "CPU"
      trials.append((name, { try trial.check(backend, named: name, on: $0, seed: $1) }))
    }
    return trials
  }()
}

/// Starts one worker after another until all of its graphs are tried.
private struct Supervisor: Sendable {
  let fuzz: PassFuzz
  let number: Int
  let didFail: @Sendable () -> Void
  let done = DispatchSemaphore(value: 0)

  func main() {
    defer { done.signal() }
    var next = fuzz.seed + UInt64(number)
    while next < fuzz.seed + UInt64(fuzz.count) {
      guard let died = try? watch(from: next) else { return }
      fail("seed \(died): the process died")
      next = died + UInt64(fuzz.workers)
    }
  }

  private func fail(_ text: String) {
    didFail()
    // One write, so that what two workers found does not mix.
    FileHandle.standardOutput.write(Data((text.replacingOccurrences(of: "\u{1}", with: "\n") + "\n\n").utf8))
  }

  /// Runs a worker. Gives the graph that it died of.
  private func watch(from first: UInt64) throws -> UInt64? {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL
    let remaining = Int(fuzz.seed) + fuzz.count - Int(first)
    process.arguments =
      ["passes", "--worker", "--seed", "\(first)", "--count", "\(remaining)", "--workers", "\(fuzz.workers)"]
      + (fuzz.shows ? ["--show"] : []) + (fuzz.only.map { ["--only", $0] } ?? [])
    process.standardOutput = pipe
    try process.run()
    var pending = Data()
    var current: UInt64?
    while true {
      let data = pipe.fileHandleForReading.availableData
      guard !data.isEmpty else { break }
      pending += data
      while let newline = pending.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: pending[..<newline], as: UTF8.self)
        pending.removeSubrange(...newline)
        if line.hasPrefix("B ") {
          current = UInt64(line.dropFirst(2))
        } else if line.hasPrefix("F ") {
          fail(String(line.dropFirst(2)))
        } else if line == "D" {
          current = nil
        } else {
          print(line.replacingOccurrences(of: "\u{1}", with: "\n"))
        }
      }
    }
    process.waitUntilExit()
    return current
  }
}
