/// Tensors in the text format: `[1.0, 2.0]` for few elements, `base64 "…"` for many.
extension TextBuffer {
  /// The elements, without the type.
  mutating func append(elementsOf tensor: Tensor, _ weights: TextOptions.Weights) {
    if case .upTo(let limit) = weights, tensor.elementCount > limit {
      append("…")
    } else if tensor.elementType == .string || (tensor.elementCount <= 16 && tensor.isExactAsList) {
      append(listOf: tensor)
    } else {
      append("base64 ")
      tensor.withUnsafeBytes { append(base64: $0) }
    }
  }

  /// The type and the elements.
  mutating func append(_ tensor: Tensor, _ weights: TextOptions.Weights) {
    append(tensor.type)
    append(" ")
    append(elementsOf: tensor, weights)
  }

  private mutating func append(listOf tensor: Tensor) {
    append("[")
    if let strings = tensor.strings {
      appendList(strings) { $0.append($1.quoted) }
    } else if let floats = try? tensor.elements(Float.self) {
      appendList(floats) { $0.append($1.exactText) }
    } else if tensor.elementType == .bool {
      tensor.withUnsafeBytes { bytes in appendList(bytes) { $0.append($1 == 0 ? "false" : "true") } }
    } else if let numbers = try? tensor.numbers() {
      switch numbers {
      case .floats(let x): appendList(x) { $0.append($1.exactText) }
      case .signed(let x): appendList(x) { $0.append(String($1)) }
      case .unsigned(let x): appendList(x) { $0.append(String($1)) }
      }
    }
    append("]")
  }

  /// The elements with commas between them.
  mutating func appendList<Elements: Sequence>(
    _ elements: Elements, _ appendElement: (inout TextBuffer, Elements.Element) -> Void
  ) {
    var isFirst = true
    for element in elements {
      if !isFirst { append(", ") }
      isFirst = false
      appendElement(&self, element)
    }
  }
}

extension Tensor {
  /// Whether a list of decimal numbers keeps every bit: NaNs other than the usual one, booleans that are neither 0 nor 1
  /// and bits that pad the last byte do not survive in the narrow types.
  fileprivate var isExactAsList: Bool {
    switch elementType {
    case .float64, .float32, .int64, .int32, .int16, .int8, .uint64, .uint32, .uint16, .uint8, .string: true
    case .complex64, .complex128: false
    case .bool: withUnsafeBytes { $0.allSatisfy { $0 <= 1 } }
    default:
      if let numbers = try? numbers(), let copy = try? Tensor(elementType, shape, numbers: numbers, saturating: false) {
        copy == self
      } else {
        false
      }
    }
  }
}

extension TextScanner {
  /// The elements of a tensor of `type`, in either form.
  mutating func tensor(_ type: TensorType) throws(TextError) -> Tensor {
    let start = position
    guard let shape = type.shape?.sizes else {
      throw error(.expected("a type with fixed sizes before its elements", found: type.description), at: start)
    }
    if peek == UInt8(ascii: "[") { return try list(type.elementType, shape) }
    if skip("…") || skip("...") { throw error(.elidedWeights, at: start) }
    try expect(keyword: "base64", or: "'[', 'base64' or 'shared'")
    let text = try string()
    var copy = text
    guard let bytes = copy.withUTF8({ Base64.decode(UnsafeRawBufferPointer($0)) }) else {
      throw error(.expected("base 64", found: String(text.prefix(20))), at: start)
    }
    return try attempt(at: start) { () throws(TensorError) in
      do {
        return try bytes.withUnsafeBytes { try Tensor(type.elementType, shape, bytes: $0) }
      } catch let error as TensorError {
        throw error
      } catch {
        throw .byteCount(type.elementType, shape, bytes.count)
      }
    }
  }

  private mutating func list(_ type: ElementType, _ shape: [Int]) throws(TextError) -> Tensor {
    let start = position
    switch type {
    case .string:
      let strings = try elements { scanner throws(TextError) in try scanner.string() }
      return try attempt(at: start) { () throws(TensorError) in try Tensor(shape, strings: strings) }
    case .float32:
      // Not by way of Double, which keeps neither the payload of a NaN nor the nearest value.
      let floats = try elements { scanner throws(TextError) in try scanner.number().float(in: &scanner) }
      let vector = Tensor(vector: floats)
      return try attempt(at: start) { () throws(TensorError) in try vector.reshaped(shape) }
    case _ where type.isFloatingPoint:
      let doubles = try elements { scanner throws(TextError) in try scanner.number().double(in: &scanner) }
      return try attempt(at: start) { () throws(TensorError) in
        try Tensor(type, shape, numbers: .floats(doubles), saturating: false)
      }
    case .bool:
      let bools = try elements { scanner throws(TextError) in try scanner.bool() }
      let vector = Tensor(vector: bools)
      return try attempt(at: start) { () throws(TensorError) in try vector.reshaped(shape) }
    case .uint64:
      let integers = try elements { scanner throws(TextError) in try scanner.number().integer(UInt64.self, in: &scanner) }
      return try attempt(at: start) { () throws(TensorError) in try Tensor(type, shape, numbers: .unsigned(integers)) }
    case _ where type.isInteger:
      let range = type.integerRange ?? 0...0
      let integers = try elements { scanner throws(TextError) in
        let start = scanner.position
        let value = try scanner.number().integer(Int64.self, in: &scanner)
        guard range.contains(Int(value)) else { throw scanner.error(.outOfRange(String(value)), at: start) }
        return value
      }
      return try attempt(at: start) { () throws(TensorError) in try Tensor(type, shape, numbers: .signed(integers)) }
    default: throw error(.expected("base 64 for elements of type \(type.rawValue)", found: "["), at: start)
    }
  }

  private mutating func elements<Element>(
    _ element: (inout TextScanner) throws(TextError) -> Element
  ) throws(TextError) -> [Element] {
    var list: [Element] = []
    try expect("[")
    while !accept("]") {
      if !list.isEmpty { try expect(",") }
      list.append(try element(&self))
    }
    return list
  }

  /// The body's result, its error placed.
  func attempt<Result>(at start: Int, _ body: () throws(TensorError) -> Result) throws(TextError) -> Result {
    do {
      return try body()
    } catch {
      throw self.error(.tensor(error), at: start)
    }
  }
}
