import FXCore
import FXShapes

/// What would have fitted, where the fact alone does not say it.
extension ShapeError {
  /// - Parameters:
  ///   - op: what was called, if it was an operator.
  ///   - operands: the tensors' types as far as known.
  func remedy(_ op: Operator? = nil, _ operands: [TensorType?] = []) -> String? {
    switch self {
    case .notBroadcastable(let a, let b): broadcast(op, a, b)
    case .elementTypesDiffer(let a, let b): "convert one with cast(to: .\(promoted(a, b)))"
    case .elementType(_, let allowed, let actual): converted(from: actual, to: allowed)
    case .axis(_, let rank): rank > 0 ? "axes go from \(-rank) to \(rank - 1)" : "a tensor of rank 0 has none"
    case .reshape(let from, let to): counts(from, to)
    case .branchTypes(_, let a, let b):
      a.elementType == b.elementType ? nil : "every path must give the same element type: convert with cast(to:)"
    case .dimensionsDiffer: dimensions(op, operands)
    case .rank: rank(op)
    case .invalid: op == .softmaxCrossEntropyLoss || op == .nllLoss ? Self.targets : nil
    default: nil
    }
  }

  private static var targets: String { "targets are class numbers, of the scores' shape without its axis 1" }

  private func broadcast(_ op: Operator?, _ a: Shape, _ b: Shape) -> String? {
    for offset in 1...Swift.max(1, Swift.min(a.rank, b.rank)) where offset <= Swift.min(a.rank, b.rank) {
      guard let m = a[a.rank - offset].size, let n = b[b.rank - offset].size, m != n, m != 1, n != 1 else { continue }
      let fact = "axis -\(offset) is \(m) and \(n): "
      return fact
        + (op == .expand ? "only an axis of size 1 is stretched, tile repeats others" : "sizes must be equal, or one of them 1")
    }
    return nil
  }

  /// What PyTorch would compute in: floating-point numbers rather than integers, the wider of two.
  private func promoted(_ a: ElementType, _ b: ElementType) -> ElementType {
    if a.isFloatingPoint != b.isFloatingPoint { return a.isFloatingPoint ? a : b }
    return a.bitWidth >= b.bitWidth ? a : b
  }

  private func converted(from actual: ElementType, to allowed: ElementTypes) -> String? {
    if allowed.types == [.bool] { return "compare first, such as x .> 0" }
    let target: ElementType? =
      actual.isFloatingPoint
      ? [.int64, .int32].first { allowed.contains($0) } : [.float32, .int64].first { allowed.contains($0) }
    return target.map { "convert it with cast(to: .\($0))" }
  }

  private func counts(_ from: Shape, _ to: Shape) -> String? {
    guard let m = from.elementCount.size, let n = to.elementCount.size, n >= 0 else { return nil }
    return "there are \(m), \(n) are needed"
  }

  private func rank(_ op: Operator?) -> String? {
    switch op {
    case Operator.conv, .convTranspose, .maxPool, .averagePool, .lpPool:
      "the input is [batch, channels, …]: unsqueeze(x, axes: [0]) makes a batch of one"
    case Operator.lstm, .gru, .rnn: "sequences are [time, batch, features]: unsqueeze(x, axes: [1]) makes a batch of one"
    case Operator.concat: "stack joins along a new axis, unsqueeze adds one"
    case Operator.gatherElements: "indices have an axis for each of the tensor; gather takes indices of any rank"
    default: nil
    }
  }

  private func dimensions(_ op: Operator?, _ operands: [TensorType?]) -> String? {
    func shape(_ index: Int) -> Shape? { index < operands.count ? operands[index]?.shape : nil }
    guard let a = shape(0) else { return nil }
    switch op {
    case Operator.concat: return "sizes may differ along the axis that is joined only"
    case Operator.linear:
      guard let weight = shape(1), weight.rank == 2, a.rank > 1 else { return nil }
      let flat = a.dropFirst().reduce(Dimension(1), *)
      if a.rank > 2, flat == weight[1] { return "flatten the input first: flatten(x) is [\(a[0]), \(flat)]" }
      return "a layer of \(a[a.rank - 1]) input features fits"
    case Operator.matmul:
      guard let b = shape(1), a.rank > 1, b.rank > 1 else { return nil }
      if a[a.rank - 1] == b[b.rank - 1] { return "transpose(b, -1, -2) of the second fits" }
      if a[a.rank - 2] == b[b.rank - 2] { return "transpose(a, -1, -2) of the first fits" }
      return nil
    case Operator.conv, .convTranspose:
      guard let weight = shape(1), a.rank == weight.rank, let last = a.last, a.rank > 2 else { return nil }
      guard last == (op == .conv ? weight[1] : weight[0]), last.size != nil else { return nil }
      let order = [0, a.rank - 1] + Array(1..<a.rank - 1)
      return "channels come second: permute(x, \(order.map(String.init).joined(separator: ", "))) puts them there"
    case Operator.softmaxCrossEntropyLoss, .nllLoss: return Self.targets
    default: return nil
    }
  }
}
