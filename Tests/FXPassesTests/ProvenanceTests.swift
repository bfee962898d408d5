import FXCore
import FXPasses
import FXRuntime
import Testing

/// Where nodes come from, told after the pipelines.
@Suite struct ProvenanceTests {
  private static let text = """
    graph @main(%x: f32[1, 1, 4, 4]) {
      parameter @w: f32[2, 1, 3, 3] weight = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]
      parameter @s: f32[2] weight = [1, 2]
      parameter @b: f32[2] weight = [1, -1]
      parameter @m: f32[2] buffer = [0, 1]
      parameter @v: f32[2] buffer = [1, 4]
      %same = identity(%x) at "net.py":3
      %conv1 = conv(%same, @w) at "net.py":4 in "layers.0"
      %bn1 = batch_normalization(%conv1, @s, @b, @m, @v) at "net.py":5 in "layers.1"
      %relu1 = relu(%bn1) at "net.py":6
      %unused = exp(%x) at "net.py":7
      %again = relu(%bn1) at "net.py":8
      %sum = add(%relu1, %again) at "net.py":9
      return %sum
    }
    """

  private static func optimized() throws -> (before: Graph, after: Graph, provenance: Provenance) {
    let before = try graph(text)
    var after = before
    var manager = PassManager.aggressiveOptimizationPasses(executor: ReferenceExecutor())
    manager.tracksProvenance = true
    let report = try manager.run(&after)
    return (before, after, try #require(report.provenance))
  }

  @Test func aFusedNodeNamesWhatItWasMadeOf() throws {
    let (_, after, provenance) = try Self.optimized()
    let fused = try #require(after.nodes(calling: .fusedConv).first)
    let story = provenance.story(of: fused, in: after)
    #expect(story.hasPrefix("'"))
    for part in [
      "made by operation-fusion from", "(relu, net.py:6)", "(conv, net.py:4 in layers.0)", "changed by batch-norm-folding from",
      "'bn1' (batch_normalization, net.py:5 in layers.1)", "as the model has it",
    ] {
      #expect(story.contains(part), "\(part) is not in\n\(story)")
    }
  }

  @Test func whatIsGoneHasAFate() throws {
    let (before, after, provenance) = try Self.optimized()
    func fate(_ name: String) throws -> (text: String, successor: NodeID?) {
      let value = try #require(before.value(named: name))
      return provenance.fate(of: try #require(try before.producer(of: value)), in: after)
    }
    #expect(try fate("unused").text.contains("was removed by dead-code-elimination"))
    #expect(try fate("again").text.contains("'again' (relu, net.py:8) was replaced by common-subexpression-elimination"))
    #expect(try fate("same").text.contains("was replaced by identity-elimination by an operand that is no call's result"))
    let fused = try #require(after.nodes(calling: .fusedConv).first)
    #expect(try fate("bn1").successor == fused && fate("again").successor == fused && fate("conv1").successor == fused)
  }

  /// Every node of the result either is the model's, or comes from nodes that are.
  @Test func everyNodeHasAnOrigin() throws {
    let executor = ReferenceExecutor()
    for seed in 0..<40 {
      var program = RandomProgram(seed: UInt64(seed))
      let before = try program.make()
      var after = before
      var manager = PassManager.aggressiveOptimizationPasses(executor: executor)
      manager.passes.append(DecompositionPass())
      manager.maximumRounds = 1
      manager.tracksProvenance = true
      let provenance = try #require(try manager.run(&after).provenance)
      for id in after.allNodes {
        var (pending, seen, found) = ([id], Set<NodeID>(), false)
        while let next = pending.popLast(), !found {
          guard seen.insert(next).inserted else { continue }
          if before.contains(next) { found = true }
          pending += provenance.events(of: next).filter { $0.kind == .made || $0.kind == .changed }.flatMap(\.nodes)
        }
        #expect(found, "seed \(seed): \(provenance.story(of: id, in: after))")
        #expect(!provenance.story(of: id, in: after).isEmpty)
      }
    }
  }

  @Test func untrackedRunsKeepNothing() throws {
    var graph = try graph(Self.text)
    let report = try PassManager.defaultOptimizationPasses(executor: ReferenceExecutor()).run(&graph)
    #expect(report.provenance == nil)
    #expect(report.explanation == "" || report.explanation.contains(" left alone\n  '"))
  }
}
