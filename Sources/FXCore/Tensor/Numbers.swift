/// A tensor's elements in the widest type of their kind: the middle step of every conversion, exact on the way in.
public enum Numbers: Sendable {
  /// Elements of all floating-point types, which a `Double` holds exactly.
  case floats([Double])
  /// Elements of `bool` (0 and 1) and of all integer types but `uint64`.
  case signed([Int64])
  /// Only for `uint64`; narrower unsigned elements fit `signed`.
  case unsigned([UInt64])

  /// How many elements there are.
  public var count: Int {
    switch self {
    case .floats(let x): x.count
    case .signed(let x): x.count
    case .unsigned(let x): x.count
    }
  }

  /// Every element as the nearest `Double`.
  public var doubles: [Double] {
    switch self {
    case .floats(let x): x
    // Unapplied, `Double.init` of a `UInt64` would take bits.
    case .signed(let x): x.map { Double($0) }
    case .unsigned(let x): x.map { Double($0) }
    }
  }
}

extension Tensor {
  /// The elements widened exactly. `bool` reads as 0 and 1. O(n).
  /// - Throws: `TensorError.conversion` for strings and complex numbers.
  public func numbers() throws(TensorError) -> Numbers {
    let count = elementCount
    func read<T: BitwiseCopyable, U>(_: T.Type, _ widen: (T) -> U) -> [U] {
      withUnsafeBytes { bytes in
        (0..<count).map { widen(bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.stride, as: T.self)) }
      }
    }
    func readPacked<U>(_ widen: (UInt8) -> U) -> [U] {
      let bits = elementType.bitWidth
      let perByte = 8 / bits
      let mask = UInt8((1 << bits) - 1)
      return withUnsafeBytes { bytes in
        (0..<count).map { widen(bytes[$0 / perByte] >> UInt8($0 % perByte * bits) & mask) }
      }
    }
    switch elementType {
    case .float64: return .floats(read(Double.self) { $0 })
    case .float32: return .floats(read(Float.self) { Double($0) })
    case .bfloat16: return .floats(read(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) })
    case .float8e8m0: return .floats(read(UInt8.self) { Float8E8M0.decode($0) })
    case .int64: return .signed(read(Int64.self) { $0 })
    case .int32: return .signed(read(Int32.self) { Int64($0) })
    case .int16: return .signed(read(Int16.self) { Int64($0) })
    case .int8: return .signed(read(Int8.self) { Int64($0) })
    case .uint64: return .unsigned(read(UInt64.self) { $0 })
    case .uint32: return .signed(read(UInt32.self) { Int64($0) })
    case .uint16: return .signed(read(UInt16.self) { Int64($0) })
    case .uint8: return .signed(read(UInt8.self) { Int64($0) })
    case .bool: return .signed(read(UInt8.self) { $0 == 0 ? 0 : 1 })
    case .uint4, .uint2: return .signed(readPacked { Int64($0) })
    case .int4: return .signed(readPacked { Int64(Int8(bitPattern: $0 << 4) >> 4) })
    case .int2: return .signed(readPacked { Int64(Int8(bitPattern: $0 << 6) >> 6) })
    case .float16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float4e2m1:
      guard let format = MiniFloat.format(of: elementType) else { throw .conversion(from: elementType, to: .float64) }
      if elementType == .float16 { return .floats(read(UInt16.self) { format.decode(UInt32($0)) }) }
      if elementType == .float4e2m1 { return .floats(readPacked { format.decode(UInt32($0)) }) }
      return .floats(read(UInt8.self) { format.decode(UInt32($0)) })
    case .string, .complex64, .complex128: throw .conversion(from: elementType, to: .float64)
    }
  }

  /// A tensor of `type` with each number rounded into it: see `converted(to:saturating:)` for how.
  /// - Throws: `TensorError.elementCount`, `.badShape`; `.conversion` if `type` is a string or complex type.
  public init(_ type: ElementType, _ shape: [Int], numbers: Numbers, saturating: Bool = true) throws(TensorError) {
    let count = try Tensor.elementCount(of: shape, type)
    guard count == numbers.count else { throw .elementCount(shape, numbers.count) }
    guard let byteCount = type.byteCount(elements: count), !type.isComplex else {
      throw .conversion(from: .float64, to: type)
    }
    let storage = TensorStorage(byteCount: byteCount, zeroed: type.bitWidth < 8)
    let writer = ElementWriter(base: storage.base, type: type, saturating: saturating)
    switch numbers {
    case .floats(let x): writer.write(floats: x)
    case .signed(let x): writer.write(integers: x)
    case .unsigned(let x): writer.write(integers: x)
    }
    self.init(type, shape, count: count, .bytes(storage))
  }
}

/// Writes widened elements into storage of a narrower type.
private struct ElementWriter {
  let base: UnsafeMutableRawPointer
  let type: ElementType
  let saturating: Bool

  private func store<S: Sequence, T: BitwiseCopyable>(_ elements: S, _ narrow: (S.Element) -> T) {
    var offset = 0
    for element in elements {
      base.storeBytes(of: narrow(element), toByteOffset: offset, as: T.self)
      offset += MemoryLayout<T>.stride
    }
  }

  private func storePacked<S: Sequence>(_ elements: S, _ narrow: (S.Element) -> UInt8) {
    let bits = type.bitWidth
    let perByte = 8 / bits
    let bytes = base.assumingMemoryBound(to: UInt8.self)
    for (index, element) in elements.enumerated() {
      bytes[index / perByte] |= (narrow(element) & UInt8((1 << bits) - 1)) << UInt8(index % perByte * bits)
    }
  }

  func write(floats x: [Double]) {
    switch type {
    case .float64: store(x) { $0 }
    case .float32: store(x) { Float($0) }
    case .int64: store(x) { Int64(truncatingToRange: $0) }
    case .int32: store(x) { Int32(truncatingToRange: $0) }
    case .int16: store(x) { Int16(truncatingToRange: $0) }
    case .int8: store(x) { Int8(truncatingToRange: $0) }
    case .uint64: store(x) { UInt64(truncatingToRange: $0) }
    case .uint32: store(x) { UInt32(truncatingToRange: $0) }
    case .uint16: store(x) { UInt16(truncatingToRange: $0) }
    case .uint8: store(x) { UInt8(truncatingToRange: $0) }
    case .bool: store(x) { UInt8($0 == 0 ? 0 : 1) }
    case .int4, .int2, .uint4, .uint2:
      storePacked(x) { UInt8(truncatingIfNeeded: Int64(exactly: $0.rounded(.towardZero)) ?? 0) }
    case .float8e8m0: store(x) { Float8E8M0.encode($0, saturating: saturating) }
    default: writeMini(x)
    }
  }

  private func writeMini(_ x: [Double]) {
    guard let format = MiniFloat.format(of: type) else { return }
    // Saturation is a property of the 8-bit casts; half precision overflows to infinity.
    let saturating = saturating && type.bitWidth <= 8
    switch type.bitWidth {
    case 16: store(x) { UInt16(truncatingIfNeeded: format.encode($0, saturating: saturating)) }
    case 8: store(x) { UInt8(truncatingIfNeeded: format.encode($0, saturating: saturating)) }
    default: storePacked(x) { UInt8(truncatingIfNeeded: format.encode($0, saturating: true)) }
    }
  }

  /// Integers keep their low bits; into floating point they round.
  func write<T: FixedWidthInteger & Sendable>(integers x: [T]) {
    switch type {
    case .int64, .uint64: store(x) { UInt64(truncatingIfNeeded: $0) }
    case .int32, .uint32: store(x) { UInt32(truncatingIfNeeded: $0) }
    case .int16, .uint16: store(x) { UInt16(truncatingIfNeeded: $0) }
    case .int8, .uint8: store(x) { UInt8(truncatingIfNeeded: $0) }
    case .bool: store(x) { UInt8($0 == 0 ? 0 : 1) }
    case .int4, .uint4, .int2, .uint2: storePacked(x) { UInt8(truncatingIfNeeded: $0) }
    case .float64: store(x) { Double($0) }
    case .float32: store(x) { Float($0) }
    default: write(floats: x.map(\.roundedToOdd))
    }
  }
}

extension FixedWidthInteger {
  /// Toward zero; out of range saturates, NaN is 0.
  fileprivate init(truncatingToRange x: Double) {
    self = Self(exactly: x.rounded(.towardZero)) ?? (x.isNaN ? 0 : x < 0 ? Self.min : Self.max)
  }
}

extension FixedWidthInteger {
  /// The number as a `Double` that rounds to a narrower type as the number itself would: where bits are lost, the last one
  /// kept is 1, so that nothing looks like a tie that is none (Boldo and Melquiond 2008).
  fileprivate var roundedToOdd: Double {
    let excess = Swift.max(0, bitWidth - magnitude.leadingZeroBitCount - 53)
    let kept = magnitude >> excess
    let odd: Double = Double(kept << excess == magnitude ? kept : kept | 1)
    let value = odd * Double(sign: .plus, exponent: excess, significand: 1)
    return self < 0 ? -value : value
  }
}
