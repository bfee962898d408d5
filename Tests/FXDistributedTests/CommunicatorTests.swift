import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import FXShapes
import Foundation
import Testing

/// The operators on ranks that are threads, their gradients, and what becomes of ranks that fail.
@Suite struct CommunicatorTests {
  /// Rank r has `[[10r, 10r + 1], [10r + 2, 10r + 3]]` and makes one call.
  static let calls: [(text: String, results: [[Float]])] = [
    ("all_reduce(%x) {group = [0, 1]}", [[10, 12, 14, 16], [10, 12, 14, 16]]),
    ("all_reduce(%x) {group = [0, 1], reduction = \"mean\"}", [[5, 6, 7, 8], [5, 6, 7, 8]]),
    ("all_reduce(%x) {group = [0, 1], reduction = \"max\"}", [[10, 11, 12, 13], [10, 11, 12, 13]]),
    ("all_reduce(%x) {group = [0, 1], reduction = \"min\"}", [[0, 1, 2, 3], [0, 1, 2, 3]]),
    ("all_reduce(%x) {group = [0, 1], reduction = \"prod\"}", [[0, 11, 24, 39], [0, 11, 24, 39]]),
    ("all_gather(%x) {group = [0, 1]}", [[0, 1, 2, 3, 10, 11, 12, 13], [0, 1, 2, 3, 10, 11, 12, 13]]),
    ("all_gather(%x) {axis = 1, group = [0, 1]}", [[0, 1, 10, 11, 2, 3, 12, 13], [0, 1, 10, 11, 2, 3, 12, 13]]),
    ("all_gather(%x) {group = [1, 0]}", [[10, 11, 12, 13, 0, 1, 2, 3], [10, 11, 12, 13, 0, 1, 2, 3]]),
    ("reduce_scatter(%x) {group = [0, 1]}", [[10, 12], [14, 16]]),
    ("reduce_scatter(%x) {axis = -1, group = [0, 1], reduction = \"mean\"}", [[5, 7], [6, 8]]),
    ("all_to_all(%x) {group = [0, 1]}", [[0, 1, 10, 11], [2, 3, 12, 13]]),
    ("all_to_all(%x) {concat_axis = 1, group = [0, 1]}", [[0, 1, 10, 11], [2, 3, 12, 13]]),
    ("broadcast(%x) {group = [0, 1], root = 1}", [[10, 11, 12, 13], [10, 11, 12, 13]]),
    ("reduce(%x) {group = [0, 1], root = 1}", [[0, 0, 0, 0], [10, 12, 14, 16]]),
    ("barrier(%x) {group = [0, 1]}", [[0, 1, 2, 3], [10, 11, 12, 13]]),
  ]

  static func input(_ rank: Int) throws -> Tensor { try Tensor([2, 2], (0..<4).map { Float(10 * rank + $0) }) }

  static func graph(_ call: String) throws -> Graph {
    var graph = try Graph(text: "fx 1\ngraph @main(%x: f32[2, 2]) {\n  %y = \(call)\n  return %y\n}\n")
    try ShapeInference().run(&graph)
    return graph
  }

  @Test(arguments: calls.indices) func callsGiveWhatTheySay(index: Int) throws {
    let (text, results) = Self.calls[index]
    let graph = try Self.graph(text)
    let found = try Self.run(2) { _ in graph }
    for (rank, result) in found.enumerated() {
      #expect(try result[0].elements() == results[rank], "\(text), rank \(rank)")
      #expect(try graph.type(of: graph.outputs[0].value ?? graph.inputs[0]).shape?.sizes == result[0].shape)
    }
  }

  /// Runs each rank's graph on its input.
  static func run(_ ranks: Int, _ graph: @escaping @Sendable (Int) throws -> Graph) throws -> [[Tensor]] {
    try LocalWorld(size: ranks, timeout: .seconds(10)).run { communicator in
      let program = try CollectiveGraph(graph(communicator.rank), backend: ReferenceExecutor(), communicator: communicator)
      var clock = CommunicationClock()
      return try program.run([.tensor(input(communicator.rank))], clock: &clock).compactMap(\.tensor)
    }
  }

  /// Sums beyond the largest signed number, and more ranks than an element can count.
  @Test func meansOfIntegers() throws {
    let large = try Tensor([1], [UInt64(1) << 62 + 1])
    let means = try LocalWorld(size: 3).run { communicator in
      try communicator.perform(Exchange(.allReduce(.mean), group: [0, 1, 2], large, label: "x"))
    }
    #expect(means.allSatisfy { $0 == large })
    let group = Array(0..<130)
    let small = try LocalWorld(size: 130).run { communicator in
      let x = try Tensor([1], [Int8(communicator.rank < 127 ? 1 : 0)])
      return try communicator.perform(Exchange(.allReduce(.mean), group: group, x, label: "x"))
    }
    #expect(try small.allSatisfy { try $0.elements(Int8.self) == [0] })
  }

  @Test(arguments: [0, -1]) func aWorldHasRanks(_ size: Int) {
    #expect { try LocalWorld(size: size) } throws: { "\($0)" == "a world has at least one rank, not \(size)" }
  }

  // MARK: Gradients

  static let differentiable = [
    "all_reduce(%x) {group = [0, 1]}", "all_reduce(%x) {group = [0, 1], reduction = \"mean\"}",
    "all_gather(%x) {axis = 1, group = [0, 1]}", "reduce_scatter(%x) {group = [0, 1]}",
    "reduce_scatter(%x) {axis = 1, group = [0, 1], reduction = \"mean\"}",
    "all_to_all(%x) {concat_axis = 1, group = [0, 1]}", "broadcast(%x) {group = [0, 1], root = 1}",
    "reduce(%x) {group = [0, 1], root = 0}", "reduce(%x) {group = [0, 1], reduction = \"mean\", root = 1}",
    "barrier(%x) {group = [0, 1]}",
  ]

  /// The gradient of the sum over both ranks of Σ sin(y) · w, where w tells elements and ranks apart, by differences.
  @Test(arguments: differentiable) func gradientsAreThoseOfTheSumOverRanks(_ call: String) throws {
    @Sendable func loss(_ rank: Int) throws -> Graph {
      let typed = try Self.graph(call)
      let shape = try #require(typed.type(of: typed.outputs[0]).shape?.sizes)
      var graph = try Graph(text: "fx 1\ngraph @main(%x: f64[2, 2]) {\n  %y = \(call)\n  return %y\n}\n")
      let weights = try Tensor(shape, (0..<shape.reduce(1, *)).map { Double(1 + $0 + 7 * rank) })
      let sine = try graph.call(.sin, [graph.outputs[0]])
      let weighted = try graph.call(.mul, [.value(sine), .parameter(graph.addConstant(weights))])
      let sum = try graph.call(.reduceSum, [.value(weighted)], attributes: ["keepdims": false])
      try graph.setResults(of: graph.body, [.value(sum)], names: ["loss"])
      try ShapeInference().run(&graph)
      return graph
    }
    func sum(_ inputs: [[Double]], _ gradient: Bool) throws -> [[Double]] {
      try LocalWorld(size: 2, timeout: .seconds(10)).run { communicator in
        var graph = try loss(communicator.rank)
        if gradient { graph = try graph.gradient(of: "loss", wrt: ["x"]) }
        let program = try CollectiveGraph(graph, backend: ReferenceExecutor(), communicator: communicator)
        var clock = CommunicationClock()
        let x = try Tensor([2, 2], inputs[communicator.rank])
        let results = try program.run([.tensor(x)], clock: &clock).compactMap(\.tensor)
        return try (results.last ?? x).elements(Double.self)
      }
    }
    let start = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]]
    let gradients = try sum(start, true)
    for rank in 0..<2 {
      for element in 0..<4 {
        func value(_ step: Double) throws -> Double {
          var moved = start
          moved[rank][element] += step
          return try sum(moved, false).reduce(0) { $0 + $1[0] }
        }
        let slope = try (value(1e-5) - value(-1e-5)) / 2e-5
        #expect(abs(gradients[rank][element] - slope) < 1e-6 * max(1, abs(slope)), "\(call), rank \(rank), element \(element)")
      }
    }
  }

  /// The token carries the gradient back: rank 1's loss is differentiated by what rank 0 sent.
  @Test func gradientsGoBackThroughSendAndRecv() throws {
    let sender = "fx 1\ngraph @main(%x: f32[2, 2]) {\n  %t = send(%x) {peer = 1}\n  return %t as \"loss\"\n}\n"
    let receiver = """
      fx 1
      graph @main(%x: f32[2, 2]) {
        %z = reduce_sum(%x) {keepdims = false}
        %zero = mul(%z, 0)
        %y = recv(%zero) {peer = 0, type = f32[2, 2]}
        %p = mul(%y, %x)
        %s = reduce_sum(%p) {keepdims = false}
        return %s as "loss"
      }

      """
    let found = try Self.run(2) { rank in
      var graph = try Graph(text: rank == 0 ? sender : receiver)
      try ShapeInference().run(&graph)
      return try graph.gradient(of: "loss", wrt: ["x"])
    }
    #expect(try found[0][1] == Self.input(1))
    #expect(try found[1][1] == Self.input(0))
  }

  // MARK: Failures

  @Test func aSilentPeerIsAnErrorInTime() throws {
    let graph = try Self.graph("all_reduce(%x) {group = [0, 1, 2]}")
    let start = Date()
    let outcomes = try LocalWorld(size: 3, timeout: .milliseconds(1500)).attempt { communicator in
      // Rank 2 hangs, and comes back when the others have given up.
      if communicator.rank == 2 { return Thread.sleep(forTimeInterval: 4) }
      let program = try CollectiveGraph(graph, backend: ReferenceExecutor(), communicator: communicator)
      var clock = CommunicationClock()
      _ = try program.run([.tensor(Self.input(0))], clock: &clock)
    }
    #expect(Date().timeIntervalSince(start) < 60)
    for rank in 0..<2 {
      guard case .failure(let error) = outcomes[rank] else {
        Issue.record("rank \(rank) did not notice")
        continue
      }
      let text = String(describing: error)
      #expect(text.hasPrefix("rank \(rank): all_reduce 'y' of ranks 0, 1, 2"), "\(text)")
      // Another rank of a busy machine may come late too, or have given up first.
      #expect(text.contains(/nothing came from ranks? (\d, )*2$/) || text.contains("failed"), "\(text)")
    }
  }

  @Test func ranksThatDisagreeAreTold() throws {
    let graphs = try ["all_reduce(%x) {group = [0, 1]}", "all_gather(%x) {group = [0, 1]}"].map(Self.graph)
    #expect(throws: CommunicationError.self) { try Self.run(2) { graphs[$0] } }
    let plans = try [4, 8].map { batch in
      try ExecutionPlan(
        DistributedModels.model("mlp"), DistributedConfig(worldSize: 2, strategy: .data, sizes: ["batch": batch]))
    }
    #expect {
      try LocalWorld(size: 2).run { communicator in
        try DistributedExecutor(communicator: communicator, backend: ReferenceExecutor()).prepare(plans[communicator.rank]).run([]
        )
      }
    } throws: { "\($0)".contains("has another plan or model") }
  }

  @Test(arguments: [CommunicationBackendType.nccl, .gloo, .tcp]) func enginesThatAreNotThere(
    _ engine: CommunicationBackendType
  ) throws {
    let config = DistributedConfig(worldSize: 2, backend: engine, strategy: .data, sizes: ["batch": 4])
    let listed = MPICommunicator.isBuilt ? "mpi" : "none"
    let text = "the engine '\(engine.rawValue)' is not there: this framework has no connection to it; available: \(listed)"
    #expect { try DistributedExecutor(config, backend: ReferenceExecutor()) } throws: { "\($0)" == text }
    #expect(CommunicationBackendType.available == (MPICommunicator.isBuilt ? [.mpi] : []))
  }
}
