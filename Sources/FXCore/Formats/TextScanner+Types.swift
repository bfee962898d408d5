/// Types and dimensions in the text format. JSON holds them as the same text.
extension TextScanner {
  /// How deep types and dimension expressions may be nested.
  static let depthLimit = 64
  /// How many symbols and functions one product may have.
  static let factorLimit = 256

  /// `f32[batch, 784]`, `seq<…>`, `_`, …
  mutating func type() throws(TextError) -> ValueType { try type(depth: 0) }

  private mutating func type(depth: Int) throws(TextError) -> ValueType {
    let start = position
    guard depth < TextScanner.depthLimit else { throw error(.tooDeep(limit: TextScanner.depthLimit), at: start) }
    if accept(keyword: "_") { return .unknown }
    let name = try identifier("a type such as f32[2, 3]")
    switch name {
    case "seq", "opt":
      try expect("<")
      let inner = try type(depth: depth + 1)
      try expect(">")
      return name == "seq" ? .sequence(inner) : .optional(inner)
    case "map":
      try expect("<")
      let key = try elementType()
      try expect(",")
      let value = try type(depth: depth + 1)
      try expect(">")
      return .map(key, value)
    default:
      guard let element = ElementType(rawValue: name) else {
        throw error(.expected("a type such as f32[2, 3]", found: name), at: start)
      }
      return .tensor(TensorType(element, try shape()))
    }
  }

  /// `f32`
  mutating func elementType() throws(TextError) -> ElementType {
    let start = position
    let name = try identifier("an element type such as f32")
    guard let type = ElementType(rawValue: name) else {
      throw error(.expected("an element type such as f32", found: name), at: start)
    }
    return type
  }

  /// `f32[2, 3]`
  mutating func tensorType() throws(TextError) -> TensorType { TensorType(try elementType(), try shape()) }

  /// `[2, batch]`, or `[*]`, which is `nil`.
  mutating func shape() throws(TextError) -> Shape? {
    try expect("[")
    if accept("*") {
      try expect("]")
      return nil
    }
    var dimensions: [Dimension] = []
    while !accept("]") {
      if !dimensions.isEmpty { try expect(",") }
      dimensions.append(try dimension())
    }
    return Shape(dimensions)
  }

  /// `?`, `784`, `2*batch + 1`, `floordiv(s, 8)`
  mutating func dimension() throws(TextError) -> Dimension { try dimension(depth: 0) }

  private mutating func dimension(depth: Int) throws(TextError) -> Dimension {
    guard depth < TextScanner.depthLimit else { throw error(.tooDeep(limit: TextScanner.depthLimit), at: position) }
    if accept("?") { return .unknown }
    var terms = [try term(depth, isNegative: accept("-"))]
    while true {
      if accept("+") {
        terms.append(try term(depth, isNegative: false))
      } else if accept("-") {
        terms.append(try term(depth, isNegative: true))
      } else {
        return terms.count == 1 ? terms[0] : Dimension.sum(terms)
      }
    }
  }

  private mutating func term(_ depth: Int, isNegative: Bool) throws(TextError) -> Dimension {
    let start = position
    let first = try peek.isDigit ? number(isNegative: isNegative) : factor(depth)
    guard peek == UInt8(ascii: "*") else { return isNegative && first.size == nil ? first * Dimension(-1) : first }
    var coefficient = 1
    var atoms: [Dimension.Atom] = []
    var next = first
    repeat {
      // Text that was printed has nothing else here; multiplying out whatever stands here would let a small text
      // ask for a big polynomial.
      if let size = next.size {
        let (product, overflow) = coefficient.multipliedReportingOverflow(by: size)
        guard !overflow else { throw error(.outOfRange(String(size)), at: start) }
        coefficient = product
      } else if let atom = next.atom, atoms.count < TextScanner.factorLimit {
        atoms.append(atom)
      } else {
        throw error(.expected("a product of numbers and symbols", found: next.description), at: start)
      }
      guard accept("*") else { break }
      next = try peek.isDigit ? number(isNegative: false) : factor(depth)
    } while true
    if isNegative, first.size == nil {
      guard coefficient != .min else { throw error(.outOfRange(String(coefficient)), at: start) }
      coefficient = -coefficient
    }
    return Dimension(coefficient: coefficient, atoms: atoms)
  }

  /// A number with the sign before it, since the smallest integer has no positive counterpart.
  private mutating func number(isNegative: Bool) throws(TextError) -> Dimension {
    let token = try number()
    guard token.kind == .integer, let value = Int((isNegative ? "-" : "") + token.text) else {
      throw error(.outOfRange(token.text), at: token.position)
    }
    return Dimension(value)
  }

  private mutating func factor(_ depth: Int) throws(TextError) -> Dimension {
    if peek == UInt8(ascii: "\"") { return Dimension(symbol: try string()) }
    let name = try identifier("a dimension such as 784, batch or ?")
    switch name {
    case "floordiv", "mod", "min", "max": break
    default: return Dimension(symbol: name)
    }
    try expect("(")
    let a = try dimension(depth: depth + 1)
    try expect(",")
    let b = try dimension(depth: depth + 1)
    try expect(")")
    switch name {
    case "floordiv": return a / b
    case "mod": return a % b
    case "min": return .minimum(a, b)
    default: return .maximum(a, b)
    }
  }
}

extension TextScanner {
  /// The type that `text` spells, and nothing else.
  static func type(_ text: String) throws(TextError) -> ValueType {
    var scanner = TextScanner(text)
    let type = try scanner.type()
    guard scanner.isAtEnd else { throw scanner.expected("the end of the type") }
    return type
  }

  /// The dimension that `text` spells, and nothing else.
  static func dimension(_ text: String) throws(TextError) -> Dimension {
    var scanner = TextScanner(text)
    let dimension = try scanner.dimension()
    guard scanner.isAtEnd else { throw scanner.expected("the end of the dimension") }
    return dimension
  }
}
