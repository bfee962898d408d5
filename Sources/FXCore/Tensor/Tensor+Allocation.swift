/// What executors need of tensors beyond the public interface: memory that is written through a pointer while the
/// tensor is being made, and an identity by which packed copies of weights are found again.
extension Tensor {
  /// A tensor with uninitialized bytes and the address to write them to, valid while the tensor lives. The caller
  /// writes every byte before anybody reads the tensor.
  /// - Throws: `TensorError.badShape`, `.notBytes`.
  package static func allocate(
    _ type: ElementType, _ shape: [Int]
  ) throws(TensorError) -> (tensor: Tensor, bytes: UnsafeMutableRawPointer) {
    let count = try elementCount(of: shape, type)
    guard let byteCount = type.byteCount(elements: count) else { throw .notBytes(type) }
    let storage = TensorStorage(byteCount: byteCount, zeroed: false)
    return (Tensor(type, shape, count: count, .bytes(storage)), storage.base)
  }

  /// The address of the packed bytes, valid while the tensor lives; `nil` for strings.
  package var unsafeBytes: UnsafeMutableRawPointer? {
    if case .bytes(let storage) = contents { storage.base } else { nil }
  }

  /// The object that holds the bytes: equal for tensors that share them.
  package var storageIdentity: ObjectIdentifier? {
    if case .bytes(let storage) = contents { ObjectIdentifier(storage) } else { nil }
  }

  /// Every element as a scalar that shares these bytes; none for strings and for elements narrower than a byte.
  package var scalars: [Tensor] {
    guard case .bytes(let storage) = contents, elementType.bitWidth % 8 == 0 else { return [] }
    let width = elementType.bitWidth / 8
    return (0..<elementCount).map { index in
      let bytes = UnsafeRawBufferPointer(start: storage.base + index * width, count: width)
      return Tensor(elementType, [], count: 1, .bytes(TensorStorage(borrowing: bytes, owner: storage)))
    }
  }

  /// A place along the first axis, which shares these bytes; `nil` for strings and for elements narrower than a byte.
  package func row(_ index: Int) -> Tensor? {
    guard case .bytes(let storage) = contents, elementType.bitWidth % 8 == 0, let rows = shape.first, (0..<rows).contains(index)
    else { return nil }
    let (count, width) = (elementCount / rows, elementType.bitWidth / 8)
    let bytes = UnsafeRawBufferPointer(start: storage.base + index * count * width, count: count * width)
    return Tensor(elementType, Array(shape.dropFirst()), count: count, .bytes(TensorStorage(borrowing: bytes, owner: storage)))
  }

  /// Whether the first byte is aligned for the elements.
  package var isAligned: Bool {
    guard let address = unsafeBytes else { return true }
    return UInt(bitPattern: address) % UInt(max(1, elementType.bitWidth / 8)) == 0
  }

  /// This tensor with its first byte aligned for its elements, copied if a mapped file has it elsewhere.
  package var aligned: Tensor {
    if isAligned { return self }
    var copy = self
    copy.withUnsafeMutableBytes { _ in }
    return copy
  }
}
