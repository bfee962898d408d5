import FXCodegen
import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import FXTrace
import Foundation
import Testing

enum Snake {
  static let alpha = AttributeKey<Float>("alpha", default: 1, "How fast the wave is.")
  static let op = Operator(
    "snake", domain: "com.example", .activation, "x + sin²(αx) ÷ α", operands: ["x"], types: ["T": .init(.float32, .float64)],
    attributes: [alpha.specification], traits: [.elementwise])
}

struct SnakeKernel: Kernel {
  let count: Int
  let alpha: Float

  func run(_ arguments: borrowing KernelArguments) throws {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    arguments.pool.parallelFor(count: count, chunk: 16384) { range, _ in
      for index in range {
        let wave = sin(alpha * x[index])
        y[index] = x[index] + wave * wave / alpha
      }
    }
  }
}

/// `docs/WriteAnOperator.md`.
@Suite struct OperatorPageTests {
  @Test func everyBlockStandsInThisFile() throws { try expectProgramsOfPage("docs/WriteAnOperator.md", in: [#filePath]) }

  @Test(arguments: [0, 1, 7, 40_000]) func snake(rows: Int) throws {
    let x = try Tensor([rows, 3], (0..<rows * 3).map { Float($0 % 31) / 4 - 3 })

    var rules = ShapeRules.standard
    rules[Snake.op] = { (context) throws(ShapeError) in [try context.type(0)] }

    var kernels = ReferenceKernels.standard
    kernels[Snake.op] = { context in
      let x = try context.tensor(0)
      let alpha = Double(context[Snake.alpha])
      let y = try x.converted(to: .float64).elements(Double.self).map { $0 + pow(sin(alpha * $0), 2) / alpha }
      return [.tensor(try Tensor(x.shape, y).converted(to: x.elementType))]
    }

    var options = TraceOptions()
    options.inference = ShapeInference(rules: rules)
    let graph = try trace(.tensor(.float32, ["n", 3], name: "x"), options: options) { (x: SymbolicTensor) in
      (x * 2).call(Snake.op, attributes: [Snake.alpha.name: .float(0.5)])
    }
    let slow = try ReferenceExecutor(kernels: kernels).run(graph, x)

    var table = KernelTable.standard
    table[Snake.op] = { request in
      guard request.isAll(.float32), let x = request.operands[0] else { return nil }
      return .kernel(SnakeKernel(count: x.elementCount, alpha: request[Snake.alpha]), inPlace: [0])
    }
    let backend = CPUBackend(.init(kernels: table, reference: kernels, rules: rules))
    let fast = try backend.run(graph, x)

    let expected = try x.elements(Float.self).map { Double($0) * 2 }.map { $0 + pow(sin($0 / 2), 2) * 2 }
    for (a, b) in zip(try slow[0].elements(Float.self), expected) { #expect(Double(a) == Double(Float(b))) }
    for (a, b) in zip(try fast[0].elements(Float.self), expected) { #expect((Double(a) - b).magnitude < 1e-5) }
    #expect(try backend.run(graph, x)[0].shape == [rows, 3])

    try decomposed(graph, x, expected)
    try formats(graph)
  }

  private func decomposed(_ graph: Graph, _ x: Tensor, _ expected: [Double]) throws {
    var decompositions = Decompositions.standard
    decompositions[Snake.op] = { context in
      let (x, alpha) = (context.operand(0), Operand.literal(.float(Double(context[Snake.alpha]))))
      let wave = try context.call(.sin, [context.call(.mul, [x, alpha])])
      return [try context.call(.add, [x, context.call(.div, [context.call(.mul, [wave, wave]), alpha])])]
    }
    var core = graph
    try DecompositionPass(decompositions).apply(to: &core)
    let program = try CodeGenerator().generateCode(core, target: "numpy")

    #expect(program.contains("np.sin"))
    for (a, b) in zip(try CPUBackend().run(core, x)[0].elements(Float.self), expected) {
      #expect((Double(a) - b).magnitude < 1e-5)
    }
    var slope = graph
    let differentiation = Differentiation(decompositions: decompositions)
    try differentiation.prepare(&slope)
    let gradients = try differentiation.gradients(
      of: [(slope.outputs[0], slope.outputs[0])], wrt: [.value(slope.inputs[0])], in: &slope)
    try slope.addOutput(gradients[0], name: "slope")
    let results = try CPUBackend().run(slope, x)
    let (y, dy) = (try results[0].elements(Float.self), try results[1].elements(Float.self))
    // With y itself as the cotangent; dy ÷ dx = 2 (1 + sin 2x), for α = 1/2 of 2x.
    for (index, x) in try x.elements(Float.self).enumerated() {
      #expect((dy[index] - y[index] * 2 * (1 + sin(2 * x))).magnitude < 1e-3)
    }
  }

  private func formats(_ graph: Graph) throws {
    var operators = OperatorTable.standard
    operators.register(Snake.op)
    let again = try Graph(text: graph.text(), operators: operators)

    var forms = OnnxOperators.standard
    forms.register(OnnxOperator(Snake.op, OnnxForm("Snake", domain: "com.example")))
    var exporter = OnnxExporter()
    exporter.operators = forms
    var importer = OnnxImporter()
    importer.operators = forms
    let fromOnnx = try importer.graph(from: exporter.export(graph))

    #expect(again == graph)
    #expect(fromOnnx.nodes(calling: Snake.op).count == 1)
    #expect(try fromOnnx.nodes(calling: Snake.op).map { try fromOnnx[$0][Snake.alpha] } == [0.5])
    #expect(throws: TextError.self) { try Graph(text: graph.text()) }
  }
}
