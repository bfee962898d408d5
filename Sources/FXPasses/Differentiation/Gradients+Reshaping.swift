import FXCore
import FXTrace

extension GradientRules {
  mutating func addReshaping() {
    for op in [Operator.reshape, .squeeze, .unsqueeze, .flatten] {
      first(op) { dy, context in dy.reshaped(like: context.operand(0)) }
    }
    first(.transpose) { dy, context in
      guard let permutation = context[Transpose.permutation] else { return transpose(dy) }
      return transpose(dy, permutation.indices.sorted { permutation[$0] < permutation[$1] })
    }
    first(.expand) { dy, context in try context.sum(dy, likeOperand: 0) }
    self[.concat] = .cotangents { context in
      guard let dy = context.cotangent() else { return [] }
      let operands = context.node.operands.indices.map { context.operand($0) }
      let axis = try context.axis(context[Concat.axis], of: dy)
      let sizes = operands.map { $0.size(axis) }
      guard let first = sizes.first else { return [] }
      let lengths = sizes.count == 1 ? first : concat(sizes, axis: 0) ?? first
      return context.sweep.writer.call(.split, [dy, lengths], attributes: ["axis": .int(axis)], resultCount: operands.count)
    }
    self[.split] = .cotangents { context in
      let parts = try context.node.results.indices.map { try context.cotangent($0) ?? context.result($0).zeros() }
      return [concat(parts, axis: context[Split.axis])]
    }
    first(.pad) { dy, context in
      if context.needs(2) { throw context.unsupported("the gradient of the padding's value") }
      let (pads, mode) = (context.operand(1), context[Pad.mode])
      let axes: (any SymbolicOperand)? = context.has(3) ? context.operand(3) : nil
      if mode == "constant" { return dy.calling(.pad, pads.calling(.neg), nil, axes) }
      return try context.scatteringPositions(dy) { positions, axis, count in
        // The same padding of the positions along one axis says where each element came from.
        let named = try context.has(3) ? context.integers(3) : nil
        guard !context.has(3) || named != nil else { throw context.unsupported("its axes are not constant") }
        let order = named.map { $0.map { $0 < 0 ? $0 + count : $0 } } ?? Array(0..<count)
        guard let place = order.firstIndex(of: axis) else { return nil }
        let own = pads.calling(.gather, Tensor(vector: [place, place + order.count]))
        return positions.calling(.pad, own, attributes: ["mode": .string(mode)])
      }
    }
    first(.slice) { dy, context in
      let bounds = (1...4).map { context.has($0) ? context.operand($0) : nil }
      let named = try context.has(3) ? context.integers(3) : nil
      guard !context.has(3) || named != nil else { throw context.unsupported("its axes are not constant") }
      return try context.scatteringPositions(dy) { positions, axis, count in
        let order = named.map { $0.map { $0 < 0 ? $0 + count : $0 } } ?? Array(0..<count)
        guard let place = order.firstIndex(of: axis) else { return nil }
        let own = bounds.map { $0?.calling(.gather, Tensor(vector: [place])) }
        guard let start = own[0], let end = own[1] else { return nil }
        return positions.calling(.slice, start, end, Tensor(vector: [0]), own[3])
      }
    }
    // [r₀·s₀, r₁·s₁, …] as [r₀, s₀, r₁, s₁, …], summed over the repeats.
    first(.tile) { dy, context in
      let x = context.operand(0)
      let rank = try context.rank(x)
      let pairs = unsqueeze(context.operand(1), axes: [1])
        .calling(.concat, unsqueeze(x.sizes(), axes: [1]), attributes: ["axis": .int(1)])
      let blocks = dy.calling(.reshape, pairs.calling(.reshape, Tensor(vector: [-1])))
      let sum = blocks.calling(
        .reduceSum, Tensor(vector: (0..<rank).map { 2 * $0 }), attributes: ["keepdims": .bool(false)])
      return sum.reshaped(like: x)
    }
  }
}

extension SymbolicTensor {
  /// The size along an axis, as a vector of one integer.
  func size(_ axis: Int) -> SymbolicTensor {
    if let size = dimension(axis).size { return lift(Tensor(vector: [size])) }
    return calling(.shape, attributes: ["start": .int(axis), "end": .int(axis + 1)])
  }
}

extension GradientContext {
  /// An axis counted from the first.
  func axis(_ axis: Int, of tensor: SymbolicTensor) throws -> Int { axis < 0 ? try axis + rank(tensor) : axis }

  /// The cotangent of an operand of which a call picks positions along each axis: what was picked several times is summed.
  /// - Parameter picked: the positions that are left, or come, from 0, 1, 2, … along an axis; `nil` if all are.
  func scatteringPositions(
    _ dy: SymbolicTensor, _ picked: (_ positions: SymbolicTensor, _ axis: Int, _ rank: Int) throws -> SymbolicTensor?
  ) throws -> SymbolicTensor {
    let x = operand(0)
    let rank = try rank(x)
    var result = dy
    for axis in 0..<rank {
      let count = squeeze(x.size(axis), axes: [0])
      let all = x.lift(Tensor(0)).calling(.range, count, Tensor(1))
      guard let positions = try picked(all, axis, rank) else { continue }
      // The axis leads while its positions are added up.
      var order = Array(0..<rank)
      order.swapAt(0, axis)
      let front = axis == 0 ? result : transpose(result, order)
      let rest = rank == 1 ? nil : front.calling(.shape, attributes: ["start": .int(1)])
      let sizes = rest.map { x.size(axis).calling(.concat, $0, attributes: ["axis": .int(0)]) } ?? x.size(axis)
      let zero = try Tensor(result.elementType ?? .float32, [1], numbers: .floats([0]))
      let empty = sizes.calling(.constantOfShape, attributes: ["value": .tensor(zero)])
      let sum = empty.calling(
        .scatterND, unsqueeze(positions, axes: [1]), front, attributes: ["reduction": .string("add")])
      result = axis == 0 ? sum : transpose(sum, order)
    }
    return result.reshaped(like: x)
  }
}
