import FXCore

/// Hugging Face's file format of named tensors: a JSON header with types, shapes and byte ranges, then the bytes.
///
/// Reading maps the file: tensors borrow its pages, and nothing is copied. Source: the format's description in the
/// safetensors repository, whose rules on overlaps and gaps are checked too.
public enum Safetensors {
  /// What a file holds.
  public struct Contents: Sendable {
    /// By name. They borrow the file's bytes, or have copied them if `decode` was given no owner.
    public let tensors: [String: Tensor]
    /// Free text under names, such as `format: pt`.
    public let metadata: [String: String]
  }

  /// The longest header that is read: that of the reference implementation.
  static let headerLimit = 100_000_000

  /// Reads the file at `path`; elements stay in the mapped file.
  /// - Throws: `FileError`, `SafetensorsError`.
  public static func read(_ path: String) throws -> [String: Tensor] { try contents(path).tensors }

  /// Reads tensors and metadata of the file at `path`; elements stay in the mapped file.
  /// - Throws: `FileError`, `SafetensorsError`.
  public static func contents(_ path: String) throws -> Contents {
    let file = try MappedFile(path: path)
    return try decode(file.bytes, owner: file)
  }

  /// Reads a file's bytes.
  /// - Parameter owner: keeps `bytes` alive; the tensors then borrow them. Without it, they copy.
  /// - Throws: `SafetensorsError`.
  public static func decode(_ bytes: UnsafeRawBufferPointer, owner: AnyObject? = nil) throws -> Contents {
    guard bytes.count >= 8 else { throw SafetensorsError.truncated }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(headerLimit) else { throw SafetensorsError.headerLength(length) }
    guard length <= UInt64(bytes.count - 8) else { throw SafetensorsError.truncated }
    let start = 8 + Int(length)
    var header = SafetensorsHeader(UnsafeRawBufferPointer(rebasing: bytes[8..<start]))
    let entries = try header.parse()
    let body = UnsafeRawBufferPointer(rebasing: bytes[start...])
    try checkLayout(entries, bodyCount: body.count)
    var tensors: [String: Tensor] = [:]
    tensors.reserveCapacity(entries.count)
    for entry in entries {
      let data = UnsafeRawBufferPointer(rebasing: body[entry.start..<entry.end])
      do {
        tensors[entry.name] =
          if let owner { try Tensor(entry.type, entry.shape, borrowing: data, owner: owner) } else {
            try Tensor(entry.type, entry.shape, bytes: data)
          }
      } catch {
        throw SafetensorsError.size(entry.name, shape: entry.shape, type: entry.type, bytes: entry.end - entry.start)
      }
    }
    return Contents(tensors: tensors, metadata: header.metadata)
  }

  /// Every byte of the body belongs to exactly one tensor, so that nothing is read twice or hidden.
  private static func checkLayout(_ entries: [SafetensorsHeader.Entry], bodyCount: Int) throws(SafetensorsError) {
    var end = 0
    var previous: String?
    for entry in entries.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
      guard entry.end <= bodyCount else { throw .range(entry.name, entry.start, entry.end, bodyCount: bodyCount) }
      if entry.start < end, let previous { throw .overlap(previous, entry.name) }
      if entry.start > end { throw .gap(end, entry.start) }
      end = entry.end
      previous = entry.name
    }
    if end < bodyCount { throw .gap(end, bodyCount) }
  }

  /// The element types under the names of the format.
  static let types: [(name: String, type: ElementType)] = [
    ("F64", .float64), ("F32", .float32), ("F16", .float16), ("BF16", .bfloat16), ("I64", .int64), ("I32", .int32),
    ("I16", .int16), ("I8", .int8), ("U64", .uint64), ("U32", .uint32), ("U16", .uint16), ("U8", .uint8), ("BOOL", .bool),
    ("F8_E4M3", .float8e4m3fn), ("F8_E5M2", .float8e5m2), ("F8_E8M0", .float8e8m0), ("F4", .float4e2m1), ("C64", .complex64),
  ]

  /// Writes tensors to a file, which appears whole or not at all; the widest elements first, so that all are aligned.
  /// - Throws: `SafetensorsError.unsupported` for element types that the format has none for; `FileError`.
  public static func write(_ tensors: [String: Tensor], metadata: [String: String] = [:], to path: String) throws {
    let (header, ordered) = try layout(tensors, metadata)
    try AtomicFile.write(path) { descriptor in
      try header.withUnsafeBytes { try AtomicFile.append($0, to: descriptor, path: path) }
      for tensor in ordered {
        try tensor.withUnsafeBytes { try AtomicFile.append($0, to: descriptor, path: path) }
      }
    }
  }

  /// The bytes of a file that holds the tensors.
  /// - Throws: `SafetensorsError.unsupported` for element types that the format has none for.
  public static func encode(_ tensors: [String: Tensor], metadata: [String: String] = [:]) throws -> [UInt8] {
    var (bytes, ordered) = try layout(tensors, metadata)
    for tensor in ordered { tensor.withUnsafeBytes { bytes += $0 } }
    return bytes
  }

  private static func layout(
    _ tensors: [String: Tensor], _ metadata: [String: String]
  ) throws(SafetensorsError) -> (header: [UInt8], ordered: [Tensor]) {
    let ordered = tensors.sorted { ($1.value.elementType.bitWidth, $0.key) < ($0.value.elementType.bitWidth, $1.key) }
    var text = "{"
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\($0.key.asJSON):\($0.value.asJSON)" }
      text += "\"__metadata__\":{\(pairs.joined(separator: ","))}"
    }
    var offset = 0
    for (name, tensor) in ordered {
      guard let type = types.first(where: { $0.type == tensor.elementType })?.name else {
        throw .unsupported(name, tensor.elementType.rawValue)
      }
      guard name != "__metadata__" else { throw .header("'__metadata__' cannot be a tensor's name") }
      if text.utf8.count > 1 { text += "," }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      text +=
        "\(name.asJSON):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(offset + tensor.byteCount)]}"
      offset += tensor.byteCount
    }
    text += "}"
    // The body starts at a multiple of eight bytes, which mapped elements need.
    text += String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
    let header = withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { Array($0) } + Array(text.utf8)
    return (header, ordered.map(\.value))
  }
}

/// What can be wrong with a safetensors file.
public enum SafetensorsError: Error, Sendable, Equatable {
  /// The file ends before its header does.
  case truncated
  /// A header longer than any that is read.
  case headerLength(UInt64)
  /// What is wrong with the header, which is not the JSON that the format allows, with the byte where that is known.
  case header(String)
  /// The header has the tensor, the key of the metadata or the field (`name.dtype`) of this name twice.
  case duplicateName(String)
  /// A tensor's name and its type: one that is not read, as the file spells it, or one that the format has no name for.
  case unsupported(String, String)
  /// A byte range beyond the file's end.
  case range(String, Int, Int, bodyCount: Int)
  /// The byte ranges of the tensors of these two names overlap.
  case overlap(String, String)
  /// Bytes that belong to no tensor.
  case gap(Int, Int)
  /// A byte range that is not as long as shape and type say.
  case size(String, shape: [Int], type: ElementType, bytes: Int)
}

extension SafetensorsError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated: "the safetensors file ends before its header does"
    case .headerLength(let length):
      "the safetensors header is said to have \(length) bytes, more than the \(Safetensors.headerLimit) that are read"
    case .header(let what): "the safetensors header is wrong: \(what)"
    case .duplicateName(let name): "the safetensors header names '\(name)' twice"
    case .unsupported(let name, let type):
      "tensor '\(name)' holds \(type), which is not a type of safetensors files that is known"
    case .range(let name, let start, let end, let count):
      "tensor '\(name)' lies at bytes \(start)..<\(end), the file has \(count) after its header"
    case .overlap(let a, let b): "tensors '\(a)' and '\(b)' overlap"
    case .gap(let start, let end): "bytes \(start)..<\(end) after the header belong to no tensor"
    case .size(let name, let shape, let type, let bytes):
      "tensor '\(name)' has \(bytes) bytes, which are not \(type.rawValue)[\(shape.map(String.init).joined(separator: ", "))]"
    }
  }
}
