import FXCore
import FXRuntime
import Testing

/// Tensors without elements may have huge sizes beside the zero: kernels must neither overflow nor count through them.
@Suite struct ReferenceEmptyTests {
  static let operators =
    Operator.elementwise + Operator.comparisons + Operator.activations + Operator.reductions + Operator.linearAlgebra
    + Operator.normalizations + Operator.attentions + Operator.randoms + Operator.quantizations

  static let required: Attributes = [
    "num_groups": 1, "size": 3, "kv_num_heads": 1, "q_num_heads": 1, "num_heads": 1, "equation": "a...,b...->ab...",
    "shape": .ints([0, 1 << 40]), "to": .elementType(.float32), "direction": "LEFT",
  ]

  @Test(arguments: operators.map(\.name)) func neitherTrapsNorHangs(_ name: String) throws {
    let op = try #require(OperatorTable.standard[name])
    let schema = try #require(op.schema)
    let attributes = Attributes(
      Self.required.filter { entry in schema.attribute(entry.name)?.kind == entry.value.kind }.map { ($0.name, $0.value) })
    let huge = 1 << 40
    for shape in [[huge, 0], [0, huge, huge], [huge, 0, 1], [huge, huge, 0], [0, 1, huge, huge], [huge, 1, 1, 0]] {
      let operands = try schema.operands.map { operand in
        let allowed = schema.typeVariables[operand.typeVariable] ?? .floating
        return try Tensor(zeros: allowed.contains(.float32) ? .float32 : #require(allowed.types.first), shape)
      }
      let results = Array(repeating: Tensor(vector: [Float]()), count: schema.resultCount.lowerBound)
      // Many shapes do not fit: an error then, and otherwise nothing.
      guard let (graph, inputs) = try? OperatorCase(name, op, operands, attributes, results).graph() else { continue }
      guard let outcome = try? ReferenceExecutor().run(graph, inputs: inputs) else { continue }
      for value in outcome { #expect((value.tensor?.elementCount ?? 0) < 1 << 20) }
    }
  }

  /// A product of empty matrices is a matrix of zeros.
  @Test func emptySums() throws {
    let empty = try Tensor(zeros: .float32, [2, 0])
    let sums: [(Operator, [Tensor?], Attributes)] = [
      (.matmul, [empty, try empty.reshaped([0, 3])], [:]),
      (.einsum, [empty, try empty.reshaped([0, 3])], ["equation": "ij,jk->ik"]),
    ]
    for (op, operands, attributes) in sums {
      #expect(try OperatorCase("", op, operands, attributes, nil).result() == Tensor(zeros: .float32, [2, 3]))
    }
  }
}
