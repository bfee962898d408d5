import FXCore

/// Nodes that own regions.
extension RandomProgram {
  mutating func control() throws {
    guard depth < depthLimit else { return try unary() }
    switch random.below(7) {
    case 0, 1: try branch()
    case 2: try whileLoop()
    case 3, 4: try loop()
    case 5: try scan()
    default: random.oneIn(2) ? try inlined() : try gradient()
    }
  }

  /// Captures: a floating-point value first.
  private mutating func captures() throws -> [Value] {
    let first = try tamed(float(), .within(4))
    return [first] + (0..<random.below(3)).compactMap { _ in pick { $0.magnitude.isFinite } }
  }

  /// Fills a region, with arguments of these types before the captures.
  /// - Returns: all arguments.
  private mutating func inside<Result>(
    _ region: RegionID, own: [Value], captures: [Value], _ body: (inout RandomProgram, [Value]) throws -> Result
  ) throws -> Result {
    let outer = (self.region, values, depth)
    defer { (self.region, values, depth) = outer }
    self.region = region
    depth += 1
    values = []
    for value in own + captures {
      let argument = try graph.addArgument(to: region, .tensor(value.type))
      values.append(Value(operand: .value(argument), type: value.type, magnitude: value.magnitude, isIndex: value.isIndex))
    }
    return try body(&self, values)
  }

  /// The last value of a type, or a function of `start`, which has it.
  private mutating func last(like start: Value) throws -> Operand {
    let found = values.last { $0.type == start.type && $0.operand != start.operand } ?? start
    return try require(.tanh, [found.operand], magnitude: 1).operand
  }

  private mutating func predicate() throws -> Operand {
    if let flag = pick(where: { $0.type.elementType == .bool && $0.rank == 0 }), random.oneIn(2) { return flag.operand }
    if random.oneIn(3) { return .parameter(graph.addConstant(Tensor(random.oneIn(2)))) }
    let x = try float(in: .within(20))
    guard let mean = try call(.reduceMean, [x.operand], ["keepdims": false], magnitude: 20)?.first,
      let flag = try call(.greater, [mean.operand, number(0, like: mean)], magnitude: 1)?.first
    else { return .parameter(graph.addConstant(Tensor(true))) }
    return flag.operand
  }

  private mutating func keep(_ node: NodeID, magnitude: Double = 5) throws {
    if let made = try finish(node, magnitude: magnitude) { try note(made) }
  }

  private mutating func branch() throws {
    let (predicate, captures) = (try predicate(), try captures())
    let count = 1 + random.below(2)
    let node = try graph.append(
      .cond, [predicate] + captures.map(\.operand), results: Array(repeating: .unknown, count: count), at: .end(of: region),
      location: Location(file: "program", line: 0))
    for inner in try graph[node].regions {
      try inside(inner, own: [], captures: captures) { program, arguments in
        try program.fill(calls: 1 + program.random.below(4))
        var results = [try program.last(like: arguments[0])]
        for _ in 1..<count {
          results.append(program.random.oneIn(3) ? arguments[0].operand : try program.last(like: arguments[0]))
        }
        try program.graph.setResults(of: inner, results)
      }
    }
    try keep(node)
  }

  private mutating func counter() -> Value {
    let start = Tensor(Int64(0))
    return Value(operand: .parameter(graph.addConstant(start)), type: start.type, magnitude: 4)
  }

  private mutating func whileLoop() throws {
    let captures = try captures()
    let states = [counter(), captures[0]]
    let node = try graph.append(
      .whileLoop, (states + captures).map(\.operand), results: states.map { .tensor($0.type) }, at: .end(of: region),
      location: Location(file: "program", line: 0))
    let regions = try graph[node].regions
    try inside(regions[0], own: states, captures: captures) { program, arguments in
      let flag = try program.require(.less, [arguments[0].operand, program.integer(program.random.below(4))], magnitude: 1)
      try program.graph.setResults(of: regions[0], [flag.operand])
    }
    try inside(regions[1], own: states, captures: captures) { program, arguments in
      try program.fill(calls: 1 + program.random.below(3))
      let next = try program.require(.add, [arguments[0].operand, program.integer(1)], magnitude: 4)
      try program.graph.setResults(of: regions[1], [next.operand, program.last(like: arguments[1])])
    }
    try keep(node)
  }

  private mutating func loop() throws {
    let captures = try captures()
    let state = captures[0]
    let flag = Tensor(true)
    let condition = random.oneIn(2) ? Operand.none : .parameter(graph.addConstant(flag))
    let stacks = random.oneIn(2)
    let node = try graph.append(
      .loop, [integer(random.below(4)), condition] + ([state] + captures).map(\.operand), attributes: ["state_count": 1],
      results: Array(repeating: .unknown, count: stacks ? 2 : 1), at: .end(of: region),
      location: Location(file: "program", line: 0))
    let body = try graph[node].regions[0]
    let iteration = Value(operand: .none, type: TensorType(.int64, []), magnitude: 4)
    let going = Value(operand: .none, type: TensorType(.bool, []), magnitude: 1)
    try inside(body, own: [iteration, going, state], captures: captures) { program, arguments in
      try program.fill(calls: 1 + program.random.below(4))
      var going = arguments[1].operand
      if program.random.oneIn(3) {
        going = try program.require(.less, [arguments[0].operand, program.integer(2)], magnitude: 1).operand
      }
      let next = try program.last(like: arguments[2])
      try program.graph.setResults(of: body, [going, next] + (stacks ? [next] : []))
    }
    try keep(node)
  }

  private mutating func scan() throws {
    guard
      let sequence = pick(where: { $0.isFloat && $0.rank >= 1 && $0.magnitude <= 20 && RandomProgram.leastSize($0.shape[0]) > 0 })
    else { return try loop() }
    let captures = try captures()
    let state = captures[0]
    var attributes: Attributes = ["state_count": 1, "num_scan_inputs": 1]
    if random.oneIn(3) { attributes["scan_input_directions"] = .ints([1]) }
    let node = try graph.append(
      .scan, ([state, sequence] + captures).map(\.operand), attributes: attributes, results: [.unknown, .unknown],
      at: .end(of: region), location: Location(file: "program", line: 0))
    let body = try graph[node].regions[0]
    let element = Value(
      operand: .none, type: TensorType(sequence.type.elementType, Shape(Array(sequence.shape.dropFirst()))),
      magnitude: sequence.magnitude)
    try inside(body, own: [state, element], captures: captures) { program, arguments in
      try program.fill(calls: 1 + program.random.below(4))
      try program.graph.setResults(of: body, [program.last(like: arguments[0]), program.last(like: arguments[1])])
    }
    try keep(node)
  }

  private mutating func inlined() throws {
    let captures = try captures()
    let node = try graph.append(
      .call, captures.map(\.operand), results: [.unknown, .unknown], at: .end(of: region),
      location: Location(file: "program", line: 0))
    let body = try graph[node].regions[0]
    try inside(body, own: [], captures: captures) { program, arguments in
      try program.fill(calls: 1 + program.random.below(4))
      try program.graph.setResults(
        of: body, [program.last(like: arguments[0]), program.values[program.values.count - 1].operand])
    }
    try keep(node)
  }

  private mutating func gradient() throws {
    let first = try tamed(float(), .within(3))
    let operands = try [first, weight([], element: first.type.elementType)]
    let node = try graph.append(
      .gradient, operands.map(\.operand), attributes: ["with_respect_to": 2], results: operands.map { .tensor($0.type) },
      at: .end(of: region), location: Location(file: "program", line: 0))
    let body = try graph[node].regions[0]
    try inside(body, own: operands, captures: []) { program, arguments in
      let product = try program.require(.mul, arguments.map(\.operand), magnitude: 3)
      let result = try program.require(program.random.pick([.tanh, .sin, .sigmoid]), [product.operand], magnitude: 1)
      guard let sum = try program.call(.reduceSum, [result.operand], ["keepdims": false], magnitude: 50)?.first else {
        throw RandomProgramError(description: "reduce_sum does not take \(result.type)")
      }
      try program.graph.setResults(of: body, [sum.operand])
    }
    try keep(node)
  }
}
