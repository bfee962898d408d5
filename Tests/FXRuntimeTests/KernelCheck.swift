import FXCore
import FXTestSupport
import Testing

@testable import FXRuntime

/// A call of an operator on random operands, judged by the reference kernel.
struct KernelCase: CustomTestStringConvertible, Sendable {
  /// An operand: its shape, how its elements are drawn, and whether it is a constant of the graph.
  struct Given: Sendable {
    var shape: [Int]
    var type = ElementType.float32
    var isConstant = false
    /// Elements, if not random.
    var elements: [Double]?
    var range: ClosedRange<Double> = -2...2
  }

  let op: Operator
  let operands: [Given?]
  var attributes: Attributes = [:]
  var resultCount = 1
  /// Of |actual − expected| ≤ tolerance × max(1, |expected|).
  var tolerance = 2e-6
  /// Whether a fast kernel must serve: with none but fast kernels the run has to succeed.
  var mustBeFast = true

  var testDescription: String {
    let shapes = operands.map { operand in
      operand.map { "\($0.type.rawValue)\($0.shape)" + ($0.isConstant ? "!" : "") } ?? "-"
    }
    return "\(op)(\(shapes.joined(separator: ", "))) \(attributes.map { "\($0.name)=\($0.value)" }.joined(separator: " "))"
  }
}

extension KernelCase.Given {
  static func f(_ shape: [Int], _ range: ClosedRange<Double> = -2...2) -> Self { .init(shape: shape, range: range) }
  static func constant(_ shape: [Int], _ range: ClosedRange<Double> = -2...2) -> Self {
    .init(shape: shape, isConstant: true, range: range)
  }
  static func integers(_ elements: [Int], type: ElementType = .int64, shape: [Int]? = nil, isConstant: Bool = true) -> Self {
    .init(shape: shape ?? [elements.count], type: type, isConstant: isConstant, elements: elements.map(Double.init))
  }
  static func typed(_ type: ElementType, _ shape: [Int], _ range: ClosedRange<Double> = -9...9) -> Self {
    .init(shape: shape, type: type, range: type == .bool ? 0...1 : range)
  }

  fileprivate func tensor(_ random: inout RandomSource) throws -> Tensor {
    let count = shape.reduce(1, *)
    let numbers =
      elements
      ?? (0..<count).map { _ in
        let unit = Double(random.next() >> 11) * 0x1p-53
        let value = range.lowerBound + unit * (range.upperBound - range.lowerBound)
        return type.isFloatingPoint ? value : value.rounded()
      }
    return try Tensor(.float64, shape, numbers: .floats(numbers)).converted(to: type)
  }
}

extension KernelCase {
  /// Runs the case on the reference executor and on fast kernels: at the graph's edges, with intermediate operands and
  /// results (whose memory may be taken over), on one thread and on three.
  func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
    var random = RandomSource(seed: 17)
    let tensors = try operands.map { try $0?.tensor(&random) }
    let options = { (threads: Int) in
      CPUBackend.Options(threads: threads, reference: mustBeFast ? ReferenceKernels() : .standard)
    }
    for isInner in [false, true] {
      let (graph, inputs) = try self.graph(tensors, isInner: isInner)
      let expected = try ReferenceExecutor().run(graph, inputs: inputs)
      var first: [Tensor] = []
      for threads in [1, 3] {
        let compiled = try CPUBackend(options(threads)).compiled(graph)
        for _ in 0..<2 {
          let actual = try compiled.run(inputs).compactMap(\.tensor)
          #expect(actual.count == expected.count, sourceLocation: sourceLocation)
          for (a, e) in zip(actual, expected.compactMap(\.tensor)) {
            #expect(a.elementType == e.elementType && a.shape == e.shape, sourceLocation: sourceLocation)
            let worst = try distance(a, e)
            #expect(worst <= tolerance, "inner \(isInner), \(threads) threads", sourceLocation: sourceLocation)
          }
          if first.isEmpty { first = actual }
          #expect(actual == first, "the bits depend on threads or runs", sourceLocation: sourceLocation)
        }
      }
    }
  }

  /// The graph of the call; `isInner` puts a negation, which keeps values and their types apart from the graph's edges,
  /// before each floating-point operand and after each floating-point result.
  private func graph(_ tensors: [Tensor?], isInner: Bool) throws -> (Graph, [RuntimeValue]) {
    var graph = Graph()
    var inputs: [RuntimeValue] = []
    var arguments: [Operand] = []
    func wrapped(_ value: ValueID, _ type: ElementType?) throws -> ValueID {
      guard isInner, type == .float32 || type == .float64 else { return value }
      return try graph.call(.neg, [.value(value)])
    }
    for (index, tensor) in tensors.enumerated() {
      guard let tensor, let given = operands[index] else {
        arguments.append(.none)
        continue
      }
      if given.isConstant {
        arguments.append(.parameter(graph.addConstant(tensor)))
      } else {
        let input = try graph.addInput("x\(index)", .tensor(tensor.type))
        inputs.append(.tensor(tensor))
        arguments.append(.value(try wrapped(wrapped(input, tensor.elementType), tensor.elementType)))
      }
    }
    let node = try graph.append(
      op, arguments, attributes: attributes, results: Array(repeating: .unknown, count: resultCount))
    let types = try ReferenceExecutor().resultTypes(of: node, in: graph, inputs)
    for (result, type) in zip(try graph[node].results, types) { try graph.addOutput(try wrapped(result, type)) }
    return (graph, inputs)
  }

  private func distance(_ actual: Tensor, _ expected: Tensor) throws -> Double {
    var worst = 0.0
    for (a, e) in zip(try actual.numbers().doubles, try expected.numbers().doubles) {
      if a == e || a.isNaN && e.isNaN { continue }
      let difference = abs(a - e) / max(1, abs(e))
      if !(difference <= worst) { worst = difference }
      if worst.isNaN { return .infinity }
    }
    return worst
  }
}

extension ReferenceExecutor {
  /// The element types that a node at the graph's end gives.
  fileprivate func resultTypes(of node: NodeID, in graph: Graph, _ inputs: [RuntimeValue]) throws -> [ElementType?] {
    var graph = graph
    for result in try graph[node].results { try graph.addOutput(result) }
    return try run(graph, inputs: inputs).map { $0.tensor?.elementType }
  }
}
