import FXCore
import FXShapes

/// Draws inputs for a graph from their types: the same inputs for the same seed, on every machine.
///
/// Floating-point elements are uniform in [−1, 1), integers in 0 ..< `integerLimit`, Booleans fair, strings decimal
/// numbers. A dimension symbol gets one size for all inputs; where the graph bounds or
/// constrains it, a size that is allowed.
public struct InputSampler: Sendable {
  /// What the numbers follow from; samples of one seed differ too.
  public var seed: UInt64
  /// Sizes for dimension symbols, in place of those chosen here.
  public var sizes: [String: Int]
  /// Values for inputs by name, in place of drawn ones.
  public var values: [String: RuntimeValue]
  /// What drawn integers are below: small, since most integer inputs are indices.
  public var integerLimit: Int
  /// The size of a symbol without bounds, and of a dimension of which nothing is known.
  public var defaultSize: Int

  /// Draws everything, with seed 0, integers 0 and 1, and sizes of 2, unless told otherwise.
  public init(
    seed: UInt64 = 0, sizes: [String: Int] = [:], values: [String: RuntimeValue] = [:], integerLimit: Int = 2,
    defaultSize: Int = 2
  ) {
    self.seed = seed
    self.sizes = sizes
    self.values = values
    self.integerLimit = integerLimit
    self.defaultSize = defaultSize
  }

  /// One value per input, in order.
  /// - Parameter sample: which of several draws.
  /// - Throws: `InputSamplingError` for an input of which too little is known; `TensorError`.
  public func inputs(of graph: Graph, sample: Int = 0) throws -> [RuntimeValue] {
    var sizes = sizes(keeping: graph)
    var generator = SplitMix64(state: seed &+ UInt64(truncatingIfNeeded: sample) &* 0x9E37_79B9_7F4A_7C15)
    return try graph.inputs.map { input in
      let name = graph.name(of: input)
      if let value = values[name] { return value }
      return try value(of: graph.type(of: input), name, graph, &sizes, &generator)
    }
  }

  /// The sizes given, and where the graph constrains symbols some that keep the constraints, near the default if possible.
  private func sizes(keeping graph: Graph) -> [String: Int] {
    guard !graph.constraints.isEmpty, var context = try? DynamicShapeInferenceContext(graph) else { return sizes }
    var names: Set<String> = []
    for constraint in graph.constraints { names.formUnion(constraint.left.symbols.union(constraint.right.symbols)) }
    for name in names.sorted() {
      let symbol = Dimension(symbol: name)
      let wanted = sizes[name] ?? (graph.symbols[name] ?? SymbolBounds()).size(near: defaultSize)
      // What the constraints do not allow is left to them, if only it is not empty.
      if (try? context.addConstraint(.equal(symbol, Dimension(wanted)))) == nil {
        try? context.addConstraint(.greaterOrEqual(symbol, 1))
      }
    }
    return sizes.merging(context.validateConstraints().witness ?? [:]) { given, _ in given }
  }

  private func value(
    of type: ValueType, _ name: String, _ graph: Graph, _ sizes: inout [String: Int], _ generator: inout SplitMix64
  ) throws -> RuntimeValue {
    switch type {
    case .tensor(let type):
      guard let shape = type.shape else { throw InputSamplingError.unknownRank(name) }
      let fixed = try shape.map { try size(of: $0, name, graph, &sizes) }
      return .tensor(try tensor(type.elementType, fixed, &generator))
    case .sequence(let element):
      return .sequence([try value(of: element, name, graph, &sizes, &generator)], element: element)
    case .optional(let wrapped):
      return .optional(try value(of: wrapped, name, graph, &sizes, &generator), wrapped: wrapped)
    case .map, .unknown: throw InputSamplingError.unknownType(name, type)
    }
  }

  private func size(
    of dimension: Dimension, _ input: String, _ graph: Graph, _ sizes: inout [String: Int]
  ) throws -> Int {
    if let size = dimension.size { return size }
    if dimension.isUnknown { return defaultSize }
    for symbol in dimension.symbols.sorted() where sizes[symbol] == nil {
      sizes[symbol] = (graph.symbols[symbol] ?? SymbolBounds()).size(near: defaultSize)
    }
    guard let size = dimension.evaluate(sizes), size >= 0 else {
      throw InputSamplingError.badDimension(input, dimension)
    }
    return size
  }

  private func tensor(_ type: ElementType, _ shape: [Int], _ generator: inout SplitMix64) throws -> Tensor {
    let count = try Tensor.elementCount(of: shape, type)
    switch type {
    case .string:
      return try Tensor(shape, strings: (0..<count).map { _ in String(generator.integer(below: integerLimit)) })
    case .complex64: return try Tensor(shape + [2], (0..<2 * count).map { _ in Float(generator.unit()) }).asComplex(shape)
    case .complex128: return try Tensor(shape + [2], (0..<2 * count).map { _ in generator.unit() }).asComplex(shape)
    case .bool: return try Tensor(type, shape, numbers: .signed((0..<count).map { _ in generator.integer(below: 2) }))
    case _ where type.isInteger:
      return try Tensor(
        type, shape, numbers: .signed((0..<count).map { _ in generator.integer(below: integerLimit) }))
    default: return try Tensor(type, shape, numbers: .floats((0..<count).map { _ in generator.unit() }))
    }
  }
}

/// Why inputs cannot be drawn.
public enum InputSamplingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The input of this name is a tensor of unknown rank.
  case unknownRank(String)
  /// The input of this name is a map, or nothing is known of it.
  case unknownType(String, ValueType)
  /// The input of this name has a dimension that has no size, or a negative one, for the sizes chosen.
  case badDimension(String, Dimension)

  public var description: String {
    switch self {
    case .unknownRank(let input): "the rank of input '\(input)' is unknown: give a value for it"
    case .unknownType(let input, let type): "input '\(input)' is \(type): give a value for it"
    case .badDimension(let input, let dimension):
      "no size was found for the dimension \(dimension) of input '\(input)': give sizes for its symbols"
    }
  }
}

extension SymbolBounds {
  /// The allowed size nearest to `size` that is not 0, if there is one.
  func size(near size: Int) -> Int {
    let divisor = Swift.max(1, divisor)
    var result = Swift.max(size, minimum)
    if let maximum { result = Swift.min(result, maximum) }
    let multiple = result / divisor * divisor
    if multiple >= minimum, multiple > 0 { return multiple }
    // Tensors without elements say little: 0 only where nothing else is allowed.
    if minimum <= 0, let maximum, maximum < divisor { return 0 }
    return multiple + divisor
  }
}

/// Steele, Lea and Flood's generator: one 64-bit state, a number per step.
struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [−1, 1), a multiple of 2⁻⁵².
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-52 - 1 }

  /// Uniform enough for tests in 0 ..< limit.
  mutating func integer(below limit: Int) -> Int64 { Int64(next() >> 33) % Int64(max(1, limit)) }
}

extension Tensor {
  /// Pairs of real and imaginary parts as complex numbers.
  fileprivate func asComplex(_ shape: [Int]) throws -> Tensor {
    try withUnsafeBytes { try Tensor(elementType == .float32 ? .complex64 : .complex128, shape, bytes: $0) }
  }
}
