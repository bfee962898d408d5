/// A dense tensor in host memory: elements in row-major order, packed as ONNX packs them.
///
/// A value: copies share bytes until one is written. Bytes may be a borrowed slice of a mapped file, possibly
/// unaligned; reads through this type are correct for any alignment.
public struct Tensor: Sendable {
  /// What the elements are, and how wide each is stored.
  public let elementType: ElementType
  /// The sizes of the dimensions, outermost first; none is negative; `[]` for a scalar.
  public let shape: [Int]

  enum Contents: Sendable {
    case bytes(TensorStorage)
    case strings([String])
  }
  private(set) var contents: Contents

  /// The number of elements, the product of `shape`.
  public let elementCount: Int

  init(_ elementType: ElementType, _ shape: [Int], count: Int, _ contents: Contents) {
    self.elementType = elementType
    self.shape = shape
    self.elementCount = count
    self.contents = contents
  }

  /// The product of the sizes.
  /// - Throws: `TensorError.badShape` for a negative size or a product whose bytes exceed `Int`.
  public static func elementCount(of shape: [Int], _ type: ElementType) throws(TensorError) -> Int {
    // A zero makes the tensor empty, however large the other sizes are.
    var count = shape.contains(0) ? 0 : 1
    for size in shape {
      guard size >= 0 else { throw .badShape(shape, type) }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw .badShape(shape, type) }
      count = product
    }
    guard count <= Int.max / 16 else { throw .badShape(shape, type) }
    return count
  }

  // MARK: Creating

  /// Zeros, `false` or empty strings.
  public init(zeros elementType: ElementType, _ shape: [Int]) throws(TensorError) {
    let count = try Tensor.elementCount(of: shape, elementType)
    if let bytes = elementType.byteCount(elements: count) {
      self.init(elementType, shape, count: count, .bytes(TensorStorage(byteCount: bytes, zeroed: true)))
    } else {
      self.init(elementType, shape, count: count, .strings(Array(repeating: "", count: count)))
    }
  }

  /// A tensor whose bytes `body` writes; they are uninitialized before.
  /// - Throws: `TensorError.badShape`; `TensorError.notBytes` for strings; what `body` throws.
  public init(
    uninitialized elementType: ElementType, _ shape: [Int], _ body: (UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    let count = try Tensor.elementCount(of: shape, elementType)
    guard let bytes = elementType.byteCount(elements: count) else { throw TensorError.notBytes(elementType) }
    let storage = TensorStorage(byteCount: bytes, zeroed: false)
    try body(UnsafeMutableRawBufferPointer(start: storage.base, count: bytes))
    self.init(elementType, shape, count: count, .bytes(storage))
  }

  /// A copy of packed little-endian bytes.
  /// - Throws: `TensorError.byteCount` if there are not exactly as many as the shape needs.
  public init(_ elementType: ElementType, _ shape: [Int], bytes: UnsafeRawBufferPointer) throws {
    try Tensor.check(elementType, shape, byteCount: bytes.count)
    try self.init(uninitialized: elementType, shape) { $0.copyMemory(from: bytes) }
  }

  /// A view of bytes that `owner` keeps alive and nobody changes.
  /// - Throws: `TensorError.byteCount` if there are not exactly as many as the shape needs.
  public init(
    _ elementType: ElementType, _ shape: [Int], borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject
  ) throws(TensorError) {
    let count = try Tensor.check(elementType, shape, byteCount: bytes.count)
    self.init(elementType, shape, count: count, .bytes(TensorStorage(borrowing: bytes, owner: owner)))
  }

  /// - Throws: `TensorError.elementCount` if the shape holds another number of elements.
  public init(_ shape: [Int], strings: [String]) throws(TensorError) {
    let count = try Tensor.elementCount(of: shape, .string)
    guard count == strings.count else { throw .elementCount(shape, strings.count) }
    self.init(.string, shape, count: count, .strings(strings))
  }

  @discardableResult
  private static func check(_ type: ElementType, _ shape: [Int], byteCount: Int) throws(TensorError) -> Int {
    let count = try elementCount(of: shape, type)
    guard let needed = type.byteCount(elements: count) else { throw .notBytes(type) }
    guard needed == byteCount else { throw .byteCount(type, shape, byteCount) }
    return count
  }

  // MARK: Bytes

  /// The number of bytes that the elements occupy; 0 for strings.
  public var byteCount: Int {
    if case .bytes(let storage) = contents { storage.byteCount } else { 0 }
  }

  /// Whether the bytes are a slice of memory that somebody else owns, such as a mapped file.
  public var isBorrowed: Bool {
    if case .bytes(let storage) = contents { !storage.isWritable } else { false }
  }

  /// The packed bytes, empty for strings. They may be unaligned.
  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    guard case .bytes(let storage) = contents else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    return try withExtendedLifetime(storage) {
      try body(UnsafeRawBufferPointer(start: storage.base, count: storage.byteCount))
    }
  }

  /// The packed bytes for writing, empty for strings; copied first if they are shared or borrowed.
  public mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
    guard case .bytes(var storage) = contents else {
      return try body(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }
    contents = .strings([])
    defer { contents = .bytes(storage) }
    if !storage.isWritable || !isKnownUniquelyReferenced(&storage) {
      let copy = TensorStorage(byteCount: storage.byteCount, zeroed: false)
      copy.base.copyMemory(from: storage.base, byteCount: storage.byteCount)
      storage = copy
    }
    return try body(UnsafeMutableRawBufferPointer(start: storage.base, count: storage.byteCount))
  }

  /// The address of the bytes, to be written over, if nobody else holds them; `nil` if somebody does.
  package mutating func uniqueBytes() -> UnsafeMutableRawPointer? {
    guard case .bytes(var storage) = contents else { return nil }
    contents = .strings([])
    defer { contents = .bytes(storage) }
    return storage.isWritable && isKnownUniquelyReferenced(&storage) ? storage.base : nil
  }

  /// Whether both tensors read the same memory: what keeps tied weights tied.
  public func sharesStorage(with other: Tensor) -> Bool {
    guard case .bytes(let a) = contents, case .bytes(let b) = other.contents else { return false }
    return a === b || (a.base == b.base && a.byteCount == b.byteCount && a.byteCount > 0)
  }

  /// The same elements in another shape, sharing the bytes.
  /// - Throws: `TensorError.elementCount` if the shape holds another number of elements.
  public func reshaped(_ shape: [Int]) throws(TensorError) -> Tensor {
    let count = try Tensor.elementCount(of: shape, elementType)
    guard count == elementCount else { throw .elementCount(shape, elementCount) }
    return Tensor(elementType, shape, count: count, contents)
  }

  /// The type with these sizes.
  public var type: TensorType { TensorType(elementType, Shape(shape)) }

  /// The strings of a string tensor, else `nil`.
  public var strings: [String]? {
    if case .strings(let strings) = contents, elementType == .string { strings } else { nil }
  }
}

extension Tensor: Equatable {
  /// Same element type, shape and bits: NaNs with equal bits are equal, 0 and −0 are not.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    guard a.elementType == b.elementType, a.shape == b.shape else { return false }
    if case .strings(let x) = a.contents, case .strings(let y) = b.contents { return x == y }
    if a.sharesStorage(with: b) { return true }
    return a.withUnsafeBytes { x in
      b.withUnsafeBytes { y in
        guard x.count == y.count else { return false }
        guard x.count > 0, let p = x.baseAddress, let q = y.baseAddress else { return true }
        return compareBytes(p, q, x.count)
      }
    }
  }
}

/// What can be wrong with a tensor's making or reading.
public enum TensorError: Error, Sendable, Hashable {
  /// A negative size, or more elements than can be addressed.
  case badShape([Int], ElementType)
  /// The bytes do not fill the shape exactly.
  case byteCount(ElementType, [Int], Int)
  /// The elements do not fill the shape exactly.
  case elementCount([Int], Int)
  /// The tensor holds `actual`, another type was asked for.
  case elementType(expected: String, actual: ElementType)
  /// Strings have no bytes.
  case notBytes(ElementType)
  /// No conversion exists between the types, or a string does not read as a number.
  case conversion(from: ElementType, to: ElementType)
}

extension TensorError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .badShape(let shape, let type): "no tensor can have the shape \(shape) with elements \(type.rawValue)"
    case .byteCount(let type, let shape, let count):
      "\(count) bytes do not fill a tensor \(type.rawValue)\(shape), which takes "
        + "\((try? Tensor.elementCount(of: shape, type)).flatMap(type.byteCount(elements:)).map(String.init) ?? "?")"
    case .elementCount(let shape, let count): "\(count) elements do not fill the shape \(shape)"
    case .elementType(let expected, let actual): "the tensor holds \(actual.rawValue), not \(expected)"
    case .notBytes(let type): "a tensor of \(type.rawValue) has no bytes"
    case .conversion(let from, let to): "\(from.rawValue) does not convert to \(to.rawValue)"
    }
  }
}
