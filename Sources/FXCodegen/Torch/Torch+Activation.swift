import FXCore

extension TorchRows {
  mutating func addActivation() {
    define(.relu) { .call("torch.relu", [$0[0]]) }
    define(.sigmoid) { .call("torch.sigmoid", [$0[0]]) }
    define(.tanh) { .call("torch.tanh", [$0[0]]) }
    define(.softmax) { .call("torch.softmax", [$0[0], .keyed("dim", .int($0[Softmax.axis]))]) }
    define(.logSoftmax) { .call("torch.log_softmax", [$0[0], .keyed("dim", .int($0[Softmax.axis]))]) }
    define(.gelu) { call in
      .call("F.gelu", [call[0]] + (call[Gelu.approximate] == "tanh" ? [.keyed("approximate", "tanh")] : []))
    }
    define(.leakyRelu) { .call("F.leaky_relu", [$0[0], .number($0[LeakyRelu.alpha].decimal)]) }
    define(.elu) { .call("F.elu", [$0[0], .number($0[Elu.alpha].decimal)]) }
    define(.celu) { .call("F.celu", [$0[0], .number($0[Celu.alpha].decimal)]) }
    define(.softplus) { .call("F.softplus", [$0[0]]) }
    define(.mish) { .call("F.mish", [$0[0]]) }
    define(.hardSwish) { .call("F.hardswish", [$0[0]]) }
    define(.silu) { call in
      guard call[Silu.alpha] == 1 else { throw NotExpressible("silu has no factor inside") }
      return .call("F.silu", [call[0]])
    }
    // Outside training nothing is dropped.
    self[.dropout] = { call in
      if call.has(2), (try? call.site.constant(2)?.elements(Bool.self)) != [false] {
        throw NotExpressible("elements are dropped at random in training")
      }
      let mask = TorchExpression.call("torch.ones_like", [call[0]]).to(.bool)
      return .expressions(Array([call[0], mask].prefix(call.site.node.results.count)))
    }
  }
}

extension Float {
  /// The number that the shortest decimal of this one reads as: what a person writes.
  var decimal: Double {
    // The shortest decimals of the largest numbers lie beyond what the type holds.
    let read = Double(description) ?? Double(self)
    return read.magnitude <= Double(Float.greatestFiniteMagnitude) ? read : Double(self)
  }
}
