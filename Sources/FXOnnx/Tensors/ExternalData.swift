import FXCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The files beside a model that hold tensors' bytes. Each is mapped once, when it is first asked for.
struct ExternalData {
  /// The model's directory; `nil` for a model that was read from memory.
  let directory: String?
  /// Whether paths may lead out of the directory.
  let allowsOutside: Bool
  private var files: [String: MappedFile] = [:]

  init(directory: String?, allowsOutside: Bool) {
    self.directory = directory
    self.allowsOutside = allowsOutside
  }

  /// The bytes that `entries` (`location`, `offset`, `length`) name, and the mapping that keeps them.
  mutating func bytes(
    _ entries: [(key: String, value: String)], of tensor: String
  ) throws(OnnxError) -> (bytes: UnsafeRawBufferPointer, owner: MappedFile) {
    var values: [String: String] = [:]
    for (key, value) in entries { values[key] = value }
    guard let location = values["location"], !location.isEmpty else { throw fault(.noLocation, tensor) }
    let file = try file(location, of: tensor)
    let offset = try number("offset", values, of: tensor) ?? 0
    let length = try number("length", values, of: tensor) ?? max(file.bytes.count - offset, 0)
    let (end, overflow) = offset.addingReportingOverflow(length)
    guard !overflow, end <= file.bytes.count else {
      throw fault(.range(location: location, offset: offset, length: length, fileSize: file.bytes.count), tensor)
    }
    return (UnsafeRawBufferPointer(rebasing: file.bytes[offset..<end]), file)
  }

  private func number(_ key: String, _ values: [String: String], of tensor: String) throws(OnnxError) -> Int? {
    guard let text = values[key] else { return nil }
    guard let number = Int(text), number >= 0 else { throw fault(.badNumber(key: key, value: text), tensor) }
    return number
  }

  private mutating func file(_ location: String, of tensor: String) throws(OnnxError) -> MappedFile {
    if let file = files[location] { return file }
    guard let directory else { throw fault(.noDirectory, tensor) }
    let isInside = !location.hasPrefix("/") && !location.split(separator: "/").contains("..")
    guard isInside || allowsOutside else { throw fault(.outside(location: location), tensor) }
    let path = location.hasPrefix("/") ? location : directory + "/" + location
    if !allowsOutside, let home = resolve(directory), let target = resolve(path) {
      guard target.hasPrefix(home == "/" ? home : home + "/") else { throw fault(.outside(location: location), tensor) }
    }
    do {
      let file = try MappedFile(path: path)
      files[location] = file
      return file
    } catch {
      throw fault(.file(error), tensor)
    }
  }

  private func fault(_ fault: OnnxError.ExternalDataFault, _ tensor: String) -> OnnxError {
    OnnxError(.externalData(tensor, fault))
  }

  /// The path without links, `nil` where nothing is there.
  private func resolve(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
