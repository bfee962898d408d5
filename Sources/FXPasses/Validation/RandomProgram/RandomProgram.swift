import FXCore
import FXShapes

/// Makes random graphs that compute something: what passes and backends are tested with.
///
/// Graphs are valid by construction: operators of all families on operands that fit them, fixed and symbolic sizes, regions,
/// tied weights, unused results, several outputs, and the patterns that passes look for. Values stay finite and of moderate
/// size, so that a difference between two runs is a difference between programs. The same seed gives the same graph on
/// every machine.
///
/// ```swift
/// for seed in 0..<200 {
///   var program = RandomProgram(seed: seed)
///   try PassTrial(executor: ReferenceExecutor()).check(MyPass(), on: program.make(), seed: seed)
/// }
/// ```
public struct RandomProgram {
  /// How many calls the body gets at most, apart from those that keep values in range.
  public var size = 24
  /// How deep regions are nested.
  public var depthLimit = 2

  var random: SplitMix64
  var graph = Graph()
  /// The type that most of the graph's numbers have.
  let element: ElementType
  /// Where calls are added, and what they can use there.
  var region: RegionID
  var values: [Value] = []
  var depth = 0
  private var memory = InferenceMemory()
  private var callCount = 0

  /// A tensor that calls can use.
  struct Value {
    let operand: Operand
    let type: TensorType
    /// A bound of the elements' magnitude, roughly.
    let magnitude: Double
    /// Whether elements are 0 or 1: indices into every axis of two elements.
    var isIndex = false

    var shape: Shape { type.shape ?? [] }
    var rank: Int { shape.rank }
    /// The sizes, if all are fixed.
    var sizes: [Int]? { shape.sizes }
    var isFloat: Bool { ElementTypes.floating.contains(type.elementType) }
  }

  /// - Parameter element: the type of most numbers; drawn from the floating-point types by default.
  public init(seed: UInt64, element: ElementType? = nil) {
    random = SplitMix64(state: seed &* 0xD1B5_4A32_D192_ED03 &+ 1)
    let drawn = random.pick([.float32, .float32, .float32, .float64, .float64, .float64, .float16, .bfloat16] as [ElementType])
    self.element = element ?? drawn
    region = graph.body
  }

  /// A graph.
  /// - Throws: nothing that a user can cause: an error is a mistake of the generator.
  public mutating func make() throws -> Graph {
    try begin()
    try fill(calls: 4 + random.below(size))
    let count = 1 + random.below(4)
    var outputs: [Operand] = []
    for index in 0..<count {
      // The last values depend on most of the others.
      outputs.append(
        index == 0 ? values[values.count - 1].operand : values[values.count - 1 - random.below(values.count)].operand)
    }
    try graph.setResults(of: graph.body, outputs, names: outputs.indices.map { "out\($0)" })
    if random.oneIn(4) { try forgetTypes() }
    return graph
  }

  /// Inputs, some of them with symbolic sizes.
  private mutating func begin() throws {
    graph.symbols["n"] = SymbolBounds(minimum: 2, maximum: 6)
    graph.symbols["m"] = SymbolBounds(minimum: 2, maximum: 6)
    let (n, m) = (Dimension(symbol: "n"), Dimension(symbol: "m"))
    func fixed(_ random: inout SplitMix64) -> Dimension { Dimension(1 + random.below(4)) }
    let (a, b) = (fixed(&random), fixed(&random))
    let shapes: [Shape] = [
      [n, a], [a, b], [n, m, b], [n, a, m], [a, n], [Dimension(2), a, Dimension(4)],
      [n, Dimension(4), Dimension(4), Dimension(4)],
      [n, Dimension(2), Dimension(5), Dimension(5)], [Dimension(4)], [], [n],
    ]
    for index in 0...random.below(3) {
      try addInput("x\(index)", element, random.pick(shapes), magnitude: 1)
    }
    if random.oneIn(3) {
      try addInput("i", .int64, random.pick([[n], [Dimension(3)], [a, b], []]), magnitude: 1, isIndex: true)
    }
    if random.oneIn(5) { try addInput("flag", .bool, [], magnitude: 1) }
  }

  private mutating func addInput(
    _ name: String, _ element: ElementType, _ shape: Shape, magnitude: Double, isIndex: Bool = false
  ) throws {
    let value = try graph.addInput(name, .tensor(element, shape))
    values.append(Value(operand: .value(value), type: TensorType(element, shape), magnitude: magnitude, isIndex: isIndex))
  }

  mutating func fill(calls: Int) throws {
    for _ in 0..<calls { try random.pick(RandomProgram.recipes)(&self) }
  }

  private mutating func forgetTypes() throws {
    for node in graph.bodyNodes {
      for result in try graph[node].results { try graph.setType(of: result, to: .unknown) }
    }
  }

  // MARK: Calls

  /// Adds a call if the operator takes it, and gives its results; `nil` if it does not, or gives too much.
  mutating func call(
    _ op: Operator, _ operands: [Operand], _ attributes: Attributes = [:], results: Int = 1, magnitude: Double
  ) throws -> [Value]? {
    callCount += 1
    let node = try graph.append(
      op, operands, attributes: attributes, results: Array(repeating: .unknown, count: results), at: .end(of: region),
      location: Location(file: "program", line: callCount))
    return try finish(node, magnitude: magnitude)
  }

  /// Types the results of a node, which is taken away again if that fails.
  mutating func finish(_ node: NodeID, magnitude: Double) throws -> [Value]? {
    let results = try graph[node].results
    guard let types = try? ShapeInference().resultTypes(of: node, in: graph, memory: &memory),
      types.allSatisfy({ ($0.tensorType.map(RandomProgram.isSmall)) ?? true })
    else {
      try graph.erase(node)
      return nil
    }
    for (result, type) in zip(results, types) { try graph.setType(of: result, to: type) }
    return zip(results, types).compactMap { result, type in
      guard let type = type.tensorType, type.shape != nil else { return nil }
      return Value(operand: .value(result), type: type, magnitude: magnitude)
    }
  }

  /// Whether a tensor has few elements whatever its symbols are.
  private static func isSmall(_ type: TensorType) -> Bool {
    guard let shape = type.shape, shape.rank <= 5 else { return type.shape == nil }
    return shape.reduce(1) { $0 * max(1, $1.size ?? 6) } <= 1536
  }

  /// Adds a call and keeps its results for later calls.
  @discardableResult
  mutating func add(
    _ op: Operator, _ operands: [Operand], _ attributes: Attributes = [:], results: Int = 1, magnitude: Double
  ) throws -> Value? {
    guard let made = try call(op, operands, attributes, results: results, magnitude: magnitude) else { return nil }
    try note(made)
    return made.first
  }

  /// Keeps values for later calls.
  mutating func note(_ made: [Value]) throws {
    for value in made {
      // Where there are no elements, or only the run tells how many, nothing but that is read of it.
      let isKnown = value.shape.allSatisfy { $0.size != 0 && !$0.isUnknown && $0.symbols.isSubset(of: ["n", "m"]) }
      values += try isKnown ? [value] : call(.size, [value.operand], magnitude: 1000) ?? []
    }
  }
}

extension SplitMix64 {
  mutating func below(_ limit: Int) -> Int { Int(integer(below: limit)) }
  mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
  mutating func pick<C: RandomAccessCollection>(_ choices: C) -> C.Element {
    choices[choices.index(choices.startIndex, offsetBy: below(choices.count))]
  }
}
