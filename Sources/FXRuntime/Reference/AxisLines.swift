/// The lines of elements along one axis of a row-major tensor: element `k` of line (`o`, `i`) is number
/// `(o × length + k) × inner + i`.
struct AxisLines {
  /// How many positions the axes before have together.
  let outer: Int
  let length: Int
  /// How many positions the axes after have together.
  let inner: Int

  /// - Throws: `KernelError.axis` if the axis is out of range.
  init(_ shape: [Int], axis: Int) throws {
    let axis = try Selection.axis(axis, rank: shape.count)
    length = shape[axis]
    // Where there are no elements there are no lines, however large the other sizes are.
    outer = shape.contains(0) ? 0 : shape[..<axis].reduce(1, *)
    inner = shape.contains(0) ? 1 : shape[(axis + 1)...].reduce(1, *)
  }

  /// The positions of each line's elements, line by line.
  func forEach(_ body: (_ line: Int, _ positions: StrideTo<Int>) throws -> Void) rethrows {
    for o in 0..<outer {
      for i in 0..<inner {
        let first = o * length * inner + i
        try body(o * inner + i, stride(from: first, to: first + length * inner, by: inner))
      }
    }
  }

  /// Each line replaced by a function of it, which keeps its length.
  func map(_ elements: [Double], _ function: ([Double]) -> [Double]) -> [Double] {
    var result = elements
    forEach { _, positions in
      for (position, value) in zip(positions, function(positions.map { elements[$0] })) { result[position] = value }
    }
    return result
  }
}
