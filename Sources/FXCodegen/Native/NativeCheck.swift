import FXCore

/// What can be said of a call before anything is written.
enum NativeCheck {
  /// Why native targets cannot write a call; `nil` if they can, as far as its types tell.
  static func refusal(of node: Node, in graph: Graph) -> String? {
    let isControlFlow = NativeOperators.controlFlow.contains(node.op)
    guard isControlFlow || NativeOperators.standard[node.op] != nil else {
      return node.op.isRegistered ? "native targets have no such operator" : "nobody registered the operator"
    }
    let sizes = NativeOperators.standard[node.op]?.sizes ?? []
    for (index, operand) in node.operands.enumerated() where !sizes.contains(index) {
      if case .value = operand, let reason = refusal(of: graph.type(of: operand)) { return reason }
    }
    for result in node.results {
      if let reason = refusal(of: graph.type(of: .value(result))) { return reason }
    }
    return nil
  }

  private static func refusal(of type: ValueType) -> String? {
    guard let tensor = type.tensorType else { return "native targets have tensors only, not \(type)" }
    guard NativeType.supported.contains(tensor.elementType) else { return "native targets have no \(tensor.elementType)" }
    // Sizes are judged when code is written: one input that is not fixed would make every call a culprit.
    return nil
  }
}
