import Foundation

/// The discrete Fourier transform Σ x[k] exp(∓2πi jk ÷ n) of one length, in the arithmetic of `T`.
///
/// Lengths with small prime factors go by the mixed-radix passes of FFTPACK (Swarztrauber 1982), all others by Bluestein's
/// convolution (1970): O(n log n) for every length.
struct FourierTransform<T: BinaryFloatingPoint & Sendable>: Sendable {
  typealias Number = ComplexNumber<T>

  private enum Method: Sendable {
    case passes([Pass])
    indirect case convolution(Convolution)
  }

  let count: Int
  private let method: Method

  /// Prime factors up to this have passes of their own length, in time that grows with their square.
  private static var largestRadix: Int { 31 }

  /// - Parameter count: the length, which must be positive.
  init(_ count: Int) {
    self.count = max(count, 1)
    let factors = FourierTransform.factors(self.count)
    if (factors.last ?? 1) > FourierTransform.largestRadix {
      method = .convolution(Convolution(self.count))
    } else {
      method = .passes(FourierTransform.passes(self.count, factors))
    }
  }

  /// The transform of `x`, which has `count` numbers; with the other sign of the exponent and divided by `count` if inverse.
  func callAsFunction(_ x: [Number], isInverse: Bool) -> [Number] {
    var result = x
    run(&result, isInverse: isInverse)
    if isInverse {
      let scale = 1 / T(count)
      for index in result.indices { result[index] = Number(result[index].re * scale, result[index].im * scale) }
    }
    return result
  }

  /// The transform without the division.
  private func run(_ x: inout [Number], isInverse: Bool) {
    switch method {
    case .convolution(let convolution): x = convolution(x, isInverse: isInverse)
    case .passes(let passes):
      var other = x
      for pass in passes {
        x.withUnsafeBufferPointer { source in
          other.withUnsafeMutableBufferPointer { target in pass.run(source, target, isInverse: isInverse) }
        }
        swap(&x, &other)
      }
    }
  }

  // MARK: Plans

  /// Factors 4 and then the primes, with a single 2 in front, as FFTPACK has them.
  private static func factors(_ count: Int) -> [Int] {
    var rest = count
    var factors: [Int] = []
    while rest % 4 == 0 {
      factors.append(4)
      rest /= 4
    }
    if rest % 2 == 0 {
      factors.insert(2, at: 0)
      rest /= 2
    }
    var divisor = 3
    while divisor * divisor <= rest {
      while rest % divisor == 0 {
        factors.append(divisor)
        rest /= divisor
      }
      divisor += 2
    }
    if rest > 1 { factors.append(rest) }
    return factors
  }

  private static func passes(_ count: Int, _ factors: [Int]) -> [Pass] {
    var done = 1
    return factors.map { radix in
      defer { done *= radix }
      return Pass(count, radix: radix, done: done)
    }
  }

  /// exp(2πi k ÷ n), rounded from `Double`.
  static func root(_ k: Int, of n: Int) -> Number {
    // Angles are reduced to an eighth of the circle, in which the functions lose nothing.
    let eighth = 8 * (k % n) / n
    let rest = 8 * (k % n) - (eighth + eighth % 2) * n
    let angle = Double(rest) * .pi / (4 * Double(n))
    let (c, s) = (cos(angle), sin(angle))
    switch (eighth + 1) / 2 % 4 {
    case 0: return Number(T(c), T(s))
    case 1: return Number(T(-s), T(c))
    case 2: return Number(T(-c), T(-s))
    default: return Number(T(s), T(-c))
    }
  }

  /// Transforms of length `radix` over the whole, each element turned on by its root.
  private struct Pass: Sendable {
    let radix: Int
    /// The product of the radices before this one.
    let done: Int
    /// How many elements lie between those that meet.
    let stride: Int
    /// For each element but the first, and each place within the stride.
    let twiddles: [Number]
    let roots: [Number]

    init(_ count: Int, radix: Int, done: Int) {
      self.radix = radix
      self.done = done
      let stride = count / (done * radix)
      self.stride = stride
      twiddles = (1..<radix).flatMap { j in (0..<stride).map { FourierTransform.root(j * done * $0, of: count) } }
      roots = (0..<radix).map { FourierTransform.root($0, of: radix) }
    }

    func run(_ x: UnsafeBufferPointer<Number>, _ y: UnsafeMutableBufferPointer<Number>, isInverse: Bool) {
      withUnsafeTemporaryAllocation(of: Number.self, capacity: 2 * radix) { scratch in
        scratch.initialize(repeating: Number(0, 0))
        for k in 0..<done {
          for i in 0..<stride {
            for j in 0..<radix { scratch[j] = x[i + stride * (j + radix * k)] }
            combine(scratch, isInverse: isInverse)
            y[i + stride * k] = scratch[radix]
            for j in 1..<radix {
              let value = scratch[radix + j]
              let turned = i == 0 ? value : value.turned(by: twiddles[(j - 1) * stride + i], isInverse: isInverse)
              y[i + stride * (k + done * j)] = turned
            }
          }
        }
      }
    }

    /// The transform of the first half of `v`, into the second half.
    private func combine(_ v: UnsafeMutableBufferPointer<Number>, isInverse: Bool) {
      switch radix {
      case 2: (v[2], v[3]) = (v[0] + v[1], v[0] - v[1])
      case 4:
        let (sum, difference) = (v[0] + v[2], v[0] - v[2])
        let (otherSum, other) = (v[1] + v[3], v[1] - v[3])
        let quarter = isInverse ? Number(-other.im, other.re) : Number(other.im, -other.re)
        (v[4], v[6]) = (sum + otherSum, sum - otherSum)
        (v[5], v[7]) = (difference + quarter, difference - quarter)
      default: combineOdd(v, isInverse: isInverse)
      }
    }

    /// Elements that lie opposite each other share their products with the roots.
    private func combineOdd(_ v: UnsafeMutableBufferPointer<Number>, isInverse: Bool) {
      let half = (radix - 1) / 2
      let first = v[0]
      for j in stride(from: 1, through: half, by: 1) {
        (v[j], v[radix - j]) = (v[j] + v[radix - j], v[j] - v[radix - j])
      }
      var total = first
      for j in stride(from: 1, through: half, by: 1) { total = total + v[j] }
      v[radix] = total
      for k in stride(from: 1, through: half, by: 1) {
        var even = first
        var odd = Number(0, 0)
        for j in stride(from: 1, through: half, by: 1) {
          let root = roots[j * k % radix]
          let sine = isInverse ? root.im : -root.im
          let (sum, difference) = (v[j], v[radix - j])
          even = Number(even.re + root.re * sum.re, even.im + root.re * sum.im)
          odd =
            j == 1
            ? Number(sine * difference.im, sine * difference.re)
            : Number(odd.re + sine * difference.im, odd.im + sine * difference.re)
        }
        odd = Number(-odd.re, odd.im)
        v[radix + k] = even + odd
        v[2 * radix - k] = even - odd
      }
    }

    private func stride(from: Int, through: Int, by: Int) -> StrideThrough<Int> {
      Swift.stride(from: from, through: through, by: by)
    }
  }

  /// The transform as a convolution with a chirp, which transforms of a power of two compute.
  private struct Convolution: Sendable {
    let count: Int
    /// exp(πi k² ÷ n)
    let chirp: [Number]
    let transform: FourierTransform
    /// The chirp's transform.
    let spectrum: [Number]

    init(_ count: Int) {
      self.count = count
      var size = 1
      while size < 2 * count - 1 { size *= 2 }
      var (places, place) = ([Int](), 0)
      for k in 0..<count {
        // k² modulo 2n by differences, which do not overflow.
        places.append(place)
        place = (place + 2 * k + 1) % (2 * count)
      }
      chirp = places.map { FourierTransform.root($0, of: 2 * count) }
      var padded = Array(repeating: Number(0, 0), count: size)
      for (k, number) in chirp.enumerated() {
        padded[k] = number
        if k > 0 { padded[size - k] = number }
      }
      transform = FourierTransform(size)
      transform.run(&padded, isInverse: false)
      spectrum = padded
    }

    func callAsFunction(_ x: [Number], isInverse: Bool) -> [Number] {
      // The inverse is the transform of the conjugate, conjugated.
      let flip: T = isInverse ? -1 : 1
      var padded = Array(repeating: Number(0, 0), count: transform.count)
      for k in 0..<count { padded[k] = Number(x[k].re, flip * x[k].im).turned(by: chirp[k], isInverse: false) }
      transform.run(&padded, isInverse: false)
      for k in padded.indices { padded[k] = padded[k].turned(by: spectrum[k], isInverse: true) }
      transform.run(&padded, isInverse: true)
      let scale = 1 / T(transform.count)
      return (0..<count).map { k in
        let value = padded[k].turned(by: chirp[k], isInverse: false)
        return Number(value.re * scale, flip * value.im * scale)
      }
    }
  }
}

struct ComplexNumber<T: BinaryFloatingPoint & Sendable>: Sendable {
  var re: T
  var im: T

  init(_ re: T, _ im: T) {
    self.re = re
    self.im = im
  }

  static func + (a: Self, b: Self) -> Self { Self(a.re + b.re, a.im + b.im) }
  static func - (a: Self, b: Self) -> Self { Self(a.re - b.re, a.im - b.im) }

  /// The product with `root` if inverse, else with its conjugate.
  func turned(by root: Self, isInverse: Bool) -> Self {
    isInverse
      ? Self(re * root.re - im * root.im, re * root.im + im * root.re)
      : Self(re * root.re + im * root.im, im * root.re - re * root.im)
  }
}
