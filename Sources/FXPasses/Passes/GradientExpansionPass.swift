import FXCore
import FXShapes
import FXTrace

/// Puts what computes a gradient in place of `gradient` calls. Executors apply it before they run a graph. O(nodes made).
///
/// Before:
/// ```
/// graph @main(%a: f32[], %b: f32[]) {
///   %da: f32[] = gradient(%a, %b) {with_respect_to = 1} body(%x: f32[], %y: f32[]) {
///     %p: f32[] = mul(%x, %y)
///     return %p
///   }
///   return %da
/// }
/// ```
/// After:
/// ```
/// graph @main(%a: f32[], %b: f32[]) {
///   parameter @constant: i64[0] constant = []
///   parameter @constant_1: f32[] constant = [1.0]
///   %node_2: f32[] = identity(%a)
///   %p: f32[] = mul(%node_2, %b)
///   %node_4: f32[] = constant_of_shape(@constant) {value = tensor f32[1] [0.0]}
///   %node_5: f32[] = add(%node_4, @constant_1)
///   %da: f32[] = mul(%node_5, %b)
///   return %da
/// }
/// ```
///
/// Declines: nothing. A node that has no gradient is an error, which names it.
public struct GradientExpansionPass: Pass {
  public let name = "gradient-expansion"
  public let contract = NumericContract.exact
  /// The rules by which `gradient` calls are expanded.
  public var differentiation: Differentiation

  /// Expands by the rules of this package, unless others are given.
  public init(_ differentiation: Differentiation = Differentiation()) { self.differentiation = differentiation }

  /// - Throws: `DifferentiationError` naming the node that has no gradient.
  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    guard !graph.nodes(calling: .gradient).isEmpty else { return outcome }
    // What is outside stays as it is, bit by bit.
    try differentiation.prepare(&graph, only: graph.nodes(insideOf: graph.nodes(calling: .gradient)))
    while let id = graph.nodes(calling: .gradient).first {
      try expand(id, in: &graph)
      outcome.change("gradient expanded")
    }
    return outcome
  }

  private func expand(_ id: NodeID, in graph: inout Graph) throws {
    let node = try graph[id]
    let count = node.attributes[Gradient.withRespectTo]
    let writer = GraphWriter(graph, region: node.region, before: id)
    // Copies, so that a value that is also used in another way counts only where it is named.
    let arguments = node.operands.enumerated().map { index, operand in
      index < count ? writer.tensor(operand).calling(.identity) : writer.tensor(operand)
    }
    let contents = try writer.copyContents(of: node.regions[0], arguments: arguments)
    let wanted = try arguments.prefix(count).map(writer.operand)
    let sweep = ReverseSweep(writer, differentiation.rules, wanted: wanted)
    if let target = contents.results.first {
      let result = writer.tensor(target)
      let one = try Tensor(result.elementType ?? .float32, [], numbers: .floats([1]))
      try sweep.run(contents.nodes, seeds: [(target, try result.zeros() + one)])
    }
    writer.setLocation(node.location)
    let gradients = try wanted.map { try writer.operand(sweep.cotangent(of: $0) ?? writer.tensor($0).zeros()) }
    graph = try writer.finish()
    try graph.replace(id, with: gradients)
  }
}

extension Graph {
  /// The nodes inside the regions of others, at any depth.
  fileprivate func nodes(insideOf owners: [NodeID]) throws -> Set<NodeID> {
    var found: Set<NodeID> = []
    var pending = try owners.flatMap { try self[$0].regions }
    while let region = pending.popLast() {
      for node in try nodes(in: region) {
        found.insert(node)
        pending += try self[node].regions
      }
    }
    return found
  }
}
