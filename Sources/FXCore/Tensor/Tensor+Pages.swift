#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An owner of borrowed bytes that are a mapped file: what leaves memory comes back from the file.
package protocol MappedMemory: AnyObject {
  /// The private, read-only mapping; `nil` if this owner's bytes are in memory after all.
  var mapping: UnsafeRawBufferPointer? { get }
}

extension MappedFile: MappedMemory {
  package var mapping: UnsafeRawBufferPointer? { bytes }
}

extension Tensor {
  /// Tells the system that the elements will not be read soon. Pages of a mapped file leave memory and are read again
  /// when they are touched; other tensors stay as they are.
  package func releasePages() {
    guard case .bytes(let storage) = contents, let owner = storage.owner as? any MappedMemory, let mapping = owner.mapping,
      let first = mapping.baseAddress, UnsafeRawPointer(storage.base) >= first,
      UnsafeRawPointer(storage.base) + storage.byteCount <= first + mapping.count
    else { return }
    // Whole pages only: the others hold bytes of neighbours.
    let page = UInt(max(sysconf(Int32(_SC_PAGESIZE)), 1))
    let start = (UInt(bitPattern: storage.base) + page - 1) / page * page
    let end = (UInt(bitPattern: storage.base) + UInt(storage.byteCount)) / page * page
    guard end > start, let address = UnsafeMutableRawPointer(bitPattern: start) else { return }
    _ = madvise(address, Int(end - start), MADV_DONTNEED)
  }
}
