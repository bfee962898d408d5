import Foundation

/// Other programs, with what they print.
package enum Subprocess {
  package struct Output: Sendable {
    package let status: Int32
    /// Standard output and standard error together.
    package let text: String
    /// What interpreters and compilers say last says most.
    package var lastLine: String { text.split(whereSeparator: \.isNewline).last.map(String.init) ?? "no message" }
  }

  /// Runs a program and waits for it.
  /// - Parameters:
  ///   - program: a path, or a name to look for as the shell does: one that is not there gives status 127.
  ///   - timeout: seconds after which it is ended with all that it started, with status 124; without one it may take as long as it does.
  /// - Throws: what the system says if it cannot be started.
  package static func run(_ program: String, _ arguments: [String], timeout: Double = .infinity) throws -> Output {
    let process = Process()
    let isPath = program.contains("/")
    process.executableURL = URL(fileURLWithPath: isPath ? program : "/usr/bin/env")
    process.arguments = (isPath ? [] : [program]) + arguments
    let log = NSTemporaryDirectory() + "fx-\(UUID().uuidString).log"
    guard FileManager.default.createFile(atPath: log, contents: nil), let handle = FileHandle(forWritingAtPath: log) else {
      throw CocoaError(.fileWriteUnknown)
    }
    defer { try? FileManager.default.removeItem(atPath: log) }
    process.standardOutput = handle
    process.standardError = handle
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let deadline = Date().addingTimeInterval(timeout)
    while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.01) }
    let isLate = process.isRunning
    if isLate { end(process) }
    process.waitUntilExit()
    let text = FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return Output(status: isLate ? 124 : process.terminationStatus, text: text)
  }

  /// Ends a program and what it started, which would go on and be waited for: they are a process group of their own. What does
  /// not end when it is asked to is killed.
  private static func end(_ process: Process) {
    let id = process.processIdentifier
    let group = getpgid(id) == id ? -id : id
    kill(group, SIGTERM)
    let deadline = Date().addingTimeInterval(2)
    while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.01) }
    kill(group, SIGKILL)
  }
}
