import FXCore

extension DecisionTrees {
  /// The trees of a `tree_ensemble`.
  /// - Throws: `KernelError` for lists that do not fit together.
  init(ensemble attributes: Attributes) throws {
    let modes = try attributes[TreeEnsemble.modes].integers()
    let splits = try attributes[TreeEnsemble.splits].numbers().doubles
    let features = attributes[TreeEnsemble.featureIDs]
    let (trueIDs, falseIDs) = (attributes[TreeEnsemble.trueIDs], attributes[TreeEnsemble.falseIDs])
    let (trueLeafs, falseLeafs) = (attributes[TreeEnsemble.trueLeafs], attributes[TreeEnsemble.falseLeafs])
    let missing = attributes[TreeEnsemble.missingTracksTrue] ?? []
    let counts = [splits.count, features.count, trueIDs.count, falseIDs.count, trueLeafs.count, falseLeafs.count]
    guard counts.allSatisfy({ $0 == modes.count }), missing.isEmpty || missing.count == modes.count else {
      throw KernelError.invalid("the lists of nodes differ in length")
    }
    let sets = try DecisionTrees.sets(attributes[TreeEnsemble.members])
    let leafTargets = attributes[TreeEnsemble.leafTargetIDs]
    let weights = try attributes[TreeEnsemble.leafWeights].numbers().doubles
    guard weights.count == leafTargets.count else { throw KernelError.invalid("the lists of leaves differ in length") }
    var nodes: [Node] = []
    nodes.reserveCapacity(modes.count)
    var setCount = 0
    for index in modes.indices {
      guard let mode = UInt8(exactly: modes[index]), let comparison = Comparison(rawValue: mode) else {
        throw KernelError.invalid("there is no mode \(modes[index]) of a node")
      }
      nodes.append(
        Node(
          threshold: splits[index], feature: try DecisionTrees.place(features[index]),
          onTrue: try DecisionTrees.place(trueIDs[index], isLeaf: trueLeafs[index] != 0),
          onFalse: try DecisionTrees.place(falseIDs[index], isLeaf: falseLeafs[index] != 0),
          set: comparison == .member ? Int32(clamping: setCount) : 0, comparison: comparison,
          missingIsTrue: !missing.isEmpty && missing[index] != 0))
      if comparison == .member { setCount += 1 }
    }
    guard setCount == sets.count else { throw KernelError.invalid("\(sets.count) sets for \(setCount) nodes") }
    let votes = try leafTargets.indices.map { leaf in
      (leaf: leaf, vote: Vote(target: try DecisionTrees.place(leafTargets[leaf]), weight: weights[leaf]))
    }
    try self.init(
      nodes: nodes, sets: sets, roots: try attributes[TreeEnsemble.roots].map { try DecisionTrees.place($0) },
      leafCount: leafTargets.count, leafVotes: votes,
      targetCount: try DecisionTrees.targetCount(attributes[TreeEnsemble.targetCount], leafTargets))
  }

  /// The sets of values, each ended by a NaN.
  private static func sets(_ members: Tensor?) throws -> [Set<Double>] {
    let values = try members?.numbers().doubles ?? []
    guard values.last?.isNaN ?? true else { throw KernelError.invalid("the last set of membership_values has no end") }
    return values.split(omittingEmptySubsequences: false, whereSeparator: \.isNaN).dropLast().map { Set($0) }
  }

  /// An index as nodes hold it: the number, or for a leaf the complement of it.
  private static func place(_ index: Int, isLeaf: Bool = false) throws -> Int32 {
    guard index >= 0, let place = Int32(exactly: index) else {
      throw KernelError.invalid("\(index) is no place of a node, leaf, feature or target")
    }
    return isLeaf ? ~place : place
  }

  /// How many targets there are: the number given, or one more than the greatest id.
  static func targetCount(_ given: Int?, _ ids: [Int]) throws -> Int {
    let last = ids.max() ?? -1
    guard last < Int32.max, given ?? 1 > 0 else { throw KernelError.invalid("n_targets is not positive or too large") }
    return given ?? last + 1
  }

  /// The trees of the operators that version 5 of `ai.onnx.ml` replaced.
  /// - Parameter targets: what leaves say for which target.
  /// - Throws: `KernelError` for lists that do not fit together.
  init(attributes: Attributes, targets: LeafLists, targetCount: Int) throws {
    let index = try TreeNodeIndex(attributes[TreeNodes.treeIDs] ?? [], attributes[TreeNodes.nodeIDs] ?? [])
    let features = attributes[TreeNodes.featureIDs] ?? []
    let modes = attributes[TreeNodes.modes] ?? []
    let (trueIDs, falseIDs) = (attributes[TreeNodes.trueIDs] ?? [], attributes[TreeNodes.falseIDs] ?? [])
    let missing = attributes[TreeNodes.missingTracksTrue] ?? []
    let values = try DecisionTrees.numbers(attributes, TreeNodes.values, TreeNodes.valuesTensor)
    let counts = [features.count, modes.count, trueIDs.count, falseIDs.count, values.count]
    guard counts.allSatisfy({ $0 == index.count }), missing.isEmpty || missing.count == index.count else {
      throw KernelError.invalid("the lists of nodes differ in length")
    }
    // Places of nodes and leaves in their lists: the number, or the complement of it.
    var places: [Int32] = []
    places.reserveCapacity(index.count)
    var (nodeCount, leafCount) = (Int32(0), Int32(0))
    for mode in modes {
      if mode == "LEAF" {
        places.append(~leafCount)
        leafCount += 1
      } else {
        places.append(nodeCount)
        nodeCount += 1
      }
    }
    var nodes: [Node] = []
    nodes.reserveCapacity(Int(nodeCount))
    for (at, mode) in modes.enumerated() where mode != "LEAF" {
      guard let comparison = DecisionTrees.comparisons[mode] else {
        throw KernelError.invalid("there is no mode \(mode.quoted) of a node")
      }
      let tree = index.treeIDs[at]
      nodes.append(
        Node(
          threshold: values[at], feature: try DecisionTrees.place(features[at]),
          onTrue: places[try index.position(tree, trueIDs[at])], onFalse: places[try index.position(tree, falseIDs[at])],
          comparison: comparison, missingIsTrue: !missing.isEmpty && missing[at] != 0))
    }
    var votes: [(leaf: Int, vote: Vote)] = []
    votes.reserveCapacity(targets.weights.count)
    for at in targets.weights.indices {
      let leaf = places[try index.position(targets.treeIDs[at], targets.nodeIDs[at])]
      // Nobody hears a node that is no leaf.
      guard leaf < 0 else { continue }
      votes.append((Int(~leaf), Vote(target: try DecisionTrees.place(targets.targetIDs[at]), weight: targets.weights[at])))
    }
    try self.init(
      nodes: nodes, roots: index.roots.map { places[$0] }, leafCount: Int(leafCount), leafVotes: votes,
      targetCount: targetCount)
  }

  /// The numbers of an attribute that may be a list or, since version 3, a tensor.
  static func numbers(
    _ attributes: Attributes, _ list: AttributeKey<[Float]?>, _ tensor: AttributeKey<Tensor?>
  ) throws -> [Double] {
    let numbers = attributes[list] ?? []
    guard let values = attributes[tensor] else { return numbers.map(Double.init) }
    guard numbers.isEmpty else { throw KernelError.invalid("\(list.name) is given twice") }
    return try values.numbers().doubles
  }

  private static let comparisons: [String: Comparison] = [
    "BRANCH_LEQ": .lessOrEqual, "BRANCH_LT": .less, "BRANCH_GTE": .greaterOrEqual, "BRANCH_GT": .greater,
    "BRANCH_EQ": .equal, "BRANCH_NEQ": .notEqual,
  ]

  /// Which leaves speak for which targets: lists of equal length.
  struct LeafLists {
    let treeIDs, nodeIDs, targetIDs: [Int]
    let weights: [Double]

    init(_ treeIDs: [Int]?, _ nodeIDs: [Int]?, _ targetIDs: [Int]?, _ weights: [Double]) throws {
      (self.treeIDs, self.nodeIDs, self.targetIDs) = (treeIDs ?? [], nodeIDs ?? [], targetIDs ?? [])
      self.weights = weights
      guard [self.treeIDs.count, self.nodeIDs.count, self.targetIDs.count].allSatisfy({ $0 == weights.count }) else {
        throw KernelError.invalid("the lists of the leaves' weights differ in length")
      }
    }
  }
}

/// Where the nodes of trees stand in the lists, by the ids of tree and node.
private struct TreeNodeIndex {
  let treeIDs, nodeIDs: [Int]
  /// The first node of each tree.
  private(set) var roots: [Int] = []
  private var starts: [Int: Int] = [:]
  /// Only where ids are not 0, 1, 2, … within each tree, as exporters number nodes.
  private var positions: [Key: Int] = [:]

  private struct Key: Hashable {
    let tree, node: Int
  }

  var count: Int { treeIDs.count }

  /// - Throws: `KernelError.invalid` for lists of different length and for two nodes of one id.
  init(_ treeIDs: [Int], _ nodeIDs: [Int]) throws {
    guard treeIDs.count == nodeIDs.count, treeIDs.count < Int32.max else {
      throw KernelError.invalid("the lists of nodes differ in length")
    }
    (self.treeIDs, self.nodeIDs) = (treeIDs, nodeIDs)
    var isPlain = true
    var expected = 0
    for (at, tree) in treeIDs.enumerated() {
      if at == 0 || tree != treeIDs[at - 1] {
        expected = 0
        if starts[tree] == nil {
          starts[tree] = at
          roots.append(at)
        } else {
          isPlain = false
        }
      }
      if nodeIDs[at] != expected { isPlain = false }
      expected += 1
    }
    guard !isPlain else { return }
    for (at, tree) in treeIDs.enumerated() {
      guard positions.updateValue(at, forKey: Key(tree: tree, node: nodeIDs[at])) == nil else {
        throw KernelError.invalid("tree \(tree) has two nodes \(nodeIDs[at])")
      }
    }
  }

  /// - Throws: `KernelError.invalid` if there is no such node.
  func position(_ tree: Int, _ node: Int) throws -> Int {
    if !positions.isEmpty {
      if let at = positions[Key(tree: tree, node: node)] { return at }
    } else if let start = starts[tree], node >= 0, node < count - start, treeIDs[start + node] == tree {
      return start + node
    }
    throw KernelError.invalid("tree \(tree) has no node \(node)")
  }
}
