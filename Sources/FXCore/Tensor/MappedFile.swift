#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A whole file mapped read-only into memory. Pages are read when they are touched.
///
/// `@unchecked Sendable`: the mapping is private, read-only and lives until `deinit`.
public final class MappedFile: @unchecked Sendable {
  /// The path it was opened by.
  public let path: String
  /// The file's content, valid as long as the object is; empty for an empty file.
  public let bytes: UnsafeRawBufferPointer

  /// Maps the file at `path`.
  ///
  /// A file that another process truncates while it is mapped raises `SIGBUS` on access; write new files and rename them.
  /// - Throws: `FileError` if the file cannot be opened, is not a regular file (a directory, a pipe, a device), or cannot be
  ///   mapped.
  public init(path: String) throws(FileError) {
    self.path = path
    // Without O_NONBLOCK opening a pipe would wait for somebody to write to it. Regular files do not care.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError(path: path, operation: .open, code: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(path: path, operation: .open, code: errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw FileError(path: path, operation: .open, code: EISDIR)
    default: throw FileError(path: path, operation: .map, code: ENOTSUP)
    }
    guard status.st_size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let address = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address, address != MAP_FAILED else { throw FileError(path: path, operation: .map, code: errno) }
    bytes = UnsafeRawBufferPointer(start: address, count: Int(status.st_size))
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }
}

/// A failed file operation: which, on what, and the system's reason.
public struct FileError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was to be done; the raw value is the verb of the message.
  public enum Operation: String, Sendable {
    /// Opening a file that should be there, and asking what it is.
    case open
    /// Mapping it into memory.
    case map
    /// Writing to it, closing it after that, or giving it its name.
    case write
    /// Making a new file or folder.
    case create
  }
  /// The file's path as it was given.
  public let path: String
  /// What failed.
  public let operation: Operation
  /// The system's `errno`.
  public let code: Int32

  /// A failure that the system gave `code` as the reason of.
  public init(path: String, operation: Operation, code: Int32) {
    self.path = path
    self.operation = operation
    self.code = code
  }

  public var description: String { "cannot \(operation.rawValue) \(path): \(String(cString: strerror(code)))" }
}

/// Writes a file so that readers see the old content or the new, never a part: to a temporary file beside it, then renamed.
public enum AtomicFile {
  /// - Throws: `FileError` if a step fails; the temporary file is removed then.
  public static func write(_ path: String, _ body: (Int32) throws -> Void) throws {
    let (temporary, descriptor) = try create(beside: path)
    do {
      do {
        try body(descriptor)
      } catch {
        close(descriptor)
        throw error
      }
      // After a failed close the descriptor is gone all the same: the number may be another file's by now.
      guard close(descriptor) == 0 else { throw FileError(path: path, operation: .write, code: errno) }
      guard rename(temporary, path) == 0 else { throw FileError(path: path, operation: .write, code: errno) }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// Makes a new file with the permissions that the process gives new files. `mkstemp` gives none but the owner's, and the
  /// process's mask can only be asked for by setting it, which other threads would feel.
  private static func create(beside path: String) throws(FileError) -> (path: String, descriptor: Int32) {
    while true {
      let temporary = path + "." + String(UInt32.random(in: .min ... .max), radix: 36)
      let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (temporary, descriptor) }
      guard errno == EEXIST || errno == EINTR else { throw FileError(path: path, operation: .create, code: errno) }
    }
  }

  /// Writes `bytes` to `path`.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    try write(path) { descriptor in
      try bytes.withUnsafeBytes { try append($0, to: descriptor, path: path) }
    }
  }

  /// Writes all of `bytes` at the descriptor's position.
  public static func append(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws(FileError) {
    var rest = bytes
    while let base = rest.baseAddress, !rest.isEmpty {
      #if canImport(Darwin)
        let written = Darwin.write(descriptor, base, rest.count)
      #elseif canImport(Musl)
        let written = Musl.write(descriptor, base, rest.count)
      #else
        let written = Glibc.write(descriptor, base, rest.count)
      #endif
      if written < 0 {
        if errno == EINTR { continue }
        throw FileError(path: path, operation: .write, code: errno)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }
}
