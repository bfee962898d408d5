import FXCore

/// Moving elements of any type, for reference kernels.
enum Selection {
  /// Stands for an element that is filled in rather than read.
  static let fill = -1
  /// The most elements that a reference kernel makes: beyond, its index tables would not fit a machine.
  static let limit = 1 << 28

  /// The number of elements of a shape that a kernel may make.
  /// - Throws: `TensorError.badShape`; `KernelError.invalid` beyond `limit`.
  static func count(_ shape: [Int], _ type: ElementType = .float64) throws -> Int {
    let count = try Tensor.elementCount(of: shape, type)
    guard count <= limit else { throw KernelError.invalid("a result of shape \(shape) is too large for a reference kernel") }
    return count
  }

  /// - Throws: `KernelError.invalid` if the product exceeds `Int`.
  static func product(_ a: Int, _ b: Int) throws -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    guard !overflow else { throw KernelError.invalid("\(a) × \(b) is too large for a size") }
    return product
  }

  /// Row-major strides; wrapped, and never used, for empty shapes whose other sizes are huge.
  static func strides(_ shape: [Int]) -> [Int] {
    var strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] &* max(shape[axis + 1], 1) }
    return strides
  }

  /// The sums of one offset per axis, in row-major order; `fill` where an offset is `fill`.
  static func sums(_ axes: [[Int]]) -> [Int] {
    var result = [0]
    for offsets in axes {
      var next: [Int] = []
      next.reserveCapacity(result.count * offsets.count)
      for base in result {
        for offset in offsets { next.append(base == fill || offset == fill ? fill : base + offset) }
      }
      result = next
    }
    return result
  }

  /// An axis counted from the front.
  /// - Throws: `KernelError.axis`.
  static func axis(_ axis: Int, rank: Int) throws -> Int {
    guard axis >= -rank, axis < rank else { throw KernelError.axis(axis, rank: rank) }
    return axis < 0 ? axis + rank : axis
  }

  /// Axes counted from the front, none twice.
  static func axes(_ axes: [Int], rank: Int) throws -> [Int] {
    var result: [Int] = []
    for axis in axes {
      let normalized = try self.axis(axis, rank: rank)
      guard !result.contains(normalized) else { throw KernelError.invalid("axis \(axis) is named twice") }
      result.append(normalized)
    }
    return result
  }
}

extension Tensor {
  /// The tensor's only element in every place of a shape.
  func repeated(_ shape: [Int]) throws -> Tensor {
    let count = try Selection.count(shape, elementType)
    guard elementType.bitWidth >= 8, elementType != .string, count > 0 else {
      return try selecting(Array(repeating: 0, count: count), shape: shape)
    }
    return try withUnsafeBytes { element in
      try Tensor(uninitialized: elementType, shape) { target in
        target.copyMemory(from: element)
        var filled = element.count
        while filled < target.count {
          let piece = UnsafeRawBufferPointer(rebasing: target[..<min(filled, target.count - filled)])
          UnsafeMutableRawBufferPointer(rebasing: target[filled...]).copyMemory(from: piece)
          filled += piece.count
        }
      }
    }
  }

  /// A tensor of the elements at the given row-major positions; where a position is `Selection.fill`, the only element
  /// of `fill`, or zero.
  func selecting(_ positions: [Int], shape: [Int], fill: Tensor? = nil) throws -> Tensor {
    guard positions.count == (try Tensor.elementCount(of: shape, elementType)) else {
      throw TensorError.elementCount(shape, positions.count)
    }
    let count = elementCount
    guard positions.allSatisfy({ $0 >= Selection.fill && $0 < count }) else {
      throw KernelError.invalid("an index is out of range")
    }
    let filling = try fill ?? Tensor(zeros: elementType, [])
    guard filling.elementType == elementType, filling.elementCount == 1 else {
      throw KernelError.invalid("the value to fill with is not one element of \(elementType.rawValue)")
    }
    if let strings, let value = filling.strings {
      return try Tensor(shape, strings: positions.map { $0 < 0 ? value[0] : strings[$0] })
    }
    return try withUnsafeBytes { source in
      try filling.withUnsafeBytes { value in
        try Tensor(uninitialized: elementType, shape) { result in
          switch elementType.bitWidth {
          case 128: copy(positions, source, value, result, SIMD2<UInt64>.self)
          case 64: copy(positions, source, value, result, UInt64.self)
          case 32: copy(positions, source, value, result, UInt32.self)
          case 16: copy(positions, source, value, result, UInt16.self)
          case 8: copy(positions, source, value, result, UInt8.self)
          case let bits:
            let codes = packedCodes()
            let blank = filling.packedCodes()[0]
            positions.map { $0 < 0 ? blank : codes[$0] }.pack(into: result, bits: bits)
          }
        }
      }
    }
  }

  /// A tensor whose element at `[i, j, …]` is the one at offset `axes[0][i] + axes[1][j] + …`, or filled in where an
  /// offset is `Selection.fill`.
  func selecting(axes: [[Int]], fill: Tensor? = nil) throws -> Tensor {
    let shape = axes.map(\.count)
    _ = try Selection.count(shape, elementType)
    return try selecting(shape.contains(0) ? [] : Selection.sums(axes), shape: shape, fill: fill)
  }

  /// The offsets of the given coordinates along an axis; coordinates that are `Selection.fill` stay so.
  func offsets(_ coordinates: some Sequence<Int>, axis: Int) -> [Int] {
    let stride = Selection.strides(shape)[axis]
    return coordinates.map { $0 == Selection.fill ? Selection.fill : $0 &* stride }
  }

  /// - Throws: `TensorError.badShape` for an empty tensor with an axis that is too long to go along.
  func checkAxes() throws {
    guard shape.allSatisfy({ $0 <= max(elementCount, 1 << 20) }) else { throw TensorError.badShape(shape, elementType) }
  }

  /// For each axis the offsets of all its elements, for `selecting(axes:fill:)`.
  func allOffsets() throws -> [[Int]] {
    try checkAxes()
    return shape.indices.map { offsets(0..<shape[$0], axis: $0) }
  }

  /// The part from `start` on, `count` long, along an axis.
  func slice(axis: Int, start: Int, count: Int) throws -> Tensor {
    guard start >= 0, count >= 0, count <= shape[axis] - start else { throw KernelError.invalid("a slice is out of range") }
    var offsets = try allOffsets()
    offsets[axis] = Array(offsets[axis][start..<start + count])
    return try selecting(axes: offsets)
  }

  /// Axes in another order.
  func transposed(_ permutation: [Int]) throws -> Tensor {
    let offsets = try allOffsets()
    return try selecting(axes: permutation.map { offsets[$0] })
  }

  /// Tensors of one element type, and one shape but for the axis, one after another.
  /// - Throws: `KernelError.invalid` if they are not.
  static func concatenated(_ parts: [Tensor], axis: Int) throws -> Tensor {
    guard let first = parts.first else { throw KernelError.missingOperand(0) }
    var shape = first.shape
    shape[axis] = 0
    for part in parts {
      var other = part.shape
      guard other.count == shape.count, part.elementType == first.elementType else {
        throw KernelError.invalid("\(part.type) does not continue \(first.type)")
      }
      other[axis] = shape[axis]
      guard other == shape else { throw KernelError.invalid("\(part.type) does not continue \(first.type) along axis \(axis)") }
      let (sum, overflow) = shape[axis].addingReportingOverflow(part.shape[axis])
      guard !overflow else { throw TensorError.badShape(part.shape, part.elementType) }
      shape[axis] = sum
    }
    let outer = try Tensor.elementCount(of: Array(shape[..<axis]), first.elementType)
    guard try Tensor.elementCount(of: shape, first.elementType) > 0 else {
      return try Tensor(zeros: first.elementType, shape)
    }
    if first.elementType == .string {
      let strings = parts.map { $0.strings ?? [] }
      return try Tensor(
        shape,
        strings: (0..<outer).flatMap { row in
          strings.flatMap { $0[row * ($0.count / outer)..<(row + 1) * ($0.count / outer)] }
        })
    }
    guard first.elementType.bitWidth >= 8 else {
      // Packed elements do not start at bytes.
      let codes = parts.map { $0.packedCodes() }
      let joined = (0..<outer).flatMap { row in
        codes.flatMap { $0[row * ($0.count / outer)..<(row + 1) * ($0.count / outer)] }
      }
      return try Tensor(uninitialized: first.elementType, shape) { joined.pack(into: $0, bits: first.elementType.bitWidth) }
    }
    return try Tensor(uninitialized: first.elementType, shape) { result in
      var offset = 0
      for row in 0..<outer {
        for part in parts {
          part.withUnsafeBytes { bytes in
            let length = bytes.count / outer
            let slice = UnsafeRawBufferPointer(rebasing: bytes[row * length..<(row + 1) * length])
            UnsafeMutableRawBufferPointer(rebasing: result[offset..<offset + length]).copyMemory(from: slice)
            offset += length
          }
        }
      }
    }
  }
}

private func copy<Element: BitwiseCopyable>(
  _ positions: [Int], _ source: UnsafeRawBufferPointer, _ fill: UnsafeRawBufferPointer,
  _ result: UnsafeMutableRawBufferPointer, _: Element.Type
) {
  let size = MemoryLayout<Element>.size
  let value = fill.loadUnaligned(as: Element.self)
  for (index, position) in positions.enumerated() {
    let element = position < 0 ? value : source.loadUnaligned(fromByteOffset: position * size, as: Element.self)
    result.storeBytes(of: element, toByteOffset: index * size, as: Element.self)
  }
}

extension Tensor {
  /// The bits of each element of a type narrower than a byte.
  fileprivate func packedCodes() -> [UInt8] {
    let bits = elementType.bitWidth
    let perByte = 8 / bits
    return withUnsafeBytes { bytes in
      (0..<elementCount).map { bytes[$0 / perByte] >> UInt8($0 % perByte * bits) & UInt8((1 << bits) - 1) }
    }
  }
}

extension [UInt8] {
  fileprivate func pack(into result: UnsafeMutableRawBufferPointer, bits: Int) {
    let perByte = 8 / bits
    for index in result.indices { result[index] = 0 }
    for (index, code) in enumerated() { result[index / perByte] |= code << UInt8(index % perByte * bits) }
  }
}
