import FXCore

/// Adds up what the micro-batches give for values that need all of them, with the backend that computes everything else.
struct MicroBatchSum: Sendable {
  private let values: [ValueID]
  private let adding: (any Executable)?
  /// Makes means of sums.
  private let dividing: (any Executable)?

  init(_ program: CollectiveGraph, microBatches: Int, backend: any Backend) throws {
    values = program.combined.keys.sorted { program.graph.name(of: $0) < program.graph.name(of: $1) }
    guard microBatches > 1, !values.isEmpty else {
      (adding, dividing) = (nil, nil)
      return
    }
    var (sum, quotient) = (Graph(name: "sum"), Graph(name: "quotient"))
    var (left, right): ([Operand], [Operand]) = ([], [])
    for (index, value) in values.enumerated() {
      left.append(.value(try sum.addInput("a\(index)", program.graph.type(of: value))))
    }
    for (index, value) in values.enumerated() {
      right.append(.value(try sum.addInput("b\(index)", program.graph.type(of: value))))
    }
    for (index, value) in values.enumerated() {
      let type = try program.graph.type(of: value)
      let reduction = program.combined[value] ?? .sum
      let op: Operator =
        switch reduction {
        case .sum, .mean: .add
        case .max: .maximum
        case .min: .minimum
        case .prod: .mul
        }
      try sum.addOutput(.value(sum.call(op, [left[index], right[index]], type: type)), name: "sum\(index)")
      let total = try quotient.addInput("a\(index)", type)
      guard reduction == .mean else {
        try quotient.addOutput(.value(total), name: "mean\(index)")
        continue
      }
      // Only numbers with fractions are taken the mean of in parts.
      let mean = try quotient.call(.div, [.value(total), .literal(.float(Double(microBatches)))], type: type)
      try quotient.addOutput(.value(mean), name: "mean\(index)")
    }
    adding = try backend.compile(sum)
    dividing = program.combined.values.contains(.mean) ? try backend.compile(quotient) : nil
  }

  /// Adds a micro-batch's values to `totals`, which are its own at first.
  func add(_ run: CollectiveRun, to totals: inout [RuntimeValue]) throws {
    let own = try values.map { value in
      guard let found = run[value] else { throw ExecutionError.unsupported(["a sum that is not there"]) }
      return found
    }
    totals = try totals.isEmpty ? own : adding?.run(totals + own) ?? own
  }

  /// The combined values by their names in the graph.
  func finish(_ totals: [RuntimeValue]) throws -> [(ValueID, RuntimeValue)] {
    Array(zip(values, try dividing?.run(totals) ?? totals))
  }
}
