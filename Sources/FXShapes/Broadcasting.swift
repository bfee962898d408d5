import FXCore

/// NumPy's broadcasting on symbolic shapes.
public enum Broadcasting {
  /// The size that two sizes broadcast to; `nil` if they do not.
  ///
  /// A symbol beside a fixed size other than 1 gives that size: the symbol must then be 1 or equal, which the run checks.
  /// Two different symbols give an unknown size, since either may be 1.
  public static func dimension(_ a: Dimension, _ b: Dimension) -> Dimension? {
    if a == b { return a }
    if a.size == 1 { return b }
    if b.size == 1 { return a }
    switch (a.size, b.size) {
    case (_?, _?): return nil
    case (_?, nil): return a
    case (nil, _?): return b
    case (nil, nil):
      // `min(s, 512)` beside `s` is `s`, or 1, and then `s` is 1 too.
      if a.isMinimum(of: b) { return b }
      return b.isMinimum(of: a) ? a : .unknown
    }
  }

  /// The shape that two shapes broadcast to.
  /// - Throws: `ShapeError.notBroadcastable`.
  public static func shape(_ a: Shape, _ b: Shape) throws(ShapeError) -> Shape {
    let rank = max(a.rank, b.rank)
    var result: [Dimension] = []
    result.reserveCapacity(rank)
    for axis in 0..<rank {
      let x = axis < rank - a.rank ? Dimension(1) : a[axis - (rank - a.rank)]
      let y = axis < rank - b.rank ? Dimension(1) : b[axis - (rank - b.rank)]
      guard let dimension = dimension(x, y) else { throw .notBroadcastable(a, b) }
      result.append(dimension)
    }
    return Shape(result)
  }

  /// The shape of several operands together; `nil` if a rank is unknown.
  public static func shape(_ shapes: [Shape?]) throws(ShapeError) -> Shape? {
    var result = Shape([Dimension]())
    for shape in shapes {
      guard let shape else { return nil }
      result = try self.shape(result, shape)
    }
    return result
  }
}

/// An axis counted from the front.
/// - Throws: `ShapeError.axis` if it is out of range.
public func normalizedAxis(_ axis: Int, rank: Int) throws(ShapeError) -> Int {
  guard axis >= -rank, axis < rank else { throw .axis(axis, rank: rank) }
  return axis < 0 ? axis + rank : axis
}

/// Axes counted from the front, in the order given.
/// - Throws: `ShapeError.axis`, `.duplicateAxis`.
public func normalizedAxes(_ axes: [Int], rank: Int) throws(ShapeError) -> [Int] {
  var result: [Int] = []
  for axis in axes {
    let normalized = try normalizedAxis(axis, rank: rank)
    guard !result.contains(normalized) else { throw .duplicateAxis(axis) }
    result.append(normalized)
  }
  return result
}
