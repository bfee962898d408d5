internal import CKernels
import FXCore

extension Plan.Step {
  /// Multiplications and additions of products and convolutions, counted as their definitions have them (2 for each
  /// element of the result and each product it sums, whatever the kernel saves); 0 for other operators.
  func operations(_ plan: Plan, _ graph: Graph) -> Int {
    if case .kernel(let kernel, _) = work, kernel is ReorderKernel { return 0 }
    func shape(_ index: Int) -> [Int]? {
      if index < operands.count, operands[index] >= 0 { return plan.slots[Int(operands[index])].facts?.shape }
      return node.operand(index).parameter.flatMap { try? graph[$0] }?.type.shape?.sizes
    }
    guard let left = shape(0), let right = shape(1), let slot = results.first, slot >= 0,
      let result = plan.slots[Int(slot)].facts?.shape
    else { return 0 }
    let elements = result.reduce(1, *)
    switch node.op {
    case .conv, .fusedConv: return 2 * elements * right.dropFirst().reduce(1, *)
    case .convTranspose: return 2 * left.reduce(1, *) * right.dropFirst().reduce(1, *)
    case .matmul, .fusedMatmul, .linear, .fusedLinear: return 2 * elements * (left.last ?? 0)
    case .gemm, .fusedGemm: return 2 * elements * ((node[Gemm.transA] ? left.first : left.last) ?? 0)
    default: return 0
    }
  }
}

/// What this processor can reach in `float32`, measured.
public enum MachinePeak {
  /// Multiplications and additions a second on one thread: the fastest of some products whose operands stay in cache.
  /// Takes about 10 ms.
  public static func operationsPerSecond() -> Double {
    let size = 192
    let operations = 2 * Double(size * size * size)
    var gemm = fxk_gemm()
    (gemm.m, gemm.n, gemm.k) = (size, size, size)
    (gemm.a_row, gemm.a_column, gemm.b_row, gemm.b_column, gemm.c_row) = (size, 1, size, 1, size)
    gemm.epilogue = fxk_epilogue_none()
    let values = [Float](repeating: 0.5, count: size * size)
    var c = values
    var packedA = [Float](repeating: 0, count: fxk_gemm_packed_a_size(size, size))
    var packedB = [Float](repeating: 0, count: fxk_gemm_packed_b_size(size, size))
    fxk_gemm_pack_a(values, size, 1, size, size, &packedA, 0, fxk_gemm_packed_a_panels(size, size))
    fxk_gemm_pack_b(values, size, 1, size, size, &packedB, 0, fxk_gemm_packed_b_panels(size, size))
    return packedA.withUnsafeBufferPointer { a in
      packedB.withUnsafeBufferPointer { b in
        c.withUnsafeMutableBufferPointer { c in
          (gemm.packed_a, gemm.packed_b, gemm.c) = (a.baseAddress, b.baseAddress, c.baseAddress)
          let tasks = fxk_gemm_plan(&gemm, 1)
          var scratch = [Float](repeating: 0, count: fxk_gemm_scratch(&gemm) + 1)
          let clock = ContinuousClock()
          let best = (0..<80).map { _ in clock.measure { fxk_gemm_run(&gemm, 0, tasks, &scratch) } }.min() ?? .zero
          return operations / max(Double(best.components.attoseconds) * 1e-18, 1e-9)
        }
      }
    }
  }
}
