import FXCore

extension TorchRows {
  mutating func addLinearAlgebra() {
    define(.matmul) { call in
      call.language == .python ? .binary(call[0], "@", call[1]) : .call("torch.matmul", [call[0], call[1]])
    }
    define(.linear) { call in
      .call("F.linear", [call[0], call[1]] + (call.has(2) ? [call[2]] : []))
    }
    define(.gemm) { call in
      let (alpha, beta) = (call[Gemm.alpha], call[Gemm.beta])
      if alpha == 1, beta == 1, call[Gemm.transB], !call[Gemm.transA], !call.has(2) || call.site.rank(2) == 1,
        !call.isInteger
      {
        return .call("F.linear", [call[0], call[1]] + (call.has(2) ? [call[2]] : []))
      }
      let a = call[Gemm.transA] ? TorchExpression.method(call[0], "t", []) : call[0]
      let b = call[Gemm.transB] ? TorchExpression.method(call[1], "t", []) : call[1]
      if (alpha != 1 || beta != 1) && call.isInteger { throw NotExpressible("integers times alpha and beta are not defined") }
      var y = TorchExpression.call("torch.matmul", [a, b])
      if alpha != 1 { y = .binary(.number(alpha.decimal), "*", y) }
      guard call.has(2), beta != 0 else { return y }
      return .binary(y, "+", beta == 1 ? call[2] : .binary(.number(beta.decimal), "*", call[2]))
    }
    define(.einsum) { call in
      guard !call.isInteger else { throw NotExpressible("einsum wants floating-point numbers") }
      return .call("torch.einsum", [.string(call[Einsum.equation]), .list(call.operands)])
    }
    define(.det) { call in
      let type = call.site.elementType(0)
      if type == .float16 || type == .bfloat16 {
        return TorchExpression.call("torch.linalg.det", [call[0].to(.float32)]).to(type ?? .float32)
      }
      return .call("torch.linalg.det", [call[0]])
    }
  }
}
