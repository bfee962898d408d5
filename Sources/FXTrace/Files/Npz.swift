import FXCore

/// NumPy's archives of named arrays, as `numpy.savez` writes them: a zip file of npy files, not compressed.
///
/// Reading maps the file: tensors borrow its pages where their layout allows. Source: PKWARE's APPNOTE 6.3, with the 64-bit
/// extension.
public enum Npz {
  /// Reads the file at `path`.
  /// - Throws: `FileError`, `NpzError`, `NpyError`, `TensorError`.
  public static func read(_ path: String) throws -> [String: Tensor] {
    let file = try MappedFile(path: path)
    return try decode(file.bytes, owner: file)
  }

  /// Reads a file's bytes.
  /// - Parameter owner: keeps `bytes` alive; the tensors then borrow them where their layout allows.
  /// - Throws: `NpzError`, `NpyError`, `TensorError`.
  public static func decode(_ bytes: UnsafeRawBufferPointer, owner: AnyObject? = nil) throws -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for member in try ZipDirectory(bytes).members {
      guard member.method == 0 else { throw NpzError.compressed(member.name) }
      let data = UnsafeRawBufferPointer(rebasing: bytes[member.start..<member.end])
      guard CRC32.of(data) == member.checksum else { throw NpzError.checksum(member.name) }
      let name = member.name.hasSuffix(".npy") ? String(member.name.dropLast(4)) : member.name
      guard tensors.updateValue(try Npy.decode(data, owner: owner), forKey: name) == nil else {
        throw NpzError.duplicateName(name)
      }
    }
    return tensors
  }

  /// Writes tensors to a file, which appears whole or not at all.
  /// - Throws: `NpyError.unsupported` for element types that NumPy has none for; `NpzError.tooLarge`; `FileError`.
  public static func write(_ tensors: [String: Tensor], to path: String) throws {
    try AtomicFile.write(try encode(tensors), to: path)
  }

  /// The bytes of a file that holds the tensors. A member, and the whole, must be smaller than 4 GiB.
  /// - Throws: `NpyError.unsupported` for element types that NumPy has none for; `NpzError.tooLarge`.
  public static func encode(_ tensors: [String: Tensor]) throws -> [UInt8] {
    var (file, directory): ([UInt8], [UInt8]) = ([], [])
    guard tensors.count < 0xFFFF else { throw NpzError.tooLarge }
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      let data = try Npy.encode(tensor)
      let label = Array((name + ".npy").utf8)
      guard file.count + data.count < Int(UInt32.max) - 1 << 20, label.count < 0xFFFF else { throw NpzError.tooLarge }
      let checksum = data.withUnsafeBytes { CRC32.of($0) }
      // Spaces in an extra field put the elements where mapped readers want them: at a multiple of 64 bytes.
      let padding = (64 - (file.count + 30 + label.count + 4) % 64) % 64
      let start = UInt32(file.count)
      // Version 2.0, names in UTF-8, stored, the earliest date that zip has.
      var common: [UInt8] = [20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0]
      common += checksum.bytes + UInt32(data.count).bytes + UInt32(data.count).bytes + UInt16(label.count).bytes
      file += [0x50, 0x4B, 3, 4] + common + UInt16(4 + padding).bytes + label
      file += UInt16(0x4658).bytes + UInt16(padding).bytes + Array(repeating: 0, count: padding) + data
      directory += [0x50, 0x4B, 1, 2, 20, 0] + common + Array(repeating: 0, count: 12) + start.bytes + label
    }
    let start = UInt32(file.count)
    file += directory
    let count = UInt16(tensors.count).bytes
    file += [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + count + count + UInt32(directory.count).bytes + start.bytes + [0, 0]
    return file
  }
}

/// What can be wrong with an npz file.
public enum NpzError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No record of a zip directory stands at the end of the bytes.
  case notZip
  /// The directory, or the bytes of a member, lie beyond the end of the file.
  case truncated
  /// What is wrong with the directory: entries that are not where it says, overlap or are encrypted, names that are not UTF-8.
  case badDirectory(String)
  /// A member that is compressed.
  case compressed(String)
  /// The bytes of the member of this name do not have the CRC-32 that the directory says.
  case checksum(String)
  /// Two members have this name, a suffix `.npy` taken off.
  case duplicateName(String)
  /// What is to be written is too much: close to 4 GiB, 65,535 tensors and more, or a name of about 64 KiB.
  case tooLarge

  public var description: String {
    switch self {
    case .notZip: "not an npz file: it does not end as a zip file does"
    case .truncated: "the npz file ends before its data"
    case .badDirectory(let what): "the npz file's directory is wrong: \(what)"
    case .compressed(let name): "'\(name)' is compressed: save with numpy.savez rather than numpy.savez_compressed"
    case .checksum(let name): "the bytes of '\(name)' do not have the checksum in the npz file"
    case .duplicateName(let name): "the npz file names '\(name)' twice"
    case .tooLarge:
      "npz files of 4 GiB, of 65,535 tensors or with names of 64 KiB, and more, are not written: use safetensors"
    }
  }
}

extension FixedWidthInteger {
  /// The number in little-endian bytes.
  fileprivate var bytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
