import FXCore

/// Says what of a graph is quantized and how, for an engine whose integer kernels it knows.
///
/// Source of the division of work: PyTorch 2 export quantization, where a quantizer annotates and the framework observes,
/// inserts and converts.
public protocol Quantizer: Sendable {
  /// The plan for a graph: which operands of which nodes become integers. The graph's own `QuantizationAnnotation`s are
  /// followed.
  func annotate(_ graph: Graph) throws -> QuantizationPlan
  /// Refuses a plan that does not fit the graph, or that the engine cannot run. The checks that every plan must pass are
  /// made in any case.
  /// - Throws: `QuantizationError.plan`.
  func validate(_ plan: QuantizationPlan, of graph: Graph) throws
}

extension Quantizer {
  public func validate(_ plan: QuantizationPlan, of graph: Graph) throws {}
}

/// How a tensor is to be quantized.
public struct QuantizationSpec: Sendable, Hashable {
  /// One of the integer types of 2 to 16 bits.
  public var elementType: ElementType
  /// Where the integers' range lies around 0.
  public var scheme: QuantizationParams.Scheme
  /// How what was observed becomes a range. Weights are known: their range is searched where this is not `minMax`.
  public var observer: Observer

  /// Integers over the range that `observer` makes of what was seen: all of it unless said.
  public init(
    _ elementType: ElementType, _ scheme: QuantizationParams.Scheme, observer: Observer = .minMax
  ) {
    (self.elementType, self.scheme, self.observer) = (elementType, scheme, observer)
  }
}

/// What becomes of one operand.
public enum OperandQuantization: Sendable, Hashable {
  /// A value that is computed: observed, then quantized with one scale.
  case activation(QuantizationSpec)
  /// Known weights, with a scale for each index of the axis, or one for all.
  case weight(QuantizationSpec, axis: Int?)
  /// A known bias that is added to the products of the operands `x` and `w`: 32 bits, with the product of their scales.
  case bias(x: Int, w: Int)
}

/// What becomes of a node.
public struct NodeQuantization: Sendable, Hashable {
  /// A node of the graph that the plan is for.
  public let node: NodeID
  /// By the operand's index; operands that are not listed stay as they are.
  public var operands: [Int: OperandQuantization]
  /// Whether the result has the parameters of the operands, which then are the same for all: the node moves numbers and
  /// makes none.
  public var sharesParams: Bool

  /// What becomes of a node's operands.
  public init(_ node: NodeID, operands: [Int: OperandQuantization], sharesParams: Bool = false) {
    (self.node, self.operands, self.sharesParams) = (node, operands, sharesParams)
  }
}

/// What of a graph is quantized, and what is not.
public struct QuantizationPlan: Sendable {
  /// A node that might have been quantized and is not.
  public struct Kept: Sendable, Hashable {
    /// The node that stays in floating point.
    public let node: NodeID
    /// Why, in words that follow the node's name, such as `its weights are computed`.
    public let reason: String

    /// A node and why it stays.
    public init(_ node: NodeID, _ reason: String) { (self.node, self.reason) = (node, reason) }
  }

  /// What is quantized; quantizers give it in the order of the graph.
  public var nodes: [NodeQuantization]
  /// Nodes that might have been quantized, with the reasons.
  public var kept: [Kept]

  /// A plan, empty unless said.
  public init(nodes: [NodeQuantization] = [], kept: [Kept] = []) { (self.nodes, self.kept) = (nodes, kept) }

  /// The plan without the nodes that `isExcluded` holds for, with the reason.
  public func excluding(_ reason: String, where isExcluded: (NodeID) -> Bool) -> QuantizationPlan {
    QuantizationPlan(
      nodes: nodes.filter { !isExcluded($0.node) },
      kept: kept + nodes.filter { isExcluded($0.node) }.map { Kept($0.node, reason) })
  }

  /// The checks that every plan must pass.
  /// - Throws: `QuantizationError.plan`.
  public func check(for graph: Graph) throws {
    for entry in nodes {
      let node = try graph[entry.node]
      func problem(_ problem: PlanProblem) -> QuantizationError {
        .plan(node: graph.name(of: entry.node), op: node.op.description, problem)
      }
      for (index, operand) in entry.operands {
        // Before shapes are inferred nothing may be known of a value.
        let type = graph.type(of: node.operand(index))
        guard type.elementType == .float32 || type == .unknown && node.operand(index).value != nil else {
          throw problem(.operand(index))
        }
        switch operand {
        case .activation(let spec):
          guard node.operand(index).value != nil, node.region == graph.body else { throw problem(.operand(index)) }
          guard QuantizationParams.elementTypes.contains(spec.elementType) else { throw problem(.elementType(spec.elementType)) }
        case .weight(let spec, let axis):
          guard QuantizationParams.elementTypes.contains(spec.elementType) else { throw problem(.elementType(spec.elementType)) }
          guard let id = node.operand(index).parameter else { throw problem(.weight(index)) }
          if let tensor = try graph[id].tensor, try !tensor.elements(Float.self).allSatisfy(\.isFinite) {
            throw problem(.notFinite(parameter: try graph[id].name))
          }
          if let axis, let rank = type.shape?.rank, !(0..<rank).contains(axis) { throw problem(.axis(axis, rank: rank)) }
        case .bias(let x, let w):
          guard entry.operands[x] != nil, entry.operands[w] != nil else { throw problem(.operand(index)) }
          guard node.operand(index).parameter != nil else { throw problem(.weight(index)) }
        }
      }
    }
  }
}
