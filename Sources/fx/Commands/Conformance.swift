import ArgumentParser
import FXCore
import Foundation

struct Conformance: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run models on the inputs beside them and compare with the outputs beside them.",
    discussion: """
      Every folder below FOLDERS that holds model.onnx and test_data_set_*/{input,output}_*.pb is a case. A data.json beside \
      the model gives its rtol and atol. A line per failing case, and last: N passed, N failed, N skipped. What is skipped \
      failed as a list in the program expects, for a reason that is printed. Exit status 1 if a case failed.

      Example:
        fx conformance models --mode roundtrip --filter resnet
      """)

  @Argument(help: "Folders to look for cases in.") var folders: [String]
  @Option(help: "How: \(ConformanceMode.allCases.map(\.rawValue).joined(separator: ", ")).") var mode = ConformanceMode.run
  @Option(help: "Only cases whose path matches this regular expression.") var filter: String?
  @Option(help: "Relative tolerance where a case says none.") var rtol = 1e-3
  @Option(help: "Absolute tolerance where a case says none.") var atol = 1e-7
  @Option(help: "Write the result of every case to this file.") var json: String?

  private struct Entry: Codable {
    let name, result: String
    let reason: String?
    let seconds: Double
  }

  func validate() throws {
    if folders.isEmpty { throw ValidationError("at least one folder is needed") }
    try CaseFilter.check(filter)
    try Tolerance.check(rtol, atol)
  }

  func run() throws {
    if let json { try OutputFile.check(json) }
    let cases = try ConformanceCase.find(below: folders, matching: filter)
    var entries: [Entry] = []
    let clock = ContinuousClock()
    for (index, item) in cases.enumerated() {
      Terminal.progress("\(index + 1)/\(cases.count) \(item.name)")
      let start = clock.now
      var result = "passed"
      var reason: String?
      do {
        try item.check(mode, rtol: rtol, atol: atol)
      } catch {
        (result, reason) = ("failed", String(describing: error).replacingOccurrences(of: "\n", with: " "))
      }
      if let expected = ExpectedFailures.reason(case: item.name, mode: mode) {
        (result, reason) =
          reason == nil
          ? ("failed", "passes, but was expected to fail: \(expected.rawValue)")
          : ("skipped", expected.rawValue)
      }
      entries.append(
        Entry(name: item.name, result: result, reason: reason, seconds: start.duration(to: clock.now).milliseconds / 1e3))
      if let reason {
        Terminal.progress("")
        Terminal.line("\(result.uppercased()) \(item.name): \(reason)")
      }
    }
    Terminal.progress("")
    if let json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try AtomicFile.write([UInt8](encoder.encode(entries)), to: json)
    }
    let count = { (kind: String) in entries.count { $0.result == kind } }
    Terminal.line("\(count("passed")) passed, \(count("failed")) failed, \(count("skipped")) skipped")
    if count("failed") > 0 { throw ExitCode(1) }
  }
}
