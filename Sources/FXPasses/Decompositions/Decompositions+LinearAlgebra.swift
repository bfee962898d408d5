import FXCore

extension Decompositions {
  mutating func addLinearAlgebra() {
    // x·Wᵀ + b: a gemm for matrices, else a product with the transposed weight.
    self[.linear] = { context in
      let (x, weight, bias) = (context.operand(0), context.operand(1), context.operand(2))
      let type = context.resultType()
      if context.type(of: x).shape?.rank == 2 {
        return [try context.call(.gemm, [x, weight, bias], ["transB": true], type: type)]
      }
      let transposed = try context.call(.transpose, [weight], ["perm": .ints([1, 0])])
      let product = try context.call(.matmul, [x, transposed], type: type)
      return [bias.isNone ? product : try context.call(.add, [product, bias], type: type)]
    }
    define(.scaledMatmul) { context in
      let a = try context.term(0).rearranged(context[Gemm.transA], context[ScaledMatmul.transBatchA])
      let b = try context.term(1).rearranged(context[Gemm.transB], context[ScaledMatmul.transBatchB])
      let product = try matmul(a, b)
      return context[Gemm.alpha] == 1 ? product : try product * Literal(context[Gemm.alpha])
    }
    define(.matmulNBits) { context in
      let x = try context.term(0)
      let product = try matmul(x, context.unpackedWeights(x.elementType))
      guard let bias = try context.optionalTerm(5) else { return product }
      return try product + bias
    }
    addEinsum()
  }
}

extension Term {
  /// The first axis put after the other leading ones, and the last two exchanged, as asked for.
  fileprivate func rearranged(_ swaps: Bool, _ swapsBatch: Bool) throws -> Term {
    var axes = Array(0..<(try rank))
    guard axes.count >= 2 else { return self }
    if swapsBatch, axes.count > 2 { axes = Array(axes[1..<axes.count - 1]) + [0, axes.count - 1] }
    if swaps { axes.swapAt(axes.count - 1, axes.count - 2) }
    return try transposed(axes)
  }

  /// The integers of `bits` bits that bytes [n, blocks, bytes] hold, first in the lowest bits, as u8[n, blocks, integers].
  fileprivate func unpacked(_ bits: Int) throws -> Term {
    if bits == 8 { return self }
    let mask = Operand.literal(.int(Int64((1 << bits) - 1)))
    let parts = try stride(from: 0, to: 8, by: bits).map { shift in
      let shifted =
        shift == 0
        ? self : try call(.bitShift, [.literal(.int(Int64(shift)))], [BitShift.direction.name: "RIGHT"])
      return try shifted.call(.bitwiseAnd, [mask])
    }
    let sizes = try sizes
    return try stack(parts, axis: 3).reshaped([sizes[0], sizes[1], sizes[2] * .size(8 / bits)])
  }
}

extension DecompositionContext {
  /// The weights of `matmul_nbits` as numbers [k, n].
  fileprivate func unpackedWeights(_ type: ElementType) throws -> Term {
    let (k, n, bits, block) = (
      self[MatmulNBits.k], self[MatmulNBits.n], self[MatmulNBits.bits], self[MatmulNBits.blockSize]
    )
    guard [2, 4, 8].contains(bits), [k, n, block].allSatisfy({ (1...Int(Int32.max)).contains($0) }), block % 8 == 0 else {
      throw DecompositionDeclined(reason: "\(k) × \(n) weights of \(bits) bits in blocks of \(block)")
    }
    let blocks = (k - 1) / block + 1
    let codes = try term(1).reshaped([.size(n), .size(blocks), .size(block / 8 * bits)]).unpacked(bits).cast(to: type)
    let scales = try term(2).cast(to: type).reshaped([.size(n), .size(blocks), 1])
    let zeroPoints = try self.zeroPoints(n, blocks, bits, type)
    var weights: Term
    if let groups = try optionalTerm(4) {
      // Rows that choose their block: scales and zero points are gathered for them.
      let rows = try codes.reshaped([.size(n), .size(blocks * block)]).sliced(1, from: 0, to: .size(k))
      let places = try groups.sliced(0, from: 0, to: .size(k))
      func chosen(_ parameters: Term) throws -> Term { try parameters.squeezed([2]).gathered(places, axis: 1) }
      let shifted = try zeroPoints.map { try rows - chosen($0) } ?? (rows - .int(Int64(1 << (bits - 1))))
      weights = try shifted * chosen(scales)
    } else {
      let shifted = try zeroPoints.map { try codes - $0 } ?? (codes - .int(Int64(1 << (bits - 1))))
      weights = try (shifted * scales).reshaped([.size(n), .size(blocks * block)])
      if k < blocks * block { weights = try weights.sliced(1, from: 0, to: .size(k)) }
    }
    return try weights.transposed([1, 0])
  }

  /// The zero points as numbers [n, blocks, 1], of which each row starts a byte if they are packed; `nil` if left out.
  private func zeroPoints(_ n: Int, _ blocks: Int, _ bits: Int, _ type: ElementType) throws -> Term? {
    guard let given = try optionalTerm(3) else { return nil }
    guard try given.elementType == .uint8 else {
      return try given.cast(to: type).reshaped([.size(n), .size(blocks), 1])
    }
    let bytes = (blocks - 1) / (8 / bits) + 1
    let all = try given.reshaped([.size(n), 1, .size(bytes)]).unpacked(bits).cast(to: type)
    return try all.sliced(2, from: 0, to: .size(blocks)).transposed([0, 2, 1])
  }
}
