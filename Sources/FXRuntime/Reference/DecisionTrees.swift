import FXCore

/// The trees of an ensemble as flat arrays: what its operators have in common, checked when it is made.
///
/// Every way through the nodes ends in a leaf, and every index is in range, so that evaluation checks nothing.
struct DecisionTrees: Sendable {
  enum Comparison: UInt8 {
    case lessOrEqual, less, greaterOrEqual, greater, equal, notEqual, member
  }

  struct Node: Sendable {
    /// What the feature is compared with.
    var threshold: Double
    var feature: Int32
    /// Where to go on: a node, or the complement of a leaf.
    var onTrue: Int32
    var onFalse: Int32
    /// The place among `sets`, for `.member`.
    var set: Int32 = 0
    var comparison: Comparison
    /// Whether NaN goes the true way as well.
    var missingIsTrue: Bool
  }

  /// What a leaf says for a target.
  struct Vote: Sendable {
    var target: Int32
    var weight: Double
  }

  enum Aggregation: Sendable { case average, sum, minimum, maximum }

  let nodes: [Node]
  let sets: [Set<Double>]
  /// What each tree starts with: a node, or the complement of a leaf.
  let roots: [Int32]
  /// Leaf by leaf.
  let votes: [Vote]
  /// Where the votes of each leaf start; one more at the end.
  let starts: [Int32]
  /// Whether every node asks whether its feature is at most its threshold, as most exporters have it.
  private let isPlain: Bool
  let targetCount: Int
  /// How many features a row must have.
  let featureCount: Int

  /// - Parameter leafVotes: a leaf and its vote each.
  /// - Throws: `KernelError.invalid` for an index out of range or nodes that go round in circles.
  init(
    nodes: [Node], sets: [Set<Double>] = [], roots: [Int32], leafCount: Int, leafVotes: [(leaf: Int, vote: Vote)],
    targetCount: Int
  ) throws {
    guard nodes.count < Int32.max, leafCount < Int32.max, leafVotes.count < Int32.max, targetCount < Int32.max else {
      throw KernelError.invalid("the ensemble is too large")
    }
    func check(_ place: Int32) throws {
      guard place >= 0 ? Int(place) < nodes.count : Int(~place) < leafCount else {
        throw KernelError.invalid("a branch leads to a node or leaf that is not there")
      }
    }
    var greatest: Int32 = -1
    for node in nodes {
      try check(node.onTrue)
      try check(node.onFalse)
      guard node.feature >= 0, Int(node.set) < max(sets.count, 1), node.comparison != .member || !sets.isEmpty else {
        throw KernelError.invalid("a node compares a feature or set that is not there")
      }
      greatest = max(greatest, node.feature)
    }
    for root in roots { try check(root) }
    try DecisionTrees.checkEnds(nodes, roots)
    var starts = Array(repeating: Int32(0), count: leafCount + 1)
    for (leaf, vote) in leafVotes {
      guard vote.target >= 0, vote.target < targetCount else {
        throw KernelError.invalid("a leaf speaks for target \(vote.target) of \(targetCount)")
      }
      guard leaf >= 0, leaf < leafCount else { throw KernelError.invalid("a vote is of a leaf that is not there") }
      starts[leaf + 1] += 1
    }
    for leaf in 0..<leafCount { starts[leaf + 1] += starts[leaf] }
    var next = starts
    var votes = Array(repeating: Vote(target: 0, weight: 0), count: leafVotes.count)
    for (leaf, vote) in leafVotes {
      votes[Int(next[leaf])] = vote
      next[leaf] += 1
    }
    (self.nodes, self.sets, self.roots, self.votes, self.starts) = (nodes, sets, roots, votes, starts)
    isPlain = nodes.allSatisfy { $0.comparison == .lessOrEqual && !$0.missingIsTrue }
    (self.targetCount, featureCount) = (targetCount, Int(greatest) + 1)
  }

  /// Follows every branch once; a node that is met again on the way down from itself has no end.
  private static func checkEnds(_ nodes: [Node], _ roots: [Int32]) throws {
    enum State: UInt8 { case unseen, open, done }
    var states = Array(repeating: State.unseen, count: nodes.count)
    for root in roots where root >= 0 && states[Int(root)] == .unseen {
      var path = [(node: Int(root), next: 0)]
      states[Int(root)] = .open
      while let (node, next) = path.last {
        guard next < 2 else {
          states[node] = .done
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let child = Int(next == 0 ? nodes[node].onTrue : nodes[node].onFalse)
        guard child >= 0 else { continue }
        switch states[child] {
        case .open: throw KernelError.invalid("node \(child) of the ensemble is its own descendant")
        case .unseen:
          states[child] = .open
          path.append((child, 0))
        case .done: break
        }
      }
    }
  }

  /// Rows that are taken through a tree before the next one, while its nodes are in cache.
  private static let block = 64

  /// What the trees say of each target for rows of `width` features, at least `featureCount`: 0 where no leaf speaks.
  func evaluate(
    _ x: UnsafePointer<Double>, rows: Int, width: Int, _ aggregation: Aggregation,
    into scores: UnsafeMutablePointer<Double>
  ) {
    scores.update(repeating: 0, count: rows * targetCount)
    let isExtreme = aggregation == .minimum || aggregation == .maximum
    var places = Array(repeating: Int32(0), count: DecisionTrees.block)
    var spoken = Array(repeating: false, count: isExtreme ? rows * targetCount : 0)
    nodes.withUnsafeBufferPointer { nodes in
      votes.withUnsafeBufferPointer { votes in
        starts.withUnsafeBufferPointer { starts in
          for first in stride(from: 0, to: rows, by: DecisionTrees.block) {
            let count = min(DecisionTrees.block, rows - first)
            for root in roots {
              descend(from: root, nodes, x + first * width, rows: count, width: width, to: &places)
              for row in first..<first + count {
                let leaf = Int(~places[row - first])
                for vote in votes[Int(starts[leaf])..<Int(starts[leaf + 1])] {
                  let place = row * targetCount + Int(vote.target)
                  guard isExtreme else {
                    scores[place] += vote.weight
                    continue
                  }
                  let isBetter = aggregation == .minimum ? vote.weight < scores[place] : vote.weight > scores[place]
                  if isBetter || !spoken[place] { scores[place] = vote.weight }
                  spoken[place] = true
                }
              }
            }
          }
        }
      }
    }
    guard aggregation == .average, !roots.isEmpty else { return }
    for place in 0..<rows * targetCount { scores[place] /= Double(roots.count) }
  }

  /// The complements of the leaves that rows end in.
  @inline(__always)
  private func descend(
    from root: Int32, _ nodes: UnsafeBufferPointer<Node>, _ x: UnsafePointer<Double>, rows: Int, width: Int,
    to places: inout [Int32]
  ) {
    places.withUnsafeMutableBufferPointer { places in
      guard isPlain else {
        for row in 0..<rows { places[row] = descend(from: root, nodes, x + row * width) }
        return
      }
      var row = 0
      // Four rows at a time: where one waits for memory, the others go on.
      while row + 4 <= rows {
        var (a, b, c, d) = (root, root, root, root)
        let x = x + row * width
        // The sign of this is negative when all four are.
        while a & b & c & d >= 0 {
          if a >= 0 { a = nodes[Int(a)].next(x) }
          if b >= 0 { b = nodes[Int(b)].next(x + width) }
          if c >= 0 { c = nodes[Int(c)].next(x + 2 * width) }
          if d >= 0 { d = nodes[Int(d)].next(x + 3 * width) }
        }
        (places[row], places[row + 1], places[row + 2], places[row + 3]) = (a, b, c, d)
        row += 4
      }
      while row < rows {
        var place = root
        while place >= 0 { place = nodes[Int(place)].next(x + row * width) }
        places[row] = place
        row += 1
      }
    }
  }

  /// The complement of the leaf that a row ends in.
  @inline(__always)
  private func descend(from root: Int32, _ nodes: UnsafeBufferPointer<Node>, _ x: UnsafePointer<Double>) -> Int32 {
    var place = root
    while place >= 0 {
      let node = nodes[Int(place)]
      let value = x[Int(node.feature)]
      let holds =
        switch node.comparison {
        case .lessOrEqual: value <= node.threshold
        case .less: value < node.threshold
        case .greaterOrEqual: value >= node.threshold
        case .greater: value > node.threshold
        case .equal: value == node.threshold
        case .notEqual: value != node.threshold
        case .member: sets[Int(node.set)].contains(value)
        }
      place = holds || (node.missingIsTrue && value.isNaN) ? node.onTrue : node.onFalse
    }
    return place
  }
}

extension DecisionTrees.Node {
  /// Where a row goes on from a node that asks whether the feature is at most the threshold.
  @inline(__always)
  fileprivate func next(_ x: UnsafePointer<Double>) -> Int32 { x[Int(feature)] <= threshold ? onTrue : onFalse }
}
