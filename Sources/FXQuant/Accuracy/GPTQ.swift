import FXCore

/// Integers for a layer's weights that keep the layer's results: weights are rounded one column after the other, and what
/// rounding one is off is made up for by those that follow.
///
/// Source: Frantar, Ashkboos, Hoefler and Alistarh 2023, "GPTQ: Accurate Post-Training Quantization for Generative
/// Pre-trained Transformers".
public struct GPTQ: Sendable {
  /// What is added to the diagonal of Σ x xᵀ, as a share of its mean.
  public var damping: Double

  /// Rounding with a damping of 1 % unless said.
  public init(damping: Double = 0.01) { self.damping = damping }

  /// Weights [n, k] in blocks. O(n k² + k³).
  func quantize(
    _ weights: [Float], n: Int, k: Int, _ moments: SecondMoments, _ options: WeightOnlyQuantization
  ) -> PackedWeights? {
    guard moments.size == k, let factor = moments.inverseFactor(damping: damping) else { return nil }
    let blocks = (k + options.blockSize - 1) / options.blockSize
    var packed = PackedWeights(
      codes: Array(repeating: 0, count: n * k), scales: Array(repeating: 1, count: n * blocks),
      zeroPoints: Array(repeating: 0, count: n * blocks))
    var row = [Double](repeating: 0, count: k)
    for index in 0..<n {
      for column in 0..<k { row[column] = Double(weights[index * k + column]) }
      var block = BlockParams(fitting: [], bits: options.bits, options.scheme)
      for column in 0..<k {
        if column % options.blockSize == 0 {
          let current = row[column..<min(column + options.blockSize, k)].map { Float($0) }
          block = BlockParams(fitting: current[...], bits: options.bits, options.scheme)
          packed.scales[index * blocks + column / options.blockSize] = block.scale
          packed.zeroPoints[index * blocks + column / options.blockSize] = block.zeroPoint
        }
        let weight = Float(row[column])
        packed.codes[index * k + column] = block.code(weight)
        let error = (row[column] - Double(block.value(weight))) / factor[column * k + column]
        for later in column + 1..<max(k, column + 1) { row[later] -= error * factor[column * k + later] }
      }
    }
    return packed
  }
}

/// Σ x xᵀ over the vectors that a layer reads.
struct SecondMoments {
  let size: Int
  private var sums: [Double]

  init(_ size: Int) {
    self.size = size
    sums = Array(repeating: 0, count: size * size)
  }

  /// Adds the vectors along a tensor's last axis.
  mutating func add(_ tensor: Tensor) throws {
    guard tensor.shape.last == size, size > 0 else { return }
    let x = try tensor.elements(Float.self)
    let size = size
    sums.withUnsafeMutableBufferPointer { sums in
      for start in stride(from: 0, to: x.count, by: size) {
        for i in 0..<size where x[start + i] != 0 {
          let factor = Double(x[start + i])
          for j in i..<size { sums[i * size + j] += factor * Double(x[start + j]) }
        }
      }
    }
  }

  /// The upper triangular U with Uᵀ U = H⁻¹, H being the sums with a damped diagonal; `nil` if H is not positive definite.
  func inverseFactor(damping: Double) -> [Double]? {
    let mean = (0..<size).reduce(0) { $0 + sums[$1 * size + $1] } / Double(max(size, 1))
    guard mean > 0, mean.isFinite else { return nil }
    // The factor of the inverse with indices reversed: H⁻¹ = Uᵀ U needs the Cholesky factor of the reversed H.
    var lower = [Double](repeating: 0, count: size * size)
    func h(_ i: Int, _ j: Int) -> Double {
      let (a, b) = (size - 1 - max(i, j), size - 1 - min(i, j))
      return sums[a * size + b] + (i == j ? damping * mean : 0)
    }
    for i in 0..<size {
      for j in 0...i {
        var sum = h(i, j)
        for m in 0..<j { sum -= lower[i * size + m] * lower[j * size + m] }
        if i == j {
          guard sum > 0 else { return nil }
          lower[i * size + i] = sum.squareRoot()
        } else {
          lower[i * size + j] = sum / lower[j * size + j]
        }
      }
    }
    // H reversed = L Lᵀ, so that H = R L Lᵀ R with R reversing, and H⁻¹ = (R L⁻¹ R)ᵀ (R L⁻¹ R), the factor being upper.
    var inverse = [Double](repeating: 0, count: size * size)
    for column in 0..<size {
      inverse[column * size + column] = 1 / lower[column * size + column]
      for row in column + 1..<max(size, column + 1) {
        var sum = 0.0
        for m in column..<row { sum -= lower[row * size + m] * inverse[m * size + column] }
        inverse[row * size + column] = sum / lower[row * size + row]
      }
    }
    var factor = [Double](repeating: 0, count: size * size)
    for i in 0..<size {
      for j in i..<size { factor[i * size + j] = inverse[(size - 1 - i) * size + size - 1 - j] }
    }
    return factor
  }
}
