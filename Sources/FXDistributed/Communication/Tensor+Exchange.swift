import FXCore

extension Tensor {
  /// Equal parts of the elements in a row.
  func flatParts(_ count: Int) throws -> [Tensor] {
    let length = elementCount / Swift.max(1, count)
    guard length * count == elementCount else { throw TensorError.elementCount([count, length], elementCount) }
    let rows = try reshaped([count, length])
    return try (0..<count).map { try rows.sliced([$0..<$0 + 1, 0..<length]).reshaped([length]) }
  }

  /// The elements of several tensors of one type, one after the other.
  static func flatJoined(_ tensors: [Tensor]) throws -> Tensor {
    try Tensor.joined(tensors.map { try $0.reshaped([$0.elementCount]) }, axis: 0)
  }

  /// A box of the tensor. Where it is one stretch of memory it shares the bytes, so that a rank that maps a file of weights
  /// reads no more of it than it keeps.
  /// - Throws: `TensorError.notBytes` for elements that are not whole bytes.
  package func sliced(_ box: [Range<Int>]) throws -> Tensor {
    guard elementType.bitWidth >= 8 else { throw TensorError.notBytes(elementType) }
    let sizes = box.map(\.count)
    if sizes == shape { return self }
    let width = elementType.bitWidth / 8
    // The axes behind the last one that is cut are one stretch.
    let last = box.indices.last { sizes[$0] != shape[$0] } ?? 0
    let stretch = sizes[last...].reduce(width, *)
    let stride = shape[last...].reduce(width, *)
    let offset = box[last].lowerBound * shape[(last + 1)...].reduce(width, *)
    let rows = sizes[..<last].reduce(1, *)
    if rows == 1, stretch > 0, let base = unsafeBytes {
      let row = (0..<last).reduce(0) { $0 * shape[$1] + box[$1].lowerBound }
      let bytes = UnsafeRawBufferPointer(start: base + row * stride + offset, count: stretch)
      return try Tensor(elementType, sizes, borrowing: bytes, owner: TensorOwner(self))
    }
    return try withUnsafeBytes { source in
      try Tensor(uninitialized: elementType, sizes) { target in
        guard stretch > 0, rows > 0, let from = source.baseAddress, let to = target.baseAddress else { return }
        var index = Array(repeating: 0, count: last)
        for row in 0..<rows {
          let position = (0..<last).reduce(0) { $0 * shape[$1] + box[$1].lowerBound + index[$1] }
          (to + row * stretch).copyMemory(from: from + position * stride + offset, byteCount: stretch)
          for axis in (0..<last).reversed() {
            index[axis] += 1
            if index[axis] < sizes[axis] { break }
            index[axis] = 0
          }
        }
      }
    }
  }

  /// Equal parts along an axis.
  package func parts(_ count: Int, axis: Int) throws -> [Tensor] {
    let length = shape[axis] / count
    guard length * count == shape[axis] else { throw TensorError.elementCount([count, length], shape[axis]) }
    return try (0..<count).map { part in
      try sliced(shape.indices.map { $0 == axis ? part * length..<(part + 1) * length : 0..<shape[$0] })
    }
  }

  /// Tensors that agree in the other sizes, one after the other along an axis.
  package static func joined(_ tensors: [Tensor], axis: Int) throws -> Tensor {
    guard let first = tensors.first else { return try Tensor(zeros: .float32, [0]) }
    guard tensors.count > 1 else { return first }
    guard first.elementType.bitWidth >= 8 else { throw TensorError.notBytes(first.elementType) }
    var shape = first.shape
    shape[axis] = tensors.reduce(0) { $0 + $1.shape[axis] }
    let rows = shape[..<axis].reduce(1, *)
    let inner = shape[(axis + 1)...].reduce(first.elementType.bitWidth / 8, *)
    let pitch = shape[axis] * inner
    return try Tensor(uninitialized: first.elementType, shape) { target in
      guard let to = target.baseAddress else { return }
      var offset = 0
      for tensor in tensors {
        let stretch = tensor.shape[axis] * inner
        tensor.withUnsafeBytes { source in
          guard stretch > 0, let from = source.baseAddress else { return }
          for row in 0..<rows {
            (to + row * pitch + offset).copyMemory(from: from + row * stretch, byteCount: stretch)
          }
        }
        offset += stretch
      }
    }
  }
}

/// Keeps a tensor's bytes alive for those who borrow a stretch of them.
private final class TensorOwner: Sendable {
  let tensor: Tensor
  init(_ tensor: Tensor) { self.tensor = tensor }
}

extension [Tensor] {
  /// The tensors combined element by element, from the first to the last, in their own type; 16-bit floats in 32 bits.
  func combined(by reduction: Reduction) throws -> Tensor {
    guard let first else { return try Tensor(zeros: .float32, [0]) }
    if [.float16, .bfloat16].contains(first.elementType) {
      return try map { try $0.converted(to: .float32) }.combined(by: reduction).converted(to: first.elementType)
    }
    let result = try folded(by: reduction)
    return reduction == .mean ? try result.mean(ofRanks: count) : result
  }

  private func folded(by reduction: Reduction) throws -> Tensor {
    switch self[0].elementType {
    case .float32: try combined(Float.self, reduction)
    case .float64: try combined(Double.self, reduction)
    case .int64: try wrapped(Int64.self, reduction)
    case .int32: try wrapped(Int32.self, reduction)
    case .int16: try wrapped(Int16.self, reduction)
    case .int8: try wrapped(Int8.self, reduction)
    case .uint64: try wrapped(UInt64.self, reduction)
    case .uint32: try wrapped(UInt32.self, reduction)
    case .uint16: try wrapped(UInt16.self, reduction)
    case .uint8: try wrapped(UInt8.self, reduction)
    default: throw TensorError.conversion(from: self[0].elementType, to: .float32)
    }
  }

  private func combined<T: TensorElement & BinaryFloatingPoint>(_: T.Type, _ reduction: Reduction) throws -> Tensor {
    try folded(T.self) { a, b in
      switch reduction {
      case .sum, .mean: a + b
      case .prod: a * b
      case .max: a.isNaN || b.isNaN ? .nan : Swift.max(a, b)
      case .min: a.isNaN || b.isNaN ? .nan : Swift.min(a, b)
      }
    }
  }

  private func wrapped<T: TensorElement & FixedWidthInteger>(_: T.Type, _ reduction: Reduction) throws -> Tensor {
    try folded(T.self) { a, b in
      switch reduction {
      case .sum, .mean: a &+ b
      case .prod: a &* b
      case .max: Swift.max(a, b)
      case .min: Swift.min(a, b)
      }
    }
  }

  private func folded<T: TensorElement>(_: T.Type, _ step: (T, T) -> T) throws -> Tensor {
    var sum: [T] = try self[0].elements()
    for tensor in dropFirst() {
      let other: [T] = try tensor.elements()
      for index in sum.indices { sum[index] = step(sum[index], other[index]) }
    }
    return try Tensor(self[0].shape, sum)
  }
}

extension Tensor {
  /// A sum over ranks divided by their number, integers toward zero: what all engines make of `Reduction.mean`.
  func mean(ofRanks count: Int) throws -> Tensor {
    switch elementType {
    case .float32: return try Tensor(shape, elements(Float.self).map { $0 / Float(count) })
    case .float64: return try Tensor(shape, elements(Double.self).map { $0 / Double(count) })
    default:
      // The number of ranks may be larger than what an element can hold.
      switch try numbers() {
      case .signed(let sums): return try Tensor(elementType, shape, numbers: .signed(sums.map { $0 / Int64(count) }))
      case .unsigned(let sums): return try Tensor(elementType, shape, numbers: .unsigned(sums.map { $0 / UInt64(count) }))
      case .floats: throw TensorError.conversion(from: elementType, to: .int64)
      }
    }
  }
}
