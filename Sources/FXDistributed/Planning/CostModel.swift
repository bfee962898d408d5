import FXCore

/// What time things take, roughly: enough to compare plans, not to predict them. Defaults are those of a laptop's core and
/// of MPI between processes of one machine.
public struct CostModel: Sendable, Hashable, Codable {
  /// Multiplications and additions a second of one rank.
  public var operationsPerSecond: Double
  /// Bytes a second that one rank reads and writes.
  public var memoryBytesPerSecond: Double
  /// Bytes a second between two ranks.
  public var linkBytesPerSecond: Double
  /// Seconds before the first byte arrives.
  public var linkLatency: Double

  /// Rates of a machine: 5e10 operations and 8e9 bytes a second, links of 2e9 bytes a second after 30 µs, unless said.
  public init(
    operationsPerSecond: Double = 5e10, memoryBytesPerSecond: Double = 8e9, linkBytesPerSecond: Double = 2e9,
    linkLatency: Double = 3e-5
  ) {
    (self.operationsPerSecond, self.memoryBytesPerSecond) = (operationsPerSecond, memoryBytesPerSecond)
    (self.linkBytesPerSecond, self.linkLatency) = (linkBytesPerSecond, linkLatency)
  }

  /// Seconds of a call on tensors of these sizes: its arithmetic or its traffic, whichever takes longer.
  func seconds(_ node: Node, operands: [TensorType?], results: [TensorType?]) -> Double {
    let bytes = (operands + results).reduce(0) { $0 + ($1?.byteCount ?? 0) }
    let arithmetic = Double(CostModel.operations(node, operands, results)) / operationsPerSecond
    return max(arithmetic, Double(bytes) / memoryBytesPerSecond)
  }

  /// Multiplications and additions, 2 for each product that a result's element sums; 1 for each element elsewhere.
  static func operations(_ node: Node, _ operands: [TensorType?], _ results: [TensorType?]) -> Int {
    func sizes(_ index: Int) -> [Int] { index < operands.count ? operands[index]?.shape?.sizes ?? [] : [] }
    let elements = results.first.flatMap { $0?.shape?.sizes }?.reduce(1, *) ?? 1
    func products(_ elements: Int, _ sums: Int) -> Int { elements.saturating(times: sums).saturating(times: 2) }
    switch node.op {
    case .conv, .fusedConv: return products(elements, sizes(1).dropFirst().reduce(1, *))
    case .convTranspose: return products(sizes(0).reduce(1, *), sizes(1).dropFirst().reduce(1, *))
    case .matmul, .fusedMatmul, .linear, .fusedLinear: return products(elements, sizes(0).last ?? 1)
    case .gemm, .fusedGemm: return products(elements, (node.attributes[Gemm.transA] ? sizes(0).first : sizes(0).last) ?? 1)
    default: return node.op.has(.dataMovement) ? 0 : elements
    }
  }

  /// Bytes that one rank sends for an operation on `bytes` of operand: those of the ring algorithms (Thakur, Rabenseifner and
  /// Gropp 2005, "Optimization of Collective Communication Operations in MPICH").
  public static func bytesSent(_ op: String, operandBytes bytes: Int, ranks: Int) -> Int {
    guard ranks > 1 else { return 0 }
    /// `bytes × (ranks − 1) ÷ ranks`, whose product may be wider than a word.
    func scaled(_ bytes: Int) -> Int { ranks.dividingFullWidth(bytes.multipliedFullWidth(by: ranks - 1)).quotient }
    return switch op {
    case "all_reduce": scaled(2 * bytes)
    case "all_gather": bytes.saturating(times: ranks - 1)
    case "reduce_scatter", "all_to_all": scaled(bytes)
    case "broadcast", "reduce", "send": bytes
    default: 0
    }
  }

  /// Seconds of an operation between `ranks` ranks.
  public func seconds(_ op: String, operandBytes bytes: Int, ranks: Int) -> Double {
    let steps =
      switch op {
      case "all_reduce": 2 * (ranks - 1)
      case "all_gather", "reduce_scatter", "all_to_all": ranks - 1
      default: 1
      }
    return Double(steps) * linkLatency + Double(CostModel.bytesSent(op, operandBytes: bytes, ranks: ranks)) / linkBytesPerSecond
  }
}

extension TensorType {
  /// The bytes of a tensor of known sizes; 0 for others.
  var byteCount: Int {
    guard let sizes = shape?.sizes, let count = try? Tensor.elementCount(of: sizes, elementType) else { return 0 }
    return elementType.byteCount(elements: count) ?? 0
  }
}

extension Int {
  /// The sum of two counts, at most `Int.max`: an estimate of what no machine can do is no reason to stop.
  func saturating(plus other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// The product of two counts, at most `Int.max`.
  func saturating(times other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
