import FXCore
import FXShapes

/// Which elements of a channel each position of a result reads, tap by tap: a sliding window, or its transpose.
struct Taps {
  /// The result's spatial sizes.
  let output: [Int]
  /// The number of positions of the result.
  let positions: Int
  /// The number of taps of a window.
  let count: Int
  /// For each spatial axis, result coordinate and tap: the offset in a channel that is read; `Selection.fill` outside.
  private let offsets: [[[Int]]]
  /// For each spatial axis, result coordinate and tap: whether it is within the padded operand.
  private let isPadded: [[[Bool]]]

  /// The windows of a convolution or pooling over a channel of shape `input`.
  /// - Throws: `ShapeError`, `KernelError` if no window fits, or there are too many.
  init(_ window: Window, input: [Int], roundingUp: Bool = false) throws {
    try Taps.check(input)
    let strides = Selection.strides(input)
    output = try input.indices.map { axis in
      try Taps.size(try window.outputSize(Dimension(input[axis]), axis, roundingUp: roundingUp))
    }
    positions = try Selection.count(output)
    count = try Taps.count(window, output)
    let output = output
    let coordinates = input.indices.map { axis in
      let start = window.padding(input[axis], axis).start
      return (0..<output[axis]).map { index in
        (0..<window.kernel[axis]).map { index * window.strides[axis] - start + $0 * window.dilations[axis] }
      }
    }
    offsets = coordinates.enumerated().map { axis, taps in
      taps.map { $0.map { $0 >= 0 && $0 < input[axis] ? $0 * strides[axis] : Selection.fill } }
    }
    isPadded = coordinates.enumerated().map { axis, taps in
      let end = input[axis] + window.padding(input[axis], axis).end
      return taps.map { $0.map { $0 < end } }
    }
  }

  /// The elements of `input` that reach each position of a transposed window's result.
  /// - Parameter starts: how many elements are cut off the result's start along each axis.
  init(transposing window: Window, input: [Int], output: [Int], starts: [Int]) throws {
    try Taps.check(input)
    let strides = Selection.strides(input)
    self.output = output
    positions = try Selection.count(output)
    count = try Taps.count(window, output)
    offsets = input.indices.map { axis in
      (0..<output[axis]).map { index in
        (0..<window.kernel[axis]).map { tap in
          let position = index + starts[axis] - tap * window.dilations[axis]
          let (source, rest) = position.quotientAndRemainder(dividingBy: window.strides[axis])
          return position >= 0 && rest == 0 && source < input[axis] ? source * strides[axis] : Selection.fill
        }
      }
    }
    isPadded = []
  }

  /// For each tap the offset that a position reads.
  func offsets(at position: Int) -> [Int] { Selection.sums(rows(offsets, at: position)) }

  /// How many taps of a position are within the padded operand.
  func paddedCount(at position: Int) -> Int {
    rows(isPadded, at: position).reduce(1) { product, row in product * row.count { $0 } }
  }

  private func rows<T>(_ table: [[[T]]], at position: Int) -> [[T]] {
    var rest = position
    var rows: [[T]] = []
    for axis in output.indices.reversed() {
      rows.append(table[axis][rest % output[axis]])
      rest /= output[axis]
    }
    return rows.reversed()
  }

  /// Sizes beyond this come from empty tensors only, or are beyond any memory.
  private static let sizeLimit = Int(Int32.max)

  private static func check(_ sizes: [Int]) throws {
    guard sizes.allSatisfy({ $0 <= sizeLimit }) else { throw KernelError.invalid("spatial sizes \(sizes) are too large") }
  }

  /// A computed size as a number.
  static func size(_ dimension: Dimension) throws -> Int {
    guard let size = dimension.size, size >= 0, size <= sizeLimit else {
      throw KernelError.invalid("a spatial size of \(dimension) is too large")
    }
    return size
  }

  private static func count(_ window: Window, _ output: [Int]) throws -> Int {
    for axis in output.indices { _ = try Selection.count([output[axis], window.kernel[axis]]) }
    _ = try Selection.count(output)
    return try Selection.count(window.kernel)
  }
}

/// The sums of products that convolutions consist of, in `Double`.
struct Convolution {
  let taps: Taps
  let batch: Int
  let groups: Int
  /// Channels and kernels per group.
  let channels: Int
  let kernels: Int
  /// The number of elements of a channel.
  let plane: Int

  /// One sum for each image, kernel and position.
  /// - Parameters:
  ///   - weights: [group, kernel, channel, tap].
  ///   - bias: what the sums start from, one number per kernel.
  func sums(_ x: [Double], weights: [Double], bias: [Double]?) -> [Double] {
    let positions = taps.positions
    if batch == 0 || groups * kernels == 0 || positions == 0 { return [] }
    let rows = channels * taps.count
    var result = Array(repeating: 0.0, count: batch * groups * kernels * positions)
    // Positions go in blocks whose gathered columns stay in cache while all kernels pass over them.
    let block = 64
    var columns = Array(repeating: 0.0, count: rows * block)
    var sums = Array(repeating: 0.0, count: block)
    for first in stride(from: 0, to: positions, by: block) {
      let width = min(block, positions - first)
      let table = (first..<first + width).map(taps.offsets(at:))
      for image in 0..<batch {
        for group in 0..<groups {
          gather(x, at: (image * groups + group) * channels * plane, table, into: &columns, block)
          for kernel in 0..<kernels {
            let number = group * kernels + kernel
            let start = bias?[number] ?? 0
            for index in 0..<width { sums[index] = start }
            accumulate(weights, from: number * rows, columns, into: &sums, rows, width, block)
            let base = (image * groups * kernels + number) * positions + first
            for index in 0..<width { result[base + index] = sums[index] }
          }
        }
      }
    }
    return result
  }

  private func gather(_ x: [Double], at base: Int, _ table: [[Int]], into columns: inout [Double], _ block: Int) {
    x.withUnsafeBufferPointer { x in
      columns.withUnsafeMutableBufferPointer { columns in
        for (index, offsets) in table.enumerated() {
          for channel in 0..<channels {
            let start = base + channel * plane
            var row = channel * offsets.count * block + index
            for offset in offsets {
              columns[row] = offset == Selection.fill ? 0 : x[start + offset]
              row += block
            }
          }
        }
      }
    }
  }

  private func accumulate(
    _ weights: [Double], from base: Int, _ columns: [Double], into sums: inout [Double], _ rows: Int, _ width: Int, _ block: Int
  ) {
    weights.withUnsafeBufferPointer { weights in
      columns.withUnsafeBufferPointer { columns in
        sums.withUnsafeMutableBufferPointer { sums in
          for row in 0..<rows {
            let weight = weights[base + row]
            let start = row * block
            for index in 0..<width { sums[index] += weight * columns[start + index] }
          }
        }
      }
    }
  }
}
