import FXCore

extension Dimension {
  /// ⌈self ÷ divisor⌉ for a positive divisor.
  package func ceilDivided(by divisor: Int) -> Dimension {
    divisor == 1 ? self : (self + Dimension(divisor - 1)) / Dimension(divisor)
  }

  /// Whether the expression is at least 0 whatever sizes its symbols stand for.
  var isNonnegative: Bool {
    guard let terms else { return false }
    return terms.allSatisfy { $0.coefficient >= 0 && $0.factors.allSatisfy(\.isNonnegative) }
  }

  /// Whether the dimension is the minimum of `other` and something else.
  func isMinimum(of other: Dimension) -> Bool {
    guard let terms, terms.count == 1, terms[0].coefficient == 1, terms[0].factors.count == 1,
      case .minimum(let a, let b) = terms[0].factors[0]
    else { return false }
    return a == other || b == other
  }

  /// The size of two dimensions that must be equal: the better known one; `nil` if they cannot be equal.
  package func unified(with other: Dimension) -> Dimension? {
    if self == other || other.isUnknown { return self }
    if isUnknown { return other }
    switch (size, other.size) {
    case (_?, _?): return nil
    case (nil, _?): return other
    default: return self
    }
  }
}

extension Dimension.Atom {
  fileprivate var isNonnegative: Bool {
    switch self {
    case .symbol: true
    case .floorDivide(let a, let b), .minimum(let a, let b): a.isNonnegative && b.isNonnegative
    case .modulo(_, let b): b.isNonnegative
    case .maximum(let a, let b): a.isNonnegative || b.isNonnegative
    }
  }
}

/// What a slice selects along an axis. Source of the rules: ONNX `Slice`.
package struct SliceRange: Equatable {
  package let start: Int
  package let count: Int

  /// - Parameter step: not 0.
  package init(size: Int, start: Int, end: Int, step: Int) {
    let last = step > 0 ? size : size - 1
    let from = min(max(start < 0 ? start + size : start, 0), last)
    let to = min(max(end < 0 ? end + size : end, step > 0 ? 0 : -1), last)
    let length = step > 0 ? to - from : from - to
    self.start = from
    count = length <= 0 || step == 0 ? 0 : Int((UInt(length) - 1) / step.magnitude) + 1
  }

  /// The number of elements between symbolic bounds; `nil` if only the run can tell.
  static func count(size: Dimension, start: Dimension, end: Dimension, step: Int) -> Dimension? {
    if let size = size.size, let start = start.size, let end = end.size {
      return Dimension(SliceRange(size: size, start: start, end: end, step: step).count)
    }
    guard !size.isUnknown, step != .min else { return nil }
    if step < 0 {
      // Only the whole axis reversed: other bounds depend on where the size clamps them.
      guard let from = start.size, let to = end.size, from == -1 || from >= beyondAnySize, to <= -beyondAnySize else {
        return nil
      }
      return size.ceilDivided(by: -step)
    }
    guard let from = position(start, in: size), let to = position(end, in: size) else { return nil }
    if from.size == 0 { return to.ceilDivided(by: step) }
    let length: Dimension
    switch (start.size, to == size) {
    case (let k?, true) where k < 0: length = .minimum(size, Dimension(-k))
    case (_?, true): length = .maximum(size - start, 0)
    default: length = (to - from).isNonnegative ? to - from : .maximum(to - from, 0)
    }
    return length.ceilDivided(by: step)
  }

  /// A bound of a forward slice counted from the front and clamped to the axis; `nil` if its sign is open.
  private static func position(_ bound: Dimension, in size: Dimension) -> Dimension? {
    if bound == size { return size }
    if let number = bound.size {
      if number == 0 { return 0 }
      if number >= beyondAnySize { return size }
      if number <= -beyondAnySize { return 0 }
      return number > 0 ? .minimum(bound, size) : .maximum(size + bound, 0)
    }
    guard bound.isNonnegative else { return nil }
    return (size - bound).isNonnegative ? bound : .minimum(bound, size)
  }

  /// Bounds from here on mean "to the end": exporters write the largest 32-bit or 64-bit integer.
  private static let beyondAnySize = Int(Int32.max)
}

extension InferenceContext {
  /// The most integers of one tensor that rules write down.
  static let contentLimit = 256

  /// As `setContents`, unless there are too many or something is not known to be there.
  mutating func setContents(_ contents: [Dimension]?, limited index: Int) {
    guard let contents, contents.count <= InferenceContext.contentLimit else { return }
    setContents(contents, ofResult: index)
  }

  /// A shape of `rank` sizes that only the run knows; `nil` if no tensor has that many axes.
  func openShape(rank: Int?) -> Shape? {
    guard let rank, rank >= 0, rank <= InferenceContext.contentLimit else { return nil }
    return Shape((0..<rank).map { _ in dataDependentDimension() })
  }

  /// A tensor of operand `index`'s element type; unknown if that is.
  func tensor(_ shape: Shape?, like index: Int) throws(ShapeError) -> ValueType {
    guard let element = try elementType(index) else { return .unknown }
    return .tensor(element, shape)
  }

  /// The number of elements of an operand of rank 1, if fixed.
  func count(_ index: Int) throws(ShapeError) -> Int? {
    if let contents = contents(index) { return contents.count }
    return try shape(index, rank: 1)?[0].size
  }

  /// The sizes that an integer operand holds, unknown ones filled in by symbols of their own; `nil` if their number is open.
  /// - Throws: `ShapeError.invalid` for a negative one.
  func sizes(_ index: Int) throws(ShapeError) -> [Dimension]? {
    guard let contents = contents(index) else { return openShape(rank: try count(index))?.dimensions }
    for size in contents {
      if let size = size.size, size < 0 { throw .invalid("operand \(index) holds the negative size \(size)") }
    }
    return contents.map { $0.isUnknown ? dataDependentDimension() : $0 }
  }

  /// The elements along an axis of an operand of rank 1 that all are known.
  func known(_ index: Int) -> [Dimension]? {
    guard let contents = contents(index), case .tensor(let type)? = operandTypes[index], type.shape?.rank == 1 else { return nil }
    return contents
  }
}

extension Sequence<Dimension> {
  package var product: Dimension { reduce(Dimension(1), *) }
}
