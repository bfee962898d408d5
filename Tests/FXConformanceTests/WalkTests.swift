import Foundation
import Testing

/// The commands of the README and the quick start, in their order, as a newcomer types them.
@Suite struct WalkTests {
  /// The blocks for a shell that begin in a copy of the shipped model.
  private static func walk(_ page: String) throws -> String {
    let text = try String(contentsOf: ReadmeTests.root.appendingPathComponent(page), encoding: .utf8)
    let blocks = text.components(separatedBy: "```sh\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    return try #require(blocks.first { $0.contains("cp -r Models/digits /tmp/walk") })
  }

  @Test(arguments: ["README.md", "docs/QuickStart.md"]) func worksInItsOrder(page: String) throws {
    try CommandUseTests.withFolder { folder in
      let block = try Self.walk(page).replacingOccurrences(of: "/tmp/walk", with: "\(folder)/walk")
      // What is on the path is the fx beside the tests, whatever the page says of where it was built.
      let lines = block.split(separator: "\n").filter { !$0.hasPrefix("export PATH") }
      let binaries = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent().path
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-ec", lines.joined(separator: "\n")]
      process.currentDirectoryURL = ReadmeTests.root
      let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
      process.environment = ProcessInfo.processInfo.environment.merging(["PATH": "\(binaries):\(path)"]) { $1 }
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      #expect(FileManager.default.fileExists(atPath: "\(folder)/walk/libmodel.so"))
    }
  }

  /// Every command of fx stands in the README.
  @Test func readmeHasEveryCommand() throws {
    let readme = try String(contentsOf: ReadmeTests.root.appendingPathComponent("README.md"), encoding: .utf8)
    for command in try HelpTests.commands() where command != "demo" {
      #expect(readme.contains("fx \(command) ") || readme.contains("fx \(command)\n"), "the README lacks fx \(command)")
    }
  }

  /// `make` lists every goal that the pages speak of, with what it does.
  @Test func makeListsItsGoals() throws {
    let makefile = try String(contentsOf: ReadmeTests.root.appendingPathComponent("Makefile"), encoding: .utf8)
    let goals = Set(makefile.matches(of: /(?m)^([a-z-]+):.*## ./).map { String($0.1) })
    let docs = ReadmeTests.root.appendingPathComponent("docs")
    let pages = try FileManager.default.contentsOfDirectory(atPath: docs.path).filter { $0.hasSuffix(".md") }.map { "docs/\($0)" }
    for page in pages + ["README.md", "CONTRIBUTING.md"] {
      let text = try String(contentsOf: ReadmeTests.root.appendingPathComponent(page), encoding: .utf8)
      for goal in text.matches(of: /(?m)(?:`|^)make ([a-z-]+)/).map({ String($0.1) }) {
        #expect(goals.contains(goal), "\(page) speaks of make \(goal)")
      }
    }
  }
}
