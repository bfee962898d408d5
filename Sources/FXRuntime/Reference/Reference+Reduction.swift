import FXCore
import Foundation

extension ReferenceKernels {
  mutating func addReduction() {
    setReduction(.reduceSum, Fold(0, +), .init(0) { $0 &+ $1 })
    setReduction(.reduceProd, Fold(1, *), .init(1) { $0 &* $1 })
    setReduction(.reduceMax, Fold(-.infinity, BinaryFunction.maximum.float), .init(least: true) { max($0, $1) })
    setReduction(.reduceMin, Fold(.infinity, BinaryFunction.minimum.float), .init(least: false) { min($0, $1) })
    setReduction(
      .reduceMean, Fold(0, +) { $0 / Double($1) },
      .init(0, { $0 &+ $1 }) { sum, count in count == 0 ? 0 : sum / Int64(count) })
    setReduction(.reduceL1, Fold(0) { $0 + abs($1) }, .init(0) { $0 &+ ($1 < 0 ? 0 &- $1 : $1) })
    setReduction(.reduceSumSquare, Fold(0) { $0 + $1 * $1 }, .init(0) { $0 &+ $1 &* $1 })
    // Of integers these are taken in floating point, then truncated.
    setReduction(.reduceL2, Fold(0, { $0 + $1 * $1 }) { sum, _ in sum.squareRoot() }, nil)
    setReduction(.reduceLogSum, Fold(0, +) { sum, _ in log(sum) }, nil)
    self[.reduceLogSumExp] = { context in
      let x = try context.tensor(0)
      let groups = try ReducedGroups(x.shape, context)
      let values = try x.numbers().doubles
      // Shifted by the largest element, so that no power overflows.
      var shifts = groups.fold(values, -.infinity) { $1 > $0 ? $1 : $0 }
      for index in shifts.indices where shifts[index].isInfinite { shifts[index] = 0 }
      var sums = Array(repeating: 0.0, count: shifts.count)
      for (value, group) in zip(values, groups.groupOfElement) { sums[group] += exp(value - shifts[group]) }
      let result = zip(sums, shifts).map { log($0) + $1 }
      return [.tensor(try Tensor(x.elementType, groups.shape, numbers: .floats(result), saturating: false))]
    }
    setArg(.argmax) { $0 > $1 }
    setArg(.argmin) { $0 < $1 }
    setCumulative(.cumsum, 0, +, 0) { $0 &+ $1 }
    setCumulative(.cumprod, 1, *, 1) { $0 &* $1 }
  }

  /// A reduction by folding the elements of each group.
  private mutating func setReduction(_ op: Operator, _ float: Fold<Double>, _ integer: IntegerFold?) {
    self[op] = { context in
      let x = try context.tensor(0)
      let groups = try ReducedGroups(x.shape, context)
      let result: Numbers
      switch try x.numbers() {
      case .signed(let values) where integer != nil:
        result = .signed(integer.map { groups.fold(values, $0.fold(for: x.elementType)) } ?? [])
      case .unsigned(let values) where integer != nil:
        // As bits with the sign flipped, unsigned order is signed order: only minima and maxima ask for it.
        let isOrder = integer?.least != nil
        let bits = values.map { Int64(bitPattern: $0) ^ (isOrder ? .min : 0) }
        let folded = integer.map { groups.fold(bits, $0.fold(for: x.elementType)) } ?? []
        result = .signed(isOrder ? folded.map { $0 ^ .min } : folded)
      case let numbers: result = .floats(groups.fold(numbers.doubles, float))
      }
      return [.tensor(try Tensor(x.elementType, groups.shape, numbers: result, saturating: false))]
    }
  }

  private mutating func setArg(_ op: Operator, _ isBetter: @escaping @Sendable (Double, Double) -> Bool) {
    self[op] = { context in
      let x = try context.tensor(0)
      let axis = try Selection.axis(context[ArgReduce.axis], rank: x.shape.count)
      let lines = try AxisLines(x.shape, axis: axis)
      var shape = x.shape
      if context[ArgReduce.keepDims] { shape[axis] = 1 } else { shape.remove(at: axis) }
      guard lines.length > 0 || shape.contains(0) else { throw KernelError.invalid("axis \(axis) is empty: nothing is largest") }
      let last = context[ArgReduce.selectLastIndex]
      var result: [Int64] = []
      func search<T>(_ values: [T], _ isBetter: (T, T) -> Bool, _ isNaN: (T) -> Bool) {
        lines.forEach { _, positions in
          var best: (index: Int64, value: T)?
          for (index, position) in positions.enumerated() {
            let value = values[position]
            if let best {
              // NaN is best of all, as in NumPy.
              if isNaN(best.value) {
                if !(last && isNaN(value)) { continue }
              } else if !isNaN(value) {
                guard isBetter(value, best.value) || (last && !isBetter(best.value, value)) else { continue }
              }
            }
            best = (Int64(index), value)
          }
          if let best { result.append(best.index) }
        }
      }
      switch try x.numbers() {
      case .floats(let values): search(values, isBetter, \.isNaN)
      case .signed(let values): search(values, { isBetter($0 > $1 ? 1 : $0 < $1 ? -1 : 0, 0) }, { _ in false })
      case .unsigned(let values): search(values, { isBetter($0 > $1 ? 1 : $0 < $1 ? -1 : 0, 0) }, { _ in false })
      }
      return [.tensor(try Tensor(shape, result))]
    }
  }

  private mutating func setCumulative(
    _ op: Operator, _ start: Double, _ float: @escaping @Sendable (Double, Double) -> Double,
    _ integerStart: Int64, _ integer: @escaping @Sendable (Int64, Int64) -> Int64
  ) {
    self[op] = { context in
      let x = try context.tensor(0)
      guard let axis = try context.integers(1).first else { throw KernelError.missingOperand(1) }
      let lines = try AxisLines(x.shape, axis: axis)
      let (exclusive, reverse) = (context[Cumulative.exclusive], context[Cumulative.reverse])
      func run<T>(_ values: [T], _ start: T, _ combine: (T, T) -> T) -> [T] {
        var result = values
        lines.forEach { _, positions in
          var total = start
          for position in reverse ? Array(positions.reversed()) : Array(positions) {
            let next = combine(total, values[position])
            result[position] = exclusive ? total : next
            total = next
          }
        }
        return result
      }
      let result: Numbers
      switch try x.numbers() {
      case .floats(let values): result = .floats(run(values, start, float))
      case let numbers: result = .signed(run(numbers.bits, integerStart, integer))
      }
      return [.tensor(try Tensor(x.elementType, x.shape, numbers: result, saturating: false))]
    }
  }
}

/// How a group of numbers becomes one.
private struct Fold<T: Sendable>: Sendable {
  let start: T
  let step: @Sendable (T, T) -> T
  /// What is done with the outcome and the number of elements.
  let finish: @Sendable (T, Int) -> T

  init(_ start: T, _ step: @escaping @Sendable (T, T) -> T, _ finish: @escaping @Sendable (T, Int) -> T = { x, _ in x }) {
    self.start = start
    self.step = step
    self.finish = finish
  }
}

/// A fold of integers, whose start may depend on the type's range.
private struct IntegerFold: Sendable {
  private let base: Fold<Int64>
  /// Whether it starts from the type's least value or its largest; `nil` if from a number.
  let least: Bool?

  init(
    _ start: Int64, _ step: @escaping @Sendable (Int64, Int64) -> Int64,
    _ finish: @escaping @Sendable (Int64, Int) -> Int64 = { x, _ in x }
  ) {
    base = Fold(start, step, finish)
    least = nil
  }

  init(least: Bool, _ step: @escaping @Sendable (Int64, Int64) -> Int64) {
    base = Fold(0, step)
    self.least = least
  }

  func fold(for type: ElementType) -> Fold<Int64> {
    guard let least else { return base }
    // `uint64` is folded as bits with the sign flipped.
    let range = type == .uint64 ? Int.min...Int.max : type.integerRange ?? 0...1
    return Fold(Int64(least ? range.lowerBound : range.upperBound), base.step, base.finish)
  }
}

/// Which elements of a tensor a `reduce_…` node reduces together.
private struct ReducedGroups {
  /// The result's shape.
  let shape: [Int]
  /// For each element in row-major order the number of its group, which is its place in the result.
  let groupOfElement: [Int]
  private let groupCount: Int
  private let groupSize: Int

  init(_ source: [Int], _ context: ReferenceContext) throws {
    var axes = Set(context.has(1) ? try Selection.axes(context.integers(1), rank: source.count) : [])
    if axes.isEmpty, !context[Reduce.noopWithEmptyAxes] { axes = Set(source.indices) }
    let kept = source.indices.map { axes.contains($0) ? 1 : source[$0] }
    shape = context[Reduce.keepDims] ? kept : source.indices.filter { !axes.contains($0) }.map { source[$0] }
    groupOfElement = Broadcast.indices(kept, to: source)
    groupCount = try Selection.count(kept)
    groupSize = source.contains(0) ? 0 : axes.reduce(1) { $0 * source[$1] }
  }

  func fold<T>(_ values: [T], _ fold: Fold<T>) -> [T] {
    self.fold(values, fold.start, fold.step).map { fold.finish($0, groupSize) }
  }

  func fold<T>(_ values: [T], _ start: T, _ step: (T, T) -> T) -> [T] {
    var result = Array(repeating: start, count: groupCount)
    for (value, group) in zip(values, groupOfElement) { result[group] = step(result[group], value) }
    return result
  }
}
