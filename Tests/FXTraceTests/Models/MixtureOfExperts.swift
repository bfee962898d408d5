import FXTrace

/// Shazeer et al. 2017: of several networks the few that a router finds best for a token answer it, weighted.
struct MixtureOfExperts: Module {
  let norm: RMSNorm
  let router: Linear
  let experts: [Expert]
  let chosen: Int

  init(width: Int, hidden: Int, experts: Int, chosen: Int) {
    norm = RMSNorm(width)
    router = Linear(width, experts, bias: false)
    self.experts = (0..<experts).map { _ in Expert(width, hidden) }
    self.chosen = chosen
  }

  /// Shazeer 2020: a gated network.
  struct Expert: Module {
    let gate, up, down: Linear

    init(_ width: Int, _ hidden: Int) {
      gate = Linear(width, hidden, bias: false)
      up = Linear(width, hidden, bias: false)
      down = Linear(hidden, width, bias: false)
    }

    func forward(_ x: SymbolicTensor) -> SymbolicTensor { down(silu(gate(x)) * up(x)) }
  }

  /// - Parameter x: [tokens, width]
  func forward(_ x: SymbolicTensor) -> [String: SymbolicTensor] {
    let y = norm(x)
    let probabilities = softmax(router(y))
    let best = topK(probabilities, chosen)
    let weights = best.values / sum(best.values, axes: [-1], keepDims: true)
    let shares = scatter(zeros(like: probabilities), best.indices, weights, axis: 1)
    var mixed = x
    for (index, expert) in experts.enumerated() {
      mixed = mixed + expert(y) * shares[0..., index..<index + 1]
    }
    return ["output": mixed, "experts": best.indices]
  }
}
