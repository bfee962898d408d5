/// xoshiro256**, seeded by SplitMix64: the same numbers on every machine and in every version of this framework.
///
/// Source: Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2018.
public struct RandomGenerator: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// A generator whose 256 bits of state are the first four numbers of SplitMix64 from `seed`.
  public init(seed: UInt64) {
    var seed = seed
    state = (
      RandomGenerator.splitMix(&seed), RandomGenerator.splitMix(&seed), RandomGenerator.splitMix(&seed),
      RandomGenerator.splitMix(&seed)
    )
  }

  /// The generator of one named stream: what it draws does not depend on which other streams are drawn from.
  public init(seed: UInt64, stream: String) {
    // FNV-1a, since Swift's own hash differs from run to run.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in stream.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var seed = seed
    self.init(seed: RandomGenerator.splitMix(&seed) ^ hash)
  }

  private static func splitMix(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  public mutating func next() -> UInt64 {
    func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { x << k | x >> (64 - k) }
    let result = rotate(state.1 &* 5, 7) &* 9
    let t = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= t
    state.3 = rotate(state.3, 45)
    return result
  }

  /// A number in [0, 1), a multiple of 2⁻⁵³.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
