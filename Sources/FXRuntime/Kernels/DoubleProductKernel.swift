internal import CBlasShim
import FXCore

/// Matrix products of float64 by the system's BLAS, one call on one thread for each element of a batch.
struct DoubleProductKernel: Kernel {
  let product: ProductDescription
  private let a: [Int]
  private let b: [Int]
  private let division: WorkDivision

  init(_ product: ProductDescription, threads: Int) {
    self.product = product
    a = ProductDescription.offsets(product.aBatch, in: product.batch, step: product.m * product.k)
    b = ProductDescription.offsets(product.bBatch, in: product.batch, step: product.k * product.n)
    // At about 20 GFLOP/s.
    let cost = 2 * Double(product.m) * Double(product.n) * Double(product.k) / 20
    division = WorkDivision(a.count, nanosecondsEach: cost, threads: threads)
  }

  func run(_ arguments: borrowing KernelArguments) throws {
    let (left, right) = (arguments.operand(0, as: Double.self), arguments.operand(1, as: Double.self))
    let result = arguments.result(as: Double.self)
    let (m, n, k) = (product.m, product.n, product.k)
    let addend = (product.addends.biasColumn ?? product.addends.residual).map { arguments.operand($0, as: Double.self) }
    let isRow = product.addends.biasColumn != nil
    let (aIsTransposed, bIsTransposed) = (product.aStrides.column != 1, product.bStrides.column != 1)
    division.run(on: arguments.pool) { range, _ in
      for index in range {
        let c = result + index * m * n
        if let addend {
          for row in 0..<m { (c + row * n).update(from: isRow ? addend : addend + row * n, count: n) }
        }
        // Sizes were checked when the plan was made.
        _ = fxblas_dgemm(
          aIsTransposed, bIsTransposed, m, n, k, Double(product.alpha), left + a[index], aIsTransposed ? m : k,
          right + b[index], bIsTransposed ? k : n, addend == nil ? 0 : 1, c, n)
      }
    }
  }
}

extension KernelRequest {
  /// `nil` without a BLAS, and for what its calls do not say.
  func doubleProduct(_ d: ProductDescription) -> KernelChoice? {
    let isPlain = { (strides: (row: Int, column: Int), rows: Int, columns: Int) in
      (strides.column == 1 && strides.row == columns) || (strides.row == 1 && strides.column == rows)
    }
    guard fxblas_available(), d.m > 0, d.n > 0, d.k > 0, max(d.m, d.n, d.k) <= Int(Int32.max),
      node.attributes[FusedActivation.activation.name] == nil, d.addends.biasRow == nil,
      d.addends.residual == nil || (d.residualShape == [d.m, d.n] && d.batch.isEmpty),
      isPlain(d.aStrides, d.m, d.k), isPlain(d.bStrides, d.k, d.n)
    else { return nil }
    fxblas_set_threads(1)
    return .kernel(DoubleProductKernel(d, threads: threads))
  }
}
