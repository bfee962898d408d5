internal import CKernels
import FXCore

/// Where a product or convolution of bytes finds what its sums are scaled by, and how its result is kept.
///
/// Scales, zero points and biases are read by each run, so that they need not be constants.
struct IntegerScaling: Sendable {
  /// The operands, by index; `nil` for those that are left out.
  struct Places: Sendable {
    var a = 0
    var b = 1
    var aScale: Int?
    var aZero: Int?
    var bScale: Int?
    var bZero: Int?
    var bias: Int?
    var yScale: Int?
    var yZero: Int?
  }

  let places: Places
  /// Columns, or kernels.
  let n: Int
  let k: Int
  /// What turns operands' bytes into the kind that is multiplied.
  let aFlip: UInt8
  let bFlip: UInt8
  private let output: fxk_int_output
  private let yFlip: UInt8
  private let low: Int32
  private let high: Int32
  private let bScaleCount: Int
  private let bZeroCount: Int
  private let hasIntegerBias: Bool

  /// `nil` if an operand has a form or type that the kernels do not take.
  init?(_ request: KernelRequest, _ places: Places, n: Int, k: Int, low: Int? = nil, high: Int? = nil) {
    func flip(_ index: Int, signed: UInt8, unsigned: UInt8) -> UInt8? {
      switch request.type(index) {
      case .int8: signed
      case .uint8: unsigned
      default: nil
      }
    }
    func count(_ index: Int?) -> Int { index.flatMap { request.operands[$0]?.elementCount } ?? 0 }
    guard let aFlip = flip(places.a, signed: 0x80, unsigned: 0), let bFlip = flip(places.b, signed: 0, unsigned: 0x80),
      n > 0, k > 0
    else { return nil }
    for index in [places.aScale, places.aZero, places.yScale, places.yZero] {
      guard count(index) <= 1 else { return nil }
    }
    for index in [places.bScale, places.bZero] { guard [0, 1, n].contains(count(index)) else { return nil } }
    for index in [places.aScale, places.bScale, places.yScale] {
      guard let index else { continue }
      guard request.type(index) == .float32 else { return nil }
    }
    for (zero, operand) in [(places.aZero, places.a), (places.bZero, places.b)] {
      if let zero, request.type(zero) != request.type(operand) { return nil }
    }
    if let bias = places.bias {
      guard count(bias) == n, [.int32, .float32].contains(request.type(bias)) else { return nil }
    }
    switch request.results[0].elementType {
    case .int32: output = FXK_INT_SUMS
    case .float32: output = FXK_INT_FLOATS
    case .int8, .uint8: output = FXK_INT_BYTES
    default: return nil
    }
    let isSigned = request.results[0].elementType == .int8
    self.places = places
    (self.n, self.k, self.aFlip, self.bFlip) = (n, k, aFlip, bFlip)
    yFlip = isSigned ? 0x80 : 0
    let shift = isSigned ? 128 : 0
    self.low = Int32(min(max((low ?? -128) + shift, 0), 255))
    self.high = Int32(min(max((high ?? 255) + shift, 0), 255))
    bScaleCount = count(places.bScale)
    bZeroCount = count(places.bZero)
    hasIntegerBias = places.bias.map { request.type($0) == .int32 } ?? false
  }

  /// Numbers in each of the four arrays that a run prepares. Groups of kernels read past their last one.
  private var arrayCount: Int { (n + 15) / 16 * 16 + 16 }
  var preparedBytes: Int { (4 * arrayCount * 4 + 63) / 64 * 64 }

  /// The byte that stands for zero in A, before the flip.
  func zeroByte(_ arguments: borrowing KernelArguments) -> UInt8 {
    places.aZero.map { arguments.operand($0, as: UInt8.self)[0] } ?? 0
  }

  /// - Parameters:
  ///   - sums: of B's columns.
  ///   - memory: `preparedBytes` bytes that the result points to.
  ///   - hasZeros: whether B's zero points are still to be subtracted.
  func prepare(
    _ arguments: borrowing KernelArguments, sums: UnsafePointer<Int32>, memory: UnsafeMutableRawPointer, hasZeros: Bool = true
  ) -> fxk_int_scaling {
    var p = fxk_int_parameters()
    (p.n, p.k, p.sums) = (n, k, sums)
    p.a_zero = Int32(zeroByte(arguments) ^ aFlip)
    if hasZeros {
      p.b_flip = bFlip
      p.b_zeros = bZeroCount
      p.b_zero = places.bZero.map { arguments.operand($0, as: UInt8.self) }
    }
    if let bias = places.bias {
      if hasIntegerBias { p.bias = arguments.operand(bias) } else { p.addend = arguments.operand(bias) }
    }
    p.a_scale = places.aScale.map { arguments.operand($0, as: Float.self)[0] } ?? 1
    p.b_scales = bScaleCount
    p.b_scale = places.bScale.map { arguments.operand($0, as: Float.self) }
    p.y_scale = places.yScale.map { arguments.operand($0, as: Float.self)[0] } ?? 0
    var scaling = fxk_int_scaling()
    scaling.output = output
    scaling.zero_point = Int32((places.yZero.map { arguments.operand($0, as: UInt8.self)[0] } ?? 0) ^ yFlip)
    (scaling.low, scaling.high, scaling.flip) = (low, high, yFlip)
    let integers = memory.assumingMemoryBound(to: Int32.self)
    let floats = (memory + 8 * arrayCount).assumingMemoryBound(to: Float.self)
    fxk_int_prepare(&p, integers, integers + arrayCount, floats, floats + arrayCount, &scaling)
    return scaling
  }
}

extension KernelRequest {
  /// The places of the operands of `cpu::integer_product` and `cpu::integer_conv`.
  var integerPlaces: IntegerScaling.Places {
    func place(_ index: Int) -> Int? { has(index) ? index : nil }
    return IntegerScaling.Places(
      aScale: place(2), aZero: place(3), bScale: place(4), bZero: place(5), bias: place(6), yScale: place(7), yZero: place(8))
  }
}
