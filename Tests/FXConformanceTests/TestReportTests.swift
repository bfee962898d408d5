import Foundation
import Testing

/// How `scripts/test.sh` counts: what was skipped for no reason fails where it is told to be strict, as CI tells it.
@Suite struct TestReportTests {
  private static let log = """
    ◇ Test good() started.
    ✔ Test good() passed after 0.001 seconds.
    ➜ Test elsewhere() skipped: "`make codegen` runs these"
    ➜ Test here() skipped: "`make test` says where Python is"
    ➜ Test never() skipped.

    """

  private func report(_ log: String, status: Int = 0, _ settings: [String]) throws -> (status: Int32, lines: [String]) {
    let file = NSTemporaryDirectory() + "fx-report-\(UUID()).log"
    try log.write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    let variables = ["status=\(status)"] + settings
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["awk"] + variables.flatMap { ["-v", $0] } + ["-f", "scripts/test-report.awk", file]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text.split(separator: "\n").map(String.init))
  }

  @Test func skipsAreNamed() throws {
    let report = try report(Self.log, ["goal=test"])
    #expect(report.status == 0 && report.lines.last == "1 passed, 0 failed")
    #expect(report.lines.contains("skipped: elsewhere() skipped: \"`make codegen` runs these\""))
  }

  /// Of the three skips, one says which other goal runs the test.
  @Test func strictReportsFailForSkipsThatNothingExplains() throws {
    let tests = try report(Self.log, ["goal=test", "strict=1"])
    #expect(tests.status == 1 && tests.lines.last == "1 passed, 2 failed")
    #expect(tests.lines.count(where: { $0.hasPrefix("failed: skipped") }) == 2)
    let codegen = try report(Self.log, ["goal=codegen", "strict=1"])
    #expect(codegen.status == 1 && codegen.lines.last == "1 passed, 2 failed")
    #expect(codegen.lines.contains { $0.hasPrefix("failed: skipped") && $0.contains("elsewhere") })
  }

  @Test func whatDidNotEndFails() throws {
    let report = try report("◇ Test lost() started.\n", status: 1, ["goal=test"])
    #expect(report.status == 1 && report.lines.last == "0 passed, 1 failed")
  }
}
