import FXCore
import FXPasses
import FXShapes

/// Writes quantized nodes as ONNX's operators on integers: convolutions as `qlinear_conv`, products as `qlinear_matmul` or,
/// with a bias or a result in floating point, as `matmul_integer`, and what moves numbers on the integers themselves.
///
/// Before:
/// ```
/// graph @main(%q: u8[1, 2, 4, 4]) {
///   %a = dequantize_linear(%q, @s, @z)
///   %w = dequantize_linear(@wq, @ws, @wz) {axis = 0}
///   %y = conv(%a, %w)
///   %r = quantize_linear(%y, @ys, @yz)
///   return %r
/// }
/// ```
/// After:
/// ```
/// graph @main(%q: u8[1, 2, 4, 4]) {
///   %r = qlinear_conv(%q, @s, @z, @wq, @ws, @wz, @ys, @yz)
///   return %r
/// }
/// ```
///
/// A relu between goes where the integers end at its 0 anyway. Declines: numbers of other types than 8-bit integers, scales
/// that differ along a block, results with other uses.
public struct IntegerOperatorPass: Pass {
  public let name = "integer-operators"
  /// Sums of products are rounded to floating point once, not after each layer's own order of additions.
  public let contract = NumericContract.reassociates

  /// The pass, which has no options.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for id in graph.bodyNodes where graph.contains(id) {
      let node = try graph[id]
      switch node.op {
      case .conv: try rewriteConvolution(node, &graph, &outcome)
      case .matmul, .gemm, .linear: try rewriteProduct(node, &graph, &outcome)
      default: break
      }
    }
    for id in graph.bodyNodes where graph.contains(id) {
      let node = try graph[id]
      if let between = IntegerOperator(node, in: graph), between.movesNumbers {
        try rewriteMovement(node, between, &graph, &outcome)
      }
    }
    try DeadCodeEliminationPass().apply(to: &graph)
    graph.removeUnusedParameters()
    return outcome
  }

  private func rewriteConvolution(_ node: Node, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    guard let x = Dequantized(node.operand(0), graph), let w = Dequantized(node.operand(1), graph) else { return }
    guard x.isBytes, w.isBytes, x.isPerTensor else { return outcome.decline(node.id, in: graph, "its integers are not bytes") }
    guard let y = try Requantization(node.results[0], graph) else {
      return outcome.decline(node.id, in: graph, "its result stays in floating point")
    }
    var operands = [x.integers, x.scale, x.zeroPoint, w.integers, w.scale, w.zeroPoint, y.scale, y.zeroPoint]
    if !node.operand(2).isNone {
      guard let bias = Dequantized(node.operand(2), graph), bias.elementType == .int32 else {
        return outcome.decline(node.id, in: graph, "its bias is in floating point")
      }
      operands.append(bias.integers)
    }
    let result = try graph.call(
      .qlinearConv, operands, attributes: node.attributes, type: graph.type(of: y.result), at: .before(y.node),
      location: node.location)
    try graph.replace(y.node, with: [.value(result)])
    outcome.change("convolutions on integers")
  }

  private func rewriteProduct(_ node: Node, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    guard let x = Dequantized(node.operand(0), graph), let w = Dequantized(node.operand(1), graph) else { return }
    guard x.isBytes, w.isBytes, x.isPerTensor else { return outcome.decline(node.id, in: graph, "its integers are not bytes") }
    if node.op == .matmul, let y = try Requantization(node.results[0], graph) {
      let result = try graph.call(
        .qlinearMatmul, [x.integers, x.scale, x.zeroPoint, w.integers, w.scale, w.zeroPoint, y.scale, y.zeroPoint],
        type: graph.type(of: y.result), at: .before(y.node), location: node.location)
      try graph.replace(y.node, with: [.value(result)])
      outcome.change("products on integers")
      return
    }
    guard let scales = graph.tensor(of: w.scale), let inputScale = try graph.tensor(of: x.scale)?.elements(Float.self).first
    else { return }
    var weights = w.integers
    if node.op == .linear || node.op == .gemm && node[Gemm.transB] {
      guard let tensor = graph.tensor(of: weights), let id = weights.parameter else {
        return outcome.decline(node.id, in: graph, "its weights are computed")
      }
      weights = .parameter(graph.addConstant(try tensor.transposedMatrix(), name: try graph[id].name))
    }
    let shape = try graph.type(of: node.results[0]).shape
    var sum = try graph.call(
      .matmulInteger, [x.integers, weights, x.zeroPoint, w.zeroPoint], type: .tensor(.int32, shape), at: .before(node.id),
      location: node.location)
    var floatBias = Operand.none
    if !node.operand(2).isNone {
      if let bias = Dequantized(node.operand(2), graph), bias.elementType == .int32 {
        sum = try graph.call(.add, [.value(sum), bias.integers], type: .tensor(.int32, shape), at: .before(node.id))
      } else {
        floatBias = node.operand(2)
      }
    }
    let numbers = try graph.call(
      .cast, [.value(sum)], attributes: ["to": .elementType(.float32)], type: .tensor(.float32, shape), at: .before(node.id))
    let factors = try scales.elements(Float.self).map { $0 * inputScale }
    let factor = graph.addConstant(try Tensor(scales.shape, factors), name: "\(graph.name(of: node.id))_scale")
    var result = try graph.call(
      .mul, [.value(numbers), .parameter(factor)], type: .tensor(.float32, shape), at: .before(node.id))
    if !floatBias.isNone {
      result = try graph.call(.add, [.value(result), floatBias], type: .tensor(.float32, shape), at: .before(node.id))
    }
    try graph.replace(node.id, with: [.value(result)])
    outcome.change("products on integers")
  }

  /// Applies a node that moves numbers to the integers, where its result is quantized as its operands are.
  private func rewriteMovement(
    _ node: Node, _ between: IntegerOperator, _ graph: inout Graph, _ outcome: inout PassOutcome
  ) throws {
    let operands = between.operands.compactMap { Dequantized(node.operand($0), graph) }
    guard operands.count == between.operands.count, let first = operands.first, first.isPerTensor,
      let y = try Requantization(node.results[0], graph, takesRelu: false)
    else { return }
    let all = operands.map { ($0.scale, $0.zeroPoint) } + [(y.scale, y.zeroPoint)]
    guard all.allSatisfy({ graph.tensor(of: $0.0) == graph.tensor(of: first.scale) }),
      all.allSatisfy({ graph.tensor(of: $0.1) == graph.tensor(of: first.zeroPoint) })
    else { return }
    var newOperands = node.operands
    for (index, operand) in zip(between.operands, operands) { newOperands[index] = operand.integers }
    let result = try graph.call(
      node.op, newOperands, attributes: node.attributes, type: graph.type(of: y.result), at: .before(y.node),
      location: node.location)
    try graph.replace(y.node, with: [.value(result)])
    outcome.change("movements of integers")
  }
}

/// What `dequantize_linear` reads.
private struct Dequantized {
  let integers: Operand
  let scale: Operand
  let zeroPoint: Operand
  let elementType: ElementType
  let isPerTensor: Bool

  init?(_ operand: Operand, _ graph: Graph) {
    guard let value = operand.value, let id = try? graph.producer(of: value), let node = try? graph[id],
      node.op == .dequantizeLinear, node[Quantize.blockSize] == 0, !node.operand(2).isNone,
      let type = graph.type(of: node.operands[0]).elementType, let scales = graph.tensor(of: node.operand(1))
    else { return nil }
    (integers, scale, zeroPoint, elementType) = (node.operands[0], node.operand(1), node.operand(2), type)
    isPerTensor = scales.elementCount == 1
  }

  var isBytes: Bool { elementType == .int8 || elementType == .uint8 }
}

/// The `quantize_linear` that alone reads a value, perhaps behind a relu that the end of the integers makes superfluous.
private struct Requantization {
  let node: NodeID
  let scale: Operand
  let zeroPoint: Operand
  let result: ValueID

  init?(_ value: ValueID, _ graph: Graph, takesRelu: Bool = true) throws {
    var value = value
    var sawRelu = false
    while true {
      let uses = try graph.uses(of: value)
      guard uses.count == 1, !graph.isTerminator(uses[0].node) else { return nil }
      let node = try graph[uses[0].node]
      if node.op == .relu, takesRelu, !sawRelu {
        sawRelu = true
        value = node.results[0]
        continue
      }
      guard node.op == .quantizeLinear, uses[0].operand == 0, !node.operand(2).isNone,
        let zeroPoint = graph.tensor(of: node.operand(2)), zeroPoint.elementCount == 1,
        [.int8, .uint8].contains(zeroPoint.elementType), let range = zeroPoint.elementType.integerRange
      else { return nil }
      if sawRelu, try zeroPoint.numbers().doubles.first != Double(range.lowerBound) { return nil }
      (self.node, scale, self.zeroPoint, result) = (node.id, node.operand(1), node.operand(2), node.results[0])
      return
    }
  }
}

extension Tensor {
  /// A matrix of elements of whole bytes with rows and columns exchanged.
  func transposedMatrix() throws -> Tensor {
    let (rows, columns, width) = (shape[0], shape[1], elementType.bitWidth / 8)
    return try Tensor(uninitialized: elementType, [columns, rows]) { target in
      withUnsafeBytes { source in
        for row in 0..<rows {
          for column in 0..<columns {
            for byte in 0..<width {
              target[(column * rows + row) * width + byte] = source[(row * columns + column) * width + byte]
            }
          }
        }
      }
    }
  }
}
