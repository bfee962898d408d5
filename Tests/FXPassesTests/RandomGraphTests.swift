import FXCore
import FXPasses
import FXRuntime
import FXTestSupport
import Testing

/// Passes on graphs that nobody thought of.
struct RandomGraphTests {
  private static let passes: [any Pass] =
    PassManager.defaultOptimizationPasses(executor: ReferenceExecutor()).passes + [DecompositionPass()]

  /// Graphs of hostile parts, well formed and without meaning: passes that need no types keep them well formed.
  @Test(arguments: 0..<8) func hostile(_ block: UInt64) throws {
    for seed in block * 50..<block * 50 + 50 {
      var random = RandomGraph(seed: seed)
      var graph = try random.make()
      guard (try? graph.verify(.structural)) != nil else { continue }
      for pass in Self.passes where pass.name != "shape-inference" {
        // Without meaning, a graph may be refused, but never broken.
        guard (try? pass.apply(to: &graph)) != nil else { continue }
        try graph.verify(.structural)
        let once = graph
        #expect(try pass.apply(to: &graph).changes == 0, "\(pass.name), seed \(seed)")
        #expect(graph == once, "\(pass.name), seed \(seed)")
      }
    }
  }

  /// Graphs that compute something: the pipelines keep it, step by step.
  @Test(arguments: 0..<8) func meaningful(_ block: UInt64) throws {
    for seed in block * 8..<block * 8 + 8 {
      var program = RandomProgram(seed: seed)
      let before = try program.make()
      try before.verify(.executable)
      var manager = PassManager.aggressiveOptimizationPasses(executor: ReferenceExecutor())
      manager.verification = .executable
      manager.validation = PassValidation(executor: ReferenceExecutor())
      var after = before
      do {
        let report = try manager.run(&after)
        #expect(report.isStable, "seed \(seed)\n\(report)")
        #expect(after.nodeCount <= before.nodeCount)
        manager.passes = [DecompositionPass()]
        try manager.run(&after)
      } catch {
        Issue.record("seed \(seed): \(error)\n\(before)\n\(after)")
      }
    }
  }
}

/// Makes graphs of what passes look for: layers and activations, repetitions, constants, permutations, branches.
private struct RandomProgram {
  private var random: RandomSource
  private var graph = Graph()
  private static let matrix = ValueType.tensor(.float32, [3, 3])

  init(seed: UInt64) { random = RandomSource(seed: seed) }

  mutating func make() throws -> Graph {
    graph = Graph()
    let x = try graph.addInput("x", Self.matrix)
    let y = try graph.addInput("y", Self.matrix)
    let values = try fill(graph.body, [.value(x), .value(y)], calls: 10 + random.below(20), depth: 0)
    let outputs = values.suffix(1 + random.below(3))
    try graph.setResults(of: graph.body, Array(outputs), names: outputs.indices.map { "out\($0)" })
    return graph
  }

  private mutating func fill(
    _ region: RegionID, _ start: [Operand], calls: Int, depth: Int
  ) throws -> [Operand] {
    var values = start
    for _ in 0..<calls { values.append(try call(in: region, values, depth)) }
    return values
  }

  private mutating func call(in region: RegionID, _ values: [Operand], _ depth: Int) throws -> Operand {
    let end = InsertionPoint.end(of: region)
    // Mostly what was made last, so that chains come about.
    let x = random.oneIn(3) ? random.pick(values) : values[values.count - 1]
    func add(_ op: Operator, _ operands: Operand..., attributes: Attributes = [:]) throws -> Operand {
      .value(try graph.call(op, operands, attributes: attributes, type: Self.matrix, at: end))
    }
    switch random.below(14) {
    case 0: return try add(random.pick([.neg, .abs, .identity, .dropout]), x)
    case 1: return try add(random.pick([.relu, .tanh, .sigmoid, .gelu, .leakyRelu, .hardSwish]), x)
    case 2: return try add(.tanh, x)
    case 3: return try add(random.pick([.add, .sub, .maximum]), x, random.pick(values))
    case 4: return try add(random.pick([.mul, .add, .sub, .div]), x, random.pick([1, 0.5, 2].map { .literal(.float($0)) }))
    case 5: return try add(.transpose, x)
    case 6: return try add(.matmul, x, weight([3, 3]))
    case 7: return try add(.linear, x, weight([3, 3]), random.oneIn(2) ? .none : weight([3]))
    case 8: return try add(.gemm, x, weight([3, 3]), attributes: ["transA": .bool(random.oneIn(2)), "alpha": 0.5])
    case 9: return try add(.add, x, random.oneIn(2) ? weight([3]) : weight([3, 1]))
    case 10: return try add(.mul, add(.sigmoid, x), x)
    case 11: return try add(.add, x, add(.neg, weight([3, 3])))
    case 12:
      return try add(.batchNormalization, x, positive([3]), weight([3]), weight([3]), positive([3]))
    default: return depth < 2 ? try branch(in: region, values, depth) : x
    }
  }

  private mutating func branch(in region: RegionID, _ values: [Operand], _ depth: Int) throws -> Operand {
    let operands = try [random.pick(values), random.oneIn(3) ? weight([3, 3]) : random.pick(values)]
    let predicate = try graph.addParameter(
      "predicate\(graph.parameterIDs.count)", Tensor(random.oneIn(2)), role: .constant)
    let node = try graph.append(
      .cond, [.parameter(predicate)] + operands, results: [Self.matrix, Self.matrix], at: .end(of: region))
    for inner in try graph[node].regions {
      var arguments: [Operand] = []
      for _ in operands { arguments.append(.value(try graph.addArgument(to: inner, Self.matrix))) }
      let results = try fill(inner, arguments, calls: 2 + random.below(5), depth: depth + 1)
      try graph.setResults(of: inner, [results[results.count - 1], random.pick(results)])
    }
    return .value(try graph[node].results[random.below(2)])
  }

  private mutating func weight(_ shape: [Int]) throws -> Operand { try parameter(shape, -0.5...0.5) }
  private mutating func positive(_ shape: [Int]) throws -> Operand { try parameter(shape, 0.5...1.5) }

  private mutating func parameter(_ shape: [Int], _ range: ClosedRange<Float>) throws -> Operand {
    let existing = graph.parameterIDs.filter { graph.tensor(of: .parameter($0))?.shape == shape }
    if range.lowerBound < 0, random.oneIn(4), let tied = existing.last { return .parameter(tied) }
    let count = shape.reduce(1, *)
    let tensor = try Tensor(shape, (0..<count).map { _ in Float.random(in: range, using: &random) })
    return .parameter(
      try graph.addParameter("w\(graph.parameterIDs.count)", tensor, role: random.oneIn(2) ? .weight : .constant))
  }
}
