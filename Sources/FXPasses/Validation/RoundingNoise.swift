import FXCore
import FXShapes

/// What roundings do to a graph's outputs: the graph is run with every computed floating-point value off by a little, and the
/// outputs that move tell how much a program that rounds otherwise may differ.
///
/// A condition number measured rather than derived: where values cancel, or a comparison stands at the brink, outputs move far,
/// and a difference there says nothing against a pass.
struct RoundingNoise {
  /// Units in the last place by which values are off.
  var units = 64.0
  var runs = 4

  /// Operators that round nothing.
  private static let exact: Set<Operator> = [
    .neg, .abs, .relu, .floor, .ceil, .round, .sign, .minimum, .maximum, .clip, .where_, .cast, .castLike, .reduceMax,
    .reduceMin, .maxPool, .globalMaxPool, .topK, .oneHot, .hardmax, .dropout, .constantOfShape, .range,
  ]

  /// For each output the largest movement of an element; infinite where types, sizes or integers change.
  func movement(
    of graph: Graph, _ inputs: [RuntimeValue], _ outputs: [RuntimeValue], _ executor: any GraphExecutor
  ) throws -> [Double] {
    var movement = Array(repeating: 0.0, count: outputs.count)
    for run in 0..<runs {
      let noisy = try disturbed(graph, seed: UInt64(run))
      for (index, (before, after)) in zip(outputs, try executor.run(noisy, inputs: inputs)).enumerated() {
        movement[index] = max(movement[index], before.distance(to: after))
      }
    }
    return movement
  }

  /// The graph with a factor of 1 ± a little behind every call that rounds.
  private func disturbed(_ graph: Graph, seed: UInt64) throws -> Graph {
    var graph = graph
    var random = SplitMix64(state: seed)
    try ShapeInference().run(&graph)
    for id in graph.allNodes {
      let node = try graph[id]
      guard !node.op.has(.dataMovement), !RoundingNoise.exact.contains(node.op), node.op != .optional else { continue }
      for result in node.results {
        guard case .tensor(let type) = try graph.type(of: result), let precision = type.elementType.unitInLastPlace,
          try !graph.uses(of: result).isEmpty
        else { continue }
        // A narrow type keeps some digits at least.
        let offset = min(units * precision, max(precision, 0x1p-10))
        let factor = random.next() & 1 == 0 ? 1 + offset : 1 - offset
        let constant = graph.addConstant(try Tensor(type.elementType, [], numbers: .floats([factor])))
        let product = try graph.call(.mul, [.value(result), .parameter(constant)], type: .tensor(type), at: .after(id))
        try graph.replaceAllUses(of: result, with: .value(product))
        if let call = try graph.producer(of: product) { try graph.setOperand(0, of: call, to: .value(result)) }
      }
    }
    return graph
  }
}

extension ElementType {
  /// The distance from 1 to the next number; `nil` for types one does not compute in.
  fileprivate var unitInLastPlace: Double? {
    switch self {
    case .float64: 0x1p-52
    case .float32: 0x1p-23
    case .float16: 0x1p-10
    case .bfloat16: 0x1p-7
    default: nil
    }
  }
}

extension RuntimeValue {
  /// The largest difference of two elements; infinite for other types, sizes, integers or strings, or NaN on one side.
  func distance(to other: RuntimeValue) -> Double {
    switch (self, other) {
    case (.tensor(let a), .tensor(let b)):
      guard a.type == b.type else { return .infinity }
      if a == b { return 0 }
      guard a.elementType.isFloatingPoint, case .floats(let x)? = try? a.numbers(), case .floats(let y)? = try? b.numbers() else {
        return .infinity
      }
      return zip(x, y).reduce(0) { worst, pair in
        if pair.0 == pair.1 || (pair.0.isNaN && pair.1.isNaN) { return worst }
        let difference = (pair.0 - pair.1).magnitude
        return difference.isNaN ? .infinity : max(worst, difference)
      }
    case (.sequence(let a, _), .sequence(let b, _)):
      return a.count == b.count ? zip(a, b).reduce(0) { max($0, $1.0.distance(to: $1.1)) } : .infinity
    case (.optional(nil, _), .optional(nil, _)): return 0
    case (.optional(let a?, _), .optional(let b?, _)): return a.distance(to: b)
    default: return self == other ? 0 : .infinity
    }
  }
}
