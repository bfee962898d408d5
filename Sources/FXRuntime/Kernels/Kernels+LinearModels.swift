internal import CKernels
import FXCore

/// Linear models and what prepares features for them: rows of float32.
extension KernelTable {
  mutating func addLinearModels() {
    self[.linearClassifier] = { request in
      guard let labels = request[LinearModel.integerLabels], request[LinearModel.stringLabels]?.isEmpty ?? true else {
        return nil
      }
      let intercepts = request[LinearModel.intercepts] ?? []
      let count = intercepts.isEmpty ? request.results[1].shape.last ?? 0 : intercepts.count
      // One sum tells two classes apart by its sign; labels left out are counted.
      guard count > 1, labels.count >= count else { return nil }
      return try request.linearModel(
        request[LinearModel.coefficients], intercepts, count: count, labels: labels.map(Int64.init), scores: 1)
    }
    self[.linearRegressor] = { request in
      try request.linearModel(
        request[LinearModel.regressionCoefficients] ?? [], request[LinearModel.intercepts] ?? [],
        count: request[LinearModel.targets], labels: nil, scores: 0)
    }
    self[.scaler] = { request in
      guard request.isAll(.float32), let width = request.shape(0).last, width > 0 else { return nil }
      func column(_ values: [Float]?, _ none: Float) -> [Double]? {
        let values = values ?? [none]
        guard values.count == 1 || values.count == width else { return nil }
        return (0..<width).map { Double(values[values.count == 1 ? 0 : $0]) }
      }
      guard let offset = column(request[Scaler.offset], 0), let scale = column(request[Scaler.scale], 1) else { return nil }
      let rows = request.shape(0).dropLast().reduce(1, *)
      return request.rowMap(rows, width) { x, y in
        for index in x.indices { y[index] = Float((Double(x[index]) - offset[index]) * scale[index]) }
      }
    }
    self[.normalizer] = { request in
      guard request.isAll(.float32), (1...2).contains(request.shape(0).count), let width = request.shape(0).last, width > 0
      else { return nil }
      let norm = RowNorm(request[Normalizer.norm])
      return request.rowMap(request.shape(0).dropLast().reduce(1, *), width) { x, y in
        let divisor = norm.divisor(of: x)
        for index in x.indices { y[index] = Float(Double(x[index]) / divisor) }
      }
    }
  }
}

extension KernelRequest {
  /// Σ coefficient × feature + intercept for `count` rows of coefficients, transformed.
  /// - Parameters:
  ///   - labels: by class, those of the greatest sums are result 0; `nil` if nobody asks for the greatest.
  ///   - scores: which result the sums are.
  fileprivate func linearModel(
    _ coefficients: [Float], _ intercepts: [Float], count: Int, labels: [Int64]?, scores: Int
  ) throws -> KernelChoice? {
    guard type(0) == .float32, (1...2).contains(shape(0).count), let width = shape(0).last, count > 0, width > 0,
      coefficients.count.quotientAndRemainder(dividingBy: count) == (width, 0),
      intercepts.isEmpty || intercepts.count == count, let transform = try? ScoreTransform(self[PostTransform.key])
    else { return nil }
    let rows = shape(0).count == 1 ? 1 : shape(0)[0]
    guard rows > 0, results[scores].shape == [rows, count] else { return nil }
    let model = try weights.prepared(for: node.id) {
      try LinearModelWeights(coefficients, intercepts, count: count, width: width)
    }
    var gemm = fxk_gemm()
    (gemm.m, gemm.n, gemm.k) = (rows, count, width)
    (gemm.a_row, gemm.a_column, gemm.b_row, gemm.b_column, gemm.c_row) = (width, 1, 1, width, count)
    gemm.epilogue = fxk_epilogue_none()
    gemm.packed_b = model.packed.floats()
    let product = ProductKernel(
      gemm, packed: [model.packed], batch: .init(), addends: .init(biasColumn: 2), threads: threads)
    let scoreBytes = wanted[scores] ? 0 : rows * count * MemoryLayout<Float>.stride
    return .kernel(
      LinearModelKernel(
        product: product, bias: model.bias, rows: rows, count: count, labels: labels, transform: transform, scores: scores,
        scratchBytes: product.scratchBytes(threads: threads)),
      scratch: LinearModelKernel.tableBytes + product.scratchBytes(threads: threads) + scoreBytes)
  }

  /// A function of each row of the first operand.
  fileprivate func rowMap(_ rows: Int, _ width: Int, _ function: @escaping RowMapKernel.Function) -> KernelChoice {
    .kernel(
      RowMapKernel(
        width: width, function: function, division: WorkDivision(rows, nanosecondsEach: Double(width) * 2, threads: threads)),
      inPlace: [0])
  }
}

/// Coefficients packed as the second operand of a product.
private struct LinearModelWeights: Sendable {
  let packed: PackedWeights
  let bias: PackedWeights

  init(_ coefficients: [Float], _ intercepts: [Float], count: Int, width: Int) throws {
    packed = PackedWeights(byteCount: fxk_gemm_packed_b_size(width, count) * MemoryLayout<Float>.stride)
    fxk_gemm_pack_b(
      coefficients, 1, width, width, count, packed.bytes.assumingMemoryBound(to: Float.self), 0,
      fxk_gemm_packed_b_panels(width, count))
    bias = PackedWeights(
      floats: intercepts.isEmpty ? nil : try Tensor([count], intercepts), count: count)
  }
}

private struct LinearModelKernel: Kernel {
  let product: ProductKernel
  let bias: PackedWeights
  let rows: Int
  let count: Int
  let labels: [Int64]?
  let transform: ScoreTransform
  let scores: Int
  /// Of the product; the scores follow where they are no result.
  let scratchBytes: Int
  // The operands of the product in a table of its own: x, nothing, the bias; the scores.
  private let operandSlots: [Int32] = [0, -1, 2]
  private let resultSlots: [Int32] = [3]
  static let tableBytes = 64

  init(
    product: ProductKernel, bias: PackedWeights, rows: Int, count: Int, labels: [Int64]?, transform: ScoreTransform, scores: Int,
    scratchBytes: Int
  ) {
    (self.product, self.bias, self.rows, self.count, self.labels) = (product, bias, rows, count, labels)
    (self.transform, self.scores, self.scratchBytes) = (transform, scores, scratchBytes)
  }

  func run(_ arguments: borrowing KernelArguments) {
    let sums =
      arguments.wants(scores)
      ? arguments.result(scores, as: Float.self)
      : (arguments.scratch + LinearModelKernel.tableBytes + scratchBytes).assumingMemoryBound(to: Float.self)
    let x = UnsafeMutableRawPointer(mutating: arguments.operand(0, as: Float.self))
    // The table lies before the product's scratch memory.
    let table = arguments.scratch.bindMemory(to: UnsafeMutableRawPointer?.self, capacity: 4)
    table.initialize(repeating: nil, count: 4)
    (table[0], table[2], table[3]) = (x, bias.bytes, UnsafeMutableRawPointer(sums))
    product.run(
      KernelArguments(
        table: table, operandSlots: operandSlots, resultSlots: resultSlots,
        scratch: arguments.scratch + LinearModelKernel.tableBytes, pool: arguments.pool))
    if let labels, arguments.wants(0) {
      let chosen = arguments.result(0, as: Int64.self)
      for row in 0..<rows {
        chosen[row] = labels[UnsafeBufferPointer(start: sums + row * count, count: count).greatestPlace]
      }
    }
    guard transform != .none, arguments.wants(scores) else { return }
    withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { wide in
      for row in 0..<rows {
        for index in 0..<count { wide.initializeElement(at: index, to: Double(sums[row * count + index])) }
        transform.apply(to: wide)
        for index in 0..<count { sums[row * count + index] = Float(wide[index]) }
      }
    }
  }
}

/// Applies a function to each row of floats.
private struct RowMapKernel: Kernel {
  typealias Function = @Sendable (UnsafeBufferPointer<Float>, UnsafeMutablePointer<Float>) -> Void
  let width: Int
  let function: Function
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    division.run(on: arguments.pool) { rows, _ in
      for row in rows { function(UnsafeBufferPointer(start: x + row * width, count: width), y + row * width) }
    }
  }
}
