extension TextParser {
  /// Everything between the graph's opening brace and its first node.
  mutating func parseFacts() throws(TextError) {
    var metadata: [String: String] = [:]
    var operatorSets: [String: Int] = [:]
    var symbols: [String: SymbolBounds] = [:]
    var constraints: [DimensionConstraint] = []
    while true {
      let start = scanner.position
      var repeated: String?
      if scanner.accept(keyword: "parameter") {
        try parseParameter()
      } else if scanner.accept(keyword: "symbol") {
        let (name, bounds) = try parseSymbol()
        if symbols.updateValue(bounds, forKey: name) != nil { repeated = name }
      } else if scanner.accept(keyword: "constraint") {
        constraints.append(try parseConstraint())
      } else if scanner.accept(keyword: "metadata") {
        let key = try scanner.string()
        try scanner.expect("=")
        if metadata.updateValue(try scanner.string(), forKey: key) != nil { repeated = key }
      } else if scanner.accept(keyword: "opset") {
        let domain = try scanner.string()
        try scanner.expect("=")
        if operatorSets.updateValue(try scanner.integer(), forKey: domain) != nil { repeated = domain }
      } else {
        assembler.setFacts(metadata: metadata, operatorSets: operatorSets, symbols: symbols, constraints: constraints)
        return
      }
      if let repeated { throw scanner.error(.duplicate(repeated), at: start) }
    }
  }

  /// `batch in 1...1024 multiple_of 8`
  private mutating func parseSymbol() throws(TextError) -> (String, SymbolBounds) {
    let name =
      scanner.peek == UInt8(ascii: "\"") ? try scanner.string() : try scanner.identifier("a dimension symbol")
    var bounds = SymbolBounds()
    if scanner.accept(keyword: "in") {
      bounds.minimum = try parseBound(atLeast: 0)
      guard scanner.skip("...") else { throw scanner.expected("'...'") }
      if scanner.peek.isDigit || scanner.peek == UInt8(ascii: "-") { bounds.maximum = try scanner.integer() }
    }
    if scanner.accept(keyword: "multiple_of") { bounds.divisor = try parseBound(atLeast: 1) }
    return (name, bounds)
  }

  private mutating func parseBound(atLeast least: Int) throws(TextError) -> Int {
    let start = scanner.position
    let value = try scanner.integer()
    guard value >= least else { throw scanner.error(.outOfRange(String(value)), at: start) }
    return value
  }

  /// `batch <= 2*seq`
  private mutating func parseConstraint() throws(TextError) -> DimensionConstraint {
    let left = try scanner.dimension()
    let relation: DimensionConstraint.Relation
    if scanner.skip("==") {
      relation = .equal
    } else if scanner.skip("<=") {
      relation = .lessOrEqual
    } else if scanner.accept(keyword: "multiple_of") {
      relation = .multiple
    } else if scanner.accept(keyword: "broadcasts_with") {
      relation = .broadcastable
    } else {
      throw scanner.expected("'==', '<=', 'multiple_of' or 'broadcasts_with'")
    }
    return DimensionConstraint(left, relation, try scanner.dimension())
  }

  /// `@weight: f32[10, 784] weight = base64 "…"`
  private mutating func parseParameter() throws(TextError) {
    let start = scanner.position
    let name = try scanner.name(after: "@", "a parameter's name, such as @weight")
    try scanner.expect(":")
    let type = try scanner.tensorType()
    let roleStart = scanner.position
    let word = try scanner.word("'weight', 'buffer' or 'constant'")
    guard let role = Parameter.Role(rawValue: word) else {
      throw scanner.error(.expected("'weight', 'buffer' or 'constant'", found: word), at: roleStart)
    }
    let tensor = scanner.accept("=") ? try parseParameterTensor(type) : nil
    do {
      _ = try assembler.addParameter(name, role: role, type: type, tensor: tensor)
    } catch {
      throw scanner.error(.graph(error), at: start)
    }
  }

  /// A tensor, its type before it if it is not the parameter's own, or `shared @other`.
  private mutating func parseParameterTensor(_ declared: TensorType) throws(TextError) -> Tensor {
    var type = declared
    var ahead = scanner
    if ahead.acceptElementType() != nil { type = try scanner.tensorType() }
    guard scanner.accept(keyword: "shared") else { return try scanner.tensor(type) }
    let start = scanner.position
    let name = try scanner.name(after: "@", "the parameter whose bytes are shared")
    guard let id = assembler.graph.parameterNames[name], let tensor = assembler.graph.parameters[id].tensor,
      tensor.elementType == type.elementType, let shape = type.shape?.sizes
    else { throw scanner.error(.undefined("@" + name, suggestions: []), at: start) }
    return try scanner.attempt(at: start) { () throws(TensorError) in try tensor.reshaped(shape) }
  }
}
