import FXCore

/// NumPy's broadcasting on concrete shapes, for reference kernels.
enum Broadcast {
  /// - Throws: `KernelError.notBroadcastable`; `.invalid` if the result is too large to make.
  static func shape(_ shapes: [[Int]]) throws -> [Int] {
    var result: [Int] = []
    for shape in shapes {
      let rank = max(result.count, shape.count)
      let a = Array(repeating: 1, count: rank - result.count) + result
      let b = Array(repeating: 1, count: rank - shape.count) + shape
      result = try zip(a, b).map { x, y in
        guard x == y || x == 1 || y == 1 else { throw KernelError.notBroadcastable(a, b) }
        return x == 1 ? y : x
      }
    }
    _ = try Selection.count(result)
    return result
  }

  /// For each element of `shape` in row-major order, the index of the element of a tensor of shape `source` it reads.
  static func indices(_ source: [Int], to shape: [Int]) -> [Int] {
    // The sizes beside a zero may be huge: their products wrap and are not used.
    let count = shape.contains(0) ? 0 : shape.reduce(1, *)
    var strides = Array(repeating: 0, count: shape.count)
    var stride = 1
    for axis in source.indices.reversed() {
      if source[axis] != 1 { strides[axis + shape.count - source.count] = stride }
      stride &*= source[axis]
    }
    var result: [Int] = []
    result.reserveCapacity(count)
    var position = Array(repeating: 0, count: shape.count)
    var offset = 0
    for _ in 0..<count {
      result.append(offset)
      for axis in shape.indices.reversed() {
        position[axis] += 1
        offset += strides[axis]
        if position[axis] < shape[axis] { break }
        offset -= strides[axis] * shape[axis]
        position[axis] = 0
      }
    }
    return result
  }
}
