import FXCore

extension NativeOperators {
  mutating func addLinearAlgebra() {
    self[.matmul] = .kernel { call in
      try MatrixProblem(call.shape(0), call.shape(1)).write(call)
    }
    self[.gemm] = .kernel { call in
      let (a, b) = (try call.shape(0), try call.shape(1))
      guard a.count == 2, b.count == 2 else { throw NativeRefusal(reason: "its operands are no matrices") }
      let (transA, transB) = (call[Gemm.transA], call[Gemm.transB])
      let problem = MatrixProblem(
        batch: [], m: a[transA ? 1 : 0], n: b[transB ? 0 : 1], k: a[transA ? 0 : 1],
        aStrides: transA ? (1, a[1]) : (a[1], 1), bStrides: transB ? (1, b[1]) : (b[1], 1), aBatch: [], bBatch: [])
      try problem.write(call, alpha: call[Gemm.alpha], beta: call.has(2) ? call[Gemm.beta] : 0)
    }
  }
}

/// A product of matrices with leading dimensions, and where the elements of each are.
struct MatrixProblem {
  var batch: [Int]
  var m: Int
  var n: Int
  var k: Int
  /// The distances from row to row and from column to column.
  var aStrides: (row: Int, column: Int)
  var bStrides: (row: Int, column: Int)
  /// The distances from matrix to matrix along each dimension of `batch`; 0 where one is repeated.
  var aBatch: [Int]
  var bBatch: [Int]

  init(
    batch: [Int], m: Int, n: Int, k: Int, aStrides: (Int, Int), bStrides: (Int, Int), aBatch: [Int], bBatch: [Int]
  ) {
    (self.batch, self.m, self.n, self.k) = (batch, m, n, k)
    (self.aStrides, self.bStrides, self.aBatch, self.bBatch) = (aStrides, bStrides, aBatch, bBatch)
  }

  /// NumPy's rules for `a @ b`: vectors are a row and a column.
  /// - Throws: `NativeRefusal` for scalars.
  init(_ a: [Int], _ b: [Int]) throws {
    guard !a.isEmpty, !b.isEmpty else { throw NativeRefusal(reason: "a scalar is no matrix") }
    let left = a.count == 1 ? [1] + a : a
    let right = b.count == 1 ? b + [1] : b
    (m, k, n) = (left[left.count - 2], left[left.count - 1], right[right.count - 1])
    (aStrides, bStrides) = ((k, 1), (n, 1))
    let (outerA, outerB) = (Array(left.dropLast(2)), Array(right.dropLast(2)))
    let rank = max(outerA.count, outerB.count)
    let full = (0..<rank).map { axis in
      let (i, j) = (axis - rank + outerA.count, axis - rank + outerB.count)
      let (x, y) = (i < 0 ? 1 : outerA[i], j < 0 ? 1 : outerB[j])
      return x == 1 ? y : x
    }
    let (size, other) = (m * k, k * n)
    (batch, aBatch, bBatch) = (
      full, IndexText.strides(outerA, broadcastTo: full).map { $0 * size },
      IndexText.strides(outerB, broadcastTo: full).map { $0 * other }
    )
    let collapsed = IndexText.collapsed(batch, [aBatch, bBatch, IndexText.strides(full).map { $0 * m * n }])
    (batch, aBatch, bBatch) = (collapsed.sizes, collapsed.strides[0], collapsed.strides[1])
    // One matrix on the right for all on the left: they are one tall matrix.
    if batch.count == 1, bBatch[0] == 0, aBatch[0] == m * k, aStrides.column == 1 {
      (m, batch, aBatch, bBatch) = (m * batch[0], [], [], [])
    }
  }

  /// The library's product for `float` and `double`, loops for every other type.
  func write(_ call: NativeCall, alpha: Float = 1, beta: Float = 0) throws {
    let type = call.resultType()
    let result = try call.resultBuffer()
    guard m > 0, n > 0 else { return }
    let hasC = beta != 0
    if (type == .float32 || type == .float64) && batch.count <= 2 && k > 0 {
      let outer = batch.count == 2 ? batch : [1, batch.first ?? 1]
      let (a, b) = (padded(aBatch), padded(bBatch))
      let name = NativeType.name(type)
      let workspace = call.lowering.temporary("workspace", type, [m < 4 ? 1 : call.lowering.workspaceElements])
      call.library(
        "matmul", types: [name], reads: [try call.operandBuffer(0), try call.operandBuffer(1)],
        writes: [result, workspace],
        [
          outer[0], outer[1], m, n, k, a[0], a[1], aStrides.row, aStrides.column, b[0], b[1], bStrides.row, bStrides.column,
        ])
      guard alpha != 1 || hasC else { return }
      return try addScaled(call, alpha, beta)
    }
    try writeLoops(call, type, alpha, beta)
  }

  private func padded(_ strides: [Int]) -> [Int] {
    strides.count == 2 ? strides : [0] + (strides.isEmpty ? [0] : strides)
  }

  /// y = alpha y + beta c
  private func addScaled(_ call: NativeCall, _ alpha: Float, _ beta: Float) throws {
    let type = call.resultType()
    func scaled(_ text: String, _ factor: Float) -> String {
      factor == 1 ? text : "\(NativeType.literal(Double(factor), type)) * \(text)"
    }
    var sum = scaled("y[i * \(n) + j]", alpha)
    var arguments: [(String, NativeCall.Argument)] = []
    if beta != 0 {
      let strides = IndexText.strides(try call.shape(2), broadcastTo: [m, n])
      sum += " + " + scaled("c[\(IndexText.offset(["i", "j"], strides))]", beta)
      arguments.append(("c", .operand(2)))
    }
    try call.kernel(
      arguments + [("y", .result(0))], axes: [.init("i", m), .init("j", n)], vectorizable: true, suffix: "_epilogue",
      ["y[i * \(n) + j] = \(sum);"])
  }

  private func writeLoops(_ call: NativeCall, _ type: ElementType, _ alpha: Float, _ beta: Float) throws {
    let names = IndexText.variables(batch.count, "n") + ["i", "j"]
    let (compute, accumulator) = (NativeType.compute(type), NativeType.accumulator(type))
    let a = IndexText.offset(names + ["l"], aBatch + [aStrides.row, 0, aStrides.column])
    let b = IndexText.offset(names + ["l"], bBatch + [0, bStrides.column, bStrides.row])
    let c = IndexText.offset(names, IndexText.strides(batch + [m, n]))
    var arguments: [(String, NativeCall.Argument)] = [("a", .operand(0)), ("b", .operand(1))]
    var sum = "sum"
    if alpha != 1 {
      sum =
        NativeType.isFloat(type)
        ? "\(NativeType.literal(Double(alpha), .float64)) * \(sum)" : "fx::cast<\(compute)>(\(alpha) * double(sum))"
    }
    if beta != 0 {
      let strides = IndexText.strides(try call.shape(2), broadcastTo: [m, n])
      let term = "\(compute)(c[\(IndexText.offset(["i", "j"], strides))])"
      if NativeType.isFloat(type) {
        sum += " + \(NativeType.literal(Double(beta), .float64)) * \(term)"
      } else {
        sum = "fx::add<\(compute)>(\(sum), " + (beta == 1 ? term : "fx::cast<\(compute)>(\(beta) * double(\(term)))") + ")"
      }
      arguments.append(("c", .operand(2)))
    }
    try call.kernel(
      arguments + [("y", .result(0))],
      axes: NativeProgram.Kernel.Axis.list(names, batch + [m, n]),
      [
        "\(accumulator) sum = 0;",
        "for (fx::index l = 0; l < \(k); ++l) {",
        "sum = fx::add<\(accumulator)>(sum, fx::mul<\(accumulator)>(\(compute)(a[\(a)]), \(compute)(b[\(b)])));",
        "}",
        "y[\(c)] = \(compute)(\(sum));",
      ])
  }
}
