import CKernels
import Foundation
import Testing

@Suite struct KernelsGemmTests {
  struct Shape: Sendable {
    let m: Int
    let n: Int
    let k: Int
  }

  /// Edges of every tile size, the paths for few rows and few columns, several blocks of the depth, and nothing at all.
  static let shapes: [Shape] = {
    var shapes = [(1, 1, 1), (1, 33, 70), (2, 16, 9), (3, 40, 401), (5, 31, 17), (6, 16, 8), (7, 48, 33), (8, 100, 65)]
    shapes += [(9, 9, 9), (13, 15, 20), (14, 32, 64), (15, 33, 385), (29, 65, 100), (64, 49, 800), (100, 1, 90), (90, 3, 50)]
    shapes += [(30, 2, 1), (17, 5, 0), (0, 5, 3), (4, 0, 3), (130, 70, 40)]
    return shapes.map { Shape(m: $0.0, n: $0.1, k: $0.2) }
  }()

  /// Columns of the epilogue's variants: what is added and which activation follows.
  struct Variant: Sendable {
    var alpha: Float = 1
    var rowBias = false
    var columnBias = false
    var residual = false
    var residualLast = false
    var activation = FXK_UNARY_IDENTITY
    var parameters: (Float, Float) = (0, 0)
  }

  static let variants: [Variant] = [
    Variant(),
    Variant(rowBias: true, activation: FXK_UNARY_RELU),
    Variant(alpha: 0.5, columnBias: true, activation: FXK_UNARY_GELU),
    Variant(rowBias: true, residual: true, activation: FXK_UNARY_CLIP, parameters: (-0.25, 0.5)),
    Variant(columnBias: true, residual: true, residualLast: true, activation: FXK_UNARY_SILU, parameters: (1, 0)),
    Variant(rowBias: true, columnBias: true, residual: true, residualLast: true, activation: FXK_UNARY_RELU),
  ]

  enum Layout: CaseIterable { case plain, transposedA, transposedB, packedA, packedB, packedBoth }

  @Test("products in every layout, cut and epilogue", arguments: availableISAs, shapes)
  func products(isa: fxk_isa, shape: Shape) {
    let (m, n, k) = (shape.m, shape.n, shape.k)
    var random = KernelRandom(UInt64(m * 1000 + n))
    let a = random.floats(m * k), b = random.floats(k * n), residual = random.floats(m * n)
    let rowBias = random.floats(m), columnBias = random.floats(n)
    let sums = (0..<(m * n)).map { index in
      (0..<k).reduce(0.0) { $0 + Double(a[index / n * k + $1]) * Double(b[$1 * n + index % n]) }
    }
    let transposedA = (0..<(m * k)).map { a[$0 % m * k + $0 / m] }, transposedB = (0..<(k * n)).map { b[$0 % k * n + $0 / k] }
    withISA(isa) {
      var packedA = [Float](repeating: .nan, count: fxk_gemm_packed_a_size(m, k))
      var packedB = [Float](repeating: .nan, count: fxk_gemm_packed_b_size(k, n))
      let (panelsA, panelsB) = (fxk_gemm_packed_a_panels(m, k), fxk_gemm_packed_b_panels(k, n))
      // In two parts, as two threads would.
      fxk_gemm_pack_a(a, k, 1, m, k, &packedA, 0, panelsA / 2)
      fxk_gemm_pack_a(a, k, 1, m, k, &packedA, panelsA / 2, panelsA)
      fxk_gemm_pack_b(b, n, 1, k, n, &packedB, 0, panelsB / 2)
      fxk_gemm_pack_b(b, n, 1, k, n, &packedB, panelsB / 2, panelsB)
      for variant in Self.variants {
        let expected = (0..<(m * n)).map { i -> Double in
          var v = sums[i] * Double(variant.alpha)
          if variant.rowBias { v += Double(rowBias[i / n]) }
          if variant.columnBias { v += Double(columnBias[i % n]) }
          if variant.residual && !variant.residualLast { v += Double(residual[i]) }
          v = activate(v, variant)
          return variant.residual && variant.residualLast ? v + Double(residual[i]) : v
        }
        for layout in Layout.allCases {
          let reference = run(
            shape, variant, layout, a: layout == .transposedA ? transposedA : a, b: layout == .transposedB ? transposedB : b,
            packedA: packedA, packedB: packedB, rowBias: rowBias, columnBias: columnBias, residual: residual, threads: 1)
          let error = largestDifference(reference, expected)
          #expect(error <= 1e-6 * Double(max(k, 4)).squareRoot() + 1e-6, "\(layout) \(variant)")
          let cut = run(
            shape, variant, layout, a: layout == .transposedA ? transposedA : a, b: layout == .transposedB ? transposedB : b,
            packedA: packedA, packedB: packedB, rowBias: rowBias, columnBias: columnBias, residual: residual, threads: 7)
          #expect(cut == reference, "\(layout): other bits when cut for seven threads")
        }
      }
    }
  }

  @Test("the residual may be the result's own memory up to the undivided depth", arguments: availableISAs)
  func residualInPlace(isa: fxk_isa) {
    var random = KernelRandom(4)
    for (m, n, k) in [(40, 70, Int(FXK_UNDIVIDED_DEPTH)), (3, 33, 100), (20, 1, 64), (31, 50, 0)] {
      let a = random.floats(m * k), b = random.floats(k * n), before = random.floats(m * n)
      var c = before
      withISA(isa) {
        a.withUnsafeBufferPointer { a in
          b.withUnsafeBufferPointer { b in
            c.withUnsafeMutableBufferPointer { c in
              var gemm = fxk_gemm()
              (gemm.m, gemm.n, gemm.k) = (m, n, k)
              (gemm.a, gemm.a_row, gemm.a_column) = (a.baseAddress, k, 1)
              (gemm.b, gemm.b_row, gemm.b_column) = (b.baseAddress, n, 1)
              (gemm.c, gemm.c_row) = (c.baseAddress, n)
              gemm.epilogue = fxk_epilogue_none()
              gemm.epilogue.residual = UnsafePointer(c.baseAddress)
              gemm.epilogue.residual_row = n
              let tasks = fxk_gemm_plan(&gemm, 3)
              var scratch = [Float](repeating: .nan, count: fxk_gemm_scratch(&gemm) + 1)
              for task in 0..<tasks { fxk_gemm_run(&gemm, task, task + 1, &scratch) }
            }
          }
        }
      }
      let expected = (0..<(m * n)).map { index in
        (0..<k).reduce(Double(before[index])) { $0 + Double(a[index / n * k + $1]) * Double(b[$1 * n + index % n]) }
      }
      #expect(largestDifference(c, expected) < 3e-5)
    }
  }

  private func activate(_ v: Double, _ variant: Variant) -> Double {
    switch variant.activation {
    case FXK_UNARY_RELU: max(v, 0)
    case FXK_UNARY_CLIP: min(max(v, Double(variant.parameters.0)), Double(variant.parameters.1))
    case FXK_UNARY_GELU: 0.5 * v * erfc(-v / 2.squareRoot())
    case FXK_UNARY_SILU: v / (1 + exp(-v))
    default: v
    }
  }

  private func run(
    _ shape: Shape, _ variant: Variant, _ layout: Layout, a: [Float], b: [Float], packedA: [Float], packedB: [Float],
    rowBias: [Float], columnBias: [Float], residual: [Float], threads: Int
  ) -> [Float] {
    let (m, n, k) = (shape.m, shape.n, shape.k)
    // Rows of C lie three elements further apart than they are long; what lies between must stay.
    let gap = n + 3
    var c = [Float](repeating: -77, count: m * gap)
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        packedA.withUnsafeBufferPointer { packedA in
          packedB.withUnsafeBufferPointer { packedB in
            rowBias.withUnsafeBufferPointer { rowBias in
              columnBias.withUnsafeBufferPointer { columnBias in
                residual.withUnsafeBufferPointer { residual in
                  c.withUnsafeMutableBufferPointer { c in
                    var epilogue = fxk_epilogue_none()
                    epilogue.alpha = variant.alpha
                    epilogue.bias_row = variant.rowBias ? rowBias.baseAddress : nil
                    epilogue.bias_column = variant.columnBias ? columnBias.baseAddress : nil
                    epilogue.residual = variant.residual ? residual.baseAddress : nil
                    epilogue.residual_row = n
                    epilogue.residual_last = variant.residualLast
                    epilogue.activation = variant.activation
                    (epilogue.act_alpha, epilogue.act_beta) = variant.parameters
                    var gemm = fxk_gemm()
                    (gemm.m, gemm.n, gemm.k) = (m, n, k)
                    let usesPackedA = layout == .packedA || layout == .packedBoth
                    let usesPackedB = layout == .packedB || layout == .packedBoth
                    gemm.a = usesPackedA ? nil : a.baseAddress
                    (gemm.a_row, gemm.a_column) = layout == .transposedA ? (1, m) : (k, 1)
                    gemm.b = usesPackedB ? nil : b.baseAddress
                    (gemm.b_row, gemm.b_column) = layout == .transposedB ? (1, k) : (n, 1)
                    gemm.packed_a = usesPackedA ? packedA.baseAddress : nil
                    gemm.packed_b = usesPackedB ? packedB.baseAddress : nil
                    gemm.c = c.baseAddress
                    gemm.c_row = gap
                    gemm.epilogue = epilogue
                    let tasks = fxk_gemm_plan(&gemm, threads)
                    var scratch = [Float](repeating: .nan, count: fxk_gemm_scratch(&gemm) + 1)
                    for task in (0..<tasks).reversed() { fxk_gemm_run(&gemm, task, task + 1, &scratch) }
                  }
                }
              }
            }
          }
        }
      }
    }
    let gapsKept = (0..<m).allSatisfy { row in (n..<gap).allSatisfy { c[row * gap + $0] == -77 } }
    #expect(gapsKept)
    return (0..<(m * n)).map { c[$0 / n * gap + $0 % n] }
  }
}
