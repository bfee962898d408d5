// graph-bench [--json] [COUNT...]: how long graph tooling takes, for graphs of COUNT calls (10,000, 100,000, 1,000,000).
//
// Prints for each step the best of three in milliseconds at each size, and how the time grows from the smallest size to
// the largest: 1.0 is linear, 2.0 quadratic. With --json one object per size instead, as torch_fx.py does.

import FXCore

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

var arguments = CommandLine.arguments.dropFirst()
let asJSON = arguments.first == "--json"
if asJSON { arguments.removeFirst() }
let counts = arguments.isEmpty ? [10_000, 100_000, 1_000_000] : arguments.compactMap { Int($0) }.filter { $0 >= 10 }
guard counts.count == max(arguments.count, 1) || arguments.isEmpty else {
  print("usage: graph-bench [--json] [COUNT...]    (numbers of calls, at least 10)")
  exit(2)
}

func right(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
func left(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
func rounded(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }

var times: [[Double]] = []
for count in counts {
  let graph = try makeGraph(calls: count)
  times.append(
    try Step.all.map { step in
      var best = Double.infinity
      for _ in 0..<3 { best = min(best, try step.measure(graph, count)) }
      return best
    })
}

if asJSON {
  for (count, row) in zip(counts, times) {
    let fields = zip(Step.all, row).map { "\"\($0.name)\": \(rounded($1))" }
    print("{\"calls\": \(count), \(fields.joined(separator: ", "))}")
  }
} else {
  print(left("milliseconds", 24) + counts.map { right("\($0)", 12) }.joined() + right("growth", 10))
  let (smallest, largest) = (Double(counts[0]), Double(counts[counts.count - 1]))
  for (index, step) in Step.all.enumerated() {
    let row = times.map { $0[index] }
    let growth = smallest < largest ? rounded(log(row[row.count - 1] / row[0]) / log(largest / smallest)) : ""
    print(left(step.name, 24) + row.map { right(rounded($0), 12) }.joined() + right(growth, 10))
  }
}
