import FXCore

/// Puts a pass, or a pipeline, to the proof on one graph: it must not throw, the graph must verify, outputs must stay equal
/// within the contract, and a second application must change nothing.
///
/// Outputs are compared for two sets of inputs with different sizes of symbols, so that a pass which takes one size for all is
/// caught. Differences that roundings alone can make of the graph are none (`RoundingNoise`).
public struct PassTrial: Sendable {
  /// Runs the graphs; it must not optimize by itself.
  public var executor: any GraphExecutor
  /// How often a pass that fails is applied again, at most, to find the smallest graph that shows it.
  public var reductionBudget = 200

  /// A trial on an executor, which runs each graph before and after.
  public init(executor: any GraphExecutor) { self.executor = executor }

  /// What a pass did wrong.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    /// In which way something failed; the raw value is a phrase of the message.
    public enum Kind: String, Sendable {
      /// The pass threw; `reason` is its error.
      case threw = "threw"
      /// The result does not verify as `executable`.
      case broke = "broke the graph"
      /// The executor runs the graph, and throws for the result.
      case stopsRunning = "left a graph that does not run"
      /// Outputs differ in number, name or value by more than the contract and roundings allow.
      case differs = "changed the outputs"
      /// The outcome counts no changes, and the result is another graph.
      case miscounts = "changed the graph without counting it"
      /// A second application changes something, or throws.
      case repeats = "changes its own result"
      /// A pipeline that runs to a fixed point still changes something in its last round.
      case unstable = "finds no fixed point"
    }
    /// The name of the pass, pipeline or executor on trial.
    public let subject: String
    /// In which way it failed.
    public let kind: Kind
    /// The error thrown, or what differs, in words.
    public let reason: String
    /// The smallest graph found that shows it.
    public internal(set) var reduced: ReducedGraph?

    public var description: String {
      "\(subject) \(kind.rawValue): \(reason)" + (reduced.map { "\nreduced to \($0.callCount) calls:\n\($0.graph.text())" } ?? "")
    }
  }

  /// Applies a pass to a copy of the graph.
  /// - Parameter seed: of the inputs.
  /// - Throws: `Failure`; what the executor or the sampler throws for the graph as it is.
  public func check(_ pass: any Pass, on graph: Graph, seed: UInt64 = 0) throws {
    for inputs in try drawnInputs(of: graph, seed) {
      guard var failure = try fault(of: pass, graph, inputs) else { continue }
      let kind = failure.kind
      failure.reduced = try? GraphReduction(executor: executor, budget: reductionBudget).reduce(graph, inputs) { graph, inputs in
        (try? self.fault(of: pass, graph, inputs)?.kind) == kind
      }
      throw failure
    }
  }

  /// Runs a pipeline on a copy of the graph; one that runs to a fixed point must find it.
  /// - Throws: as `check(_:on:seed:)` with a pass.
  public func check(_ manager: PassManager, named name: String, on graph: Graph, seed: UInt64 = 0) throws {
    try check(Pipeline(name: name, manager: manager), on: graph, seed: seed)
  }

  /// Runs the graph with another executor, which must give the same up to rounding.
  /// - Throws: as `check(_:on:seed:)`.
  public func check(_ other: any GraphExecutor, named name: String, on graph: Graph, seed: UInt64 = 0) throws {
    for inputs in try drawnInputs(of: graph, seed) {
      let property: @Sendable (Graph, [RuntimeValue]) throws -> Failure? = { graph, inputs in
        let before = try executor.run(graph, inputs: inputs)
        let after: [RuntimeValue]
        do { after = try other.run(graph, inputs: inputs) } catch {
          return Failure(subject: name, kind: .stopsRunning, reason: "\(error)")
        }
        return try difference(before, after, .reassociates, graph, inputs).map {
          Failure(subject: name, kind: .differs, reason: $0)
        }
      }
      guard var failure = try property(graph, inputs) else { continue }
      let kind = failure.kind
      failure.reduced = try? GraphReduction(executor: executor, budget: reductionBudget).reduce(graph, inputs) { graph, inputs in
        (try? property(graph, inputs)?.kind) == kind
      }
      throw failure
    }
  }

  private func drawnInputs(of graph: Graph, _ seed: UInt64) throws -> [[RuntimeValue]] {
    let symbols = graph.symbols.keys.sorted()
    return try (0..<2).map { sample in
      var sizes: [String: Int] = [:]
      for (index, symbol) in symbols.enumerated() {
        sizes[symbol] = graph.symbols[symbol]?.size(near: 2 + (sample + index) % 3)
      }
      return try InputSampler(seed: seed, sizes: sizes).inputs(of: graph, sample: sample)
    }
  }

  private func fault(of pass: any Pass, _ graph: Graph, _ inputs: [RuntimeValue]) throws -> Failure? {
    func failure(_ kind: Failure.Kind, _ reason: String) -> Failure { Failure(subject: pass.name, kind: kind, reason: reason) }
    let before = try executor.run(graph, inputs: inputs)
    var result = graph
    let outcome: PassOutcome
    do { outcome = try pass.apply(to: &result) } catch let failure as Failure { return failure } catch {
      return failure(.threw, "\(error)")
    }
    do { try result.verify(.executable) } catch { return failure(.broke, "\(error)") }
    if outcome.changes == 0, result != graph { return failure(.miscounts, "\(outcome)") }
    let after: [RuntimeValue]
    do { after = try executor.run(result, inputs: inputs) } catch { return failure(.stopsRunning, "\(error)") }
    if let reason = try difference(before, after, pass.contract, graph, inputs) { return failure(.differs, reason) }
    if graph.outputNames != result.outputNames { return failure(.differs, "outputs are named \(result.outputNames)") }
    // A pipeline whose passes run once each may find more in its own result.
    if pass is Pipeline { return nil }
    var again = result
    do {
      let outcome = try pass.apply(to: &again)
      if outcome.changes > 0 { return failure(.repeats, "\(outcome)") }
    } catch { return failure(.repeats, "the second time: \(error)") }
    return again == result ? nil : failure(.repeats, "without counting it")
  }

  /// Says where outputs differ by more than the contract and roundings allow.
  private func difference(
    _ before: [RuntimeValue], _ after: [RuntimeValue], _ contract: NumericContract, _ graph: Graph, _ inputs: [RuntimeValue]
  ) throws -> String? {
    guard before.count == after.count else { return "\(before.count) outputs became \(after.count)" }
    var found: (index: Int, mismatch: OutputMismatch)?
    for (index, (x, y)) in zip(before, after).enumerated() {
      guard case .differ(let mismatch) = OutputComparison(contract).compare(x, y) else { continue }
      found = (index, mismatch)
      guard contract != .exact else { break }
      let movement = try RoundingNoise().movement(of: graph, inputs, before, executor)
      if x.distance(to: y) <= 8 * movement[index] { found = nil } else { break }
    }
    return found.map { "output '\(graph.outputNames[$0.index])': \($0.mismatch)" }
  }
}

/// A pipeline as a pass.
private struct Pipeline: Pass {
  let name: String
  let manager: PassManager
  var contract: NumericContract { manager.passes.reduce(.exact) { $0.followed(by: $1.contract) } }

  func apply(to graph: inout Graph) throws -> PassOutcome {
    let report = try manager.run(&graph)
    guard report.isStable || manager.maximumRounds == 1 else {
      throw PassTrial.Failure(subject: name, kind: .unstable, reason: report.description)
    }
    var outcome = PassOutcome()
    outcome.change("edits", report.changes)
    return outcome
  }
}
