import FXCore

/// Decision trees on all threads. Labels that are strings have no place in a plan's memory: the reference kernel gives them,
/// and keeps its trees from run to run as these do.
extension KernelTable {
  mutating func addTrees() {
    self[.treeEnsemble] = { try $0.treeRegressor { try TreeRegressor(ensemble: $0) } }
    self[.treeEnsembleRegressor] = { try $0.treeRegressor { try TreeRegressor($0) } }
    self[.treeEnsembleClassifier] = { try $0.treeClassifier() }
  }
}

extension KernelRequest {
  fileprivate func treeRegressor(_ make: (Attributes) throws -> TreeRegressor) throws -> KernelChoice? {
    guard let rows = RowLayout(operands[0]), [.float32, .float64].contains(results[0].elementType) else { return nil }
    let model = try weights.prepared(for: node.id) { try make(node.attributes) }
    guard rows.width >= model.trees.featureCount, results[0].shape == [rows.count, model.base.count] else { return nil }
    return .kernel(
      TreeRegressorKernel(
        model: model, rows: rows, isDouble: results[0].elementType == .float64,
        division: WorkDivision(rows.count, nanosecondsEach: model.trees.cost, threads: threads)))
  }

  fileprivate func treeClassifier() throws -> KernelChoice? {
    guard let rows = RowLayout(operands[0]), results[0].elementType == .int64 else { return nil }
    let model = try weights.prepared(for: node.id) { try TreeClassifier(node.attributes) }
    guard rows.width >= model.trees.featureCount, results[1].shape == [rows.count, model.base.count],
      case .integers(let labels) = model.labels
    else { return nil }
    return .kernel(
      TreeClassifierKernel(
        model: model, labels: labels, rows: rows,
        division: WorkDivision(rows.count, nanosecondsEach: model.trees.cost, threads: threads)))
  }
}

extension DecisionTrees {
  /// Nanoseconds that a row takes, roughly: a comparison per level of each tree.
  fileprivate var cost: Double {
    guard !roots.isEmpty else { return 1 }
    let levels = Double(Int.bitWidth - (nodes.count / roots.count).leadingZeroBitCount + 1)
    return Double(roots.count) * levels * 4
  }
}

/// Rows of features in a plan's memory.
private struct RowLayout: Sendable {
  let count: Int
  let width: Int
  let elementType: ElementType

  init?(_ x: KernelRequest.OperandFacts?) {
    guard let x, x.shape.count == 1 || x.shape.count == 2, x.shape[0] <= Selection.limit,
      [.float32, .float64, .int64, .int32].contains(x.elementType)
    else { return nil }
    count = x.shape.count == 1 ? 1 : x.shape[0]
    width = x.shape[x.shape.count - 1]
    elementType = x.elementType
  }

  /// The elements of some rows, widened.
  func widened(_ base: UnsafeRawPointer, _ rows: Range<Int>) -> [Double] {
    func read<T: BitwiseCopyable>(_: T.Type, _ widen: (T) -> Double) -> [Double] {
      let elements = base.assumingMemoryBound(to: T.self) + rows.lowerBound * width
      return (0..<rows.count * width).map { widen(elements[$0]) }
    }
    switch elementType {
    case .float64: return read(Double.self) { $0 }
    case .int64: return read(Int64.self) { Double($0) }
    case .int32: return read(Int32.self) { Double($0) }
    default: return read(Float.self) { Double($0) }
    }
  }

  /// Calls `body` with the features of some rows and room for their scores, and gives the scores.
  func scores(
    _ base: UnsafeRawPointer, _ rows: Range<Int>, perRow: Int,
    _ body: (UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Void
  ) -> [Double] {
    var scores = Array(repeating: 0.0, count: rows.count * perRow)
    widened(base, rows).withUnsafeBufferPointer { features in
      scores.withUnsafeMutableBufferPointer { scores in
        guard let result = scores.baseAddress else { return }
        withUnsafePointer(to: 0.0) { none in body(features.baseAddress ?? none, result) }
      }
    }
    return scores
  }
}

private struct TreeRegressorKernel: Kernel {
  let model: TreeRegressor
  let rows: RowLayout
  let isDouble: Bool
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) throws {
    let x = UnsafeRawPointer(arguments.operand(0, as: UInt8.self))
    let y = UnsafeMutableRawPointer(arguments.result(0, as: UInt8.self))
    let targets = model.base.count
    division.run(on: arguments.pool) { range, _ in
      let scores = rows.scores(x, range, perRow: targets) {
        model.evaluate($0, rows: range.count, width: rows.width, into: $1)
      }
      let first = range.lowerBound * targets
      if isDouble {
        let result = y.assumingMemoryBound(to: Double.self) + first
        for (index, score) in scores.enumerated() { result[index] = score }
      } else {
        let result = y.assumingMemoryBound(to: Float.self) + first
        for (index, score) in scores.enumerated() { result[index] = Float(score) }
      }
    }
  }
}

private struct TreeClassifierKernel: Kernel {
  let model: TreeClassifier
  let labels: [Int]
  let rows: RowLayout
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) throws {
    let x = UnsafeRawPointer(arguments.operand(0, as: UInt8.self))
    let label = arguments.wants(0) ? arguments.result(0, as: Int64.self) : nil
    let result = arguments.wants(1) ? arguments.result(1, as: Float.self) : nil
    let classes = model.base.count
    division.run(on: arguments.pool) { range, _ in
      let scores = rows.scores(x, range, perRow: classes) {
        model.evaluate($0, rows: range.count, width: rows.width, into: $1) { row, number in
          label?[range.lowerBound + row] = Int64(labels[number])
        }
      }
      guard let result else { return }
      for (index, score) in scores.enumerated() { result[range.lowerBound * classes + index] = Float(score) }
    }
  }
}
