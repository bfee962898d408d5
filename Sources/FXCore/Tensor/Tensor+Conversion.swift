extension Tensor {
  /// The elements in another type, as ONNX `Cast` converts.
  ///
  /// Floating point rounds to nearest, ties to even, once. Floating point to integer truncates toward zero, out of
  /// range saturates and NaN becomes 0 (ONNX leaves both open); integers of less than 8 bits keep the low bits instead,
  /// as ONNX's own cases have it. Integers to narrower integers keep the low bits.
  /// Nonzero is `true`. Numbers and strings convert through their decimal form.
  /// - Parameter saturating: whether the 8-bit floating-point types take their largest value beyond it; else infinity or NaN.
  /// - Throws: `TensorError.conversion` if no conversion exists or a string is not a number.
  public func converted(to type: ElementType, saturating: Bool = true) throws(TensorError) -> Tensor {
    if type == elementType { return self }
    if let strings { return try Tensor.parse(strings, shape, as: type, saturating: saturating) }
    if elementType.isComplex || type.isComplex { throw .conversion(from: elementType, to: type) }
    let numbers = try numbers()
    guard type == .string else { return try Tensor(type, shape, numbers: numbers, saturating: saturating) }
    return try Tensor(shape, strings: describe(numbers))
  }

  private func describe(_ numbers: Numbers) -> [String] {
    switch numbers {
    case .signed(let x): elementType == .bool ? x.map { $0 == 0 ? "False" : "True" } : x.map(String.init)
    case .unsigned(let x): x.map(String.init)
    case .floats(let x): elementType == .float64 ? x.map(\.description) : x.map { Float($0).description }
    }
  }

  private static func parse(
    _ strings: [String], _ shape: [Int], as type: ElementType, saturating: Bool
  ) throws(TensorError) -> Tensor {
    if type.isInteger, let integers = strings.allMapped({ Int64($0) }) {
      return try Tensor(type, shape, numbers: .signed(integers), saturating: saturating)
    }
    guard let floats = strings.allMapped({ Double($0) }) else { throw .conversion(from: .string, to: type) }
    return try Tensor(type, shape, numbers: .floats(floats), saturating: saturating)
  }
}

extension Array {
  /// All elements transformed, or `nil` as soon as one has no image.
  fileprivate func allMapped<T>(_ transform: (Element) -> T?) -> [T]? {
    var result: [T] = []
    result.reserveCapacity(count)
    for element in self {
      guard let image = transform(element) else { return nil }
      result.append(image)
    }
    return result
  }
}
