import FXCore

/// What was observed of a graph's values on samples. Data of other samples, made elsewhere perhaps, merges.
public struct CalibrationData: Sendable, Equatable {
  /// By the values' names.
  public private(set) var statistics: [String: TensorStatistics] = [:]
  /// How many samples the graph ran on.
  public private(set) var sampleCount = 0
  /// What is suspicious and no error, such as an input that is the same everywhere.
  public private(set) var warnings: [String] = []

  /// No data: to merge others into.
  public init() {}

  /// What was observed of the value of this name; `nil` if nothing was.
  public subscript(name: String) -> TensorStatistics? { statistics[name] }

  /// Runs a graph on samples and observes values.
  /// - Parameters:
  ///   - samples: for each sample one tensor per input, in order.
  ///   - values: what is observed; by default all floating values of the body.
  ///   - channelAxes: values of which ranges per index of an axis are kept.
  ///   - allowsConstantInputs: whether an input that is one number everywhere is a warning in place of an error.
  /// - Throws: `QuantizationError.calibration` naming the input of samples that are no use; what the executor throws.
  public init(
    _ graph: Graph, samples: [[Tensor]], values: [ValueID]? = nil, channelAxes: [ValueID: Int] = [:],
    allowsConstantInputs: Bool = false, executor: any GraphExecutor
  ) throws {
    try CalibrationData.check(samples, for: graph, allowsConstantInputs: allowsConstantInputs)
    let observed = try values ?? graph.floatingValues()
    let runner = try ObservedRun(graph, values: observed, executor: executor)
    for sample in samples {
      let results = try runner.run(sample)
      for (value, tensor) in results {
        try observe(tensor, as: graph.name(of: value), channelAxis: channelAxes[value])
      }
      sampleCount += 1
    }
    for input in graph.inputs {
      let name = graph.name(of: input)
      if let found = statistics[name], found.isConstant {
        warnings.append("input '\(name)' is \(found.range.lowerBound) everywhere in the calibration data")
      }
    }
  }

  /// Adds one tensor to what is known of a value. Numbers that are not finite, which a graph may make of good inputs (a mask
  /// of −∞, say), are left out.
  mutating func observe(_ tensor: Tensor, as name: String, channelAxis: Int? = nil) throws {
    guard tensor.elementType.isFloatingPoint, tensor.elementCount > 0 else { return }
    var found = try TensorStatistics(tensor, channelAxis: channelAxis)
    if found == nil {
      let finite = try tensor.converted(to: .float32).elements(Float.self).filter(\.isFinite)
      found = finite.isEmpty ? nil : try TensorStatistics(Tensor(vector: finite))
    }
    guard let found else { return }
    statistics[name]?.merge(found)
    if statistics[name] == nil { statistics[name] = found }
  }

  /// Adds what was observed of the same graph on other samples.
  public mutating func merge(_ other: CalibrationData) {
    for (name, more) in other.statistics {
      statistics[name]?.merge(more)
      if statistics[name] == nil { statistics[name] = more }
    }
    // An input is one number everywhere if it is that number in both; no samples say nothing.
    if sampleCount == 0 {
      warnings = other.warnings
    } else if other.sampleCount > 0 {
      warnings = warnings.filter(other.warnings.contains)
    }
    sampleCount += other.sampleCount
  }

  /// Looks at samples before anything runs.
  /// - Parameter allowsConstantInputs: whether an input of several numbers may be one number everywhere. Ranges that follow
  ///   from such data are worth nothing, so that this is an error unless somebody knows better (a mask of ones, say).
  /// - Throws: `QuantizationError.calibration` naming the input.
  public static func check(_ samples: [[Tensor]], for graph: Graph, allowsConstantInputs: Bool = false) throws {
    let names = graph.inputs.map { graph.name(of: $0) }
    guard !samples.isEmpty else { throw QuantizationError.calibration(.noSamples(inputs: names)) }
    /// The one number of each input that was no other yet.
    var firsts: [Int: Double] = [:]
    for (index, sample) in samples.enumerated() {
      guard sample.count == names.count else {
        throw QuantizationError.calibration(.inputCount(sample: index, expected: names, actual: sample.count))
      }
      for (position, tensor) in sample.enumerated() {
        let expected = try graph.type(of: graph.inputs[position])
        if let type = expected.tensorType, !type.admits(tensor.type) {
          throw QuantizationError.calibration(
            .inputType(input: names[position], sample: index, expected: expected, actual: .tensor(tensor.type)))
        }
        guard tensor.elementCount > 0 else {
          throw QuantizationError.calibration(.empty(input: names[position], sample: index))
        }
        guard tensor.elementType.isFloatingPoint else { continue }
        let numbers = try tensor.numbers().doubles
        if index == 0 { firsts[position] = numbers.count > 1 ? numbers[0] : nil }
        if let first = firsts[position], numbers.contains(where: { $0 != first }) { firsts[position] = nil }
        let wrong = numbers.count { !$0.isFinite }
        guard wrong == 0 else {
          throw QuantizationError.calibration(
            .notFinite(input: names[position], sample: index, count: wrong, of: tensor.elementCount))
        }
      }
    }
    guard !allowsConstantInputs, let (position, number) = firsts.min(by: { $0.key < $1.key }) else { return }
    throw QuantizationError.calibration(.constant(input: names[position], number))
  }
}

/// A graph that also returns values from its middle, compiled once where the executor compiles.
struct ObservedRun {
  private let graph: Graph
  private let values: [ValueID]
  private let outputCount: Int
  private let executor: any GraphExecutor
  private let executable: (any Executable)?

  init(_ graph: Graph, values: [ValueID], executor: any GraphExecutor) throws {
    var graph = graph
    outputCount = graph.outputs.count
    self.values = values
    var names = graph.outputNames.map(Optional.some)
    var taken = Set(graph.outputNames)
    for index in values.indices {
      var name = "observed.\(index)"
      while !taken.insert(name).inserted { name += "_" }
      names.append(name)
    }
    try graph.setResults(of: graph.body, graph.outputs + values.map(Operand.value), names: names)
    self.graph = graph
    self.executor = executor
    executable = try (executor as? any Backend)?.compile(graph)
  }

  /// The observed values that are tensors.
  func run(_ sample: [Tensor]) throws -> [(ValueID, Tensor)] { try runAll(sample).observed }

  func runAll(_ sample: [Tensor]) throws -> (outputs: [RuntimeValue], observed: [(ValueID, Tensor)]) {
    let inputs = sample.map(RuntimeValue.tensor)
    let results = try executable?.run(inputs) ?? executor.run(graph, inputs: inputs)
    let observed = zip(values, results.dropFirst(outputCount)).compactMap { value, result in
      result.tensor.map { (value, $0) }
    }
    return (Array(results.prefix(outputCount)), observed)
  }
}

extension Graph {
  /// The inputs and results of the body that are floating tensors, or may be.
  func floatingValues() throws -> [ValueID] {
    let results = try bodyNodes.flatMap { try self[$0].results }
    return try (inputs + results).filter { value in
      let type = try type(of: value)
      return type == .unknown || type.elementType?.isFloatingPoint ?? false
    }
  }
}
