import FXCore

/// x × weightᵀ + bias on the last axis, as `torch.nn.Linear`.
public final class Linear: Module, Sendable {
  /// [out, in]
  public let weight: ModuleParameter
  /// [out]; `nil` for none.
  public let bias: ModuleParameter?

  public init(_ inFeatures: Int, _ outFeatures: Int, bias: Bool = true, elementType: ElementType = .float32) {
    let initializer = Initializer.kaimingUniform(fanIn: inFeatures)
    weight = ModuleParameter(elementType, [outFeatures, inFeatures], initializer: initializer)
    self.bias = bias ? ModuleParameter(elementType, [outFeatures], initializer: initializer) : nil
  }

  /// A layer on weights that others may share.
  public init(weight: ModuleParameter, bias: ModuleParameter? = nil) {
    self.weight = weight
    self.bias = bias
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.linear, [weight] + (bias.map { [$0] } ?? [])) }
}

extension SymbolicTensor {
  /// Calls an operator where the module being called was called: what a layer's single call reports.
  func applyHere(
    _ op: Operator, _ others: [(any SymbolicOperand)?] = [], attributes: Attributes = [:]
  ) -> SymbolicTensor {
    apply(op, others, attributes: attributes, at: session.here)
  }
}

extension TraceSession {
  /// The nearest line of the user's.
  var here: CallSite? { modules.last.map { CallSite(file: $0.file, line: $0.line) } }
}
