import FXCore
import FXRuntime
import FXShapes
import Testing

/// One call of an operator with what it must give, for parameterised tests.
struct OperatorCase: Sendable, CustomTestStringConvertible {
  let name: String
  let op: Operator
  let operands: [Tensor?]
  let attributes: Attributes
  /// `nil` where the call must throw.
  let expected: [Tensor]?

  init(_ name: String, _ op: Operator, _ operands: [Tensor?], _ attributes: Attributes = [:], _ expected: [Tensor]?) {
    self.name = name
    self.op = op
    self.operands = operands
    self.attributes = attributes
    self.expected = expected
  }

  var testDescription: String { name }

  /// A graph of the call alone. Integer operands are constants, as shapes and indices mostly are in models.
  func graph() throws -> (Graph, inputs: [RuntimeValue]) {
    var graph = Graph()
    var inputs: [RuntimeValue] = []
    var arguments: [Operand] = []
    for tensor in operands {
      guard let tensor else {
        arguments.append(.none)
        continue
      }
      if tensor.elementType.isInteger, !arguments.isEmpty {
        arguments.append(.parameter(graph.addConstant(tensor)))
      } else {
        arguments.append(.value(try graph.addInput("input_\(inputs.count)", .tensor(tensor.type))))
        inputs.append(.tensor(tensor))
      }
    }
    let node = try graph.append(
      op, arguments, attributes: attributes,
      results: Array(repeating: .unknown, count: expected?.count ?? max(1, op.schema?.resultCount.lowerBound ?? 1)))
    for result in try graph[node].results { try graph.addOutput(result) }
    return (graph, inputs)
  }

  /// Runs the call and compares; also the types that shape inference gives must admit the results.
  func check(tolerance: Double = 0) throws {
    var (graph, inputs) = try graph()
    guard let expected else {
      #expect(throws: (any Error).self) { try ReferenceExecutor().run(graph, inputs: inputs) }
      return
    }
    let results = try ReferenceExecutor().run(graph, inputs: inputs)
    try ShapeInference().run(&graph)
    for (index, result) in results.enumerated() {
      let actual = try #require(result.tensor)
      let type = graph.type(of: graph.outputs[index])
      let isAdmitted = type.tensorType?.admits(actual.type) == true
      #expect(isAdmitted, "inferred \(type), result \(actual.type)")
      let isEqual = try isClose(actual, expected[index], tolerance)
      #expect(isEqual, "\(describe(actual)) is not \(describe(expected[index]))")
    }
  }

  private func isClose(_ a: Tensor, _ b: Tensor, _ tolerance: Double) throws -> Bool {
    guard a.type == b.type else { return false }
    if a == b || tolerance == 0 { return a == b }
    return zip(try a.numbers().doubles, try b.numbers().doubles).allSatisfy {
      abs($0 - $1) <= tolerance * max(1, abs($1)) || ($0.isNaN && $1.isNaN) || $0 == $1
    }
  }

  private func describe(_ tensor: Tensor) -> String {
    "\(tensor.type) " + (tensor.strings.map { "\($0)" } ?? (try? tensor.numbers().doubles).map { "\($0.prefix(64))" } ?? "")
  }
}

/// A `float32` tensor.
func f(_ shape: [Int], _ elements: [Float]) -> Tensor { (try? Tensor(shape, elements)) ?? Tensor(vector: elements) }
/// An `int64` tensor.
func i(_ shape: [Int], _ elements: [Int]) -> Tensor { (try? Tensor(shape, elements)) ?? Tensor(vector: elements) }
/// The `float32` numbers 0, 1, 2, … in a shape.
func ramp(_ shape: [Int]) -> Tensor { f(shape, (0..<shape.reduce(1, *)).map(Float.init)) }
/// A vector of `int64`.
func ints(_ elements: Int...) -> Tensor { Tensor(vector: elements) }
/// A tensor of any element type that Swift has.
func t<Element: TensorElement>(_ shape: [Int], _ elements: [Element]) -> Tensor {
  (try? Tensor(shape, elements)) ?? Tensor(vector: elements)
}
/// A vector of numbers in any element type.
func typed(_ type: ElementType, _ elements: Double...) -> Tensor {
  (try? Tensor(type, [elements.count], numbers: .floats(elements))) ?? Tensor(vector: elements)
}
