import FXCore

/// What may stand in `x[…]`, one for each axis from the first on: a position (the axis goes), a range, `newAxis`, a stride,
/// integers (positions to take), and at most once `...` for the axes not named.
///
/// ```swift
/// x[0]            x[-1]           x[1..<5]          x[..., 0]         x[0, ..., 1..<5]
/// x[newAxis]      x[2...]         x[strided(by: 2)] x[strided(from: 1, to: -1)]          x[[2, 0]]
/// ```
public protocol TensorIndex {
  /// What the index does to its axis: asked once by the subscript that it stands in.
  var axisIndex: AxisIndex { get }
}

/// What happens to one axis.
public enum AxisIndex {
  /// One position, counted from the end if negative; the axis goes.
  case position(Int)
  /// From `start` to `end` (exclusive) by `step`, as Python slices.
  case range(start: Int, end: Int, step: Int)
  /// An axis of size 1 that x does not have.
  case newAxis
  /// The positions that an integer tensor names; its axes take the place of the axis.
  case positions(any SymbolicOperand)
}

extension Int: TensorIndex { public var axisIndex: AxisIndex { .position(self) } }

extension Range<Int>: TensorIndex {
  public var axisIndex: AxisIndex { .range(start: lowerBound, end: upperBound, step: 1) }
}

extension ClosedRange<Int>: TensorIndex {
  // −1 is the last position, after which nothing is.
  public var axisIndex: AxisIndex { .range(start: lowerBound, end: upperBound == -1 ? .max : upperBound &+ 1, step: 1) }
}

extension PartialRangeFrom<Int>: TensorIndex {
  public var axisIndex: AxisIndex { .range(start: lowerBound, end: .max, step: 1) }
}

extension PartialRangeUpTo<Int>: TensorIndex {
  public var axisIndex: AxisIndex { .range(start: 0, end: upperBound, step: 1) }
}

extension PartialRangeThrough<Int>: TensorIndex {
  public var axisIndex: AxisIndex { .range(start: 0, end: upperBound == -1 ? .max : upperBound &+ 1, step: 1) }
}

extension [Int]: TensorIndex { public var axisIndex: AxisIndex { .positions(Tensor(vector: self)) } }
extension Tensor: TensorIndex { public var axisIndex: AxisIndex { .positions(self) } }
extension SymbolicTensor: TensorIndex {
  /// Positions to take, integers; truth values alone in `x[mask]` choose elements instead, as `maskedSelect` does.
  public var axisIndex: AxisIndex { .positions(self) }
}

/// An axis of size 1 that x does not have: `x[newAxis, 0]`.
public let newAxis = NewAxis()
/// The type of `newAxis`, its one value.
public struct NewAxis: TensorIndex, Sendable {
  /// An axis of size 1, which uses up no axis of x.
  public var axisIndex: AxisIndex { .newAxis }
}

/// Positions by steps, as Python's `from:to:by`: negative bounds count from the end.
///
/// They do in `a..<b` too, but Swift wants a ≤ b there: `x[strided(from: 1, to: -1)]` has no such form. `x[-2..<0]` is empty,
/// as Python's `x[-2:0]` is; `x[(-2)...]` goes to the end.
public func strided(from start: Int? = nil, to end: Int? = nil, by step: Int = 1) -> StridedIndex {
  StridedIndex(start: start, end: end, step: step)
}

/// What `strided(from:to:by:)` makes: the positions of a range by steps, which may go backward.
public struct StridedIndex: TensorIndex, Sendable {
  let start: Int?
  let end: Int?
  let step: Int

  /// The range, a bound left out being the end of the axis at which steps of this sign start or stop.
  public var axisIndex: AxisIndex {
    .range(start: start ?? (step < 0 ? -1 : 0), end: end ?? (step < 0 ? .min : .max), step: step)
  }
}

extension SymbolicTensor {
  /// Parts of x: see `TensorIndex`.
  public subscript(
    first: any TensorIndex, others: any TensorIndex..., fileID fileID: String = #fileID, line line: Int = #line
  ) -> SymbolicTensor {
    at(fileID, line).indexed([first.axisIndex] + others.map(\.axisIndex), [])
  }

  /// Parts of x, the axes that `...` stands for being whole.
  public subscript(
    _: UnboundedRange, others: any TensorIndex..., fileID fileID: String = #fileID, line line: Int = #line
  ) -> SymbolicTensor {
    at(fileID, line).indexed([], others.map(\.axisIndex))
  }

  /// Parts of x: the first axis by an index, the last axes by others, and whole axes between them for `...`.
  public subscript(
    a: any TensorIndex, _: UnboundedRange, others: any TensorIndex..., fileID fileID: String = #fileID,
    line line: Int = #line
  ) -> SymbolicTensor {
    at(fileID, line).indexed([a.axisIndex], others.map(\.axisIndex))
  }

  /// Parts of x: the first two axes by indices, the last axes by others, and whole axes between them for `...`.
  public subscript(
    a: any TensorIndex, b: any TensorIndex, _: UnboundedRange, others: any TensorIndex...,
    fileID fileID: String = #fileID, line line: Int = #line
  ) -> SymbolicTensor {
    at(fileID, line).indexed([a.axisIndex, b.axisIndex], others.map(\.axisIndex))
  }

  /// - Parameters:
  ///   - leading: indices of the first axes.
  ///   - trailing: indices of the last axes.
  private func indexed(_ leading: [AxisIndex], _ trailing: [AxisIndex]) -> SymbolicTensor {
    guard operand != nil else { return self }
    func axisCount(_ indices: [AxisIndex]) -> Int { indices.filter { if case .newAxis = $0 { false } else { true } }.count }
    if case .positions(let mask)? = leading.first, leading.count == 1, trailing.isEmpty, lift(mask).elementType == .bool {
      return maskedSelect(self, lift(mask), fileID: file, line: line)
    }
    let named = axisCount(leading) + axisCount(trailing)
    guard let rank = rank ?? (trailing.isEmpty ? named : nil) else {
      return mistake("subscript", "the rank must be known where axes follow '...'")
    }
    guard named <= rank else { return mistake("subscript", "there are \(named) indices, the tensor has \(rank) axes") }
    var cut = Cut()
    for index in leading { cut.add(index) }
    cut.skip(rank - named)
    for index in trailing { cut.add(index) }
    return apply(cut)
  }

  /// What an index says, by the axes of x.
  private struct Cut {
    var axis = 0
    var starts: [Int] = []
    var ends: [Int] = []
    var steps: [Int] = []
    var axes: [Int] = []
    var positions: [(axis: Int, position: Int)] = []
    var gathered: [(axis: Int, indices: any SymbolicOperand)] = []
    /// The axes of the result, of x and new.
    var layout: [Int?] = []

    mutating func add(_ index: AxisIndex) {
      switch index {
      case .newAxis: return layout.append(nil)
      case .position(let position): positions.append((axis, position))
      case .range(let start, let end, let step):
        if (start, end, step) != (0, .max, 1) {
          starts.append(start)
          ends.append(end)
          steps.append(step)
          axes.append(axis)
        }
        layout.append(axis)
      case .positions(let indices):
        gathered.append((axis, indices))
        layout.append(axis)
      }
      axis += 1
    }

    mutating func skip(_ count: Int) {
      for _ in 0..<count { add(.range(start: 0, end: .max, step: 1)) }
    }
  }

  private func apply(_ cut: Cut) -> SymbolicTensor {
    var cut = cut
    for (axis, position) in cut.positions {
      if let size = dimension(axis).size, position >= size || position < -size {
        return mistake("subscript", "position \(position) is out of range for axis \(axis) of size \(size)")
      }
    }
    guard cut.steps.allSatisfy({ $0 != 0 }) else { return mistake("subscript", "the step is 0") }
    guard cut.gathered.count <= 1 else {
      return mistake("subscript", "one tensor of positions is taken, there are \(cut.gathered.count): use gatherND")
    }
    var x = self
    // One position alone is read; several, or beside ranges, are cut out together.
    let reads = cut.axes.isEmpty && cut.positions.count == 1
    if !reads {
      for (axis, position) in cut.positions {
        cut.starts.append(position)
        cut.ends.append(position == -1 ? .max : position + 1)
        cut.steps.append(1)
        cut.axes.append(axis)
      }
    }
    if !cut.axes.isEmpty {
      let isPlain = cut.steps.allSatisfy { $0 == 1 }
      let parts = [cut.starts, cut.ends, cut.axes] + (isPlain ? [] : [cut.steps])
      x = x.apply(.slice, parts.map { Tensor(vector: $0) })
    }
    for (axis, indices) in cut.gathered {
      if lift(indices).elementType == .bool {
        return mistake("subscript", "a mask stands alone and has the tensor's shape: x[mask], or use where(mask, x, …)")
      }
      x = x.apply(.gather, [indices], attributes: .gather(axis))
      guard let added = lift(indices).rank, added != 1 else { continue }
      if !cut.positions.isEmpty || cut.layout.contains(where: { $0 == nil }) {
        return mistake("subscript", "positions of rank \(added) stand beside ranges only")
      }
    }
    if reads {
      x = x.apply(.gather, [Tensor(cut.positions[0].position)], attributes: .gather(cut.positions[0].axis))
    } else if !cut.positions.isEmpty {
      x = x.apply(.squeeze, [Tensor(vector: cut.positions.map(\.axis))])
    }
    let added = cut.layout.indices.filter { cut.layout[$0] == nil }
    return added.isEmpty ? x : x.apply(.unsqueeze, [Tensor(vector: added)])
  }
}
