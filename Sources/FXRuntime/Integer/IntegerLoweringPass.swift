import FXCore
import FXPasses
import FXShapes

/// Puts operators on bytes where a graph computes on numbers between `dequantize_linear` and `quantize_linear`, or calls
/// ONNX's quantized operators.
///
/// Products and convolutions round once, as ONNX Runtime's do: `sum × (scale of a × scale of b ÷ scale of y)` in `float32`,
/// to nearest even. The graph as it is written rounds at each of its operators, which may differ by one quantum. Everything
/// else keeps the bits.
struct IntegerLoweringPass: Pass {
  let name = "integer-lowering"
  let contract = NumericContract.reassociates
  /// Evaluates functions of a byte.
  let executor: any GraphExecutor

  func apply(to graph: inout Graph) throws -> PassOutcome {
    guard graph.operatorCounts.contains(where: { IntegerLoweringPass.signs.contains($0.op) && $0.count > 0 }) else {
      return PassOutcome()
    }
    var lowering = IntegerLowering(graph: graph, executor: executor)
    // As long as there is a second holder, the first edit copies the graph.
    graph = Graph()
    for id in lowering.graph.allNodes where lowering.graph.contains(id) { try lowering.visit(try lowering.graph[id]) }
    graph = lowering.graph
    return lowering.outcome
  }

  /// A graph without any of these has nothing to lower.
  private static let signs: Set<Operator> = [
    .quantizeLinear, .dequantizeLinear, .qlinearConv, .convInteger, .matmulInteger,
  ]
}

/// The work on one graph.
struct IntegerLowering {
  var graph: Graph
  let executor: any GraphExecutor
  var outcome = PassOutcome()
  /// Transposes behind the node whose image they turn, which serve every user.
  var made: Set<NodeID> = []
  /// What was last put in a node's place.
  var latest: Operand = .none

  mutating func visit(_ node: Node) throws {
    switch node.op {
    case .matmul, .linear, .gemm: try lowerProduct(node)
    case .matmulInteger: try lowerIntegerProduct(node)
    case .conv: try lowerConvolution(node)
    case .qlinearConv, .convInteger: try lowerQuantizedConvolution(node)
    case .maxPool: try lowerMaxPool(node)
    case .gather: try lowerGather(node)
    case .quantizeLinear: try lowerQuantization(node)
    default: break
    }
  }
}

// MARK: What a graph says

extension IntegerLowering {
  /// A tensor of integers with what makes it numbers.
  struct Quantized {
    var integers: Operand
    var scale: Operand
    var zero: Operand
    let type: ElementType
    /// Of the scales, where there are several.
    let axis: Int
    let scaleCount: Int
  }

  func producer(_ operand: Operand) -> Node? {
    guard let value = operand.value, let id = try? graph.producer(of: value) else { return nil }
    return try? graph[id]
  }

  /// The one user of a value that is no output; `nil` if there are others.
  func onlyUser(of value: ValueID) throws -> (node: Node, operand: Int)? {
    let uses = try graph.uses(of: value)
    guard uses.count == 1, let use = uses.first, !graph.isTerminator(use.node) else { return nil }
    return (try graph[use.node], use.operand)
  }

  /// The number that an operand is: a literal, or a constant with one element.
  func number(_ operand: Operand) -> Double? {
    switch operand {
    case .literal(.int(let x)): Double(x)
    case .literal(.float(let x)): x
    case .parameter: graph.tensor(of: operand).flatMap { $0.elementCount == 1 ? try? $0.numbers().doubles.first : nil }
    default: nil
    }
  }

  func elementType(_ operand: Operand) -> ElementType? { graph.type(of: operand).elementType }
  func shape(_ operand: Operand) -> Shape? { graph.type(of: operand).shape }

  /// The elements of an operand; `nil` if they are not known yet.
  func count(_ operand: Operand) -> Int? {
    if case .literal = operand { return 1 }
    return shape(operand)?.sizes?.reduce(1, *)
  }

  /// The integers that an operand is made of by `dequantize_linear` to `float32`, not in blocks.
  func quantized(_ operand: Operand) -> Quantized? {
    guard let node = producer(operand), node.op == .dequantizeLinear else { return nil }
    return quantized(node)
  }

  /// The integers that `dequantize_linear` reads.
  func quantized(_ node: Node) -> Quantized? {
    let scale = node.operand(1)
    guard node[Quantize.blockSize] == 0, let type = elementType(node.operand(0)), let scales = count(scale),
      elementType(scale) == .float32 || scale.isLiteral, node[Quantize.outputType].map({ $0 == .float32 }) ?? true
    else { return nil }
    return Quantized(
      integers: node.operand(0), scale: scale, zero: node.operand(2), type: type, axis: node[Quantize.axis], scaleCount: scales)
  }

  /// Numbers of 8 bits of one constant scale.
  func activation(_ operand: Operand) -> Quantized? {
    guard let q = quantized(operand), q.scaleCount == 1, q.type == .int8 || q.type == .uint8, number(q.scale) != nil,
      q.zero.isNone || number(q.zero) != nil
    else { return nil }
    return q
  }

  /// What a `quantize_linear` makes: 8 bits of one scale.
  func target(_ node: Node) -> Quantized? {
    guard node.op == .quantizeLinear, node[Quantize.blockSize] == 0, count(node.operand(1)) == 1,
      elementType(node.operand(1)) == .float32, elementType(node.operand(0)) == .float32,
      node[Quantize.precision].map({ $0 == .float32 }) ?? true, let type = elementType(.value(node.results[0])),
      type == .int8 || type == .uint8
    else { return nil }
    return Quantized(
      integers: .value(node.results[0]), scale: node.operand(1), zero: node.operand(2), type: type, axis: 0, scaleCount: 1)
  }

  /// Whether both have the same scale, zero point and type.
  func areAlike(_ a: Quantized, _ b: Quantized) -> Bool {
    guard a.type == b.type, a.scaleCount == 1, b.scaleCount == 1 else { return false }
    func zero(_ q: Quantized) -> Double? { q.zero.isNone ? 0 : number(q.zero) }
    if a.scale == b.scale, a.zero == b.zero { return true }
    guard let x = number(a.scale), let y = number(b.scale), let u = zero(a), let v = zero(b) else { return false }
    return x == y && u == v
  }

  /// Constant weights as integers, with the permutation of a matrix or the quantization of numbers in between done.
  mutating func weights(_ operand: Operand) throws -> Quantized? {
    var q: Quantized?
    if let node = producer(operand), node.op == .transpose, let inner = try weights(node.operand(0)),
      shape(inner.integers)?.rank == 2, node[Transpose.permutation].map({ $0 == [1, 0] }) ?? true,
      let tensor = graph.tensor(of: inner.integers)
    {
      var turned = inner
      turned.integers = .parameter(
        try constant(.transpose, [tensor], attributes: node.attributes, name: "\(graph.name(of: node.id))_integers"))
      q = Quantized(
        integers: turned.integers, scale: inner.scale, zero: inner.zero, type: inner.type,
        axis: 1 - (inner.axis < 0 ? inner.axis + 2 : inner.axis), scaleCount: inner.scaleCount)
    } else {
      q = quantized(operand)
    }
    guard var found = q, found.type == .int8 || found.type == .uint8 else { return nil }
    if let node = producer(found.integers), node.op == .quantizeLinear {
      let operands = node.operands.map { graph.tensor(of: $0) }
      guard operands.allSatisfy({ $0 != nil }) else { return nil }
      found.integers = .parameter(
        try constant(
          .quantizeLinear, operands.compactMap(\.self), attributes: node.attributes, name: "\(graph.name(of: node.id))_integers"))
    }
    return graph.tensor(of: found.integers) == nil ? nil : found
  }

  /// The result of a call on constants as a constant.
  mutating func constant(
    _ op: Operator, _ operands: [Tensor], attributes: Attributes, name: String
  ) throws -> ParameterID {
    var part = Graph(name: "constant")
    let parameters = operands.map { Operand.parameter(part.addConstant($0)) }
    try part.addOutput(try part.call(op, parameters, attributes: attributes))
    guard let tensor = try executor.run(part, inputs: []).first?.tensor else { throw KernelError.missingOperand(0) }
    return graph.addConstant(tensor, name: name)
  }
}

// MARK: What becomes of results

extension IntegerLowering {
  /// Where the numbers that a node makes go: through activations that cut off into `quantize_linear`.
  struct Tail {
    /// What is replaced.
    var value: ValueID
    /// `nil` where the numbers themselves are wanted.
    var target: Quantized?
    var low = -128
    var high = 255
    /// A vector that is added before.
    var bias: Operand = .none
  }

  /// - Parameter columns: how many numbers a vector that is added has; `nil` if none may be added.
  func tail(of value: ValueID, columns: Int?) throws -> Tail {
    var tail = Tail(value: value)
    var (low, high) = (-Double.infinity, Double.infinity)
    var current = value
    while let user = try onlyUser(of: current) {
      if let columns, tail.bias.isNone, current == value, user.node.op == .add, user.node.operands.count == 2 {
        let other = user.node.operands[1 - user.operand]
        guard let tensor = graph.tensor(of: other), tensor.elementType == .float32, tensor.shape == [columns] else { break }
        tail.bias = other
        tail.value = user.node.results[0]
      } else if user.operand == 0, let bounds = cut(user.node) {
        (low, high) = (min(max(low, bounds.low), bounds.high), min(max(high, bounds.low), bounds.high))
      } else if user.operand == 0, let target = target(user.node) {
        guard let bounds = quantizedBounds(low, high, target) else { break }
        (tail.low, tail.high, tail.target) = (bounds.low, bounds.high, target)
        tail.value = user.node.results[0]
        return tail
      } else {
        break
      }
      current = user.node.results[0]
    }
    return tail
  }

  /// The bounds of an activation that does nothing but cut off.
  func cut(_ node: Node) -> (low: Double, high: Double)? {
    if node.op == .relu { return (0, .infinity) }
    guard node.op == .clip else { return nil }
    let low = node.operand(1).isNone ? -.infinity : number(node.operand(1))
    let high = node.operand(2).isNone ? .infinity : number(node.operand(2))
    guard let low, let high, low <= high else { return nil }
    return (low, high)
  }

  /// Bounds on numbers as bounds on their quantized form; rounding keeps the order.
  func quantizedBounds(_ low: Double, _ high: Double, _ target: Quantized) -> (low: Int, high: Int)? {
    let range = target.type == .int8 ? -128.0...127.0 : 0.0...255.0
    if low == -.infinity, high == .infinity { return (Int(range.lowerBound), Int(range.upperBound)) }
    guard let scale = number(target.scale), let zero = target.zero.isNone ? 0 : number(target.zero) else { return nil }
    func place(_ x: Double) -> Int {
      if x.isInfinite { return Int(x < 0 ? range.lowerBound : range.upperBound) }
      let steps = Double((Float(x) / Float(scale)).rounded(.toNearestOrEven)) + zero
      return Int(min(max(steps, range.lowerBound), range.upperBound))
    }
    return (place(low), place(high))
  }

  func outputAttributes(_ tail: Tail) -> Attributes {
    var attributes = Attributes()
    attributes[IntegerOutput.type] = tail.target?.type ?? .float32
    (attributes[IntegerOutput.low], attributes[IntegerOutput.high]) = (tail.low, tail.high)
    return attributes
  }

  /// Puts a call in front of the node that makes `value`, and its result in the value's place.
  mutating func replace(
    _ value: ValueID, by op: Operator, _ operands: [Operand], _ attributes: Attributes, label: String
  ) throws {
    guard let last = try graph.producer(of: value) else { return }
    let node = try graph[last]
    let call = try graph.append(
      op, trimmed(operands), attributes: attributes, results: [try graph.type(of: value)], at: .before(last),
      name: node.name, location: node.location)
    try put(.value(try graph[call].results[0]), inPlaceOf: last, label)
  }

  mutating func put(_ operand: Operand, inPlaceOf node: NodeID, _ label: String) throws {
    try graph.replace(node, with: [operand])
    latest = operand
    outcome.change(label)
  }

  func trimmed(_ operands: [Operand]) -> [Operand] {
    var result = operands
    while result.last?.isNone ?? false { result.removeLast() }
    return result
  }
}

extension Operand {
  fileprivate var isLiteral: Bool { if case .literal = self { true } else { false } }
}
