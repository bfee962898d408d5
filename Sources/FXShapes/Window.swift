import FXCore

/// A window that slides over spatial axes: what convolutions and poolings have in common.
///
/// Sizes may be symbolic; with fixed ones the same arithmetic gives a run's sizes and paddings.
package struct Window: Sendable {
  package let kernel: [Int]
  package let strides: [Int]
  package let dilations: [Int]
  /// Elements of padding at the starts and at the ends, where `autoPad` does not say otherwise.
  private let starts: [Int]
  private let ends: [Int]
  package let autoPad: String

  /// The largest number that attributes may hold; sums and products of two of them fit `Int`.
  private static let limit = Int(Int32.max)

  /// - Throws: `ShapeError.attribute` for a wrong number of elements, or one that is out of range.
  package init(
    kernel: [Int], strides: [Int]?, dilations: [Int]?, pads: [Int]?, autoPad: String = "NOTSET"
  ) throws(ShapeError) {
    let rank = kernel.count
    self.kernel = kernel
    self.strides = strides ?? Array(repeating: 1, count: rank)
    self.dilations = dilations ?? Array(repeating: 1, count: rank)
    let pads = pads ?? Array(repeating: 0, count: 2 * rank)
    for (name, list, count) in [
      ("kernel_shape", kernel, rank), ("strides", self.strides, rank), ("dilations", self.dilations, rank),
      ("pads", pads, 2 * rank),
    ] {
      guard list.count == count else { throw .attribute(name, reason: "has \(list.count) elements for \(rank) spatial axes") }
      let least = name == "pads" ? -Window.limit : 1
      guard list.allSatisfy({ $0 >= least && $0 <= Window.limit }) else {
        throw .attribute(name, reason: "\(list) is out of range")
      }
    }
    starts = Array(pads[..<rank])
    ends = Array(pads[rank...])
    self.autoPad = autoPad
  }

  package var rank: Int { kernel.count }
  private var isSame: Bool { autoPad.hasPrefix("SAME") }

  /// The number of elements that a window spans along an axis, gaps included.
  package func extent(_ axis: Int) -> Int { (kernel[axis] - 1) * dilations[axis] + 1 }

  /// The number of windows along an axis. Source: the formulas of ONNX `Conv` and `MaxPool`.
  /// - Parameter roundingUp: whether a last window that is not full counts, unless it starts in the padding at the end.
  /// - Throws: `ShapeError.invalid` if not even one window fits.
  package func outputSize(_ input: Dimension, _ axis: Int, roundingUp: Bool = false) throws(ShapeError) -> Dimension {
    let stride = strides[axis]
    if isSame { return input.ceilDivided(by: stride) }
    let start = Dimension(autoPad == "VALID" ? 0 : starts[axis])
    let padded = input + start + Dimension(autoPad == "VALID" ? 0 : ends[axis])
    if let size = padded.size, size < extent(axis) {
      throw .invalid("a window of extent \(extent(axis)) does not fit the padded size \(size) of spatial axis \(axis)")
    }
    let room = padded - Dimension(extent(axis))
    guard roundingUp, autoPad != "VALID" else { return room / Dimension(stride) + 1 }
    return .minimum(room.ceilDivided(by: stride) + 1, (input + start).ceilDivided(by: stride))
  }

  /// The padding before and after an axis of fixed size.
  package func padding(_ input: Int, _ axis: Int) -> (start: Int, end: Int) {
    guard isSame else { return autoPad == "VALID" ? (0, 0) : (starts[axis], ends[axis]) }
    let windows = (input + strides[axis] - 1) / strides[axis]
    let total = max(0, (windows - 1) * strides[axis] + extent(axis) - input)
    return autoPad == "SAME_UPPER" ? (total / 2, total - total / 2) : (total - total / 2, total / 2)
  }

  /// The size that a transposed window gives. Source: the formulas of ONNX `ConvTranspose`.
  package func transposedSize(_ input: Dimension, _ axis: Int, outputPadding: Int) throws(ShapeError) -> Dimension {
    if isSame { return input * Dimension(strides[axis]) }
    let full = (input - 1) * Dimension(strides[axis]) + Dimension(outputPadding + extent(axis))
    let size = autoPad == "VALID" ? full : full - Dimension(starts[axis]) - Dimension(ends[axis])
    if let size = size.size, size < 0 { throw .invalid("the size of spatial axis \(axis) would be \(size)") }
    return size
  }

  /// How many elements a transposed window's result is cut by at its start to have the given size.
  package func transposedStart(_ input: Int, _ output: Int, _ axis: Int, outputPadding: Int, isShapeGiven: Bool) -> Int {
    guard isShapeGiven || isSame else { return autoPad == "VALID" ? 0 : starts[axis] }
    let total = max(0, (input - 1) * strides[axis] + outputPadding + extent(axis) - output)
    return autoPad == "SAME_UPPER" ? total / 2 : total - total / 2
  }
}
