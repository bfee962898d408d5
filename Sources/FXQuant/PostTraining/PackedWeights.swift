import FXCore

/// Weights [n, k] as integers of few bits, with a scale and a zero point for each block of a row: what `matmul_nbits` reads.
struct PackedWeights {
  /// Of each weight, row by row.
  var codes: [UInt8]
  /// Of each block, row by row.
  var scales: [Float] = []
  var zeroPoints: [Int] = []

  /// Each weight rounded to the nearest integer, blocks having the scale of least squared error.
  init(
    rounding weights: [Float], n: Int, k: Int, blockSize: Int, bits: Int, _ scheme: QuantizationParams.Scheme
  ) {
    codes = Array(repeating: 0, count: n * k)
    for row in 0..<n {
      for start in stride(from: 0, to: k, by: blockSize) {
        let range = row * k + start..<row * k + min(start + blockSize, k)
        let block = BlockParams(fitting: weights[range], bits: bits, scheme)
        scales.append(block.scale)
        zeroPoints.append(block.zeroPoint)
        for index in range { codes[index] = block.code(weights[index]) }
      }
    }
  }

  init(codes: [UInt8], scales: [Float], zeroPoints: [Int]) {
    (self.codes, self.scales, self.zeroPoints) = (codes, scales, zeroPoints)
  }

  /// The integers packed, first in the lowest bits; the last block of a row is filled up with zeros' integers.
  func bytes(n: Int, k: Int, blockSize: Int, bits: Int) -> [UInt8] {
    let (blocks, perByte) = ((k + blockSize - 1) / blockSize, 8 / bits)
    var bytes = [UInt8](repeating: 0, count: n * blocks * blockSize / perByte)
    for row in 0..<n {
      for column in 0..<blocks * blockSize {
        let code =
          column < k ? codes[row * k + column] : UInt8(truncatingIfNeeded: zeroPoints[row * blocks + column / blockSize])
        let place = row * blocks * blockSize + column
        bytes[place / perByte] |= code << UInt8(place % perByte * bits)
      }
    }
    return bytes
  }

  /// The zero points packed; each row starts a byte.
  func zeroPointBytes(n: Int, blocks: Int, bits: Int) -> [UInt8] {
    let perByte = 8 / bits
    let width = (blocks + perByte - 1) / perByte
    var bytes = [UInt8](repeating: 0, count: n * width)
    for row in 0..<n {
      for block in 0..<blocks {
        bytes[row * width + block / perByte] |=
          UInt8(truncatingIfNeeded: zeroPoints[row * blocks + block]) << UInt8(block % perByte * bits)
      }
    }
    return bytes
  }
}

/// The scale and zero point of a block of weights.
struct BlockParams {
  var scale: Float
  var zeroPoint: Int
  private(set) var limit: Int

  /// The scale of least squared error among some that cut off a little of the range.
  ///
  /// A symmetric block maps its number of largest magnitude to the smallest integer, which has no counterpart above, so that
  /// scales may be negative: ONNX Runtime's way, which uses every integer.
  init(fitting weights: ArraySlice<Float>, bits: Int, _ scheme: QuantizationParams.Scheme) {
    limit = (1 << bits) - 1
    let middle = 1 << (bits - 1)
    let (low, high) = (min(weights.min() ?? 0, 0), max(weights.max() ?? 0, 0))
    (scale, zeroPoint) = (1, middle)
    // GPTQ may make numbers of good weights that are not finite.
    guard max(-low, high) >= .leastNormalMagnitude, max(-low, high).isFinite else { return }
    var best = Float.infinity
    for step in 0..<12 {
      let share = 1 - Float(step) * 0.03
      var candidate = self
      switch scheme {
      case .symmetric: candidate.scale = (high > -low ? high : low) * share / Float(-middle)
      case .asymmetric:
        candidate.scale = (high - low) * share / Float(limit)
        candidate.zeroPoint = min(max(Int((-low * share / candidate.scale).rounded(.toNearestOrEven)), 0), limit)
      }
      guard candidate.scale.magnitude >= .leastNormalMagnitude else { continue }
      let error = weights.reduce(Float(0)) { $0 + ($1 - candidate.value($1)) * ($1 - candidate.value($1)) }
      if error < best { (best, self) = (error, candidate) }
    }
  }

  func code(_ weight: Float) -> UInt8 {
    let q = (weight / scale).rounded(.toNearestOrEven) + Float(zeroPoint)
    return UInt8(min(max(q.isNaN ? Float(zeroPoint) : q, 0), Float(limit)))
  }

  /// What is left of a weight.
  func value(_ weight: Float) -> Float { Float(Int(code(weight)) - zeroPoint) * scale }
}
