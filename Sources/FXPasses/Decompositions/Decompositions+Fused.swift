import FXCore

extension Decompositions {
  /// Takes fused operators apart: the base operator, the addition of the residual, the activation.
  public static let fused: Decompositions = {
    var decompositions = Decompositions()
    for layer in FusableLayer.all { decompositions[layer.fused] = { context in try context.takeApart(layer) } }
    return decompositions
  }()
}

extension DecompositionContext {
  /// The attributes of the node that are the base operator's too.
  private func attributes(of base: Operator) -> Attributes {
    Attributes(node.attributes.filter { base.schema?.attribute($0.name) != nil }.map { ($0.name, $0.value) })
  }

  fileprivate mutating func takeApart(_ layer: FusableLayer) throws -> [Operand]? {
    let type = resultType()
    let operands = Array(node.operands.prefix(layer.residual))
    var result = try call(layer.base, operands, attributes(of: layer.base), type: type)
    let residual = operand(layer.residual)
    if !residual.isNone { result = try call(.add, [result, residual], type: type) }
    let name = self[FusedActivation.activation]
    guard !name.isEmpty else { return [result] }
    guard let function = FusedActivation.function(named: name),
      let op = OperatorTable.standard[name == "gelu_tanh" ? "gelu" : name]
    else { return nil }
    let given = self[FusedActivation.parameters]
    let values = function.defaults.enumerated().map { $0 < given.count ? given[$0] : $1 }
    if op == .clip {
      let bounds = try zip(values, function.defaults).map { value, fallback in
        value == fallback ? Operand.none : try bound(value, type.elementType ?? .float32)
      }
      return [try call(op, [result] + bounds, type: type)]
    }
    var attributes = Attributes(zip(function.parameterNames, values).map { ($0, .float($1)) })
    if name == "gelu_tanh" { attributes[Gelu.approximate] = "tanh" }
    return [try call(op, [result], attributes, type: type)]
  }

  private mutating func bound(_ value: Float, _ type: ElementType) throws -> Operand {
    constant(try Tensor(type, [], numbers: .floats([Double(value)])), name: "bound")
  }
}
