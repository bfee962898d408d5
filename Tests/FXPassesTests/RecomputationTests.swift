import FXCore
import FXPasses
import FXRuntime
import FXTestSupport
import Testing

/// Activations computed again: the same gradients in less memory.
@Suite struct RecomputationTests {
  /// The gradient of a deep chain of layers.
  private static func gradient(layers: Int, width: Int) throws -> Graph {
    var random = RandomSource(seed: 3)
    var graph = Graph()
    var y = Operand.value(try graph.addInput("x", .tensor(.float32, [32, Dimension(width)])))
    for layer in 0..<layers {
      let elements = (0..<width * width).map { _ in Float(random.double(in: -0.2...0.2)) }
      let weight = try graph.addParameter("w\(layer)", Tensor([width, width], elements))
      let product = try graph.call(.matmul, [y, .parameter(weight)])
      let bent = try graph.call(.tanh, [.value(product)])
      y = .value(try graph.call(.add, [.value(bent), y]))
    }
    let squares = try graph.call(.mul, [y, y])
    try graph.addOutput(graph.call(.reduceMean, [.value(squares)], attributes: ["keepdims": false]), name: "loss")
    return try graph.gradient(of: "loss", wrt: ["x"])
  }

  private static func peak(_ graph: Graph, _ inputs: [RuntimeValue], optimizes: Bool) throws -> Int {
    try CPUBackend(.init(threads: 1, optimizes: optimizes)).compiled(graph).planSummary(for: inputs).peakBytes
  }

  @Test(arguments: [false, true]) func gradientsAreEqualAndMemoryIsLess(optimizes: Bool) throws {
    let graph = try Self.gradient(layers: 36, width: 16)
    var recomputed = graph
    let outcome = try RecomputationPass(loss: "loss").apply(to: &recomputed)
    #expect(outcome["calls made again"] > 60)
    try recomputed.verify(.executable)
    let inputs = try InputSampler(seed: 1).inputs(of: graph)
    let results = try [graph, recomputed].map { try CPUBackend(.init(optimizes: optimizes)).run($0, inputs: inputs) }
    #expect(results[0] == results[1], "the same calls on the same numbers")
    let (before, after) = (
      try Self.peak(graph, inputs, optimizes: optimizes), try Self.peak(recomputed, inputs, optimizes: optimizes)
    )
    #expect(after * 2 < before, "\(before) bytes became \(after)")
    let once = recomputed
    #expect(try RecomputationPass(loss: "loss").apply(to: &recomputed).changes == 0 && recomputed == once)
  }

  @Test func trainingGoesOnAsBefore() throws {
    let digits = try TrainingTests.Digits()
    let model = try TrainingTests.training(TrainingTests.network())
    let images = try digits.pixels(0..<32), targets = try digits.targets(0..<32)
    var trainers = try [false, true].map { recomputes in
      try Trainer(
        TrainingStep(
          model, loss: "loss", optimizer: SGD(learningRate: 0.1, momentum: 0.9), recomputesActivations: recomputes),
        on: CPUBackend())
    }
    #expect(trainers[1].step.graph.nodeCount > trainers[0].step.graph.nodeCount)
    for _ in 0..<3 { #expect(try trainers[0].train(images, targets) == trainers[1].train(images, targets)) }
    #expect(trainers[0].state == trainers[1].state)
  }

  @Test func whatIsRandomIsKept() throws {
    var graph = try graph(
      """
      graph @main(%x: f32[4], %dy: f32[4]) {
        parameter @on: bool[] constant = [true]
        parameter @ratio: f32[] constant = [0.5]
        %a: f32[4] = exp(%x)
        %b: f32[4] = dropout(%a, @ratio, @on)
        %c: f32[4] = tanh(%b)
        %d: f32[4] = sin(%c)
        %e: f32[4] = cos(%d)
        %f: f32[4] = abs(%e)
        %g: f32[4] = neg(%f)
        %h: f32[4] = sigmoid(%g)
        %dc: f32[4] = mul(%dy, %c)
        %db: f32[4] = mul(%dc, %b)
        return %h, %db
      }
      """)
    let outcome = try RecomputationPass(loss: "h", stretches: 2).apply(to: &graph)
    #expect(outcome["calls made again"] == 1 && outcome.declined.map(\.node) == ["b"])
    #expect(graph.nodes(calling: .dropout).count == 1 && graph.nodes(calling: .tanh).count == 2)
    #expect(throws: DifferentiationError.self) { try RecomputationPass(loss: "y").apply(to: &graph) }
  }
}
