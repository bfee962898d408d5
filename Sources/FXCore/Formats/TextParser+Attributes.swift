extension TextParser {
  /// `{axis = 1, mode = "linear"}`, or nothing.
  mutating func parseAttributes() throws(TextError) -> Attributes {
    guard scanner.accept("{") else { return [:] }
    var pairs: [(String, AttributeValue)] = []
    var names: Set<String> = []
    while !scanner.accept("}") {
      if !pairs.isEmpty { try scanner.expect(",") }
      let start = scanner.position
      let name = try scanner.word("an attribute's name")
      guard names.insert(name).inserted else { throw scanner.error(.duplicate(name), at: start) }
      try scanner.expect("=")
      pairs.append((name, try parseAttributeValue()))
    }
    return Attributes(pairs)
  }

  private mutating func parseAttributeValue() throws(TextError) -> AttributeValue {
    switch scanner.peek {
    case UInt8(ascii: "\""): return .string(try scanner.string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      let number = try scanner.number()
      if number.kind == .integer { return .int(try number.integer(Int.self, in: &scanner)) }
      return .float(try number.float(in: &scanner))
    case UInt8(ascii: "["): return try parseList()
    default: break
    }
    if scanner.accept(keyword: "true") { return .bool(true) }
    if scanner.accept(keyword: "false") { return .bool(false) }
    if scanner.isNext(keyword: "nan") || scanner.isNext(keyword: "inf") {
      return .float(try scanner.number().float(in: &scanner))
    }
    if scanner.accept(keyword: "tensor") { return .tensor(try parseTensor()) }
    if scanner.accept(keyword: "tensors") {
      return .tensors(try parseElements { parser throws(TextError) in try parser.parseTensor() })
    }
    if scanner.accept(keyword: "types") {
      return .types(try parseElements { parser throws(TextError) in try parser.scanner.type() })
    }
    if scanner.accept(keyword: "ints") { return try parseEmpty(.ints([])) }
    if scanner.accept(keyword: "floats") { return try parseEmpty(.floats([])) }
    if scanner.accept(keyword: "strings") { return try parseEmpty(.strings([])) }
    return try parseTypeOrElementType()
  }

  private mutating func parseTypeOrElementType() throws(TextError) -> AttributeValue {
    var ahead = scanner
    if let type = ahead.acceptElementType(), ahead.peek != UInt8(ascii: "[") {
      scanner = ahead
      return .elementType(type)
    }
    return .type(try scanner.type())
  }

  private mutating func parseTensor() throws(TextError) -> Tensor {
    let type = try scanner.tensorType()
    return try scanner.tensor(type)
  }

  private mutating func parseEmpty(_ value: AttributeValue) throws(TextError) -> AttributeValue {
    try scanner.expect("[")
    try scanner.expect("]")
    return value
  }

  private mutating func parseElements<Element>(
    _ element: (inout TextParser) throws(TextError) -> Element
  ) throws(TextError) -> [Element] {
    var list: [Element] = []
    try scanner.expect("[")
    while !scanner.accept("]") {
      if !list.isEmpty { try scanner.expect(",") }
      list.append(try element(&self))
    }
    return list
  }

  /// A list of at least one integer, float or string; the first says which.
  private mutating func parseList() throws(TextError) -> AttributeValue {
    var ahead = scanner
    _ = ahead.accept("[")
    if ahead.peek == UInt8(ascii: "\"") {
      return .strings(try parseElements { parser throws(TextError) in try parser.scanner.string() })
    }
    guard ahead.peek != UInt8(ascii: "]") else {
      throw ahead.expected("an element, since an empty list says what it is a list of: ints [], floats [] or strings []")
    }
    if try ahead.number().kind == .integer {
      return .ints(try parseElements { parser throws(TextError) in try parser.scanner.integer() })
    }
    return .floats(
      try parseElements { parser throws(TextError) in try parser.scanner.number().float(in: &parser.scanner) })
  }
}
