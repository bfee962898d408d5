/// A Swift type that tensors hold bit for bit.
public protocol TensorElement: BitwiseCopyable, Sendable {
  /// The element type of tensors that hold values of this type. `Int` and `Int64` share `int64`.
  static var elementType: ElementType { get }
}

extension Double: TensorElement { public static var elementType: ElementType { .float64 } }
extension Float: TensorElement { public static var elementType: ElementType { .float32 } }
#if !(os(macOS) && arch(x86_64))
  extension Float16: TensorElement { public static var elementType: ElementType { .float16 } }
#endif
extension Int64: TensorElement { public static var elementType: ElementType { .int64 } }
extension Int32: TensorElement { public static var elementType: ElementType { .int32 } }
extension Int16: TensorElement { public static var elementType: ElementType { .int16 } }
extension Int8: TensorElement { public static var elementType: ElementType { .int8 } }
extension UInt64: TensorElement { public static var elementType: ElementType { .uint64 } }
extension UInt32: TensorElement { public static var elementType: ElementType { .uint32 } }
extension UInt16: TensorElement { public static var elementType: ElementType { .uint16 } }
extension UInt8: TensorElement { public static var elementType: ElementType { .uint8 } }
extension Bool: TensorElement { public static var elementType: ElementType { .bool } }
/// `Int` is `int64`, the type of shapes and indices.
extension Int: TensorElement { public static var elementType: ElementType { .int64 } }

extension Tensor {
  /// A tensor of `elements` in row-major order.
  /// - Throws: `TensorError.elementCount` if the shape holds another number of elements.
  public init<Element: TensorElement>(_ shape: [Int], _ elements: [Element]) throws {
    let count = try Tensor.elementCount(of: shape, Element.elementType)
    guard count == elements.count else { throw TensorError.elementCount(shape, elements.count) }
    try self.init(uninitialized: Element.elementType, shape) { bytes in
      elements.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }

  /// A scalar, of shape `[]`.
  public init<Element: TensorElement>(_ scalar: Element) {
    let storage = TensorStorage(byteCount: MemoryLayout<Element>.size, zeroed: false)
    storage.base.storeBytes(of: scalar, as: Element.self)
    self.init(Element.elementType, [], count: 1, .bytes(storage))
  }

  /// A vector, of shape `[elements.count]`.
  public init<Element: TensorElement>(vector elements: [Element]) {
    let storage = TensorStorage(byteCount: elements.count * MemoryLayout<Element>.stride, zeroed: false)
    elements.withUnsafeBytes { if let base = $0.baseAddress { storage.base.copyMemory(from: base, byteCount: $0.count) } }
    self.init(Element.elementType, [elements.count], count: elements.count, .bytes(storage))
  }

  /// The elements in row-major order. O(n).
  /// - Throws: `TensorError.elementType` if the tensor holds another type.
  public func elements<Element: TensorElement>(_: Element.Type = Element.self) throws(TensorError) -> [Element] {
    guard elementType == Element.elementType else {
      throw .elementType(expected: Element.elementType.rawValue, actual: elementType)
    }
    return withUnsafeBytes { bytes in
      [Element](unsafeUninitializedCapacity: elementCount) { buffer, count in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
        count = elementCount
      }
    }
  }
}
