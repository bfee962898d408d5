import FXCore
import FXPasses

/// Keeps big weights in half precision: files of half the size, for a rounding of each weight to eleven bits.
///
/// A backend that folds constants widens the weights when it compiles, so that a run costs what it did.
///
/// Before:
/// ```
/// graph @main(%x: f32[2, 4]) {
///   parameter @w: f32[3, 4] weight
///   %y: f32[2, 3] = linear(%x, @w)
///   return %y
/// }
/// ```
/// After, with `HalfWeightsPass(minimumCount: 12)`:
/// ```
/// graph @main(%x: f32[2, 4]) {
///   parameter @w: f16[3, 4] weight
///   %w_wide: f32[3, 4] = cast(@w) {to = f32}
///   %y: f32[2, 3] = linear(%x, %w_wide)
///   return %y
/// }
/// ```
/// Declines: weights of which a number is too big or too small for half precision.
public struct HalfWeightsPass: Pass {
  public let name = "half-weights"
  /// A weight is off by 2⁻¹¹ of itself at most; sums of products whose terms do not cancel, by as much.
  public let contract = NumericContract.approximates(bound: 0.01)
  /// Weights with fewer elements stay as they are.
  public var minimumCount: Int

  public init(minimumCount: Int = 256) { self.minimumCount = minimumCount }

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    var halves: [ParameterID: Tensor?] = [:]
    // Regions see the graph's parameters, and no values of the regions around them: each needs a cast of its own.
    var widened: [RegionID: [ParameterID: ValueID]] = [:]
    for id in graph.allNodes {
      let node = try graph[id]
      guard node.op != .cast else { continue }
      for (index, operand) in node.operands.enumerated() {
        guard let parameter = operand.parameter, let tensor = try bigWeight(parameter, in: graph) else { continue }
        guard let half = try halves[parameter] ?? self.half(of: tensor) else {
          halves[parameter] = .some(nil)
          outcome.decline(id, in: graph, "'\(try graph[parameter].name)' has numbers that half precision does not")
          continue
        }
        halves[parameter] = half
        let wide = try widened[node.region]?[parameter] ?? widen(parameter, before: node, in: &graph)
        widened[node.region, default: [:]][parameter] = wide
        try graph.setOperand(index, of: id, to: .value(wide))
      }
    }
    // Operands refer to parameters until the last use is rewritten, so tensors are exchanged at the end.
    for (parameter, half) in halves {
      guard let half else { continue }
      try graph.setTensor(half, of: parameter)
      outcome.change("weights halved")
      outcome.note("bytes saved", half.byteCount)
    }
    return outcome
  }

  private func bigWeight(_ id: ParameterID, in graph: Graph) throws -> Tensor? {
    guard let tensor = try graph[id].tensor, tensor.elementType == .float32, tensor.elementCount >= minimumCount else {
      return nil
    }
    return tensor
  }

  private func widen(_ id: ParameterID, before node: Node, in graph: inout Graph) throws -> ValueID {
    let parameter = try graph[id]
    var attributes = Attributes()
    attributes[Cast.to] = .float32
    return try graph.call(
      .cast, [.parameter(id)], attributes: attributes, type: .tensor(parameter.type), at: .before(node.id),
      name: "\(parameter.name)_wide", location: node.location)
  }

  /// `nil` if rounding moves a number by more than 2⁻¹⁰ of the greatest.
  private func half(of tensor: Tensor) throws -> Tensor? {
    let half = try tensor.converted(to: .float16, saturating: false)
    let before: [Float] = try tensor.elements()
    let after: [Float] = try half.converted(to: .float32).elements()
    let greatest = before.reduce(0) { max($0, $1.magnitude) }
    return zip(before, after).allSatisfy { ($0 - $1).magnitude <= greatest * 0x1p-10 } ? half : nil
  }
}
