import FXCore
import Synchronization

/// Memory that kernels write once and then only read.
///
/// `@unchecked Sendable`: written only by the closure that `WeightCache.packed` runs before anybody else sees the block.
public final class PackedWeights: @unchecked Sendable {
  /// The memory, 64-byte aligned; it goes with the object.
  public let bytes: UnsafeMutableRawPointer
  /// How many bytes were asked for.
  public let byteCount: Int

  init(byteCount: Int) {
    bytes = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 64)
    self.byteCount = byteCount
  }

  deinit { bytes.deallocate() }

  /// The memory as `float32` elements.
  public func floats() -> UnsafePointer<Float> { UnsafePointer(bytes.assumingMemoryBound(to: Float.self)) }
}

/// Constants in the layouts that kernels want, shared by all plans of a compiled graph.
public final class WeightCache: Sendable {
  private struct Key: Hashable {
    let storage: ObjectIdentifier
    let layout: String
  }
  private struct Entry {
    /// Keeps the storage alive, and with it the identity that the key is.
    let source: Tensor
    let weights: PackedWeights
  }
  private let entries = Mutex<[Key: Entry]>([:])
  private let models: ModelCache

  /// An empty cache.
  public init() { models = ModelCache() }

  /// A cache for the constants of one run, with the models of another.
  init(sharingModelsOf other: WeightCache) { models = other.models }

  /// The constant in the layout called `layout`, packed by `pack` the first time.
  ///
  /// `layout` names everything the packing depends on besides the bytes.
  /// - Parameter isLoose: whether `pack` reads bytes wherever they begin, so that a constant that a mapped file has between
  ///   the addresses of its elements need not be copied first.
  public func packed(
    _ tensor: Tensor, layout: String, byteCount: Int, isLoose: Bool = false,
    _ pack: (UnsafeRawBufferPointer, UnsafeMutableRawPointer) throws -> Void
  ) rethrows -> PackedWeights {
    guard let storage = tensor.storageIdentity else {
      let weights = PackedWeights(byteCount: byteCount)
      try tensor.withUnsafeBytes { try pack($0, weights.bytes) }
      return weights
    }
    let key = Key(storage: storage, layout: layout)
    if let entry = entries.withLock({ $0[key] }) { return entry.weights }
    let weights = PackedWeights(byteCount: byteCount)
    let source = isLoose ? tensor : tensor.aligned
    try source.withUnsafeBytes { try pack($0, weights.bytes) }
    // The packed copy serves from now on, so that a weight is not in memory twice.
    tensor.releasePages()
    return entries.withLock { entries in
      // Two threads may have packed at once; the first stays, so that all plans share it.
      if let entry = entries[key] { return entry.weights }
      entries[key] = Entry(source: tensor, weights: weights)
      return weights
    }
  }

  /// What the attributes of a node of the compiled graph mean to its kernel, made by `make` the first time.
  func prepared<Value: Sendable>(for node: NodeID, _ make: () throws -> Value) rethrows -> Value {
    if let value = models.byNode.withLock({ $0[node] }) as? Value { return value }
    let value = try make()
    models.byNode.withLock { $0[node] = value }
    return value
  }

  /// Bytes held in packed layouts.
  public var byteCount: Int { entries.withLock { $0.values.reduce(0) { $0 + $1.weights.byteCount } } }
}

/// What kernels made of nodes' attributes.
private final class ModelCache: Sendable {
  let byNode = Mutex<[NodeID: any Sendable]>([:])
}
