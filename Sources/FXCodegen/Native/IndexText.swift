/// The text of indices into arrays.
enum IndexText {
  /// `i * 64 + j`: variables times strides; terms that are always 0 are left out.
  static func offset(_ variables: [String], _ strides: [Int], plus constant: Int = 0) -> String {
    var terms: [String] = []
    for (variable, stride) in zip(variables, strides) where stride != 0 && variable != "0" {
      terms.append(stride == 1 ? variable : "\(variable) * \(stride)")
    }
    if constant != 0 || terms.isEmpty { terms.append("\(constant)") }
    return terms.joined(separator: " + ")
  }

  /// The distance between neighbours along each axis in row-major order.
  static func strides(_ shape: [Int]) -> [Int] {
    var strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    return strides
  }

  /// The strides of an array of one shape where it broadcasts to another: 0 along the axes it is repeated on.
  static func strides(_ shape: [Int], broadcastTo result: [Int]) -> [Int] {
    let own = strides(shape)
    let missing = result.count - shape.count
    return result.indices.map { axis in
      let at = axis - missing
      return at < 0 || at >= shape.count || shape[at] == 1 ? 0 : own[at]
    }
  }

  /// The same elements by fewer axes: those of size 1 go, and neighbours join where every array agrees.
  static func collapsed(_ sizes: [Int], _ strides: [[Int]]) -> (sizes: [Int], strides: [[Int]]) {
    var newSizes: [Int] = []
    var newStrides: [[Int]] = strides.map { _ in [] }
    for axis in sizes.indices where sizes[axis] != 1 {
      if let last = newSizes.last, zip(newStrides, strides).allSatisfy({ $0[$0.count - 1] == $1[axis] * sizes[axis] }) {
        newSizes[newSizes.count - 1] = last * sizes[axis]
        for array in strides.indices { newStrides[array][newSizes.count - 1] = strides[array][axis] }
      } else {
        newSizes.append(sizes[axis])
        for array in strides.indices { newStrides[array].append(strides[array][axis]) }
      }
    }
    return (newSizes, newStrides)
  }

  /// `i0`, `i1`, …
  static func variables(_ count: Int, _ prefix: String = "i") -> [String] { (0..<count).map { "\(prefix)\($0)" } }

  /// The number of elements.
  static func count(_ shape: some Sequence<Int>) -> Int { shape.reduce(1, *) }
}

extension NativeProgram.Kernel.Axis {
  /// Axes called as given.
  static func list(_ names: [String], _ sizes: [Int]) -> [NativeProgram.Kernel.Axis] {
    zip(names, sizes).map { NativeProgram.Kernel.Axis($0, $1) }
  }
}
