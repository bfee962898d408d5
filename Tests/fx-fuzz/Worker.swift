import CAllocationMeter
import FXTestSupport
import Foundation

/// The process that does the work and may die of it. For each file it writes a line when it begins and one when it ends.
struct Worker {
  let options: Options
  let vocabulary: ModelVocabulary
  let judge: Judge

  init(_ options: Options, _ vocabulary: ModelVocabulary) {
    self.options = options
    self.vocabulary = vocabulary
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-fuzz-\(getpid())").path
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    _ = FileManager.default.createFile(atPath: folder + "/weights.bin", contents: Data(repeating: 1, count: 100))
    judge = Judge(folder: folder)
  }

  /// Works through indices `first`, `first + workers`, … below `count`.
  func run() {
    // No file of a megabyte has a reason to ask for this; where memory is not promised freely, it would fail.
    fx_allocations_set_limit(4 << 30)
    for index in stride(from: options.first, to: options.count, by: options.workers) {
      emit("B \(index)\n")
      let file = ModelMutation.make(of: vocabulary, seed: options.seed, index: index)
      let verdict = autoreleased { judge.judge(file.bytes, variant: index / options.workers) }
      let defect = verdict.defect.map { $0.replacingOccurrences(of: "\n", with: "\\n").replacingOccurrences(of: "\t", with: " ") }
      emit(
        "E \(index)\t\(verdict.milliseconds)\t\(verdict.peak)\t\(verdict.largest)\t\(file.bytes.count)\t\(verdict.outcome)"
          + "\t\(defect ?? "")\n")
    }
    try? FileManager.default.removeItem(atPath: judge.folder)
  }

  private func emit(_ line: String) {
    var line = line
    line.withUTF8 { _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
  }

  private func autoreleased<Result>(_ body: () -> Result) -> Result {
    #if canImport(ObjectiveC)
      autoreleasepool(invoking: body)
    #else
      body()
    #endif
  }
}

/// Runs `body` on a thread with the stack that threads of servers have, and waits for it.
func onSmallStack(_ body: @escaping @Sendable () -> Void) {
  let done = DispatchSemaphore(value: 0)
  let thread = Thread {
    body()
    done.signal()
  }
  // Frames of unoptimized and of sanitized code are several times as big.
  thread.stackSize = fx_allocations_are_counted() != 0 ? 512 << 10 : 8 << 20
  thread.start()
  done.wait()
}
