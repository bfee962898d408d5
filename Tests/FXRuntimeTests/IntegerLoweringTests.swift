import FXCore
import FXTestSupport
import Testing

@testable import FXRuntime

/// Graphs as quantizers write them run on bytes and give what the graph as written gives.
@Suite struct IntegerLoweringTests {
  /// Runs a graph on bytes and by the reference, and compares bits.
  /// - Parameters:
  ///   - steps: operators that the compiled graph must have.
  ///   - none: operators that it must not have.
  private func check(
    _ graph: Graph, _ inputs: [Tensor], steps: [Operator], none: [Operator] = [.conv, .matmul, .gemm, .linear, .fusedConv],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let values = inputs.map(RuntimeValue.tensor)
    let expected = try ReferenceExecutor().run(graph, inputs: values).compactMap(\.tensor)
    for threads in [1, 3] {
      let compiled = try CPUBackend(CPUBackend.Options(threads: threads)).compiled(graph)
      let found = Set(compiled.graph.operatorCounts.filter { $0.count > 0 }.map(\.op))
      for op in steps { #expect(found.contains(op), "no \(op)", sourceLocation: sourceLocation) }
      for op in none { #expect(!found.contains(op), "\(op) is left", sourceLocation: sourceLocation) }
      #expect(try compiled.run(values).compactMap(\.tensor) == expected, "\(threads) threads", sourceLocation: sourceLocation)
    }
  }

  @Test("a network", arguments: [ElementType.uint8, .int8], [ElementType.int8, .uint8])
  func network(_ type: ElementType, _ weights: ElementType) throws {
    for isPerChannel in [false, true] {
      try check(
        try QuantizedGraph.network(type, weights: weights, isPerChannel: isPerChannel),
        [try QuantizedGraph.input([2, 3, 13, 11])],
        steps: [
          .integerConv, .integerProduct, .integerAdd, .integerMul, .integerLookup, .integerMaxPool, .integerAveragePool,
        ], none: [.conv, .gemm, .add, .mul, .sigmoid, .maxPool, .averagePool, .globalAveragePool, .relu, .clip])
    }
  }

  /// Products as exporters write them: transposed weights, biases that are added, attention between tensors, the numbers
  /// themselves as a result.
  @Test func products() throws {
    var g = QuantizedGraph(isPerChannel: true)
    let x = try g.through(g.input([2, 6, 20]))
    let turned = try g.call(.transpose, [g.weights([24, 20])], ["perm": .ints([1, 0])])
    let bias = try g.constant(.float32, [24], (0..<24).map { Double($0) / 8 })
    let a = try g.through(g.call(.add, [g.call(.matmul, [x, turned]), bias]))
    let scores = try g.call(.matmul, [a, g.through(g.call(.transpose, [a], ["perm": .ints([0, 2, 1])]))])
    try g.graph.addOutput(try g.through(scores, scale: 8))
    try g.graph.addOutput(try g.call(.matmul, [a, g.weights([24, 7], axis: 1)]))
    try check(g.graph, [try QuantizedGraph.input([2, 6, 20])], steps: [.integerProduct], none: [.matmul, .add])
  }

  /// What dynamic quantization writes: the range of each input gives its scale.
  @Test func dynamicQuantization() throws {
    var g = QuantizedGraph()
    let x = try g.input([3, 40])
    let node = try g.graph.append(
      .dynamicQuantizeLinear, [x], results: [.tensor(.uint8, [3, 40]), .tensor(.float32, []), .tensor(.uint8, [])])
    let parts = try g.graph[node].results.map(Operand.value)
    let weights = try g.constant(.int8, [40, 9], (0..<360).map { Double($0 * 37 % 255 - 127) })
    let scale = try g.constant(.float32, [9], (0..<9).map { 0.01 * Double($0 + 1) })
    let sums = try g.call(.matmulInteger, [parts[0], weights, parts[2]])
    let numbers = try g.call(.cast, [sums], ["to": .elementType(.float32)])
    let y = try g.call(.mul, [numbers, g.call(.mul, [parts[1], scale])])
    try g.graph.addOutput(try g.call(.add, [y, g.constant(.float32, [9], (0..<9).map { Double($0) })]))
    let input = try QuantizedGraph.input([3, 40])
    let expected = try ReferenceExecutor().run(g.graph, inputs: [.tensor(input)]).compactMap(\.tensor)
    let compiled = try CPUBackend().compiled(g.graph)
    #expect(compiled.graph.operatorCounts.contains { $0.op == .integerProduct && $0.count > 0 })
    let actual = try compiled.run([.tensor(input)]).compactMap(\.tensor)
    for (a, e) in zip(try actual[0].numbers().doubles, try expected[0].numbers().doubles) {
      #expect(abs(a - e) <= 1e-6 * max(1, abs(e)))
    }
  }

  /// ONNX's own quantized convolutions.
  @Test(arguments: [ElementType.uint8, .int8]) func quantizedConvolution(_ type: ElementType) throws {
    var g = QuantizedGraph(type)
    let x = Operand.value(try g.graph.addInput("x", .tensor(type, [1, 8, 7, 9])))
    func scalar(_ value: Double, _ type: ElementType = .float32) throws -> Operand { try g.constant(type, [], [value]) }
    let w = try g.constant(.int8, [6, 8, 3, 2], (0..<288).map { Double($0 * 53 % 256 - 128) })
    let scales = try g.constant(.float32, [6], [1, 0.5, 0.25, 1, 2, 0.125])
    let zeros = try g.constant(.int8, [6], [0, 1, 2, 0, -3, 5])
    let bias = try g.constant(.int32, [6], [0, 100, -100, 7, 12345, -9])
    let attributes: Attributes = ["pads": .ints([1, 0, 2, 1]), "strides": .ints([2, 1])]
    let operands = [x, try scalar(0.5), try scalar(100, type), w, scales, zeros, try scalar(64), try scalar(50, type), bias]
    try g.graph.addOutput(try g.call(.qlinearConv, operands, attributes))
    try g.graph.addOutput(try g.call(.convInteger, [x, w, try scalar(3, type), zeros], attributes))
    try g.graph.addOutput(
      try g.call(.maxPool, [x], ["kernel_shape": .ints([3, 2]), "pads": .ints([1, 0, 1, 1]), "strides": .ints([2, 2])]))
    var random = RandomSource(seed: 2)
    let bytes = random.bytes(8 * 63)
    let input = try bytes.withUnsafeBytes { try Tensor(type, [1, 8, 7, 9], bytes: $0) }
    try check(g.graph, [input], steps: [.integerConv, .integerMaxPool], none: [.qlinearConv, .convInteger, .maxPool])
  }

  /// Images stay with their channels last from one convolution to the next: one transpose at each end.
  @Test func chainsMoveNothing() throws {
    var g = QuantizedGraph()
    var x = try g.through(g.input([1, 8, 6, 6]))
    for _ in 0..<4 {
      let y = try g.through(g.call(.relu, [g.call(.conv, [x, g.weights([8, 8, 3, 3])], ["pads": .ints([1, 1, 1, 1])])]))
      x = try g.through(g.call(.add, [x, y]))
    }
    try g.graph.addOutput(x)
    let compiled = try CPUBackend().compiled(g.graph)
    #expect(compiled.graph.operatorCounts.first { $0.op == .transpose }?.count == 2)
  }

  /// Rows of a table of bytes become numbers after they are gathered.
  @Test func tables() throws {
    var g = QuantizedGraph()
    let table = try g.weights([50, 16])
    let ids = Operand.value(try g.graph.addInput("ids", .tensor(.int64, [3])))
    try g.graph.addOutput(try g.call(.gather, [table, ids], ["axis": 0]))
    try check(g.graph, [Tensor(vector: [Int64(3), 49, 0])], steps: [.dequantizeLinear, .gather])
  }

  /// What does not fit stays on numbers: a scale that only the run knows, blocks, 16 bits.
  @Test func leavesTheRest() throws {
    var g = QuantizedGraph()
    let x = try g.input([4, 6])
    let scale = Operand.value(try g.graph.addInput("scale", .tensor(.float32, [])))
    let zero = try g.constant(.uint8, [], [7])
    let q = try g.call(.quantizeLinear, [x, scale, zero])
    let y = try g.call(.sigmoid, [g.call(.dequantizeLinear, [q, scale, zero])])
    try g.graph.addOutput(try g.through(y))
    let values = [RuntimeValue.tensor(try QuantizedGraph.input([4, 6])), .tensor(Tensor(Float(0.5)))]
    let expected = try ReferenceExecutor().run(g.graph, inputs: values).compactMap(\.tensor)
    let compiled = try CPUBackend().compiled(g.graph)
    #expect(compiled.graph.operatorCounts.contains { $0.op == .sigmoid && $0.count > 0 })
    #expect(try compiled.run(values).compactMap(\.tensor) == expected)
  }
}
