import FXCore
import FXPasses
import FXRuntime
import Testing

/// A graph before and after a pass, as text without the first line.
struct PassCase: Sendable, CustomTestStringConvertible {
  let name: String
  let before: String
  let after: String
  /// Parts of the reasons that the pass must give for what it leaves, in order.
  let declined: [String]
  /// Whether the graph runs: unregistered operators and unbound parameters do not.
  let runs: Bool

  init(_ name: String, _ before: String, _ after: String? = nil, declined: [String] = [], runs: Bool = true) {
    self.name = name
    self.before = before
    self.after = after ?? before
    self.declined = declined
    self.runs = runs
  }

  var testDescription: String { name }
}

func graph(_ text: String) throws -> Graph { try Graph(text: "fx 1\n" + text) }

/// Applies a pass, and expects the graph after it, valid, with equal outputs, and unchanged by a second application.
func expect(
  _ pass: any Pass, _ test: PassCase, sampler: InputSampler = InputSampler(), sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let before = try graph(test.before)
  var after = before
  let outcome = try pass.apply(to: &after)
  try after.verify(.typed)
  let expected = try graph(test.after)
  #expect(after == expected, "\(after)", sourceLocation: sourceLocation)
  #expect((outcome.changes > 0) == (before != after), "\(outcome)", sourceLocation: sourceLocation)
  #expect(outcome.declined.count == test.declined.count, "\(outcome.declined)", sourceLocation: sourceLocation)
  for (refusal, part) in zip(outcome.declined, test.declined) {
    #expect(refusal.reason.contains(part), sourceLocation: sourceLocation)
  }
  if test.runs { try expectEqualOutputs(before, after, pass.contract, sampler, sourceLocation) }
  let once = after
  let again = try pass.apply(to: &after)
  #expect(again.changes == 0 && after == once, "second application: \(again)\n\(after)", sourceLocation: sourceLocation)
}

/// Runs both graphs on the same inputs, and expects what the contract promises.
func expectEqualOutputs(
  _ before: Graph, _ after: Graph, _ contract: NumericContract, _ sampler: InputSampler = InputSampler(),
  _ sourceLocation: SourceLocation = #_sourceLocation
) throws {
  #expect(before.outputNames == after.outputNames, sourceLocation: sourceLocation)
  for sample in 0..<2 {
    let inputs = try sampler.inputs(of: before, sample: sample)
    let executor = ReferenceExecutor()
    let (expected, actual) = (try executor.run(before, inputs: inputs), try executor.run(after, inputs: inputs))
    #expect(expected.count == actual.count, sourceLocation: sourceLocation)
    for (x, y) in zip(expected, actual) {
      guard case .differ(let mismatch) = OutputComparison(contract).compare(x, y) else { continue }
      Issue.record("\(mismatch)", sourceLocation: sourceLocation)
    }
  }
}
