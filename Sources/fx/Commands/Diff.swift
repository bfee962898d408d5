import ArgumentParser
import FXCore
import FXQuant
import FXRuntime
import Foundation

/// What differs between two models: operators, parameters, and with inputs the numbers, value by value where both have one of
/// the same name.
struct Diff: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two models: structure, weights, and numbers where inputs are given.",
    discussion: """
      What differs is listed, with --inputs also the first value in the order of execution that differs, and where most is lost.
      Exit status 1 if they differ: without --inputs in structure or weights; with --inputs in the numbers of the outputs, \
      whatever the structure, or where --min-db says how much noise they may have, in more than that.

      Example:
        fx diff model.onnx small.onnx --inputs samples --min-db 30
      """)

  @Argument(help: "The first model.") var first: String
  @Argument(help: "The second model.") var second: String
  @Option(help: "Folder with inputs to run both on: samples as `fx quantize --calibration` reads them.") var inputs: String?
  @Option(help: "How many of the values that differ most are listed.") var worst = 10
  @Option(help: "The least signal to noise of every output, in decibels.") var minDb: Double?

  var model: String { second }

  func validate() throws {
    if minDb != nil, inputs == nil { throw ValidationError("--min-db compares outputs, which takes --inputs") }
  }

  func execute() throws {
    let (a, b) = (try ModelFile.read(first), try ModelFile.read(second))
    let differs = try compareStructure(a, b)
    guard let inputs else {
      if differs { throw CheckFailed(message: "\(first) and \(second) differ") }
      Terminal.line("no difference")
      return
    }
    let samples = try CalibrationFiles.samples(of: a, in: inputs)
    let comparison = try ValueComparisonByName(a, b, samples: samples, backend: CPUBackend())
    for (name, op, ratio) in comparison.values.prefix(max(worst, 0)) {
      Terminal.line("\(ratio.levelText.right(9)) dB  \(name) (\(op))")
    }
    if let first = comparison.first {
      Terminal.line("first difference at '\(first.name)' (\(first.op)): \(first.ratio.levelText) dB")
    }
    if let origin = comparison.origin {
      Terminal.line("largest loss at '\(origin.name)' (\(origin.op)): \(origin.loss.fixed(1)) dB")
    }
    for (name, ratio) in comparison.outputs { Terminal.line("output \(name): \(ratio.levelText) dB") }
    if let lost = Set(a.outputNames).symmetricDifference(b.outputNames).min() {
      throw CheckFailed(message: "only one of \(first) and \(second) has an output '\(lost)'")
    }
    for (name, ratio) in comparison.outputs where ratio.differs {
      guard let minDb else { throw CheckFailed(message: "output '\(name)' of \(first) and \(second) differs") }
      if ratio.level < minDb {
        throw CheckFailed(message: "output '\(name)' keeps \(ratio.levelText) dB, \(minDb.fixed(1)) were asked for")
      }
    }
    if let name = comparison.otherwise { throw CheckFailed(message: "output '\(name)' of \(first) and \(second) differs") }
  }

  /// Prints what differs. Whether anything does.
  private func compareStructure(_ a: Graph, _ b: Graph) throws -> Bool {
    var differs = false
    func line(_ text: String) {
      differs = true
      Terminal.line(text)
    }
    func types(_ graph: Graph, _ values: [Operand], _ names: [String]) -> String {
      zip(names, values).map { "\($0): \(graph.type(of: $1))" }.joined(separator: ", ")
    }
    let inputs = [a, b].map { types($0, $0.inputs.map(Operand.value), $0.inputs.map($0.name)) }
    if inputs[0] != inputs[1] { line("inputs: \(inputs[0]) | \(inputs[1])") }
    let outputs = [a, b].map { types($0, $0.outputs, $0.outputNames) }
    if outputs[0] != outputs[1] { line("outputs: \(outputs[0]) | \(outputs[1])") }
    let counts = [a, b].map { Dictionary(uniqueKeysWithValues: $0.operatorCounts.map { ($0.op.description, $0.count) }) }
    for op in Set(counts[0].keys).union(counts[1].keys).sorted() where counts[0][op] != counts[1][op] {
      line("operator \(op): \(counts[0][op] ?? 0) | \(counts[1][op] ?? 0)")
    }
    var differing: [String] = []
    for id in a.parameterIDs {
      let parameter = try a[id]
      guard let other = b.parameter(named: parameter.name) else { continue }
      if try b[other].tensor != parameter.tensor { differing.append(parameter.name) }
    }
    let names = [a, b].map { graph in Set(graph.parameterIDs.compactMap { try? graph[$0].name }) }
    if !differing.isEmpty { line("parameters that differ: \(differing.joined(separator: ", "))") }
    let only = [names[0].subtracting(names[1]), names[1].subtracting(names[0])]
    if !only[0].isEmpty || !only[1].isEmpty {
      line("parameters of one only: \(only[0].count) | \(only[1].count)")
    }
    let bytes = [a, b].map(\.parameterByteCount)
    if bytes[0] != bytes[1] { line("parameters: \(bytes[0].byteText) | \(bytes[1].byteText)") }
    return differs
  }
}

/// Values of two graphs under the same names, on the same inputs.
private struct ValueComparisonByName {
  typealias Finding = (name: String, op: String, ratio: SignalToNoise)
  /// The floating values that both have and that differ, those that differ most first.
  let values: [Finding]
  let outputs: [(name: String, ratio: SignalToNoise)]
  /// An output that has no numbers, such as strings or a sequence, and differs.
  let otherwise: String?
  /// The first value that differs, in the order in which the first graph runs.
  let first: Finding?
  /// The node at which most is lost beyond what its operands had lost: where to look first.
  let origin: (name: String, op: String, loss: Double)?

  init(_ a: Graph, _ b: Graph, samples: [[Tensor]], backend: CPUBackend) throws {
    var pairs: [(name: String, node: NodeID, a: ValueID, b: ValueID)] = []
    for id in a.bodyNodes {
      for value in try a[id].results {
        let name = a.name(of: value)
        guard try a.type(of: value).elementType?.isFloatingPoint == true, let other = b.value(named: name),
          try b.type(of: other).elementType?.isFloatingPoint == true, try b.producer(of: other) != nil
        else { continue }
        pairs.append((name, id, value, other))
      }
    }
    let runs = try zip([a, b], [pairs.map(\.a), pairs.map(\.b)]).map { graph, values in
      var graph = graph
      let count = graph.outputs.count
      let names = graph.outputNames + values.indices.map { "observed.\($0)" }
      try graph.setResults(of: graph.body, graph.outputs + values.map(Operand.value), names: names)
      return (try backend.compiled(graph), count)
    }
    var ratios = Array(repeating: SignalToNoise(), count: pairs.count)
    var outputs = Dictionary(a.outputNames.map { ($0, SignalToNoise()) }, uniquingKeysWith: { first, _ in first })
    var other: String?
    for sample in samples {
      let inputs = sample.map(RuntimeValue.tensor)
      let (x, y) = (try runs[0].0.run(inputs), try runs[1].0.run(inputs))
      for index in pairs.indices {
        if let p = x[runs[0].1 + index].tensor, let q = y[runs[1].1 + index].tensor { try ratios[index].add(p, q) }
      }
      for (index, name) in b.outputNames.enumerated() {
        guard let position = a.outputNames.firstIndex(of: name) else { continue }
        if let p = x[position].tensor, let q = y[index].tensor, p.elementType != .string, q.elementType != .string {
          try outputs[name]?.add(p, q)
        } else if x[position] != y[index] {
          other = other ?? name
        }
      }
    }
    let all = zip(pairs, ratios).map { ($0, $1) }
    let byValue = Dictionary(all.map { ($0.0.a, $0.1.level) }, uniquingKeysWith: { first, _ in first })
    func described(_ item: (name: String, node: NodeID, a: ValueID, b: ValueID), _ ratio: SignalToNoise) throws -> Finding {
      (item.name, try a[item.node].op.description, ratio)
    }
    var worst: (name: String, op: String, loss: Double)?
    for (pair, ratio) in all where ratio.differs {
      // 100 dB stand for operands without any error.
      let before = try a[pair.node].operands.compactMap { $0.value.flatMap { byValue[$0] } }.min() ?? 100
      let loss = min(before, 100) - ratio.level
      if loss > worst?.loss ?? 0 { worst = (pair.name, try a[pair.node].op.description, loss) }
    }
    origin = worst
    otherwise = other
    self.outputs = a.outputNames.compactMap { name in outputs[name].map { (name, $0) } }
    first = try all.first { $0.1.differs }.map(described)
    values = try all.filter { $0.1.differs }.sorted { $0.1.level < $1.1.level }.map(described)
  }
}

extension SignalToNoise {
  /// Whether anything differs; NaN where a number was does, too.
  fileprivate var differs: Bool { noise != 0 }
  /// The decibels: infinite where nothing differs, and as low as can be where no number says how much does.
  fileprivate var level: Double { !differs ? .infinity : decibels.isNaN ? -.infinity : decibels }
  /// With one digit after the point; `inf` where nothing differs.
  fileprivate var levelText: String { level.isFinite ? level.fixed(1) : "\(level)" }
}
