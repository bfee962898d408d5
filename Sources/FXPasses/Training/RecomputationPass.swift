import FXCore

/// Computes activations again for the backward half of a training graph, in place of keeping them from the forward half on:
/// memory of the order of √n activations of n for one more forward run.
///
/// The forward half, which ends with the loss, is cut into stretches where little is alive. What crosses a cut is kept; what
/// the backward half reads of a stretch is computed again from there, just before it is read. The last stretch is kept, since
/// the backward half begins with it. Random numbers and effects are kept too. The graph is marked, so that equal calls are
/// not merged again. O(nodes).
///
/// Source: Chen, Xu, Zhang and Guestrin 2016, "Training Deep Nets with Sublinear Memory Cost".
///
/// Before, with `RecomputationPass(loss: "loss", stretches: 2)`:
/// ```
/// graph @main(%x: f32[4], %dy: f32[4]) {
///   %a: f32[4] = exp(%x)
///   %b: f32[4] = tanh(%a)
///   %c: f32[4] = sin(%b)
///   %loss: f32[4] = cos(%c)
///   %dc: f32[4] = mul(%dy, %c)
///   %db: f32[4] = mul(%dc, %b)
///   %da: f32[4] = mul(%db, %a)
///   return %loss, %da
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[4], %dy: f32[4]) {
///   metadata "fx.recomputation" = "2"
///   %a: f32[4] = exp(%x)
///   %b: f32[4] = tanh(%a)
///   %c: f32[4] = sin(%b)
///   %loss: f32[4] = cos(%c)
///   %dc: f32[4] = mul(%dy, %c)
///   %db: f32[4] = mul(%dc, %b)
///   %node_7: f32[4] = exp(%x)
///   %da: f32[4] = mul(%db, %node_7)
///   return %loss, %da
/// }
/// ```
///
/// Declines: random numbers and effects, which are kept.
public struct RecomputationPass: Pass {
  /// What marks graphs whose equal calls are not to be merged: a key of their metadata.
  public static let mark = "fx.recomputation"

  public let name = "recomputation"
  /// The output that ends the forward half.
  public var loss: String
  /// Into how many stretches the forward half is cut; by default the root of its number of calls.
  public var stretches: Int?

  /// Computes what the gradients need again; `loss` is the output that ends the forward half.
  public init(loss: String, stretches: Int? = nil) {
    (self.loss, self.stretches) = (loss, stretches)
  }

  /// - Throws: `DifferentiationError` if the graph has no output called `loss`.
  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    guard let output = graph.outputNames.firstIndex(of: loss) else { throw DifferentiationError(.unknownName(loss)) }
    let nodes = graph.bodyNodes
    guard let value = graph.outputs[output].value, let last = try graph.producer(of: value),
      let end = nodes.firstIndex(of: last)
    else { return outcome }
    let halves = Halves(graph, nodes, end: end)
    let cuts = try halves.cuts(into: stretches ?? max(1, Int(Double(end + 1).squareRoot().rounded())))
    for (start, stop) in zip(cuts, cuts.dropFirst()).dropLast() {
      try recompute(start..<stop, halves, &graph, &outcome)
    }
    if outcome.changes > 0 { graph.metadata[RecomputationPass.mark] = "\(cuts.count - 1)" }
    return outcome
  }

  /// Computes what is read late of a stretch again, before the first that reads it.
  private func recompute(
    _ stretch: Range<Int>, _ halves: Halves, _ graph: inout Graph, _ outcome: inout PassOutcome
  ) throws {
    var wanted: [ValueID] = []
    var first = Int.max
    for node in halves.nodes[stretch] {
      for result in try graph[node].results {
        guard let reader = try halves.firstLateUse(of: result, after: stretch.upperBound, in: graph) else { continue }
        guard try graph[node].op.isPure else {
          outcome.decline(node, in: graph, "it draws random numbers or has effects")
          continue
        }
        wanted.append(result)
        first = min(first, reader)
      }
    }
    guard !wanted.isEmpty else { return }
    // What the wanted values need of the stretch, as far as it is not kept.
    var needed: Set<NodeID> = []
    var pending = try wanted.compactMap { try graph.producer(of: $0) }
    while let id = pending.popLast() {
      guard needed.insert(id).inserted else { continue }
      for value in try graph[id].operands.compactMap(\.value) {
        guard let producer = try graph.producer(of: value), let position = halves.positions[producer], stretch.contains(position),
          try graph[producer].op.isPure, try !halves.isKept(value, after: stretch.upperBound, in: graph)
        else { continue }
        pending.append(producer)
      }
    }
    var copies: [ValueID: Operand] = [:]
    for id in halves.nodes[stretch] where needed.contains(id) {
      let node = try graph[id]
      let operands = node.operands.map { operand in operand.value.flatMap { copies[$0] } ?? operand }
      let copy = try graph.copy(id, operands: operands, to: .before(halves.nodes[first]))
      for (result, again) in zip(node.results, try graph[copy].results) { copies[result] = .value(again) }
      outcome.change("calls made again")
    }
    for value in wanted {
      guard let copy = copies[value] else { continue }
      for use in try graph.uses(of: value) where halves.isLate(use.node) {
        try graph.setOperand(use.operand, of: use.node, to: copy)
      }
    }
  }
}

/// The calls up to the loss and those after it.
private struct Halves {
  let nodes: [NodeID]
  /// The position of the loss.
  let end: Int
  let positions: [NodeID: Int]
  /// For each position how many bytes that were computed before it are read at it or later in the forward half.
  private let alive: [Int]

  init(_ graph: Graph, _ nodes: [NodeID], end: Int) {
    (self.nodes, self.end) = (nodes, end)
    let positions = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1, $0) })
    self.positions = positions
    var changes = Array(repeating: 0, count: end + 2)
    for (position, node) in nodes[...end].enumerated() {
      for result in (try? graph[node].results) ?? [] {
        let uses = (try? graph.uses(of: result)) ?? []
        let last = uses.compactMap { positions[$0.node] }.filter { $0 <= end }.max() ?? position
        guard last > position else { continue }
        let size = (try? graph.type(of: result)).map(EvaluationWork.elements) ?? 1
        changes[position + 1] += min(size, 1 << 40)
        changes[last + 1] -= min(size, 1 << 40)
      }
    }
    var sum = 0
    alive = changes.map { change in
      sum += change
      return sum
    }
  }

  /// Where stretches begin, and the end: even parts, each bound moved to where least is alive nearby.
  func cuts(into count: Int) throws -> [Int] {
    let length = Double(end + 1) / Double(max(1, count))
    var cuts = [0]
    for index in 1..<max(2, count) where count > 1 {
      let middle = Double(index) * length
      let low = max((cuts.last ?? 0) + 1, Int((middle - length / 4).rounded()))
      let high = min(end, Int((middle + length / 4).rounded()))
      guard low <= high else { continue }
      let best = (low...high).min {
        (Double(alive[$0]), (Double($0) - middle).magnitude) < (Double(alive[$1]), (Double($1) - middle).magnitude)
      }
      if let best { cuts.append(best) }
    }
    return cuts + [end + 1]
  }

  /// Whether the node is none of the forward half's; terminators are not, since outputs are kept.
  func isLate(_ node: NodeID) -> Bool { positions[node].map { $0 > end } ?? false }

  /// Whether a value is there anyway: an output, or read by a later stretch.
  func isKept(_ value: ValueID, after stop: Int, in graph: Graph) throws -> Bool {
    try graph.uses(of: value).contains { use in
      graph.isTerminator(use.node) || (positions[use.node].map { $0 >= stop && $0 <= end } ?? false)
    }
  }

  /// The first call after the loss that reads a value which is not kept.
  func firstLateUse(of value: ValueID, after stop: Int, in graph: Graph) throws -> Int? {
    guard try !isKept(value, after: stop, in: graph) else { return nil }
    return try graph.uses(of: value).compactMap { positions[$0.node] }.filter { $0 > end }.min()
  }
}
