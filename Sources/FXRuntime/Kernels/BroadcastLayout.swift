/// Operands broadcast to one shape, as nested loops with as few axes as they allow.
///
/// The result is dense. Its elements are rows of `columns`; `rows` rows form a block, and all rows together are
/// `rowCount`. Within a row an operand has stride 0 or 1.
struct BroadcastLayout: Sendable {
  let columns: Int
  /// 0 or 1 for each operand.
  let columnStrides: [Int]
  let rows: Int
  /// Elements of each operand from one row of a block to the next.
  let rowStrides: [Int]
  /// The axes over blocks, outermost first.
  private let outer: [Axis]

  private struct Axis: Sendable {
    var size: Int
    var strides: [Int]
  }

  /// All rows of the result.
  var rowCount: Int { outer.reduce(rows) { $0 * $1.size } }

  /// `nil` if an operand does not broadcast to `shape`.
  init?(_ shape: [Int], operands: [[Int]]) {
    let strides = operands.map { BroadcastLayout.strides(of: $0, in: shape) }
    guard strides.allSatisfy({ $0 != nil }) else { return nil }
    let known = strides.compactMap(\.self)
    var axes: [Axis] = []
    for axis in shape.indices.reversed() where shape[axis] != 1 {
      let own = known.map { $0[axis] }
      // Adjacent axes are one axis where every operand steps through both at one stride.
      if let inner = axes.last, zip(own, inner.strides).allSatisfy({ $0 == $1 * inner.size }) {
        axes[axes.count - 1].size *= shape[axis]
      } else {
        axes.append(Axis(size: shape[axis], strides: own))
      }
    }
    columns = axes.first?.size ?? 1
    columnStrides = axes.first?.strides ?? operands.map { _ in 0 }
    rows = axes.count > 1 ? axes[1].size : 1
    rowStrides = axes.count > 1 ? axes[1].strides : operands.map { _ in 0 }
    outer = Array(axes.dropFirst(2).reversed())
  }

  /// Elements between neighbours along each axis of `shape`, 0 where the operand repeats.
  static func strides(of operand: [Int], in shape: [Int]) -> [Int]? {
    guard operand.count <= shape.count else { return nil }
    var result = Array(repeating: 0, count: shape.count)
    var stride = 1
    for axis in operand.indices.reversed() {
      let target = axis + shape.count - operand.count
      if operand[axis] != 1 {
        guard operand[axis] == shape[target] else { return nil }
        result[target] = stride
      }
      stride *= operand[axis]
    }
    return result
  }

  /// The work in rows, or in elements if there is one row only.
  func division(nanosecondsEach cost: Double, threads: Int) -> WorkDivision {
    rowCount == 1
      ? WorkDivision(columns, nanosecondsEach: cost, threads: threads)
      : WorkDivision(rowCount, nanosecondsEach: cost * Double(columns) + 4, threads: threads)
  }

  /// Calls `body` for pieces of the units `range` of `division`: `rows` rows of `columns` elements of one block, the
  /// first of which is element `start` of the result, found by `position`.
  func forEachPiece(in range: Range<Int>, _ body: (_ start: Int, _ rows: Int, _ columns: Int, Position) -> Void) {
    if rowCount == 1 {
      return body(range.lowerBound, 1, range.count, Position(layout: self, block: 0, row: 0, column: range.lowerBound))
    }
    var row = range.lowerBound
    while row < range.upperBound {
      let (block, first) = row.quotientAndRemainder(dividingBy: rows)
      let count = min(rows - first, range.upperBound - row)
      body(row * columns, count, columns, Position(layout: self, block: block, row: first, column: 0))
      row += count
    }
  }

  /// The start of a piece.
  struct Position {
    fileprivate let layout: BroadcastLayout
    fileprivate let block: Int
    fileprivate let row: Int
    fileprivate let column: Int

    /// The element of operand `index` that the piece starts at.
    func offset(_ index: Int) -> Int {
      var offset = row * layout.rowStrides[index] + column * layout.columnStrides[index]
      var rest = block
      for axis in layout.outer.reversed() {
        let (quotient, digit) = rest.quotientAndRemainder(dividingBy: axis.size)
        offset += digit * axis.strides[index]
        rest = quotient
      }
      return offset
    }
  }
}
