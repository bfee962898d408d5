import FXCore

/// A call that a row of a target's table writes: the node, and what is known of its operands.
public struct CallSite: Sendable {
  /// The call itself: operator, operands, attributes, results.
  public let node: Node
  /// The graph that holds the call, its types inferred.
  public let graph: Graph

  /// What is known of a node of a graph.
  public init(_ node: Node, in graph: Graph) {
    self.node = node
    self.graph = graph
  }

  /// The value of a typed attribute.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { node.attributes[key] }

  /// Whether operand `index` is there; `false` for one that is left out or beyond the last.
  public func has(_ index: Int) -> Bool { !node.operand(index).isNone }

  /// The element type of operand `index`; of a literal, the one it takes beside the others. `nil` if it is not known.
  public func elementType(_ index: Int) -> ElementType? {
    let operand = node.operand(index)
    guard let literal = operand.literal else { return graph.type(of: operand).elementType }
    return node.elementType(ofLiteral: literal, at: index) { graph.type(of: $0).elementType }
  }

  /// The shape of operand `index`, that of a scalar for a literal; `nil` if the rank is not known.
  public func shape(_ index: Int) -> Shape? {
    node.operand(index).literal == nil ? graph.type(of: node.operand(index)).shape : []
  }

  /// The rank of operand `index`; `nil` if it is not known.
  public func rank(_ index: Int) -> Int? { shape(index)?.rank }

  /// The rank of operand `index`.
  /// - Throws: `NotExpressible` if it is not known.
  public func knownRank(_ index: Int) throws -> Int {
    guard let rank = rank(index) else { throw NotExpressible("the rank of operand \(index) is not known") }
    return rank
  }

  /// The sizes of operand `index`.
  /// - Throws: `NotExpressible` if one is not a number.
  public func sizes(_ index: Int) throws -> [Int] {
    guard let sizes = shape(index)?.sizes else {
      throw NotExpressible("operand \(index) is \(graph.type(of: node.operand(index))), all of whose sizes must be numbers")
    }
    return sizes
  }

  /// The type of result `index`; `nil` if it is not known, no tensor's, or the node has no such result.
  public func resultType(_ index: Int = 0) -> TensorType? {
    index < node.results.count ? graph.type(of: .value(node.results[index])).tensorType : nil
  }

  /// The sizes of result `index`.
  /// - Throws: `NotExpressible` if one is not a number.
  public func resultSizes(_ index: Int = 0) throws -> [Int] {
    guard let sizes = resultType(index)?.shape?.sizes else {
      throw NotExpressible("the result's type \(resultType(index).map { "\($0)" } ?? "_") must have numbers for sizes")
    }
    return sizes
  }

  /// The tensor of operand `index` if it is known when code is written.
  public func constant(_ index: Int) -> Tensor? {
    let operand = node.operand(index)
    if let literal = operand.literal {
      return elementType(index).flatMap { try? literal.tensor($0) }
    }
    return graph.tensor(of: operand)
  }

  /// The integers of operand `index` if they are known when code is written.
  public func integers(_ index: Int) -> [Int]? {
    guard let tensor = constant(index), tensor.elementType.isInteger, case .signed(let values)? = try? tensor.numbers() else {
      return nil
    }
    return values.map(Int.init)
  }

  /// The integers of operand `index`.
  /// - Throws: `NotExpressible` if they are computed when the program runs.
  public func knownIntegers(_ index: Int) throws -> [Int] {
    guard let integers = integers(index) else {
      let name = node.op.schema?.operand(index)?.name ?? "operand \(index)"
      throw NotExpressible("'\(name)' must be known when the code is written")
    }
    return integers
  }

  /// The number that operand `index` holds if it is one, and known when code is written.
  public func number(_ index: Int) -> Double? {
    guard let tensor = constant(index), tensor.elementCount == 1 else { return nil }
    return try? tensor.numbers().doubles.first
  }

  /// An axis counted from 0.
  public func axis(_ axis: Int, rank: Int) -> Int { axis < 0 ? axis + rank : axis }
}

/// Why a row cannot write a call. A target's refusal of the call has the reason.
public struct NotExpressible: Error, Sendable, CustomStringConvertible {
  /// What stands behind the call's name in the refusal, such as `the rank of operand 0 is not known`.
  public let reason: String
  /// - Parameter reason: what stands behind the call's name in the refusal.
  public init(_ reason: String) { self.reason = reason }
  public var description: String { reason }
}
