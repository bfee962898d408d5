import FXCore

extension Decompositions {
  mutating func addPooling() {
    unary(.globalAveragePool) { x, _ in try x.mean(x.spatialAxes) }
    unary(.globalMaxPool) { x, _ in try x.max(x.spatialAxes) }
    unary(.globalLpPool) { x, context in
      let axes = try x.spatialAxes
      return try norm(x, Double(context[LpPool.p])) { try $0.sum(axes) }
    }
    unary(.lpPool) { x, context in try norm(x, Double(context[LpPool.p])) { try context.windowSums($0) } }
    define(.maxUnpool) { context in try context.maxUnpool() }
  }
}

/// (Σ |x|^p)^(1/p), the sum being `sum`.
private func norm(_ x: Term, _ p: Double, sum: (Term) throws -> Term) throws -> Term {
  let (type, wide) = (try x.elementType, try x.widened())
  switch p {
  case 1: return try sum(abs(wide)).cast(to: type)
  case 2: return try sqrt(sum(wide * wide)).cast(to: type)
  default: return try pow(sum(pow(abs(wide), .float(p))), .float(1 / p)).cast(to: type)
  }
}

extension Term {
  fileprivate var spatialAxes: [Int] {
    get throws { try Array(2..<Swift.max(rank, 2)) }
  }
}

extension DecompositionContext {
  /// Strides, dilations and pads of a window over `rank` axes.
  /// - Throws: `DecompositionDeclined` if their number is not that of the axes, or one is out of range.
  func spatialAttributes(rank: Int, kernel: [Int] = []) throws -> (strides: [Int], dilations: [Int], pads: [Int]) {
    let strides = self[Conv.strides] ?? Array(repeating: 1, count: rank)
    let dilations = self[Conv.dilations]
    let pads = self[Conv.pads] ?? Array(repeating: 0, count: 2 * rank)
    let all = (strides, dilations ?? Array(repeating: 1, count: rank), pads)
    // Numbers that a size can be computed with.
    let range = -Int(Int32.max)...Int(Int32.max)
    guard all.0.count == rank, all.1.count == rank, pads.count == 2 * rank,
      [all.0, all.1, pads, kernel].allSatisfy({ $0.allSatisfy(range.contains) }), all.0.allSatisfy({ $0 > 0 })
    else { throw DecompositionDeclined(reason: "the window's attributes do not fit \(rank) spatial axes") }
    return all
  }

  /// The sums of each window of x, which is a convolution by a kernel of ones, channel by channel.
  fileprivate func windowSums(_ x: Term) throws -> Term {
    let (kernel, sizes) = (self[MaxPool.kernelShape], try x.sizes)
    let rank = kernel.count
    guard sizes.count == rank + 2 else { throw DecompositionDeclined(reason: "the window does not fit the rank") }
    let window = try spatialAttributes(rank: rank, kernel: kernel)
    let strides = window.strides
    var pads = window.pads
    let roundsUp = self[MaxPool.ceilMode] && self[Conv.autoPad] == "NOTSET"
    // Rounding up is rounding down with a last window's worth of padding more.
    if roundsUp { for axis in 0..<rank { pads[rank + axis] += strides[axis] - 1 } }
    var attributes = Attributes()
    attributes[Conv.strides] = strides
    attributes[Conv.dilations] = window.dilations
    attributes[Conv.autoPad] = self[Conv.autoPad]
    if self[Conv.autoPad] == "NOTSET" { attributes[Conv.pads] = pads }
    let weight = try x.builder.filled([1, 1] + kernel.map(Extent.size), 1, x.elementType)
    var sums = try x.reshaped([sizes[0] * sizes[1], 1] + sizes[2...]).call(.conv, [weight.operand], attributes)
    if roundsUp {
      // A window that starts in the padding at the end does not count.
      for axis in 0..<rank {
        let count = try (sizes[2 + axis] + .size(pads[axis])).ceilDivided(by: .size(strides[axis]))
        sums = try sums.sliced(2 + axis, from: 0, to: count)
      }
    }
    return try sums.reshaped([sizes[0], sizes[1]] + (0..<rank).map { try sums.size(2 + $0) })
  }

  /// Elements at their places in a flat tensor of the inferred size, which a larger shape holds at its start.
  fileprivate func maxUnpool() throws -> Term {
    let (x, indices) = (try term(0), try term(1))
    let (sizes, kernel) = (try x.sizes, self[MaxPool.kernelShape])
    let rank = kernel.count
    guard sizes.count == rank + 2 else { throw DecompositionDeclined(reason: "the window does not fit the rank") }
    let (strides, _, pads) = try spatialAttributes(rank: rank, kernel: kernel)
    let spatial = try (0..<rank).map { axis in
      try (sizes[2 + axis] - 1) * .size(strides[axis]) + .size(kernel[axis] - pads[axis] - pads[rank + axis])
    }
    let shape = Array(sizes[..<2]) + spatial
    let flat = try x.builder.zeros([shape.product()], x.elementType)
    var y = try flat.scatteredElements(indices.reshaped([-1]), x.reshaped([-1]), axis: 0).reshaped(shape)
    if let given = try optionalTerm(2) {
      for axis in shape.indices { y = try y.padded(axis, before: 0, after: given.element(axis) - shape[axis]) }
    }
    return y
  }
}
