import FXCore

/// A graph as views draw it: boxes in boxes, and edges between them.
///
/// Boxes are calls, inputs, outputs, arguments and results of regions, modules, and regions. A module's box holds the
/// calls that its path or the prefix of their names says; a call that owns regions holds a box for each. A module that is
/// called again with what came of its first call gets another box, so that no box needs what it gives.
struct GraphOutline {
  enum Kind: Int {
    case call, input, output, argument, result, module, region
  }

  struct Box {
    let kind: Kind
    /// Operator, module or region name.
    let title: String
    /// What the value or node is called.
    let name: String
    /// The box around this one; -1 at the top.
    let parent: Int
    var node: NodeID?
    var value: Operand?
    /// The module path in full, for modules.
    var path = ""
  }

  struct Edge {
    let from: Int
    let to: Int
    let value: ValueID
    /// Which operand of the call it is.
    let operand: Int
  }

  /// Regions nested deeper than this are left out of views; nobody could see into them.
  static let depthLimit = 32

  let graph: Graph
  private(set) var boxes: [Box] = []
  private(set) var edges: [Edge] = []
  /// The values that boxes give, in the order of the boxes.
  private(set) var values: [ValueID] = []
  /// The box that each value comes from.
  private(set) var origins: [ValueID: Int] = [:]

  private struct ModuleKey: Hashable {
    let parent: Int
    let name: String
  }
  private var modules: [ModuleKey: Int] = [:]
  private var order = BoxOrder()
  private var callBoxes: [NodeID: Int] = [:]

  init(_ graph: Graph) {
    self.graph = graph
    // A list of what is to be done instead of recursion: regions nest as deep as a file says.
    var pending: [(region: RegionID, parent: Int, depth: Int, modules: [String])] = [(graph.body, -1, 0, [])]
    while let (region, parent, depth, outer) = pending.popLast() {
      let isBody = region == graph.body
      for value in (try? graph.arguments(of: region)) ?? [] {
        give(value)
        boxes.append(
          Box(
            kind: isBody ? .input : .argument, title: isBody ? "input" : "argument", name: graph.name(of: value), parent: parent,
            value: .value(value)))
      }
      for id in (try? graph.nodes(in: region)) ?? [] {
        guard let node = try? graph[id] else { continue }
        let path = ModulePath.of(node, in: graph)
        let inner = path.starts(with: outer) ? Array(path.dropFirst(outer.count)) : path
        let operands = node.operands.compactMap { $0.value.flatMap { origins[$0] } }
        let module = moduleBox(inner, under: parent, outer: outer, operands: operands)
        callBoxes[id] = boxes.count
        for result in node.results { give(result) }
        let box = boxes.count
        boxes.append(
          Box(kind: .call, title: node.op.description, name: graph.name(of: id), parent: module, node: id))
        for operand in operands { order.add(from: operand, to: box, boxes) }
        guard depth < GraphOutline.depthLimit else { continue }
        for (index, owned) in node.regions.enumerated() {
          let names = node.op.schema?.regions ?? []
          let name = index < names.count ? names[index] : "region \(index)"
          pending.append((owned, boxes.count, depth + 1, path))
          boxes.append(Box(kind: .region, title: name, name: "\(graph.name(of: id)).\(name)", parent: box))
        }
      }
      let names = graph.resultNames(of: region)
      for (index, operand) in graph.results(of: region).enumerated() {
        let name = index < names.count ? names[index] : "\(index)"
        if let value = operand.value, let origin = origins[value] {
          edges.append(Edge(from: origin, to: boxes.count, value: value, operand: 0))
        }
        boxes.append(
          Box(
            kind: isBody ? .output : .result, title: isBody ? "output" : "result", name: name, parent: parent, value: operand))
      }
    }
    connect()
  }

  /// Notes that the next box gives a value.
  private mutating func give(_ value: ValueID) {
    origins[value] = boxes.count
    values.append(value)
  }

  private mutating func connect() {
    for id in graph.allNodes {
      guard let box = callBoxes[id], let operands = try? graph[id].operands else { continue }
      for (index, operand) in operands.enumerated() {
        guard let value = operand.value, let origin = origins[value] else { continue }
        edges.append(Edge(from: origin, to: box, value: value, operand: index))
      }
    }
  }

  /// The box of the innermost module of a path, made with those around it where it is not there yet, or where it may not
  /// be continued because what it gave leads to one of the operands.
  private mutating func moduleBox(_ path: [String], under parent: Int, outer: [String], operands: [Int]) -> Int {
    var box = parent
    var full = outer
    for name in path {
      full.append(name)
      let key = ModuleKey(parent: box, name: name)
      if let known = modules[key], !order.leads(from: known, toAny: operands, boxes) {
        box = known
      } else {
        modules[key] = boxes.count
        boxes.append(
          Box(kind: .module, title: name, name: full.joined(separator: "."), parent: box, path: full.joined(separator: ".")))
        box = boxes.count - 1
      }
    }
    return box
  }

  /// The boxes directly inside each box, in the order of the graph; those at the top are the last entry.
  var children: [[Int]] {
    var children = Array(repeating: [Int](), count: boxes.count + 1)
    for (index, box) in boxes.enumerated() { children[box.parent < 0 ? boxes.count : box.parent].append(index) }
    return children
  }
}

/// Which boxes of one parent come after which, as far as edges have been added.
private struct BoxOrder {
  private var successors: [Int: Set<Int>] = [:]
  /// Walks are given up after so many steps in all: then modules that are called again keep one box.
  private var budget = 10_000_000

  /// Notes an edge between the boxes around its ends that have one parent.
  mutating func add(from: Int, to: Int, _ boxes: [GraphOutline.Box]) {
    let (a, b) = (BoxOrder.chain(from, boxes), BoxOrder.chain(to, boxes))
    for (x, y) in zip(a, b) where x != y {
      successors[x, default: []].insert(y)
      return
    }
  }

  /// Whether edges lead out of a box and on to one of `goals`, which are inside boxes beside it.
  mutating func leads(from box: Int, toAny goals: [Int], _ boxes: [GraphOutline.Box]) -> Bool {
    let parent = boxes[box].parent
    var targets: Set<Int> = []
    for goal in goals {
      var around = goal
      while around >= 0, boxes[around].parent != parent { around = boxes[around].parent }
      if around >= 0, around != box { targets.insert(around) }
    }
    guard !targets.isEmpty else { return false }
    var seen: Set<Int> = [box]
    var pending = [box]
    while let next = pending.popLast(), budget > 0 {
      for other in successors[next] ?? [] where seen.insert(other).inserted {
        if targets.contains(other) { return true }
        budget -= 1
        pending.append(other)
      }
    }
    return false
  }

  private static func chain(_ box: Int, _ boxes: [GraphOutline.Box]) -> [Int] {
    var chain: [Int] = []
    var next = box
    while next >= 0 {
      chain.append(next)
      next = boxes[next].parent
    }
    return chain.reversed()
  }
}

/// Which module a node belongs to.
enum ModulePath {
  /// The path that tracing recorded, else what an exporter put before the last `/` of the node's name. At most 16 parts.
  static func of(_ node: Node, in graph: Graph) -> [String] {
    if let path = node.location?.modulePath, !path.isEmpty {
      return path.split(separator: ".").prefix(16).map(String.init)
    }
    guard let name = node.name ?? node.results.first.flatMap({ graph.label(of: $0) }), name.utf8.contains(UInt8(ascii: "/"))
    else { return [] }
    var path: [String] = []
    var previous = ""
    for part in name.split(separator: "/").dropLast().prefix(16) {
      // PyTorch's exporter writes `/layer1/layer1.0/conv1`: each part says the ones before again.
      path.append(part.hasPrefix(previous + ".") && !previous.isEmpty ? String(part.dropFirst(previous.count + 1)) : String(part))
      previous = String(part)
    }
    return path
  }
}
