import FXCore

/// Runs passes in order, and checks each.
///
/// The graph is verified after every pass; with `validation`, it also runs on sampled inputs after every pass that changed
/// something, and must give the outputs it gave before. Whatever goes wrong, the graph is left as it was before the pass
/// at fault.
public struct PassManager: Sendable {
  /// The pipeline, in the order in which the passes run.
  public var passes: [any Pass]
  /// How closely the graph is verified after each pass; `nil` for not at all.
  public var verification: VerificationLevel? = .typed
  /// Compares outputs before and after each pass.
  public var validation: PassValidation?
  /// How often the list is run at most. Above 1, it is run until no pass changes anything.
  public var maximumRounds = 1
  /// Whether the report tells where nodes come from. Takes a copy of the graph for each pass.
  public var tracksProvenance = false
  /// Is handed every step, with the graph before and after, once the step is checked.
  public var onStep: (@Sendable (PassStep) throws -> Void)?

  /// A pipeline of passes that is run once, verifies types after each, and compares no outputs.
  public init(_ passes: [any Pass] = []) { self.passes = passes }

  /// Appends a pass to the pipeline.
  public mutating func add(_ pass: any Pass) { passes.append(pass) }

  /// Runs the passes.
  /// - Throws: `PassError`; what `onStep` throws.
  @discardableResult
  public func run(_ graph: inout Graph) throws -> PassReport {
    var report = PassReport()
    if tracksProvenance { report.provenance = Provenance() }
    do { try verification.map { try graph.verify($0) } } catch { throw PassError.invalidInput(error) }
    var comparison: PassValidation.Session?
    do { comparison = try validation?.begin(graph) } catch { throw PassError.cannotValidate(error) }
    for round in 1...max(1, maximumRounds) {
      let first = report.entries.count
      for pass in passes { report.entries.append(try run(pass, &graph, &comparison, &report.provenance, round)) }
      report.isStable = report.entries[first...].allSatisfy { $0.outcome.changes == 0 }
      if report.isStable { break }
    }
    return report
  }

  private func run(
    _ pass: any Pass, _ graph: inout Graph, _ comparison: inout PassValidation.Session?, _ provenance: inout Provenance?,
    _ round: Int
  ) throws -> PassReport.Entry {
    var result = graph
    if tracksProvenance { result.journal = [] }
    var outcome = PassOutcome()
    let duration: Duration
    do {
      duration = try ContinuousClock().measure { outcome = try pass.apply(to: &result) }
    } catch {
      throw PassError.failed(pass: pass.name, error)
    }
    var deviation: Double?
    do { try verification.map { try result.verify($0) } } catch {
      throw PassError.invalidResult(pass: pass.name, error)
    }
    if outcome.changes > 0 { deviation = try comparison?.compare(result, after: pass, of: graph) }
    provenance?.record(pass: pass.name, round: round, before: graph, after: result)
    result.journal = nil
    let entry = PassReport.Entry(
      pass: pass.name, round: round, duration: duration, nodesBefore: graph.nodeCount, nodesAfter: result.nodeCount,
      outcome: outcome, deviation: deviation)
    try onStep?(PassStep(entry: entry, before: graph, after: result))
    graph = result
    return entry
  }
}

/// One pass of a run, for those who want to look at every step.
public struct PassStep: Sendable {
  /// What the report says of the pass.
  public let entry: PassReport.Entry
  /// The graph that the pass was given.
  public let before: Graph
  /// The graph that the pass made of it, verified and validated as far as the manager does.
  public let after: Graph
}
