import FXCore
import FXShapes

/// Concatenation, splitting, slicing, padding, repeating and reversing.
extension ReferenceKernels {
  mutating func addJoining() {
    self[.concat] = { context in
      let parts = try context.operands.indices.map { try context.tensor($0) }
      let axis = try Selection.axis(context[Concat.axis], rank: parts.first?.shape.count ?? 0)
      return [.tensor(try Tensor.concatenated(parts, axis: axis))]
    }
    self[.split] = { context in
      let x = try context.tensor(0)
      let axis = try Selection.axis(context[Split.axis], rank: x.shape.count)
      let sizes: [Int]
      if context.has(1) {
        sizes = try context.integers(1)
      } else {
        let parts = context[Split.outputCount] ?? context.resultCount
        guard parts == context.resultCount else { throw KernelError.invalid("\(parts) parts for \(context.resultCount) results") }
        sizes = try ShapeRules.equalParts(of: Dimension(x.shape[axis]), count: parts).compactMap(\.size)
      }
      return try x.split(sizes, axis: axis).map(RuntimeValue.tensor)
    }
    self[.slice] = { context in
      let x = try context.tensor(0)
      let (starts, ends) = (try context.integers(1), try context.integers(2))
      let axes = context.has(3) ? try Selection.axes(context.integers(3), rank: x.shape.count) : Array(starts.indices)
      let steps = context.has(4) ? try context.integers(4) : Array(repeating: 1, count: starts.count)
      guard starts.count == axes.count, ends.count == axes.count, steps.count == axes.count, axes.count <= x.shape.count,
        !steps.contains(0)
      else { throw KernelError.invalid("starts \(starts), ends \(ends) and steps \(steps) are no slice of \(x.type)") }
      var offsets = try x.allOffsets()
      for (index, axis) in axes.enumerated() {
        let range = SliceRange(size: x.shape[axis], start: starts[index], end: ends[index], step: steps[index])
        offsets[axis] = x.offsets((0..<range.count).map { range.start + $0 * steps[index] }, axis: axis)
      }
      return [.tensor(try x.selecting(axes: offsets))]
    }
    self[.pad] = { context in
      let x = try context.tensor(0)
      let pads = try context.integers(1)
      let axes = context.has(3) ? try Selection.axes(context.integers(3), rank: x.shape.count) : Array(x.shape.indices)
      guard pads.count == 2 * axes.count else { throw KernelError.invalid("\(pads.count) pads for \(axes.count) axes") }
      var offsets = try x.allOffsets()
      for (index, axis) in axes.enumerated() {
        let coordinates = try padded(x.shape[axis], pads[index], pads[axes.count + index], mode: context[Pad.mode])
        offsets[axis] = x.offsets(coordinates, axis: axis)
      }
      return [.tensor(try x.selecting(axes: offsets, fill: context.optionalTensor(2)?.reshaped([])))]
    }
    self[.tile] = { context in
      let (x, repeats) = (try context.tensor(0), try context.integers(1))
      guard repeats.count == x.shape.count, repeats.allSatisfy({ $0 >= 0 }) else {
        throw KernelError.invalid("repeats \(repeats) do not fit \(x.type)")
      }
      let shape = try zip(x.shape, repeats).map { size, count in
        let product = try Selection.product(size, count)
        guard product <= Selection.limit else { throw TensorError.badShape(x.shape, x.elementType) }
        return product
      }
      _ = try Selection.count(shape, x.elementType)
      return [
        .tensor(
          try x.selecting(
            axes: shape.enumerated().map { axis, size in
              x.offsets((0..<size).map { $0 % x.shape[axis] }, axis: axis)
            }))
      ]
    }
    self[.reverseSequence] = { context in
      let (x, lengths) = (try context.tensor(0), try context.integers(1))
      let (batch, time) = (context[ReverseSequence.batchAxis], context[ReverseSequence.timeAxis])
      guard x.shape.count >= 2, batch != time, (0...1).contains(batch), (0...1).contains(time), lengths.count == x.shape[batch],
        lengths.allSatisfy({ $0 >= 0 && $0 <= x.shape[time] })
      else { throw KernelError.invalid("lengths \(lengths) along axis \(batch) do not fit \(x.type)") }
      let parts = try lengths.enumerated().map { index, length in
        let part = try x.slice(axis: batch, start: index, count: 1)
        var offsets = try part.allOffsets()
        offsets[time] = part.offsets((0..<x.shape[time]).map { $0 < length ? length - 1 - $0 : $0 }, axis: time)
        return try part.selecting(axes: offsets)
      }
      return [.tensor(parts.isEmpty ? x : try Tensor.concatenated(parts, axis: batch))]
    }
  }
}

extension Tensor {
  /// Parts of the given sizes along an axis.
  /// - Throws: `KernelError.invalid` if the sizes do not add up to the axis.
  func split(_ sizes: [Int], axis: Int) throws -> [Tensor] {
    var start = 0
    let parts = try sizes.map { size in
      guard size >= 0, size <= shape[axis] - start else {
        throw KernelError.invalid("sizes \(sizes) do not add up to \(shape[axis])")
      }
      defer { start += size }
      return try slice(axis: axis, start: start, count: size)
    }
    guard start == shape[axis] else { throw KernelError.invalid("sizes \(sizes) do not add up to \(shape[axis])") }
    return parts
  }
}

/// The coordinates that a padded axis reads. Source of the modes: `numpy.pad`.
private func padded(_ size: Int, _ before: Int, _ after: Int, mode: String) throws -> [Int] {
  let bound = Selection.limit
  guard size <= bound, (-bound...bound).contains(before), (-bound...bound).contains(after), size + before + after >= 0,
    size + before + after <= bound
  else { throw KernelError.invalid("an axis of size \(size) cannot be padded by \(before) and \(after)") }
  // Cuts come first, so that what is mirrored or repeated is what is left.
  let first = max(-before, 0)
  let count = size - first - max(-after, 0)
  guard count > 0 || (count == 0 && (mode == "constant" || (before <= 0 && after <= 0))) else {
    throw KernelError.invalid("an empty axis cannot be padded in mode \(mode)")
  }
  return (-max(before, 0)..<max(count, 0) + max(after, 0)).map { position in
    if position >= 0, position < count { return first + position }
    switch mode {
    case "edge": return first + min(max(position, 0), count - 1)
    case "wrap": return first + (position % count + count) % count
    case "reflect":
      guard count > 1 else { return first }
      let period = 2 * (count - 1)
      let phase = (position % period + period) % period
      return first + min(phase, period - phase)
    default: return Selection.fill
    }
  }
}
