import FXCore

/// Runs a graph before and after passes on the same sampled inputs.
public struct PassValidation: Sendable {
  /// Runs the graph before the first pass, and after each that changed something.
  public var executor: any GraphExecutor
  /// Draws the inputs, before the first pass.
  public var sampler: InputSampler
  /// How many sets of inputs are drawn.
  public var samples: Int
  /// How often a pass that changed outputs is applied again, at most, to find the smallest graph that shows it; 0 for not at
  /// all.
  public var reductionBudget = 256

  /// Runs each graph on one set of inputs, drawn with seed 0, unless told otherwise.
  public init(executor: any GraphExecutor, sampler: InputSampler = InputSampler(), samples: Int = 1) {
    self.executor = executor
    self.sampler = sampler
    self.samples = samples
  }

  /// Draws inputs and runs the graph on them.
  /// - Throws: what the sampler or the executor throws.
  func begin(_ graph: Graph) throws -> Session {
    let inputs = try (0..<max(1, samples)).map { try sampler.inputs(of: graph, sample: $0) }
    let outputs = try inputs.map { try executor.run(graph, inputs: $0) }
    return Session(executor: executor, inputs: inputs, reductionBudget: reductionBudget, outputs: outputs)
  }

  /// Inputs, and the outputs that the graph gave for them after the last accepted pass.
  struct Session {
    let executor: any GraphExecutor
    let inputs: [[RuntimeValue]]
    let reductionBudget: Int
    private(set) var outputs: [[RuntimeValue]]

    /// Runs the graph and compares with the last outputs, which the new ones then replace.
    /// - Parameter original: the graph before the pass.
    /// - Returns: the largest deviation.
    /// - Throws: `PassError.noLongerRuns`, `.outputsDiffer`.
    mutating func compare(_ graph: Graph, after pass: any Pass, of original: Graph) throws(PassError) -> Double {
      var deviation = 0.0
      for (sample, values) in inputs.enumerated() {
        let results: [RuntimeValue]
        do { results = try executor.run(graph, inputs: values) } catch {
          throw .noLongerRuns(pass: pass.name, error)
        }
        let names = graph.outputNames
        for (index, (before, after)) in zip(outputs[sample], results).enumerated() {
          switch OutputComparison(pass.contract).compare(before, after) {
          case .agree(let found): deviation = max(deviation, found)
          case .differ(var mismatch):
            mismatch.output = index < names.count ? names[index] : "\(index)"
            throw .outputsDiffer(
              pass: pass.name, contract: pass.contract, mismatch, reduced(original, values, pass))
          }
        }
        guard outputs[sample].count == results.count else {
          let reason = "\(results.count) outputs instead of \(outputs[sample].count)"
          throw .outputsDiffer(
            pass: pass.name, contract: pass.contract, OutputMismatch(reason: reason), reduced(original, values, pass))
        }
        outputs[sample] = results
      }
      return deviation
    }

    /// The smallest graph found whose outputs the pass changes.
    private func reduced(_ original: Graph, _ inputs: [RuntimeValue], _ pass: any Pass) -> ReducedGraph? {
      guard reductionBudget > 0 else { return nil }
      return try? GraphReduction(executor: executor, budget: reductionBudget).reduce(original, inputs) { graph, inputs in
        var changed = graph
        guard let before = try? executor.run(graph, inputs: inputs), (try? pass.apply(to: &changed)) != nil,
          (try? changed.verify(.typed)) != nil, let after = try? executor.run(changed, inputs: inputs),
          before.count == after.count
        else { return false }
        return zip(before, after).contains { pair in
          if case .differ = OutputComparison(pass.contract).compare(pair.0, pair.1) { true } else { false }
        }
      }
    }
  }
}
