import FXCore

extension Decompositions {
  mutating func addLinearAlgebra() {
    // x·Wᵀ + b: a gemm for matrices, else a product with the transposed weight.
    self[.linear] = { context in
      let (x, weight, bias) = (context.operand(0), context.operand(1), context.operand(2))
      let type = context.resultType()
      if context.type(of: x).shape?.rank == 2 {
        return [try context.call(.gemm, [x, weight, bias], ["transB": true], type: type)]
      }
      let transposed = try context.call(.transpose, [weight], ["perm": .ints([1, 0])])
      let product = try context.call(.matmul, [x, transposed], type: type)
      return [bias.isNone ? product : try context.call(.add, [product, bias], type: type)]
    }
  }
}
