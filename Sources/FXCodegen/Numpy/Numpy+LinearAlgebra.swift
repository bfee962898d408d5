import FXCore

extension NumpyRows {
  mutating func addLinearAlgebra() {
    define(.matmul) { "\($0.primary(0)) @ \($0.primary(1))" }
    define(.linear) { "\($0.primary(0)) @ \($0.primary(1)).T" + ($0.has(2) ? " + \($0.primary(2))" : "") }
    define(.gemm) { call in
      let a = call.primary(0) + (call[Gemm.transA] ? ".T" : "")
      let b = call.primary(1) + (call[Gemm.transB] ? ".T" : "")
      let (alpha, beta) = (call[Gemm.alpha], call[Gemm.beta])
      if alpha != 1 || beta != 1, call.isInteger(0) {
        throw NotExpressible("integers times alpha and beta are not defined")
      }
      let product = alpha == 1 ? "\(a) @ \(b)" : "\(alpha) * (\(a) @ \(b))"
      guard call.has(2), beta != 0 else { return product }
      return "\(product) + " + (beta == 1 ? call.primary(2) : "\(beta) * \(call.primary(2))")
    }
    define(.det) { call in
      call.isHalf ? "np.linalg.det(\(call.primary(0)).astype(np.float32)).astype(np.float16)" : "np.linalg.det(\(call[0]))"
    }
  }
}
