import FXCore
import FXPasses
import FXRuntime
import FXTestSupport
import FXTrace
import Testing

/// One call whose gradient is compared with central differences, in float64.
struct GradientCase: Sendable, CustomTestStringConvertible {
  let op: Operator
  /// Shapes of float operands, which are filled at random, or tensors that stay as they are; `nil` for one that is left out.
  let operands: [Argument?]
  let attributes: Attributes
  let resultCount: Int
  let note: String

  enum Argument: Sendable {
    case random([Int], ClosedRange<Double>)
    case constant(Tensor)
  }

  init(_ op: Operator, _ operands: [Argument?], _ attributes: Attributes = [:], results: Int = 1, _ note: String = "") {
    self.op = op
    self.operands = operands
    self.attributes = attributes
    resultCount = results
    self.note = note
  }

  init(_ op: Operator, _ operands: [Argument?], _ note: String) { self.init(op, operands, [:], note) }

  var testDescription: String { op.description + (note.isEmpty ? "" : ", " + note) }

  /// The call followed by a sum of its results with random weights, so that the loss is one number.
  func check(tolerance: Double = 1e-6) throws {
    var random = RandomSource(seed: UInt64(testDescription.utf8.reduce(7) { $0 &* 31 &+ Int($1) }.magnitude))
    var graph = Graph()
    var inputs: [(name: String, tensor: Tensor)] = []
    let arguments = try operands.map { argument -> Operand in
      switch argument {
      case nil: return .none
      case .constant(let tensor)?: return .parameter(graph.addConstant(tensor))
      case .random(let shape, let range)?:
        let name = "x\(inputs.count)"
        let elements = (0..<shape.reduce(1, *)).map { _ in random.double(in: range) }
        inputs.append((name, try Tensor(shape, elements)))
        return .value(try graph.addInput(name, .tensor(.float64, Shape(shape))))
      }
    }
    let node = try graph.append(
      op, arguments, attributes: attributes, results: Array(repeating: .unknown, count: resultCount))
    try GradientCheck(graph, inputs, results: graph[node].results.map(Operand.value)).run(tolerance, &random)
  }
}

/// Compares gradients with central differences.
struct GradientCheck {
  var graph: Graph
  let inputs: [(name: String, tensor: Tensor)]
  let results: [Operand]

  init(_ graph: Graph, _ inputs: [(name: String, tensor: Tensor)], results: [Operand]) {
    (self.graph, self.inputs, self.results) = (graph, inputs, results)
  }

  func run(_ tolerance: Double, _ random: inout RandomSource) throws {
    var graph = graph
    var loss: Operand?
    var probe = graph
    for result in results { try probe.addOutput(result) }
    for (result, value) in zip(results, try evaluate(probe, inputs.map(\.tensor))) where value.elementType == .float64 {
      let weights = try Tensor(value.shape, (0..<value.elementCount).map { _ in random.double(in: -1...1) })
      let product = try graph.call(.mul, [result, .parameter(graph.addConstant(weights))])
      let sum = Operand.value(try graph.call(.reduceSum, [.value(product)], attributes: ["keepdims": .bool(false)]))
      loss = try loss.map { .value(try graph.call(.add, [$0, sum])) } ?? sum
    }
    try graph.addOutput(try #require(loss), name: "loss")
    let gradient = try graph.gradient(of: "loss", wrt: inputs.map(\.name))
    try gradient.verify(.typed)
    let outputs = try evaluate(gradient, inputs.map(\.tensor))
    let slopes = outputs.suffix(inputs.count)
    for (index, (input, slope)) in zip(inputs, slopes).enumerated() {
      #expect(slope.type == input.tensor.type, "the gradient of \(input.name) is \(slope.type)")
      guard slope.type == input.tensor.type else { continue }
      let (slopes, elements): ([Double], [Double]) = (try slope.elements(), try input.tensor.elements())
      for position in elements.indices {
        func loss(at offset: Double) throws -> Double {
          var (moved, all) = (elements, inputs.map(\.tensor))
          moved[position] += offset
          all[index] = try Tensor(input.tensor.shape, moved)
          return try #require(evaluate(graph, all).last).elements(Double.self)[0]
        }
        let step = 1e-5
        let quotient = try (loss(at: step) - loss(at: -step)) / (2 * step)
        let isClose = abs(slopes[position] - quotient) <= tolerance * max(1, abs(quotient)) * 10
        #expect(isClose, "d/d\(input.name)[\(position)] is \(slopes[position]), the difference quotient \(quotient)")
        if !isClose { return }
      }
    }
  }

  /// Runs a graph for values of its inputs, and of the parameters that are among `inputs`.
  private func evaluate(_ graph: Graph, _ tensors: [Tensor]) throws -> [Tensor] {
    var graph = graph
    var values: [RuntimeValue] = []
    for (input, tensor) in zip(inputs, tensors) {
      if let parameter = graph.parameter(named: input.name) {
        try graph.setTensor(tensor, of: parameter)
      } else {
        values.append(.tensor(tensor))
      }
    }
    return try ReferenceExecutor().run(graph, inputs: values).compactMap(\.tensor)
  }
}

/// A float operand away from kinks and poles unless a range says otherwise.
func r(_ shape: Int..., in range: ClosedRange<Double> = 0.3...0.9) -> GradientCase.Argument { .random(shape, range) }
/// An integer operand.
func n(_ elements: Int...) -> GradientCase.Argument { .constant(Tensor(vector: elements)) }
