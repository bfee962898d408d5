internal import CKernels
import FXCore

extension KernelTable {
  mutating func addLinearAlgebra() {
    self[.matmul] = { $0.matmul(residual: nil) }
    self[.fusedMatmul] = { $0.matmul(residual: 2) }
    self[.gemm] = { $0.gemm(residual: nil) }
    self[.fusedGemm] = { $0.gemm(residual: 3) }
    self[.linear] = { $0.linear(residual: nil) }
    self[.fusedLinear] = { $0.linear(residual: 3) }
  }
}

extension KernelRequest {
  fileprivate func matmul(residual: Int?) -> KernelChoice? {
    guard isAll(.float32) || isAll(.float64), let shape = KernelRequest.broadcast(shape(0).dropLast(2), shape(1).dropLast(2))
    else { return nil }
    let (a, b) = (self.shape(0), self.shape(1))
    guard let k = a.last, !b.isEmpty else { return nil }
    let m = a.count > 1 ? a[a.count - 2] : 1
    let n = b.count > 1 ? b[b.count - 1] : 1
    var product = ProductDescription(m: m, n: n, k: k, aStrides: (k, 1), bStrides: (n, 1))
    product.batch = shape
    product.aBatch = Array(a.dropLast(2))
    product.bBatch = Array(b.dropLast(2))
    if let residual, has(residual) {
      product.addends.residual = residual
      // The result lacks the axes that vectors do not have.
      product.residualShape = self.shape(residual) == results[0].shape ? shape + [m, n] : self.shape(residual)
      guard a.count > 1 && b.count > 1 || self.shape(residual) == results[0].shape else { return nil }
    }
    return self.product(product)
  }

  fileprivate func linear(residual: Int?) -> KernelChoice? {
    guard isAll(.float32) || isAll(.float64), let k = shape(0).last, shape(1).count == 2, shape(1)[1] == k else { return nil }
    var product = ProductDescription(
      m: shape(0).dropLast().reduce(1, *), n: shape(1)[0], k: k, aStrides: (k, 1), bStrides: (1, k))
    if has(2) {
      guard shape(2).reduce(1, *) == product.n else { return nil }
      product.addends.biasColumn = 2
    }
    if let residual, has(residual) {
      // Rows of x are one matrix, so its batch is none of the product's.
      let own = shape(residual)
      let isRow = own.reduce(1, *) == product.n && own.last == product.n
      guard own == results[0].shape || isRow else { return nil }
      product.addends.residual = residual
      product.residualShape = own == results[0].shape ? [product.m, product.n] : [product.n]
    }
    return self.product(product)
  }

  fileprivate func gemm(residual: Int?) -> KernelChoice? {
    guard isAll(.float32) || isAll(.float64), shape(0).count == 2, shape(1).count == 2 else { return nil }
    let (a, b) = (shape(0), shape(1))
    let (m, k) = self[Gemm.transA] ? (a[1], a[0]) : (a[0], a[1])
    let n = self[Gemm.transB] ? b[0] : b[1]
    var product = ProductDescription(
      m: m, n: n, k: k, aStrides: self[Gemm.transA] ? (1, m) : (k, 1), bStrides: self[Gemm.transB] ? (1, k) : (n, 1))
    product.alpha = self[Gemm.alpha]
    if let residual, has(residual) {
      product.addends.residual = residual
      product.residualShape = shape(residual)
    }
    let beta = self[Gemm.beta]
    if has(2), beta != 0 {
      let c = shape(2)
      // Other factors would have to be applied to c on every run.
      guard beta == 1 else { return nil }
      if c.reduce(1, *) == n, c.last == n {
        product.addends.biasColumn = 2
      } else if c == [m, 1] {
        product.addends.biasRow = 2
      } else if c == [m, n], product.addends.residual == nil {
        product.addends.residual = 2
        product.residualShape = c
      } else {
        return nil
      }
    }
    return self.product(product)
  }

  /// NumPy's broadcasting of two shapes; `nil` if they do not fit.
  static func broadcast(_ a: some Collection<Int>, _ b: some Collection<Int>) -> [Int]? {
    try? Broadcast.shape([Array(a), Array(b)])
  }
}
