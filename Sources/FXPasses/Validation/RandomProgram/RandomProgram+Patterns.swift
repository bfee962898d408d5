import FXCore

/// What passes look for, as exporters write it; and which recipe comes how often.
extension RandomProgram {
  static let recipes: [@Sendable (inout RandomProgram) throws -> Void] = [
    { try $0.unary() }, { try $0.unary() }, { try $0.unary() }, { try $0.binary() }, { try $0.binary() }, { try $0.binary() },
    { try $0.scalar() }, { try $0.scalar() }, { try $0.cast() }, { try $0.integerArithmetic() }, { try $0.comparison() },
    { try $0.reshape() }, { try $0.reshape() }, { try $0.arrange() }, { try $0.arrange() }, { try $0.arrange() },
    { try $0.sizes() }, { try $0.indexing() }, { try $0.indexing() }, { try $0.images() }, { try $0.sequences() },
    { try $0.reduction() }, { try $0.reduction() }, { try $0.product() }, { try $0.product() }, { try $0.product() },
    { try $0.convolution() }, { try $0.convolution() }, { try $0.pooling() }, { try $0.normalization() },
    { try $0.normalization() }, { try $0.attention() }, { try $0.recurrent() }, { try $0.quantization() }, { try $0.loss() },
    { try $0.signal() }, { try $0.randomness() }, { try $0.control() }, { try $0.control() }, { try $0.pattern() },
    { try $0.pattern() }, { try $0.pattern() }, { try $0.repetition() },
  ]

  mutating func pattern() throws {
    let x = try tamed(own(), .within(6))
    let m = x.magnitude
    func next(_ op: Operator, _ operands: [Operand], _ attributes: Attributes = [:]) throws -> Operand? {
      try call(op, operands, attributes, magnitude: m)?.first?.operand
    }
    switch random.below(8) {
    case 0:
      // x · (1 + erf(x ÷ √2)) · 1/2, the factors in one of the orders that exporters choose.
      guard let scaled = try next(.div, [x.operand, number(2.0.squareRoot(), like: x)]), let erf = try next(.erf, [scaled]),
        let one = try next(.add, [erf, number(1, like: x)]), let half = try next(.mul, [x.operand, number(0.5, like: x)])
      else { return }
      if random.oneIn(2) {
        try add(.mul, [half, one], magnitude: m)
      } else {
        guard let product = try next(.mul, [x.operand, one]) else { return }
        try add(.mul, [product, number(0.5, like: x)], magnitude: m)
      }
    case 1:
      guard let gate = try next(.sigmoid, [x.operand]) else { return }
      try add(.mul, random.oneIn(2) ? [x.operand, gate] : [gate, x.operand], magnitude: m)
    case 2:
      guard let gate = try next(.hardSigmoid, [x.operand], ["alpha": .float(1 / 6)]) else { return }
      try add(.mul, [x.operand, gate], magnitude: m)
    case 3:
      // Layer normalization in parts.
      guard let width = x.shape.last?.size, x.rank > 0,
        let mean = try next(.reduceMean, [x.operand, integers([-1])]), let centred = try next(.sub, [x.operand, mean]),
        let square = try random.oneIn(2) ? next(.pow, [centred, number(2, like: x)]) : next(.mul, [centred, centred]),
        let variance = try next(.reduceMean, [square, integers([-1])]),
        let shifted = try next(.add, [variance, number(0.015625, like: x)]), let root = try next(.sqrt, [shifted]),
        let ratio = try next(.div, [centred, root]), let scaled = try next(.mul, [ratio, weight([width]).operand])
      else { return }
      try add(.add, [scaled, weight([width]).operand], magnitude: 4)
    case 4:
      // A product, what is added to it, an activation.
      guard let depth = x.shape.last?.size, x.rank >= 2,
        let y = try call(.matmul, [x.operand, weight([depth, depth]).operand], magnitude: 4 * m)?.first,
        let z = try next(.add, random.oneIn(2) ? [y.operand, weight([depth]).operand] : [y.operand, x.operand])
      else { return }
      try add(random.pick([.relu, .gelu, .tanh, .silu, .sigmoid]), [z], magnitude: 5 * m)
    case 5:
      // Reshaped, turned, and back.
      guard x.rank == 3, let width = x.shape[2].size, width % 2 == 0,
        let heads = try next(.reshape, [x.operand, integers([0, 0, 2, width / 2])]),
        let turned = try next(.transpose, [heads], ["perm": .ints([0, 2, 1, 3])]),
        let back = try next(.transpose, [turned], ["perm": .ints([0, 2, 1, 3])])
      else { return try reshape() }
      try add(.reshape, [back, integers([0, 0, width])], magnitude: m)
    case 6:
      // A chain of casts, and of neutral calls.
      guard let same = try next(.identity, [x.operand]), let cast = try next(.cast, [same], ["to": .elementType(element)])
      else { return }
      try add(.mul, [cast, number(1, like: x)], magnitude: m)
    default:
      // Things known before any input is.
      let a = try weight([2, 2])
      guard let b = try next(.transpose, [a.operand]), let c = try next(.matmul, [a.operand, b]) else { return }
      try add(.add, [c, weight([2, 2]).operand], magnitude: 2)
    }
  }

  /// An earlier call once more, on the same operands.
  mutating func repetition() throws {
    let nodes = try graph.nodes(in: region)
    guard !nodes.isEmpty else { return }
    let node = try graph[nodes[random.below(nodes.count)]]
    guard node.regions.isEmpty, node.op.isPure, let value = node.results.first,
      try graph.type(of: value).tensorType != nil
    else { return }
    let magnitude = values.first { $0.operand == .value(value) }?.magnitude ?? .infinity
    let isSwapped = node.op.has(.commutative) && node.operands.count == 2 && random.oneIn(2)
    try add(
      node.op, isSwapped ? node.operands.reversed() : node.operands, node.attributes, results: node.results.count,
      magnitude: magnitude)
  }
}
