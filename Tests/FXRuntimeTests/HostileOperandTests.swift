import FXCore
import FXRuntime
import FXShapes
import Testing

/// Random calls of every operator without regions: whatever operands and attributes they get, they give results or throw.
@Suite struct HostileOperandTests {
  static let integers = [0, 1, 2, 3, -1, -2, 5, .max, .min, 1 << 40, -(1 << 40), Int(Int32.max), .max - 1]
  static let floats: [Double] = [0, 1, -1, 0.5, 2, -0.5, .nan, .infinity, -.infinity, 1e30, 1e-30]

  @Test(arguments: 0..<12) func callsThrowAndNeverTrap(_ seed: Int) throws {
    var random = SplitMix(state: UInt64(seed))
    for op in OperatorTable.standard.operators {
      guard let schema = op.schema, schema.regions.isEmpty, !op.has(.terminator) else { continue }
      for _ in 0..<24 {
        // Half of the calls are nearly sensible, so that they get past the first check.
        let isMild = Bool.random(using: &random)
        guard let (graph, inputs) = try? call(op, schema, isMild, &random) else { continue }
        var inferred = graph
        let types = try? { try ShapeInference().run(&inferred) }()
        guard let results = try? ReferenceExecutor().run(graph, inputs: inputs), types != nil else { continue }
        for (output, result) in zip(inferred.outputs, results) {
          guard case .tensor(let type) = inferred.type(of: output), let tensor = result.tensor else { continue }
          #expect(type.admits(tensor.type), "\(op): inferred \(type), result \(tensor.type)")
        }
      }
    }
  }

  private func call(
    _ op: Operator, _ schema: OperatorSchema, _ isMild: Bool, _ random: inout SplitMix
  ) throws -> (Graph, [RuntimeValue]) {
    var graph = Graph()
    var inputs: [RuntimeValue] = []
    var operands: [Operand] = []
    var types: [String: ElementType] = [:]
    let shape = shape(isMild, &random)
    for specification in schema.operands {
      let count = specification.arity == .variadic ? Int.random(in: 0...3, using: &random) : 1
      for _ in 0..<count {
        if specification.arity == .optional, Bool.random(using: &random) {
          operands.append(.none)
          continue
        }
        let allowed = (schema.typeVariables[specification.typeVariable] ?? .any).types
        let type = types[specification.typeVariable] ?? allowed.randomElement(using: &random) ?? .float32
        types[specification.typeVariable] = type
        let isIndex = !schema.operands.isEmpty && specification.typeVariable != schema.operands[0].typeVariable
        let ownShape = isIndex ? [[], [1], [2], [shape.count]].randomElement(using: &random) ?? [] : shape
        let tensor = try tensor(type, Bool.random(using: &random) ? ownShape : self.shape(isMild, &random), isMild, &random)
        if Bool.random(using: &random) {
          operands.append(.parameter(graph.addConstant(tensor)))
        } else {
          operands.append(.value(try graph.addInput("x\(inputs.count)", .tensor(tensor.type))))
          inputs.append(.tensor(tensor))
        }
      }
    }
    var attributes = Attributes()
    for specification in schema.attributes where specification.isRequired || Int.random(in: 0..<3, using: &random) == 0 {
      attributes[specification.name] = attribute(specification, shape.count, isMild, &random)
    }
    let most = min(schema.resultCount.upperBound, 4)
    let results = Int.random(in: min(schema.resultCount.lowerBound, most)...most, using: &random)
    let node = try graph.append(op, operands, attributes: attributes, results: Array(repeating: .unknown, count: results))
    for (index, result) in try graph[node].results.enumerated() { try graph.addOutput(result, name: "y\(index)") }
    return (graph, inputs)
  }

  private func shape(_ isMild: Bool, _ random: inout SplitMix) -> [Int] {
    var shape = (0..<Int.random(in: 0...5, using: &random)).map { _ in Int.random(in: isMild ? 1...3 : 0...3, using: &random) }
    // An empty tensor may have any other size.
    if !isMild, let zero = shape.firstIndex(of: 0), let other = shape.indices.first(where: { $0 != zero }) {
      shape[other] = [1 << 40, 1 << 62, 3].randomElement(using: &random) ?? 3
    }
    return shape
  }

  private func tensor(_ type: ElementType, _ shape: [Int], _ isMild: Bool, _ random: inout SplitMix) throws -> Tensor {
    let count = try Tensor.elementCount(of: shape, type)
    if type == .string {
      return try Tensor(shape, strings: (0..<count).map { _ in ["", "a", "b c", "é"].randomElement(using: &random) ?? "" })
    }
    if type.isComplex { return try Tensor(zeros: type, shape) }
    if type.isFloatingPoint {
      let numbers = (0..<count).map { _ in
        isMild ? Double.random(in: -2...2, using: &random) : Self.floats.randomElement(using: &random) ?? 0
      }
      return try Tensor(type, shape, numbers: .floats(numbers))
    }
    return try Tensor(type, shape, numbers: .signed((0..<count).map { _ in Int64(integer(isMild, &random)) }))
  }

  private func integer(_ isMild: Bool, _ random: inout SplitMix) -> Int {
    isMild ? Int.random(in: -1...3, using: &random) : Self.integers.randomElement(using: &random) ?? 0
  }

  private func attribute(
    _ specification: AttributeSpecification, _ rank: Int, _ isMild: Bool, _ random: inout SplitMix
  ) -> AttributeValue {
    let count = [rank, max(rank - 2, 0), 2 * max(rank - 2, 0), 1, 0, 2].randomElement(using: &random) ?? 0
    switch specification.kind {
    case .bool: return .bool(Bool.random(using: &random))
    case .int: return .int(integer(isMild, &random))
    case .float: return .float(Float(Self.floats.randomElement(using: &random) ?? 0))
    case .string: return .string(specification.allowed.randomElement(using: &random) ?? "a")
    case .ints: return .ints((0..<count).map { _ in isMild ? Int.random(in: 0...3, using: &random) : integer(false, &random) })
    case .floats: return .floats((0..<count).map { _ in Float(Self.floats.randomElement(using: &random) ?? 0) })
    case .strings: return .strings((0..<count).map { _ in ["Tanh", "Affine", "", "a"].randomElement(using: &random) ?? "" })
    case .elementType: return .elementType(ElementType.allCases.randomElement(using: &random) ?? .float32)
    case .tensor: return .tensor(Tensor(vector: [Float](repeating: 1, count: Int.random(in: 0...2, using: &random))))
    case .type: return .type(.tensor(.float32, nil))
    case .types, .tensors: return .types([])
    }
  }
}

/// Steele, Lea and Flood 2014: a small generator whose whole state is the seed.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
