import FXCore

/// Compares values as ONNX's test runner does: |actual − expected| ≤ atol + rtol·|expected|, NaN equals NaN, types and
/// shapes exactly.
struct ValueComparison {
  let rtol: Double
  let atol: Double

  /// What differs, or `nil`.
  func difference(_ actual: RuntimeValue, _ expected: RuntimeValue) -> String? {
    switch (actual, expected) {
    case (.tensor(let a), .tensor(let b)): return difference(a, b)
    case (.sequence(let a, _), .sequence(let b, _)):
      guard a.count == b.count else { return "\(a.count) elements, expected \(b.count)" }
      return zip(a, b).lazy.compactMap { difference($0, $1) }.first
    case (.optional(let a, _), .optional(let b, _)):
      guard let a, let b else { return a == nil && b == nil ? nil : "one optional is empty, the other is not" }
      return difference(a, b)
    case (.optional(let a?, _), _): return difference(a, expected)
    case (_, .optional(let b?, _)): return difference(actual, b)
    case (.map(let k, let a), .map(let l, let b)):
      // A map has no order.
      guard let p = k.keyOrder, let q = l.keyOrder, p.count == a.count, q.count == b.count, p.keys == q.keys else {
        return "the keys differ"
      }
      return zip(p.order, q.order).lazy.compactMap { difference(a[$0], b[$1]) }.first
    default: return "\(actual.type), expected \(expected.type)"
    }
  }

  private func difference(_ a: Tensor, _ b: Tensor) -> String? {
    guard a.elementType == b.elementType, a.shape == b.shape else { return "\(a.type), expected \(b.type)" }
    if a == b { return nil }
    if let x = a.strings, let y = b.strings {
      let index = zip(x, y).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 0
      return "element \(index) is \"\(x[index])\", expected \"\(y[index])\""
    }
    guard let x = a.components, let y = b.components else { return "the bytes differ" }
    // As in ONNX's runner, two units in the last place of a type whose one unit is more than the usual tolerance.
    let rtol = max(rtol, a.elementType == .bfloat16 ? 0x1p-6 : 0)
    var worst = (excess: 0.0, index: -1)
    for index in x.indices {
      let (p, q) = (x[index], y[index])
      if p == q || (p.isNaN && q.isNaN) { continue }
      let excess = (p - q).magnitude - (atol + rtol * q.magnitude)
      if !(excess <= 0), !(excess <= worst.excess) || worst.index < 0 { worst = (excess, index) }
    }
    guard worst.index >= 0 else { return nil }
    return "element \(worst.index) of \(a.type) is \(x[worst.index]), expected \(y[worst.index])"
  }
}

extension Tensor {
  /// The keys of a map, sorted, and where each stands.
  fileprivate var keyOrder: (keys: [String], order: [Int], count: Int)? {
    guard let keys = strings ?? (try? converted(to: .string).strings) else { return nil }
    let order = keys.indices.sorted { keys[$0] < keys[$1] }
    return (order.map { keys[$0] }, order, keys.count)
  }

  /// The elements as doubles, two per complex number.
  fileprivate var components: [Double]? {
    switch elementType {
    case .complex64: return try? Tensor(.float32, shape + [2], bytesOf: self).numbers().doubles
    case .complex128: return try? Tensor(.float64, shape + [2], bytesOf: self).numbers().doubles
    default: return try? numbers().doubles
    }
  }

  private init(_ type: ElementType, _ shape: [Int], bytesOf other: Tensor) throws {
    self = try other.withUnsafeBytes { try Tensor(type, shape, bytes: $0) }
  }
}
