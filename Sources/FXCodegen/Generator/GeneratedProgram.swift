import FXCore

/// The files that a target writes for a graph.
public struct GeneratedProgram: Sendable {
  /// Source, or a file of weights.
  public struct File: Sendable {
    /// A name without folders.
    public let name: String
    /// The contents; text is UTF-8.
    public let bytes: [UInt8]
  }

  /// The source that a reader starts with comes first.
  public private(set) var files: [File] = []

  /// What whoever uses the program should know, such as the sizes that it takes; a line each.
  public internal(set) var notes: [String] = []

  /// A program without files, for a target to add to.
  public init() {}

  /// Adds a file of text in UTF-8.
  public mutating func add(_ name: String, _ text: String) { add(name, [UInt8](text.utf8)) }
  /// Adds a file. Its name must be another than those before.
  public mutating func add(_ name: String, _ bytes: [UInt8]) { files.append(File(name: name, bytes: bytes)) }

  /// The text of the first file.
  public var source: String { files.first.map { String(decoding: $0.bytes, as: UTF8.self) } ?? "" }

  /// Writes all files into a folder, which is made if it is not there.
  /// - Throws: `FileError`.
  public func write(to folder: String) throws {
    try Folder.make(folder)
    for file in files { try AtomicFile.write(file.bytes, to: folder + "/" + file.name) }
  }
}
