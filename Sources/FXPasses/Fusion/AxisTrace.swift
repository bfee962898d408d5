import FXCore

/// How the axes of a value lie in the values that it is a rearrangement of: what exporters write around attention, where heads
/// are split off, moved, and folded into other axes.
///
/// The axes of the first value are atoms. Going back through transposes and reshapes, each axis is the list of atoms that it
/// is made of; a reshape that takes an atom apart makes several of it. Sizes of 1 are no atoms.
struct AxisTrace {
  /// A value on the way, and the atoms of each of its axes.
  struct Point {
    let operand: Operand
    var axes: [[Int]]
    /// How many transposes lie between the point and the first value.
    let transposes: Int
  }

  /// From the first value back.
  private(set) var points: [Point] = []
  /// What the elements are multiplied by on the way.
  private(set) var factor = 1.0
  /// Of the atoms.
  private(set) var sizes: [Dimension]
  /// What atoms were taken apart into.
  private var parts: [Int: [Int]] = [:]

  /// - Parameters:
  ///   - sizes: the sizes of the atoms.
  ///   - atoms: which atom each axis of the operand is.
  ///   - passesFactors: whether the way goes on through products with a number.
  init(_ operand: Operand, sizes: [Dimension], atoms: [Int], passesFactors: Bool = false, in graph: Graph) {
    self.sizes = sizes
    points = [Point(operand: operand, axes: atoms.map { sizes[$0].size == 1 ? [] : [$0] }, transposes: 0)]
    while let point = points.last, let node = graph.call(producing: point.operand),
      node.results.first.map(Operand.value) == point.operand
    {
      switch node.op {
      case .transpose:
        guard let rank = graph.type(of: node.operands[0]).shape?.rank, rank == point.axes.count else { return }
        let permutation = node[Transpose.permutation] ?? (0..<rank).reversed()
        guard permutation.sorted() == Array(0..<rank) else { return }
        var axes = [[Int]](repeating: [], count: rank)
        for (to, from) in permutation.enumerated() { axes[from] = point.axes[to] }
        points.append(Point(operand: node.operands[0], axes: axes, transposes: point.transposes + 1))
      case .reshape, .flatten, .squeeze, .unsqueeze:
        guard let shape = graph.type(of: node.operands[0]).shape, let axes = regroup(point.axes, as: shape) else { return }
        points.append(Point(operand: node.operands[0], axes: axes, transposes: point.transposes))
      case .mul where passesFactors, .div where passesFactors:
        guard let (scaled, number) = graph.scaling(node), number.isFinite, number != 0,
          graph.type(of: scaled) == graph.type(of: point.operand)
        else { return }
        factor *= number
        // Points before this one hold scaled elements.
        points = [Point(operand: scaled, axes: point.axes, transposes: point.transposes)]
      default: return
      }
    }
  }

  /// The atoms that stand for atoms now.
  func current(_ atoms: [Int]) -> [Int] { atoms.flatMap { parts[$0].map(current) ?? [$0] } }

  /// The atoms in their order, cut into the axes of a shape; `nil` if they do not fit.
  private mutating func regroup(_ axes: [[Int]], as shape: Shape) -> [[Int]]? {
    let before = self
    var atoms = Array(axes.joined().reversed())
    var result: [[Int]] = []
    for size in shape {
      guard !size.isUnknown else { return nil }
      var group: [Int] = []
      var product = Dimension(1)
      while product != size {
        guard var next = atoms.popLast() else {
          self = before
          return nil
        }
        if let wanted = size.size, let now = product.size, let whole = sizes[next].size, now > 0, wanted > 0,
          now * whole > wanted,
          wanted % now == 0, whole % (wanted / now) == 0
        {
          let (first, second) = split(next, wanted / now)
          atoms.append(second)
          next = first
        }
        group.append(next)
        product = product * sizes[next]
      }
      result.append(group)
    }
    guard atoms.isEmpty else {
      self = before
      return nil
    }
    return result
  }

  /// Makes two atoms of one.
  private mutating func split(_ atom: Int, _ size: Int) -> (Int, Int) {
    let (first, second) = (sizes.count, sizes.count + 1)
    sizes += [Dimension(size), sizes[atom] / Dimension(size)]
    parts[atom] = [first, second]
    for index in points.indices {
      points[index].axes = points[index].axes.map { axis in axis.flatMap { $0 == atom ? [first, second] : [$0] } }
    }
    return (first, second)
  }
}

/// Calls that turn a value into one with other axes: a transpose, a reshape, both or none.
struct Rearrangement {
  let operand: Operand
  /// `nil` if the axes are in order.
  let permutation: [Int]?
  /// The shape that results.
  let shape: Shape
  /// What `reshape` is given; `nil` if the shape is there already.
  let target: [Int]?
  /// How many calls it takes, those that the operand is still behind included; one that moves elements counts for ten.
  let cost: Int

  /// How many calls it makes.
  var callCount: Int { (permutation == nil ? 0 : 1) + (target == nil ? 0 : 1) }
}

extension AxisTrace {
  /// The cheapest way from one of the points to a value whose axes are these lists of atoms; `nil` if there is none.
  func rearrangement(to axes: [[Int]], in graph: Graph) -> Rearrangement? {
    points.compactMap { rearrangement(of: $0, to: axes, in: graph) }.min { $0.cost < $1.cost }
  }

  func rearrangement(of point: Point, to axes: [[Int]], in graph: Graph) -> Rearrangement? {
    guard let shape = graph.type(of: point.operand).shape else { return nil }
    return rearrangement(of: point, shape, to: axes)
  }

  /// - Parameter now: the point's shape.
  func rearrangement(of point: Point, _ now: Shape, to axes: [[Int]]) -> Rearrangement? {
    let axes = axes.map(current)
    let shape = Shape(axes.map { $0.reduce(Dimension(1)) { $0 * sizes[$1] } })
    let wanted = axes.flatMap(\.self).filter { sizes[$0].size != 1 }
    let found = point.axes.map { $0.filter { sizes[$0].size != 1 } }
    var (permutation, moved): ([Int]?, Shape) = (nil, now)
    if found.flatMap(\.self) != wanted {
      // Axes go where their first atom goes; those without atoms stay in front.
      func place(_ axis: Int) -> Int { found[axis].first.flatMap { wanted.firstIndex(of: $0) } ?? -1 }
      let order = found.indices.sorted { place($0) != place($1) ? place($0) < place($1) : $0 < $1 }
      guard order.flatMap({ found[$0] }) == wanted else { return nil }
      permutation = order
      moved = Shape(order.map { now[$0] })
    }
    let left = (points.last?.transposes ?? 0) - point.transposes
    let cost = 10 * (left + (permutation == nil ? 0 : 1))
    if moved == shape {
      return Rearrangement(operand: point.operand, permutation: permutation, shape: shape, target: nil, cost: cost)
    }
    guard let target = ReshapeTarget.sizes(from: moved, to: shape) else { return nil }
    return Rearrangement(operand: point.operand, permutation: permutation, shape: shape, target: target, cost: cost + 1)
  }
}

extension Graph {
  /// Adds what a rearrangement says in front of a node, and gives the result.
  mutating func insert(_ plan: Rearrangement, before node: NodeID) throws -> Operand {
    var operand = plan.operand
    guard let element = type(of: operand).elementType else { return operand }
    if let permutation = plan.permutation, let shape = type(of: operand).shape {
      let moved = Shape(permutation.map { shape[$0] })
      operand = .value(
        try insert(.transpose, [operand], attributes: ["perm": .ints(permutation)], type: .tensor(element, moved), before: node))
    }
    if let target = plan.target {
      let shape = addConstant(Tensor(vector: target), name: "shape")
      operand = .value(try insert(.reshape, [operand, .parameter(shape)], type: .tensor(element, plan.shape), before: node))
    }
    return operand
  }

  /// The operand that a product or quotient by a number scales, and the number.
  func scaling(_ node: Node) -> (operand: Operand, number: Double)? {
    guard node.operands.count == 2 else { return nil }
    if node.op == .mul {
      for index in 0...1 {
        if let number = scalar(of: node.operands[index]), node.operands[1 - index].value != nil {
          return (node.operands[1 - index], number)
        }
      }
    } else if node.op == .div, let number = scalar(of: node.operands[1]), node.operands[0].value != nil {
      return (node.operands[0], 1 / number)
    }
    return nil
  }
}
