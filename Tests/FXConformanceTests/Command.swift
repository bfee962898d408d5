import Foundation

/// Runs `fx`, which the package manager builds beside the tests.
enum Command {
  /// What it prints, and its exit status.
  static func fx(_ arguments: [String]) throws -> (output: String, status: Int32) {
    let (output, _, status) = try run(arguments)
    return (output, status)
  }

  /// What it prints on standard output and on standard error, and its exit status, in a folder and with variables of its own.
  static func run(
    _ arguments: [String], in folder: String? = nil, environment: [String: String] = [:]
  ) throws -> (output: String, errors: String, status: Int32) {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let process = Process()
    process.executableURL = tests.deletingLastPathComponent().appendingPathComponent("fx")
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
    // Files, not pipes: output that nobody reads while the program runs would fill a pipe and stop it.
    let files = ["out", "err"].map {
      FileManager.default.temporaryDirectory.appendingPathComponent("fx-\(UUID().uuidString).\($0)")
    }
    for file in files { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
    defer { for file in files { try? FileManager.default.removeItem(at: file) } }
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    try process.run()
    process.waitUntilExit()
    let texts = try files.map { try String(contentsOf: $0, encoding: .utf8) }
    return (texts[0], texts[1], process.terminationStatus)
  }
}
