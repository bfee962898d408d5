import Foundation

/// Runs `fx`, which the package manager builds beside the tests.
enum Command {
  static func fx(_ arguments: [String]) throws -> (output: String, status: Int32) {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let process = Process()
    process.executableURL = tests.deletingLastPathComponent().appendingPathComponent("fx")
    process.arguments = arguments
    // A file, not a pipe: output that nobody reads while the program runs would fill a pipe and stop it.
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("fx-\(UUID().uuidString).out")
    _ = FileManager.default.createFile(atPath: file.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: file) }
    process.standardOutput = try FileHandle(forWritingTo: file)
    try process.run()
    process.waitUntilExit()
    return (try String(contentsOf: file, encoding: .utf8), process.terminationStatus)
  }
}
