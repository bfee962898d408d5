/// The bytes behind tensors: a heap block that the storage frees, or memory that an owner keeps alive,
/// such as a slice of a mapped file.
///
/// `@unchecked Sendable`: the bytes are written only through `Tensor`, which does so only while it holds the
/// sole reference to heap storage (checked with `isKnownUniquelyReferenced`); shared and borrowed storage is never written.
final class TensorStorage: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let byteCount: Int
  /// What keeps borrowed bytes alive; `nil` for heap storage.
  let owner: AnyObject?

  /// Heap bytes, zeroed on request: blocks of some size begin at a cache line, small ones where they are had quickest, which
  /// is good for elements of every type.
  init(byteCount: Int, zeroed: Bool) {
    base = UnsafeMutableRawPointer.allocate(byteCount: Swift.max(byteCount, 1), alignment: byteCount < 512 ? 16 : 64)
    self.byteCount = byteCount
    owner = nil
    if zeroed { base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount) }
  }

  init(borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    self.owner = owner
    byteCount = bytes.count
    base = UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(TensorStorage.empty))
  }

  var isWritable: Bool { owner == nil }

  deinit { if owner == nil { base.deallocate() } }

  /// The address of empty borrowed storage; nothing is ever read from or written to it.
  private nonisolated(unsafe) static let empty = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
}
