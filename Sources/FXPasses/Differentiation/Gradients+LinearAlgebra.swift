import FXCore
import FXTrace

extension GradientRules {
  mutating func addLinearAlgebra() {
    self[.matmul] = .cotangents { context in
      guard var dy = context.cotangent() else { return [] }
      var (a, b) = (context.operand(0), context.operand(1))
      // A vector is a row on the left, a column on the right; the result lacks its axis.
      let (isRow, isColumn) = (try context.rank(a) == 1, try context.rank(b) == 1)
      if isRow { (a, dy) = (unsqueeze(a, axes: [0]), isColumn ? dy : unsqueeze(dy, axes: [-2])) }
      if isColumn { (b, dy) = (unsqueeze(b, axes: [1]), unsqueeze(dy, axes: isRow ? [0, 1] : [-1])) }
      let da = context.needs(0) ? dy.calling(.matmul, try context.matrixTranspose(b)) : nil
      let db = context.needs(1) ? try context.matrixTranspose(a).calling(.matmul, dy) : nil
      return [
        try da.map { try context.sum($0, like: a).reshaped(like: context.operand(0)) },
        try db.map { try context.sum($0, like: b).reshaped(like: context.operand(1)) },
      ]
    }
    self[.gemm] = .cotangents { context in
      guard let dy = context.cotangent() else { return [] }
      let (a, b) = (context.operand(0), context.operand(1))
      let (alpha, transA, transB) = (context[Gemm.alpha], context[Gemm.transA], context[Gemm.transB])
      func product(_ x: SymbolicTensor, _ y: SymbolicTensor, _ transX: Bool, _ transY: Bool) -> SymbolicTensor {
        x.calling(.gemm, y, attributes: ["alpha": .float(alpha), "transA": .bool(transX), "transB": .bool(transY)])
      }
      return [
        context.needs(0) ? (transA ? product(b, dy, transB, true) : product(dy, b, false, !transB)) : nil,
        context.needs(1) ? (transB ? product(dy, a, true, transA) : product(a, dy, !transA, false)) : nil,
        context.needs(2) ? try context.sum(dy * Double(context[Gemm.beta]), likeOperand: 2) : nil,
      ]
    }
    self[.linear] = .rewriting { context in
      let product = context.operand(0).calling(.matmul, transpose(context.operand(1), [1, 0]))
      return [context.has(2) ? product + context.operand(2) : product]
    }
  }
}

extension GradientContext {
  /// The last two axes exchanged.
  func matrixTranspose(_ x: SymbolicTensor) throws -> SymbolicTensor {
    let rank = try rank(x)
    return transpose(x, Array(0..<rank - 2) + [rank - 1, rank - 2])
  }
}
