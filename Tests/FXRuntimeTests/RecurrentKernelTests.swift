import FXCore
import Testing

@testable import FXRuntime

@Suite struct RecurrentKernelTests {
  typealias Given = KernelCase.Given

  private static func layer(
    _ op: Operator, time: Int, batch: Int, input: Int, hidden: Int, _ direction: String, optional: [Given?] = [],
    results: Int, attributes: Attributes = [:]
  ) -> KernelCase {
    let directions = direction == "bidirectional" ? 2 : 1
    let rows = (op === Operator.lstm ? 4 : 3) * hidden
    var all = attributes
    all["direction"] = .string(direction)
    all["hidden_size"] = .int(hidden)
    if op === Operator.gru { all["linear_before_reset"] = true }
    return KernelCase(
      op: op,
      operands: [
        .f([time, batch, input]), .constant([directions, rows, input], -0.5...0.5),
        .constant([directions, rows, hidden], -0.5...0.5),
      ] + optional, attributes: all, resultCount: results, tolerance: 1e-5)
  }

  static let layers: [KernelCase] = [
    layer(.lstm, time: 7, batch: 3, input: 5, hidden: 6, "forward", results: 3),
    layer(.lstm, time: 7, batch: 1, input: 50, hidden: 33, "reverse", optional: [.constant([1, 264])], results: 1),
    layer(
      .lstm, time: 4, batch: 2, input: 5, hidden: 300, "bidirectional",
      optional: [.constant([2, 2400]), nil, .f([2, 2, 300]), .f([2, 2, 300])], results: 3),
    layer(
      .lstm, time: 4, batch: 2, input: 5, hidden: 8, "forward", optional: [.f([1, 64]), nil, nil, nil, .constant([1, 24])],
      results: 2),
    layer(.gru, time: 7, batch: 3, input: 5, hidden: 6, "forward", optional: [.constant([1, 36])], results: 2),
    layer(.gru, time: 5, batch: 1, input: 5, hidden: 40, "bidirectional", optional: [nil, nil, .f([2, 1, 40])], results: 2),
  ]

  @Test("layers", arguments: layers) func recurs(_ given: KernelCase) throws { try given.check() }
}
