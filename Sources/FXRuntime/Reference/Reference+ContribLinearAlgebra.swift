import FXCore

extension ReferenceKernels {
  mutating func addContribLinearAlgebra() {
    self[.scaledMatmul] = { context in
      try context.refuseHugeSizes()
      let a = try context.transposed(0, context[Gemm.transA], context[ScaledMatmul.transBatchA])
      let b = try context.transposed(1, context[Gemm.transB], context[ScaledMatmul.transBatchB])
      let product = try MatrixProduct(a.shape, b.shape)
      let alpha = Double(context[Gemm.alpha])
      let result = product(try a.numbers().doubles, try b.numbers().doubles).map { alpha * $0 }
      return [.tensor(try Tensor(a.elementType, product.shape, numbers: .floats(result), saturating: false))]
    }
    self[.matmulNBits] = { context in
      try context.refuseHugeSizes()
      let (x, n) = (try context.tensor(0), context[MatmulNBits.n])
      let weights = try context.unpackedWeights()
      let product = try MatrixProduct(x.shape, [context[MatmulNBits.k], n])
      var result = product(try x.numbers().doubles, weights)
      if let bias = try context.optionalTensor(5) {
        guard bias.shape == [n] else { throw KernelError.notBroadcastable(product.shape, bias.shape) }
        let added = try bias.numbers().doubles
        for index in result.indices { result[index] += added[index % n] }
      }
      return [.tensor(try Tensor(x.elementType, product.shape, numbers: .floats(result), saturating: false))]
    }
  }
}

extension ReferenceContext {
  /// Operand `index` with its first axis put after the other leading ones, and its last two swapped, as asked for.
  fileprivate func transposed(_ index: Int, _ swaps: Bool, _ swapsBatch: Bool) throws -> Tensor {
    let x = try tensor(index)
    guard x.shape.count >= 2 else { return x }
    var axes = Array(x.shape.indices)
    if swapsBatch, axes.count > 2 { axes = Array(axes[1..<axes.count - 1]) + [0, axes.count - 1] }
    if swaps { axes.swapAt(axes.count - 1, axes.count - 2) }
    return try x.transposed(axes)
  }

  /// The weights of `matmul_nbits` as numbers [k, n].
  fileprivate func unpackedWeights() throws -> [Double] {
    let (k, n, bits, block) = (
      self[MatmulNBits.k], self[MatmulNBits.n], self[MatmulNBits.bits], self[MatmulNBits.blockSize]
    )
    guard [2, 4, 8].contains(bits), k > 0, n > 0, block > 0, block % 8 == 0 else {
      throw KernelError.invalid("\(k) × \(n) weights of \(bits) bits in blocks of \(block)")
    }
    let blocks = (k - 1) / block + 1
    let codes = try tensor(1).integers()
    let scales = try tensor(2).numbers().doubles
    guard codes.count == (try Selection.count([n, blocks, block / 8, bits])), scales.count == n * blocks else {
      throw KernelError.invalid("weights \(try tensor(1).shape) with scales \(try tensor(2).shape) are not [\(n), \(k)]")
    }
    let (perByte, mask) = (8 / bits, (1 << bits) - 1)
    func code(_ packed: [Int], _ index: Int) -> Int { packed[index / perByte] >> (index % perByte * bits) & mask }
    var zeroPoints = Array(repeating: Double(1 << (bits - 1)), count: n * blocks)
    if let given = try optionalTensor(3) {
      // Each column's zero points start a byte.
      let row = given.elementType == .uint8 ? (blocks - 1) / perByte + 1 : blocks
      guard given.elementCount == n * row else {
        throw KernelError.invalid("zero points of shape \(given.shape) for \(n) × \(blocks) blocks")
      }
      if given.elementType == .uint8 {
        let packed = try given.integers()
        zeroPoints = zeroPoints.indices.map { Double(code(packed, $0 / blocks * row * perByte + $0 % blocks)) }
      } else {
        zeroPoints = try given.numbers().doubles
      }
    }
    var groups = (0..<k).map { $0 / block }
    if has(4) { groups = Array(try integers(4).prefix(k)) }
    guard groups.count == k, groups.allSatisfy({ (0..<blocks).contains($0) }) else {
      throw KernelError.invalid("the group indices do not name one of \(blocks) blocks for each of \(k) rows")
    }
    var result = Array(repeating: 0.0, count: try Selection.count([k, n]))
    for column in 0..<n {
      for row in 0..<k {
        let place = column * blocks + groups[row]
        let q = Double(code(codes, column * blocks * block + row))
        result[row * n + column] = (q - zeroPoints[place]) * scales[place]
      }
    }
    return result
  }
}
