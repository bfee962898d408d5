import Foundation

/// What a worker says of a file.
struct FileResult {
  let index: Int
  let milliseconds: Double
  let peak: Int64
  let largest: Int64
  let size: Int64
  let outcome: String
  let defect: String

  init?(_ line: String) {
    guard line.hasPrefix("E ") else { return nil }
    let parts = line.dropFirst(2).split(separator: "\t", omittingEmptySubsequences: false)
    guard parts.count == 7, let index = Int(parts[0]), let milliseconds = Double(parts[1]), let peak = Int64(parts[2]),
      let largest = Int64(parts[3]), let size = Int64(parts[4])
    else { return nil }
    self.index = index
    self.milliseconds = milliseconds
    self.peak = peak
    self.largest = largest
    self.size = size
    outcome = String(parts[5])
    defect = String(parts[6])
  }
}

/// What must not happen.
enum Fault: CustomStringConvertible {
  case crash(Int, signal: Int32, message: String)
  case hang(Int)
  case slow(Int, milliseconds: Double)
  case memory(Int, peak: Int64, largest: Int64, size: Int64)
  case defect(Int, String)

  static let milliseconds = 1000.0
  /// Bytes beside four times the file's.
  static let fixedMemory: Int64 = 128 << 20

  var index: Int {
    switch self {
    case .crash(let index, _, _), .hang(let index), .slow(let index, _), .memory(let index, _, _, _), .defect(let index, _): index
    }
  }

  var kind: String {
    switch self {
    case .crash: "crash"
    case .hang: "hang"
    case .slow: "slow"
    case .memory: "memory"
    case .defect: "defect"
    }
  }

  var description: String {
    switch self {
    case .crash(let index, let signal, let message): "crash of file \(index), signal \(signal): \(message)"
    case .hang(let index): "file \(index) hangs"
    case .slow(let index, let milliseconds): "file \(index) takes \(Int(milliseconds)) ms"
    case .memory(let index, let peak, let largest, let size):
      "file \(index) of \(size) bytes takes \(peak >> 10) KB of memory, \(largest >> 10) KB at once"
    case .defect(let index, let text): "file \(index): \(text.prefix(300))"
    }
  }
}

/// Counts and extremes of a sweep.
struct Report {
  private(set) var files = 0
  private(set) var faults: [Fault] = []
  private var outcomes: [String: Int] = [:]
  private var times: [(milliseconds: Double, index: Int)] = []
  private var peaks: [(bytes: Int64, index: Int)] = []
  private var largest: (bytes: Int64, index: Int) = (0, 0)
  private var kept: [String: Int] = [:]
  var seconds = 0.0

  mutating func add(_ result: FileResult) -> Fault? {
    files += 1
    outcomes[result.outcome, default: 0] += 1
    times.append((result.milliseconds, result.index))
    peaks.append((result.peak, result.index))
    if result.largest > largest.bytes { largest = (result.largest, result.index) }
    let bound = 4 * result.size + Fault.fixedMemory
    var fault: Fault?
    if !result.defect.isEmpty { fault = .defect(result.index, result.defect) }
    if result.peak > bound || result.largest > bound {
      fault = .memory(result.index, peak: result.peak, largest: result.largest, size: result.size)
    }
    if result.milliseconds > Fault.milliseconds { fault = .slow(result.index, milliseconds: result.milliseconds) }
    if let fault { faults.append(fault) }
    return fault
  }

  mutating func add(_ fault: Fault) -> Fault {
    files += 1
    faults.append(fault)
    return fault
  }

  /// The first faults of a kind and message.
  mutating func isWorthKeeping(_ fault: Fault) -> Bool {
    var key = fault.kind
    switch fault {
    case .crash(_, _, let message): key += message
    case .defect(_, let text): key += text.prefix(40)
    default: break
    }
    kept[key, default: 0] += 1
    return kept[key, default: 0] <= 6
  }

  func text(source: (Int) -> String) -> String {
    var lines = ["\(files) files in \(Int(seconds)) s, \(Int(Double(files) / max(seconds, 0.001))) a second"]
    for (outcome, count) in outcomes.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      lines.append("\(String(repeating: " ", count: max(0, 8 - "\(count)".count)))\(count)  \(outcome)")
    }
    let sortedTimes = times.sorted { $0.milliseconds > $1.milliseconds }
    let sortedPeaks = peaks.sorted { $0.bytes > $1.bytes }
    func share(_ per: Int) -> Int { min(files / per, max(0, sortedTimes.count - 1)) }
    if let slowest = sortedTimes.first, let biggest = sortedPeaks.first {
      lines.append(
        String(
          format: "time: median %.2f ms, 1 in 1000 %.0f ms, most %.0f ms", sortedTimes[share(2)].milliseconds,
          sortedTimes[share(1000)].milliseconds, slowest.milliseconds) + " (\(slowest.index): \(source(slowest.index)))")
      lines.append(
        "memory: median \(sortedPeaks[share(2)].bytes >> 10) KB, 1 in 1000 \(sortedPeaks[share(1000)].bytes >> 10) KB, most "
          + "\(biggest.bytes >> 10) KB (\(biggest.index): \(source(biggest.index)))")
      lines.append("biggest block: \(largest.bytes >> 10) KB (\(largest.index))")
    }
    for fault in faults.prefix(40) { lines.append("\(fault): \(source(fault.index))") }
    let kinds = Dictionary(grouping: faults, by: \.kind).map { "\($0.value.count) \($0.key)" }.sorted()
    lines.append(kinds.isEmpty ? "no crash, no hang, no memory beyond the bound" : kinds.joined(separator: ", "))
    lines.append("\(files - faults.count) passed, \(faults.count) failed")
    return lines.joined(separator: "\n")
  }
}
