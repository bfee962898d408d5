import FXCore
import FXShapes
import Testing

/// What a rule is applied to.
enum RuleOperand: Sendable {
  case of(ValueType)
  case constant(Tensor)
  /// A vector that holds these sizes, as `shape` gives them.
  case sizes([Dimension])
  case none

  static func f32(_ dimensions: Dimension...) -> RuleOperand { .of(.tensor(.float32, Shape(dimensions))) }
  static func ints(_ elements: Int...) -> RuleOperand { .constant(Tensor(vector: elements)) }
  static func int(_ element: Int) -> RuleOperand { .constant(Tensor(element)) }
  /// A vector of that many integers of which nothing is known.
  static func open(_ count: Dimension) -> RuleOperand { .of(.tensor(.int64, [count])) }
}

/// One call of an operator with the types it must have, as text, for parameterised tests.
struct RuleCase: Sendable, CustomTestStringConvertible {
  let name: String
  let op: Operator
  let operands: [RuleOperand]
  let attributes: Attributes
  /// One description for each result; `nil` where inference must throw.
  let expected: [String]?

  init(_ name: String, _ op: Operator, _ operands: [RuleOperand], _ attributes: Attributes = [:], _ expected: [String]?) {
    self.name = name
    self.op = op
    self.operands = operands
    self.attributes = attributes
    self.expected = expected
  }

  var testDescription: String { name }

  func check() throws {
    var graph = Graph()
    var arguments: [Operand] = []
    for (index, operand) in operands.enumerated() {
      switch operand {
      case .of(let type): arguments.append(.value(try graph.addInput("x\(index)", type)))
      case .constant(let tensor): arguments.append(.parameter(graph.addConstant(tensor)))
      case .sizes(let sizes):
        let input = try graph.addInput("x\(index)", .tensor(.float32, Shape(sizes)))
        arguments.append(.value(try graph.call(.shape, [.value(input)])))
      case .none: arguments.append(.none)
      }
    }
    let node = try graph.append(
      op, arguments, attributes: attributes,
      results: Array(repeating: .unknown, count: expected?.count ?? max(1, op.schema?.resultCount.lowerBound ?? 1)))
    guard let expected else {
      #expect(throws: ShapeInferenceError.self) { try ShapeInference().run(&graph) }
      return
    }
    try ShapeInference().run(&graph)
    #expect(try graph[node].results.map { try graph.type(of: $0).description } == expected)
  }
}
