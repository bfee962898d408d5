/// UTF-8 text that grows at its end.
struct TextBuffer {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
  mutating func append(_ byte: UInt8) { bytes.append(byte) }
  mutating func append(spaces count: Int) { bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: count)) }

  mutating func append(_ number: Int) {
    guard number >= 0, number < 10 else {
      append(String(number))
      return
    }
    bytes.append(UInt8(ascii: "0") + UInt8(number))
  }

  mutating func append(base64 data: UnsafeRawBufferPointer) {
    bytes.append(UInt8(ascii: "\""))
    Base64.append(data, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
  }

  /// A name after `%` or `@`, in quotes if it is not plain.
  mutating func append(name: String) {
    if name.isPlainName { append(name) } else { append(name.quoted) }
  }

  /// A name that stands alone, where a slash could begin a comment.
  mutating func append(word: String) {
    if word.isPlainName, word.utf8.first != UInt8(ascii: "/") { append(word) } else { append(word.quoted) }
  }
}

extension TextBuffer {
  mutating func append(_ type: ValueType) {
    switch type {
    case .unknown: append("_")
    case .tensor(let type): append(type)
    case .sequence(let element):
      append("seq<")
      append(element)
      append(">")
    case .optional(let wrapped):
      append("opt<")
      append(wrapped)
      append(">")
    case .map(let key, let value):
      append("map<")
      append(key.rawValue)
      append(", ")
      append(value)
      append(">")
    }
  }

  mutating func append(_ type: TensorType) {
    append(type.elementType.rawValue)
    guard let shape = type.shape else {
      append("[*]")
      return
    }
    append("[")
    for (index, dimension) in shape.dimensions.enumerated() {
      if index > 0 { append(", ") }
      if let size = dimension.size { append(size) } else { append(dimension.description) }
    }
    append("]")
  }
}
