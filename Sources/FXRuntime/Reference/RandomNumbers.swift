import Foundation

/// A reproducible stream of random numbers: the Mersenne twister MT19937 (Matsumoto and Nishimura 1998), seeded and read
/// as NumPy's `RandomState` does, so that a seed gives the numbers that ONNX's reference gives.
struct RandomNumbers {
  private var state: [UInt32]
  private var position = 624
  private var spare: Double?

  init(seed: UInt32) {
    state = [seed]
    state.reserveCapacity(624)
    for index in 1..<624 {
      let last = state[index - 1]
      state.append(1_812_433_253 &* (last ^ (last >> 30)) &+ UInt32(index))
    }
  }

  /// Seeds with both halves of a wider seed.
  init(seed: UInt64) {
    // SplitMix64's finalizer: neighbouring seeds, as neighbouring nodes have, give unrelated streams.
    var bits = seed &+ 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    self.init(seed: UInt32(truncatingIfNeeded: bits ^ (bits >> 31)))
  }

  private mutating func twist() {
    for index in 0..<624 {
      let bits = (state[index] & 0x8000_0000) | (state[(index + 1) % 624] & 0x7FFF_FFFF)
      state[index] = state[(index + 397) % 624] ^ (bits >> 1) ^ (bits & 1 == 0 ? 0 : 0x9908_B0DF)
    }
    position = 0
  }

  mutating func next() -> UInt32 {
    if position == 624 { twist() }
    var bits = state[position]
    position += 1
    bits ^= bits >> 11
    bits ^= (bits << 7) & 0x9D2C_5680
    bits ^= (bits << 15) & 0xEFC6_0000
    return bits ^ (bits >> 18)
  }

  /// Uniform in [0, 1), in steps of 2⁻⁵³.
  mutating func uniform() -> Double {
    let high = next() >> 5
    return (Double(high) * 67_108_864 + Double(next() >> 6)) / 9_007_199_254_740_992
  }

  /// Normal with mean 0 and deviation 1, by Marsaglia's polar method.
  mutating func normal() -> Double {
    if let number = spare {
      spare = nil
      return number
    }
    while true {
      let (x, y) = (2 * uniform() - 1, 2 * uniform() - 1)
      let square = x * x + y * y
      guard square < 1, square != 0 else { continue }
      let factor = (-2 * log(square) / square).squareRoot()
      spare = factor * x
      return factor * y
    }
  }

  /// 1 with a probability, else 0.
  mutating func bernoulli(_ probability: Double) -> Double {
    let number = uniform()
    return probability <= 0.5 ? (number > 1 - probability ? 1 : 0) : (number > probability ? 0 : 1)
  }
}
