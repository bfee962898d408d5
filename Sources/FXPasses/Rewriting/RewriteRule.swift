import FXCore
import FXTrace

/// A local rewrite, written with the functions that models are written with:
///
/// ```swift
/// RewriteRule("scaled-sum", replace: { a, b in a * 2.0 + b * 2.0 }, with: { a, b in (a + b) * 2.0 })
/// ```
///
/// A parameter of the closures stands for any operand, the same one wherever it occurs. Numbers stand for literals and
/// constants of one element, tensors for equal constants; a value that the pattern uses twice must be one value. The first two
/// operands of commutative operators are tried in both orders; attributes must be equal. What a match computes on the way
/// must not be used elsewhere.
public struct RewriteRule: Sendable {
  /// A pattern: from the rule's operands, in order, to the value that is looked for.
  public typealias Function = @Sendable ([SymbolicTensor]) -> SymbolicTensor

  /// What outcomes, refusals and errors call the rule, such as `scaled-sum`.
  public let name: String
  /// What the rewrite promises of the numbers.
  public let contract: NumericContract
  let arity: Int
  let pattern: Function
  let replacement: @Sendable ([SymbolicTensor], RewriteMatch) throws -> SymbolicTensor
  let condition: @Sendable (RewriteMatch) -> Bool

  /// A rule of any number of operands, whose replacement may look at the match.
  /// - Parameters:
  ///   - condition: what else must hold of a match.
  public init(
    _ name: String, operandCount: Int, contract: NumericContract = .reassociates, replace pattern: @escaping Function,
    where condition: @escaping @Sendable (RewriteMatch) -> Bool = { _ in true },
    with replacement: @escaping @Sendable ([SymbolicTensor], RewriteMatch) throws -> SymbolicTensor
  ) {
    (self.name, self.contract, arity) = (name, contract, operandCount)
    (self.pattern, self.condition, self.replacement) = (pattern, condition, replacement)
  }

  /// A rule of one operand, whose replacement does not look at the match.
  public init(
    _ name: String, contract: NumericContract = .reassociates,
    replace pattern: @escaping @Sendable (SymbolicTensor) -> SymbolicTensor,
    where condition: @escaping @Sendable (RewriteMatch) -> Bool = { _ in true },
    with replacement: @escaping @Sendable (SymbolicTensor) -> SymbolicTensor
  ) {
    self.init(
      name, operandCount: 1, contract: contract, replace: { pattern($0[0]) }, where: condition,
      with: { x, _ in replacement(x[0]) })
  }

  /// A rule of two operands, whose replacement does not look at the match.
  public init(
    _ name: String, contract: NumericContract = .reassociates,
    replace pattern: @escaping @Sendable (SymbolicTensor, SymbolicTensor) -> SymbolicTensor,
    where condition: @escaping @Sendable (RewriteMatch) -> Bool = { _ in true },
    with replacement: @escaping @Sendable (SymbolicTensor, SymbolicTensor) -> SymbolicTensor
  ) {
    self.init(
      name, operandCount: 2, contract: contract, replace: { pattern($0[0], $0[1]) }, where: condition,
      with: { x, _ in replacement(x[0], x[1]) })
  }

  /// A rule of three operands, whose replacement does not look at the match.
  public init(
    _ name: String, contract: NumericContract = .reassociates,
    replace pattern: @escaping @Sendable (SymbolicTensor, SymbolicTensor, SymbolicTensor) -> SymbolicTensor,
    where condition: @escaping @Sendable (RewriteMatch) -> Bool = { _ in true },
    with replacement: @escaping @Sendable (SymbolicTensor, SymbolicTensor, SymbolicTensor) -> SymbolicTensor
  ) {
    self.init(
      name, operandCount: 3, contract: contract, replace: { pattern($0[0], $0[1], $0[2]) }, where: condition,
      with: { x, _ in replacement(x[0], x[1], x[2]) })
  }

  /// The calls that the pattern's function makes.
  /// - Throws: `RewriteError` for a mistake in the function, or one that makes no call or leaves an operand out.
  func compiled() throws -> GraphPattern {
    let inputs = (0..<arity).map { TraceInput("operand_\($0)", .unknown) }
    let graph: Graph
    do {
      graph = try trace(inputs) { [pattern($0)] }
    } catch {
      throw RewriteError(rule: name, reason: "the pattern: \(error)")
    }
    let result = try GraphPattern(of: graph.outputs[0], in: graph)
    guard result.rootOperator != nil else { throw RewriteError(rule: name, reason: "the pattern makes no call") }
    if let unused = try graph.inputs.firstIndex(where: { try graph.uses(of: $0).isEmpty }) {
      throw RewriteError(rule: name, reason: "the pattern does not use its operand \(unused)")
    }
    return result
  }

  /// Where the rule applies, without applying it. O(nodes that call the pattern's last operator).
  /// - Throws: `RewriteError`.
  public func matches(in graph: Graph) throws -> [RewriteMatch] {
    let pattern = try compiled()
    guard let root = pattern.rootOperator else { return [] }
    return graph.nodes(calling: root).inOrder(of: graph).compactMap { node in
      guard let found = pattern.match(node, in: graph) else { return nil }
      let match = RewriteMatch(found, graph, arity)
      return found.isClosed(in: graph) && condition(match) ? match : nil
    }
  }
}

/// A rule that cannot be used.
public struct RewriteError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The name of the rule; of rules that go on for ever, that of the one that came last.
  public let rule: String
  /// What is wrong with the rule, in words.
  public let reason: String

  public var description: String { "rewrite rule '\(rule)': \(reason)" }
}

/// Where a rule's pattern was found.
public struct RewriteMatch: Sendable {
  /// The operands that the pattern's parameters stand for.
  public let operands: [Operand]
  /// The calls that are replaced, the last first.
  public let nodes: [NodeID]
  /// What is known of the operands' types.
  public let types: [ValueType]
  /// The operands' elements, where they are constants.
  public let tensors: [Tensor?]
  /// The operands' numbers, where they are literals or constants of one element.
  public let numbers: [Double?]
  /// The type of what is replaced.
  public let resultType: ValueType
  /// The name of what is replaced.
  public let name: String

  // Facts, not the graph: a reference to it would make the next edit copy it.
  init(_ match: GraphPattern.Match, _ graph: Graph, _ arity: Int) {
    operands = (0..<arity).map { match.operands["operand_\($0)"] ?? .none }
    nodes = match.nodes
    types = operands.map { graph.type(of: $0) }
    tensors = operands.map { graph.tensor(of: $0) }
    numbers = operands.map { graph.scalar(of: $0) }
    resultType = (try? graph[match.root].results.first.map { graph.type(of: .value($0)) }) ?? .unknown
    name = graph.name(of: match.root)
  }
}

extension GraphPattern {
  /// The calls behind an operand of a traced function. Calls that are used several times carry a label.
  fileprivate init(of operand: Operand, in graph: Graph) throws {
    switch operand {
    case .literal: self = .number(graph.scalar(of: operand) ?? .nan)
    case .none: self = .none
    case .parameter:
      if let number = graph.scalar(of: operand), graph.tensor(of: operand)?.shape == [] {
        self = .number(number)
      } else if let tensor = graph.tensor(of: operand) {
        self = .tensor(tensor)
      } else {
        self = .operand(graph.text(of: operand))
      }
    case .value(let value):
      guard let node = graph.call(producing: operand) else {
        self = .operand(graph.name(of: value))
        return
      }
      self = .call(
        node.op, try node.operands.map { try GraphPattern(of: $0, in: graph) }, attributes: node.attributes,
        label: try graph.uses(of: value).count > 1 ? graph.name(of: value) : nil)
    }
  }
}
