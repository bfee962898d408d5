import FXCore
import FXShapes

/// Fills in the types that follow from those of inputs and parameters. O(nodes).
///
/// Before:
/// ```
/// graph @main(%x: f32[batch, 4]) {
///   %a = relu(%x)
///   return %a
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[batch, 4]) {
///   %a: f32[batch, 4] = relu(%x)
///   return %a
/// }
/// ```
///
/// Declines: nothing. Operands that do not fit are an error, which names the node.
public struct ShapeInferencePass: Pass {
  public let name = "shape-inference"
  /// The rules that types are inferred by.
  public var inference: ShapeInference

  /// Infers by the rules of this package, unless others are given.
  public init(_ inference: ShapeInference = ShapeInference()) { self.inference = inference }

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    let before = graph
    try inference.run(&graph)
    var values = try graph.allRegions.flatMap { try graph.arguments(of: $0) }
    values += try graph.allNodes.flatMap { try graph[$0].results }
    outcome.change("types found", try values.count { try before.type(of: $0) != graph.type(of: $0) })
    return outcome
  }
}
