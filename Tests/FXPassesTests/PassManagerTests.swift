import FXCore
import FXPasses
import FXRuntime
import Synchronization
import Testing

/// The tutorial's custom pass: edits while iterating.
private struct ReluToLeakyRelu: Pass {
  let name = "relu-to-leaky-relu"
  var contract: NumericContract { .approximates(bound: 1) }

  @discardableResult
  func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for node in graph.allNodes where try graph[node].op == .relu {
      try graph.setOperator(of: node, to: .leakyRelu)
      outcome.change("activations replaced")
    }
    return outcome
  }
}

/// Says it is exact and is not.
private struct Wrong: Pass {
  let name = "wrong"
  func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for node in graph.nodes(calling: .exp) {
      try graph.setOperator(of: node, to: .neg)
      outcome.change("calls spoilt")
    }
    return outcome
  }
}

/// Leaves a graph that does not verify.
private struct Breaking: Pass {
  let name = "breaking"
  func apply(to graph: inout Graph) throws -> PassOutcome {
    for node in graph.bodyNodes { try graph.setOperand(0, of: node, to: .none) }
    return PassOutcome()
  }
}

struct PassManagerTests {
  private let text = """
    graph @main(%x: f32[4]) {
      %a: f32[4] = exp(%x)
      %b: f32[4] = exp(%x)
      %c: f32[4] = relu(%a)
      %d: f32[4] = add(%c, %b)
      return %d
    }
    """

  @Test func reportsStepsAndCounts() throws {
    var graph = try graph(text)
    let steps = Mutex<[String]>([])
    var manager = PassManager([CommonSubexpressionEliminationPass(), DeadCodeEliminationPass()])
    manager.validation = PassValidation(executor: ReferenceExecutor(), samples: 2)
    manager.maximumRounds = 5
    manager.onStep = { step in steps.withLock { $0.append("\(step.before.nodeCount) \(step.after.nodeCount)") } }
    let report = try manager.run(&graph)
    #expect(report.isStable && report.rounds == 2 && report.changes == 1)
    #expect(report.nodesBefore == 6 && report.nodesAfter == 5)
    #expect(report.entries[0].outcome["calls merged"] == 1 && report.entries[0].deviation == 0)
    #expect(steps.withLock(\.self) == ["6 5", "5 5", "5 5", "5 5"])
    #expect(report.description.contains("1. common-subexpression-elimination  6 → 5 nodes"))
  }

  @Test func customPassWhileIterating() throws {
    var graph = try graph(text)
    try PassManager([ReluToLeakyRelu()]).run(&graph)
    #expect(graph.nodes(calling: .relu).isEmpty && graph.nodes(calling: .leakyRelu).count == 1)
    let x = Tensor(vector: [-2, -1, 0, 3] as [Float])
    let one = try FXPassesTests.graph("graph @main(%x: f32[4]) {\n%y: f32[4] = relu(%x)\nreturn %y\n}")
    var leaky = one
    try ReluToLeakyRelu().apply(to: &leaky)
    #expect(try ReferenceExecutor().run(leaky, x)[0] == Tensor(vector: [-0.02, -0.01, 0, 3] as [Float]))
    let node = try #require(one.bodyNodes.first)
    #expect(throws: GraphError.self) { try leaky.setOperator(of: node, to: OperatorTable.standard.find("leaky_rely")) }
    #expect(throws: GraphError.self) { try leaky.setOperator(of: node, to: .add) }
  }

  @Test func stopsAtTheFirstPassThatChangesOutputs() throws {
    let before = try graph(text)
    var graph = before
    var manager = PassManager([CommonSubexpressionEliminationPass(), Wrong(), DeadCodeEliminationPass()])
    try manager.run(&graph)
    #expect(graph.nodes(calling: .neg).count == 1)
    graph = before
    manager.validation = PassValidation(executor: ReferenceExecutor())
    let error = #expect(throws: PassError.self) { try manager.run(&graph) }
    #expect(error?.description.hasPrefix("pass 'wrong', which is exact, changed the outputs: output 'd': element 0") == true)
    #expect(graph.nodes(calling: .exp).count == 1, "as it was before the pass at fault")
  }

  @Test func aBrokenGraphIsTakenBack() throws {
    let before = try graph(text)
    var graph = before
    let error = #expect(throws: PassError.self) { try PassManager([Breaking()]).run(&graph) }
    #expect(error?.description.contains("'breaking' broke the graph: node 'a' (exp)") == true)
    #expect(graph == before)
  }

  @Test func pipelinesKeepWhatIsComputed() throws {
    let text = """
      graph @main(%x: f32[n, 4]) {
        parameter @w: f32[4, 4] weight = [1, 2, 3, 4, -1, -2, -3, -4, 0.5, 0.25, 2, -3, 1, 1, 1, -1]
        parameter @b: f32[4] weight = [1, -1, 2, -2]
        parameter @s: i64[2] constant = [-1, 2]
        %t: f32[4, 4] = transpose(@w)
        %a = matmul(%x, %t)
        %c = add(%a, @b)
        %d = relu(%c)
        %e = identity(%d)
        %f = reshape(%e, @s)
        %g = reshape(%f, @s)
        %h = exp(%x)
        return %g as "out"
      }
      """
    let before = try graph(text)
    for (manager, count) in [
      (PassManager.defaultOptimizationPasses(executor: ReferenceExecutor()), 4),
      (PassManager.aggressiveOptimizationPasses(executor: ReferenceExecutor()), 4),
    ] {
      var manager = manager
      manager.validation = PassValidation(executor: ReferenceExecutor())
      var after = before
      let report = try manager.run(&after)
      #expect(after.nodeCount == count, "\(report)\n\(after)")
      try expectEqualOutputs(before, after, .reassociates)
    }
  }

  @Test func inputsAreDrawnAlike() throws {
    let graph = try graph(
      """
      graph @main(%x: f32[n, 2], %i: i64[n], %s: seq<bf16[]>, %c: c64[1], %b: bool[m]) {
        symbol n in 3...7
        symbol m multiple_of 4
        return %x
      }
      """)
    let inputs = try InputSampler().inputs(of: graph)
    #expect(try inputs == InputSampler().inputs(of: graph))
    #expect(try inputs != InputSampler(seed: 1).inputs(of: graph))
    #expect(try inputs != InputSampler().inputs(of: graph, sample: 1))
    #expect(inputs[0].tensor?.shape == [3, 2] && inputs[1].tensor?.shape == [3] && inputs[4].tensor?.shape == [4])
    let given = try InputSampler(sizes: ["n": 5]).inputs(of: graph)
    #expect(given[0].tensor?.shape == [5, 2])
  }

  /// 0 is a size where bounds leave no other.
  @Test(arguments: [("in 0...0", 0), ("in 0...3 multiple_of 4", 0), ("in 0...4 multiple_of 4", 4), ("in 0...1", 1)])
  func sizesKeepTheirBounds(bounds: String, size: Int) throws {
    let graph = try graph("graph @main(%x: f32[n]) {\n  symbol n \(bounds)\n  return %x\n}\n")
    #expect(try InputSampler().inputs(of: graph)[0].tensor?.shape == [size])
  }

  /// Complex numbers are compared part by part, as far as the contract allows.
  @Test(arguments: [false, true]) func complexNumbersMayDeviate(isWide: Bool) throws {
    func verdict(_ contract: NumericContract, _ a: [Double], _ b: [Double]) throws -> OutputComparison.Verdict {
      func complex(_ parts: [Double]) throws -> RuntimeValue {
        let real = try Tensor(isWide ? .float64 : .float32, [parts.count], numbers: .floats(parts))
        return .tensor(
          try real.withUnsafeBytes { try Tensor(isWide ? .complex128 : .complex64, [parts.count / 2], bytes: $0) })
      }
      return OutputComparison(contract).compare(try complex(a), try complex(b))
    }
    let (a, step) = ([1, -2, .nan, 4], isWide ? 0x1p-40 : 0x1p-20)
    let near = [1, -2 + step, .nan, 4]
    #expect(try verdict(.reassociates, a, near) == .agree(step / 4))
    #expect(try verdict(.reassociates, a, [1, -2, 0, 4]) != .agree(0))
    for (contract, other) in [(NumericContract.exact, near), (.reassociates, [1, -2.5, .nan, 4])] {
      guard case .differ(let mismatch) = try verdict(contract, a, other) else {
        Issue.record("\(contract) holds")
        continue
      }
      #expect(mismatch.reason.hasPrefix("the imaginary part of element 0 is \(other[1]), was -2.0; "), "\(mismatch)")
    }
  }
}
