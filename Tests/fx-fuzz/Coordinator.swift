import FXTestSupport
import Foundation

/// Starts workers, hears what they report, kills those that hang, and goes on after a crash with the next file.
final class Coordinator {
  private let options: Options
  private let vocabulary: ModelVocabulary
  private let paths: [String]
  private var report = Report()
  private var children: [Child] = []

  /// Seconds of processor time after which a file hangs; one second is too slow, and the worker says so itself.
  private static let patience = 10.0

  private final class Child {
    let number: Int
    let process: Process
    let output: FileHandle
    let errors: String
    var pending = Data()
    var current: Int?
    /// The processor time that the process had taken when it began with the file.
    var before = 0.0
    var wasKilled = false

    init(_ number: Int, _ process: Process, _ output: FileHandle, errors: String) {
      self.number = number
      self.process = process
      self.output = output
      self.errors = errors
    }

    /// What the machine does for others does not count.
    var processorSeconds: Double {
      var clock = clockid_t()
      var time = timespec()
      guard clock_getcpuclockid(process.processIdentifier, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
      return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
  }

  init(_ options: Options, _ vocabulary: ModelVocabulary, _ paths: [String]) {
    self.options = options
    self.vocabulary = vocabulary
    self.paths = paths
  }

  /// Returns whether nothing was found.
  func run() throws -> Bool {
    let start = Date()
    for number in 0..<options.workers { try begin(number, at: options.first + number) }
    var lastPrint = Date()
    while !children.isEmpty {
      var descriptors = children.map { pollfd(fd: $0.output.fileDescriptor, events: Int16(POLLIN), revents: 0) }
      poll(&descriptors, nfds_t(descriptors.count), 500)
      for (child, descriptor) in zip(children, descriptors) where descriptor.revents != 0 { try read(child) }
      for child in children where child.current != nil && child.processorSeconds - child.before > Coordinator.patience {
        child.wasKilled = true
        kill(child.process.processIdentifier, SIGKILL)
      }
      if options.isVerbose || Date().timeIntervalSince(lastPrint) > 30 {
        lastPrint = Date()
        FileHandle.standardError.write(Data("\(report.files) files, \(report.faults.count) faults\n".utf8))
      }
    }
    report.seconds = Date().timeIntervalSince(start)
    print(report.text(source: { self.describe($0) }))
    return report.faults.isEmpty
  }

  private func begin(_ number: Int, at index: Int) throws {
    guard index < options.count else { return }
    let process = Process()
    let pipe = Pipe()
    let errors = FileManager.default.temporaryDirectory.appendingPathComponent("fx-fuzz-\(getpid())-\(number).log").path
    _ = FileManager.default.createFile(atPath: errors, contents: nil)
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL
    process.arguments =
      options.folders + [
        "--worker", "\(number)", "--first", "\(index)", "--count", "\(options.count)", "--workers", "\(options.workers)",
        "--seed", "\(options.seed)", "--limit", "\(options.sizeLimit)",
      ]
    var environment = ProcessInfo.processInfo.environment
    // The stack is found again with --replay; printing it for each crash takes seconds.
    environment["SWIFT_BACKTRACE"] = "enable=no"
    process.environment = environment
    process.standardOutput = pipe
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.run()
    children.append(Child(number, process, pipe.fileHandleForReading, errors: errors))
  }

  private func read(_ child: Child) throws {
    let data = child.output.availableData
    guard !data.isEmpty else { return try end(child) }
    child.pending += data
    while let newline = child.pending.firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: child.pending[..<newline], as: UTF8.self)
      child.pending.removeSubrange(...newline)
      if line.hasPrefix("B ") {
        child.current = Int(line.dropFirst(2))
        child.before = child.processorSeconds
      } else if let result = FileResult(line) {
        child.current = nil
        try note(report.add(result), result.index)
      }
    }
  }

  /// The worker is done, or died of a file: then the next one begins behind it.
  private func end(_ child: Child) throws {
    child.process.waitUntilExit()
    children.removeAll { $0 === child }
    defer { try? FileManager.default.removeItem(atPath: child.errors) }
    guard let index = child.current else { return }
    let message = (try? String(contentsOfFile: child.errors, encoding: .utf8)) ?? ""
    let line =
      message.split(separator: "\n").first { $0.contains("Fatal error") || $0.contains("ERROR: AddressSanitizer") }
      ?? message.split(separator: "\n").first ?? ""
    let fault: Fault =
      child.wasKilled
      ? .hang(index) : .crash(index, signal: child.process.terminationStatus, message: String(line.suffix(200)))
    try note(report.add(fault), index)
    try begin(child.number, at: index + options.workers)
  }

  /// Keeps the files of the first faults of each kind.
  private func note(_ fault: Fault?, _ index: Int) throws {
    guard let fault, report.isWorthKeeping(fault) else { return }
    try FileManager.default.createDirectory(atPath: options.keep, withIntermediateDirectories: true)
    let file = ModelMutation.make(of: vocabulary, seed: options.seed, index: index)
    try Data(file.bytes).write(to: URL(fileURLWithPath: "\(options.keep)/\(fault.kind)-\(options.seed)-\(index).onnx"))
    FileHandle.standardError.write(Data("\(fault): \(describe(index))\n".utf8))
  }

  private func describe(_ index: Int) -> String {
    let file = ModelMutation.make(of: vocabulary, seed: options.seed, index: index)
    return "\(paths[file.source]), \(file.bytes.count) bytes: \(file.steps.joined(separator: ", "))"
  }
}
