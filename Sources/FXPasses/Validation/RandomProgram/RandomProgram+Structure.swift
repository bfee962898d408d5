import FXCore

/// Moving, selecting and gathering elements.
extension RandomProgram {
  mutating func reshape() throws {
    guard let x = pick(where: { $0.rank <= 4 && $0.magnitude.isFinite }) else { return }
    func keep(_ axes: Range<Int>) -> [Int]? {
      let sizes = axes.map { x.shape[$0].size ?? 0 }
      return axes.allSatisfy { x.shape[$0].size != nil || $0 >= 0 } ? sizes : nil
    }
    var target: [Int]?
    switch random.below(4) {
    case 0: target = [-1]
    case 1 where x.rank >= 2: target = [0, -1]
    case 2 where x.rank >= 2:
      // Two neighbouring axes become one; what follows moves and must be fixed.
      let index = random.below(x.rank - 1)
      let rest = (index + 2..<x.rank).compactMap { x.shape[$0].size }
      if rest.count == x.rank - index - 2 { target = (0..<index).map { x.shape[$0].size ?? 0 } + [-1] + rest }
    default:
      // One fixed axis becomes two.
      if let index = x.shape.indices.first(where: { x.shape[$0].size.map { $0 % 2 == 0 } ?? false }),
        let size = x.shape[index].size
      {
        let rest = (index + 1..<x.rank).compactMap { x.shape[$0].size }
        if rest.count == x.rank - index - 1 { target = (keep(0..<index) ?? []) + [2, size / 2] + rest }
      }
    }
    if let target { try add(.reshape, [x.operand, integers(target)], magnitude: x.magnitude) }
    if random.oneIn(3) { try add(.flatten, [x.operand], ["axis": .int(random.below(x.rank + 1))], magnitude: x.magnitude) }
  }

  mutating func arrange() throws {
    guard let x = pick(where: { $0.magnitude.isFinite }) else { return }
    let m = x.magnitude
    switch random.below(11) {
    case 0, 1:
      var order = Array(0..<x.rank)
      for index in order.indices.reversed() where index > 0 { order.swapAt(index, random.below(index + 1)) }
      let attributes: Attributes = random.oneIn(4) ? [:] : ["perm": .ints(order)]
      guard let y = try add(.transpose, [x.operand], attributes, magnitude: m) else { return }
      if random.oneIn(2) {
        let back = order.indices.map { index in order.firstIndex(of: index) ?? 0 }
        try add(.transpose, [y.operand], random.oneIn(3) ? [:] : ["perm": .ints(back)], magnitude: m)
      }
    case 2: try add(.unsqueeze, [x.operand, integers([axis(x.rank + 1)])], magnitude: m)
    case 3:
      guard let index = x.shape.indices.first(where: { x.shape[$0].size == 1 }) else { return try reshape() }
      try add(.squeeze, [x.operand] + (random.oneIn(3) ? [] : [integers([index])]), magnitude: m)
    case 4: try add(.expand, [x.operand, integers([2] + x.shape.map { _ in 1 })], magnitude: m)
    case 5:
      guard x.rank > 0 else { return }
      let others = (0..<random.below(3)).compactMap { _ in pick { $0.type == x.type }?.operand }
      try add(.concat, [x.operand] + others, ["axis": .int(axis(x.rank))], magnitude: m)
    case 6:
      guard let index = x.shape.indices.last(where: { RandomProgram.leastSize(x.shape[$0]) >= 2 }) else { return }
      if let size = x.shape[index].size, random.oneIn(2) {
        try add(.split, [x.operand, integers([1, size - 1])], ["axis": .int(index)], results: 2, magnitude: m)
      } else {
        try add(.split, [x.operand], ["axis": .int(index), "num_outputs": 2], results: 2, magnitude: m)
      }
    case 7, 8: try slice(x)
    case 9:
      guard x.rank > 0 else { return }
      let mode =
        x.shape.allSatisfy { RandomProgram.leastSize($0) >= 2 }
        ? random.pick(["constant", "edge", "reflect", "wrap"]) : "constant"
      let pads = (0..<2 * x.rank).map { _ in random.below(2) }
      try add(.pad, [x.operand, integers(pads)], ["mode": .string(mode)], magnitude: m)
    default: try add(.tile, [x.operand, integers(x.shape.map { _ in 1 + random.below(2) })], magnitude: m)
    }
  }

  private mutating func slice(_ x: Value) throws {
    guard x.rank > 0 else { return }
    let index = axis(x.rank)
    let least = max(1, RandomProgram.leastSize(x.shape[index < 0 ? index + x.rank : index]))
    let (start, end, step): (Int, Int, Int) = random.pick([
      (0, Int(Int32.max), 1), (0, least, 1), (least - 1, Int(Int32.max), 1), (0, Int(Int32.max), 2), (-1, Int(Int32.min), -1),
      (-least, Int(Int32.max), 1), (0, 1, 1),
    ])
    var operands = [x.operand, integers([start]), integers([end]), integers([index])]
    if step != 1 || random.oneIn(2) { operands.append(integers([step])) }
    try add(.slice, operands, magnitude: x.magnitude)
  }

  /// Sizes as values: what exporters write where a size is not fixed.
  mutating func sizes() throws {
    guard let x = pick(where: { $0.rank > 0 && $0.magnitude.isFinite }) else { return }
    switch random.below(5) {
    case 0:
      guard let shape = try add(.shape, [x.operand], magnitude: 100) else { return }
      try add(
        .constantOfShape, [shape.operand], ["value": .tensor(try Tensor(element, [1], numbers: .floats([0.5])))], magnitude: 1)
    case 1: try add(.size, [x.operand], magnitude: 1000)
    case 2:
      // reshape(x, concat(gather(shape(x), 0), −1))
      guard let shape = try call(.shape, [x.operand], magnitude: 100)?.first,
        let first = try call(.gather, [shape.operand, integers([0])], magnitude: 100)?.first,
        let target = try call(.concat, [first.operand, integers([-1])], ["axis": 0], magnitude: 100)?.first
      else { return }
      try add(.reshape, [x.operand, target.operand], magnitude: x.magnitude)
    case 3:
      guard let shape = try call(.shape, [x.operand], ["start": 0, "end": 1], magnitude: 100)?.first,
        let count = try call(.squeeze, [shape.operand], magnitude: 100)?.first
      else { return }
      try add(.range, [integer(0), count.operand, integer(1)], magnitude: 100)
    default:
      guard let like = try call(.shape, [x.operand], magnitude: 100)?.first else { return }
      try add(.expand, [try weight([]).operand, like.operand], magnitude: 1)
    }
  }

  mutating func indexing() throws {
    guard let x = pick(where: { $0.rank > 0 && $0.magnitude.isFinite && $0.type.elementType != .bool }) else { return }
    let m = x.magnitude
    let index = random.below(x.rank)
    let least = RandomProgram.leastSize(x.shape[index])
    guard least > 0 else { return try unique(x) }
    switch random.below(12) {
    case 0, 1:
      if least >= 2, let chosen = pick(where: { $0.isIndex && $0.rank <= 2 }) {
        try add(.gather, [x.operand, chosen.operand], ["axis": .int(index)], magnitude: m)
      } else {
        let places = try indices(random.oneIn(3) ? [] : [1 + random.below(3)], below: least)
        try add(.gather, [x.operand, places], ["axis": .int(index)], magnitude: m)
      }
    case 2:
      guard let sizes = x.sizes else { return }
      try add(.gatherElements, [x.operand, indices(sizes, below: least)], ["axis": .int(index)], magnitude: m)
    case 3: try add(.gatherND, [x.operand, indices([2, 1], below: max(1, RandomProgram.leastSize(x.shape[0])))], magnitude: m)
    case 4:
      guard x.isFloat, x.type.elementType == element, let sizes = x.sizes else { return }
      let updates = try weight(sizes)
      let reduction = random.pick(["none", "add", "min", "max"])
      // Places that are written twice have no defined order.
      let places = try reduction == "none" ? iota(sizes, along: index) : indices(sizes, below: least)
      try add(
        .scatterElements, [x.operand, places, updates.operand], ["axis": .int(index), "reduction": .string(reduction)],
        magnitude: m + Double(least))
    case 5:
      guard x.isFloat, x.type.elementType == element, let sizes = x.sizes else { return }
      let updates = try weight([1] + sizes.dropFirst())
      try add(
        .scatterND, [x.operand, indices([1, 1], below: sizes[0]), updates.operand],
        ["reduction": .string(random.pick(["none", "add"]))], magnitude: m + 0.5)
    case 6: try add(.nonzero, [x.operand], magnitude: 100)
    case 7:
      let flags = Tensor(vector: (0..<least).map { _ in random.oneIn(2) })
      try add(.compress, [x.operand, .parameter(graph.addConstant(flags))], ["axis": .int(index)], magnitude: m)
    case 8:
      guard let chosen = pick(where: \.isIndex) else { return try unique(x) }
      let pair = try Tensor(element, [2], numbers: .floats([0, 1]))
      try add(.oneHot, [chosen.operand, integer(3), .parameter(graph.addConstant(pair))], magnitude: 1)
    case 9:
      guard x.isFloat else { return }
      try add(
        .topK, [x.operand, integers([1 + random.below(least)])], ["axis": .int(index), "largest": .bool(random.oneIn(2))],
        results: 2, magnitude: max(m, 10))
    case 10:
      guard x.rank >= 2 else { return try unique(x) }
      try add(.trilu, [x.operand, integer(random.below(3) - 1)], ["upper": .bool(random.oneIn(2))], magnitude: m)
      if x.rank == 2 { try add(.eyeLike, [x.operand], magnitude: 1) }
    default:
      guard x.rank == 3 || x.rank == 4, let sizes = x.sizes, x.isFloat, x.type.elementType == element else {
        return try unique(x)
      }
      try add(
        .tensorScatter, [x.operand, weight(sizes.enumerated().map { $0.offset == x.rank - 2 ? 1 : $0.element }).operand],
        magnitude: m)
    }
  }

  private mutating func unique(_ x: Value) throws {
    // Numbers that rounding tells apart, or does not, are no fair question.
    guard ElementTypes.index.contains(x.type.elementType) else { return }
    try add(.unique, [x.operand], results: 1 + random.below(4), magnitude: max(x.magnitude, 100))
  }

  /// Each place's coordinate along an axis.
  private mutating func iota(_ sizes: [Int], along axis: Int) throws -> Operand {
    let inner = sizes[(axis + 1)...].reduce(1, *)
    let numbers = (0..<sizes.reduce(1, *)).map { Int64($0 / inner % sizes[axis]) }
    return .parameter(graph.addConstant(try Tensor(.int64, sizes, numbers: .signed(numbers))))
  }

  mutating func images() throws {
    let x = try float(in: .within(10), rank: 4...4)
    let m = x.magnitude
    switch random.below(5) {
    case 0:
      guard x.shape[1].size.map({ $0 % 4 == 0 }) ?? false else { return }
      try add(.depthToSpace, [x.operand], ["blocksize": 2, "mode": .string(random.pick(["DCR", "CRD"]))], magnitude: m)
    case 1:
      guard x.shape.dropFirst(2).allSatisfy({ $0.size.map { $0 % 2 == 0 } ?? false }) else { return }
      try add(.spaceToDepth, [x.operand], ["blocksize": 2], magnitude: m)
    case 2:
      let scales = Tensor(vector: [1, 1, random.pick([2, 1, 0.5]), random.pick([2, 1.5])] as [Float])
      try add(
        .resize, [x.operand, .none, .parameter(graph.addConstant(scales))],
        ["mode": .string(random.pick(["nearest", "linear", "cubic"]))],
        magnitude: 2 * m)
    case 3: try add(.centerCropPad, [x.operand, integers([3, 3])], ["axes": .ints([2, 3])], magnitude: m)
    default:
      guard let count = x.shape[0].size else { return }
      let theta = try weight([count, 2, 3])
      guard let grid = try add(.affineGrid, [theta.operand, integers([count, 1, 2, 3])], magnitude: 2) else { return }
      try add(.gridSample, [x.operand, grid.operand], ["mode": .string(random.pick(["linear", "nearest"]))], magnitude: m)
    }
  }

  mutating func sequences() throws {
    guard let x = pick(where: { $0.rank > 0 && $0.magnitude.isFinite && $0.type.elementType != .bool }) else { return }
    let end = InsertionPoint.end(of: region)
    func make(_ op: Operator, _ operands: [Operand], _ attributes: Attributes = [:]) throws -> Operand {
      .value(try graph.call(op, operands, attributes: attributes, type: .sequence(.tensor(x.type)), at: end))
    }
    let other = pick { $0.type == x.type } ?? x
    var sequence: Operand
    if random.oneIn(5) {
      sequence = try make(.sequenceEmpty, [], ["dtype": .elementType(x.type.elementType)])
      sequence = try make(.sequenceInsert, [sequence, x.operand])
    } else {
      sequence = try make(.sequenceConstruct, [x.operand, other.operand])
    }
    if random.oneIn(3) { sequence = try make(.sequenceInsert, [sequence, other.operand, integer(0)]) }
    if random.oneIn(5) {
      sequence = try make(.sequenceErase, [make(.sequenceInsert, [sequence, x.operand])])
    }
    switch random.below(3) {
    case 0: try add(.sequenceAt, [sequence, integer(0)], magnitude: max(x.magnitude, other.magnitude))
    case 1: try add(.sequenceLength, [sequence], magnitude: 4)
    default: try add(.concatFromSequence, [sequence], ["axis": 0], magnitude: max(x.magnitude, other.magnitude))
    }
  }
}
