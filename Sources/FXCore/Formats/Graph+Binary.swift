extension Graph {
  /// The graph in the binary format, which `docs/BinaryFormat.md` specifies. O(nodes + bytes of weights).
  ///
  /// For files see `writeBinary(to:)`, which makes no copy of the weights.
  public func binary() -> [UInt8] {
    let encoder = BinaryEncoder(self)
    var bytes = encoder.head()
    for tensor in encoder.weights {
      bytes.append(contentsOf: repeatElement(0, count: BinaryFormat.aligned(bytes.count) - bytes.count))
      tensor.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  /// Writes the graph in the binary format to a file: readers see the old file or the whole new one.
  /// - Throws: `FileError`.
  public func writeBinary(to path: String) throws {
    let encoder = BinaryEncoder(self)
    let head = encoder.head()
    try AtomicFile.write(path) { descriptor in
      try head.withUnsafeBytes { try AtomicFile.append($0, to: descriptor, path: path) }
      var offset = head.count
      let zeros = [UInt8](repeating: 0, count: BinaryFormat.alignment)
      for tensor in encoder.weights {
        let padding = BinaryFormat.aligned(offset) - offset
        try zeros.withUnsafeBytes { try AtomicFile.append(.init(rebasing: $0[..<padding]), to: descriptor, path: path) }
        try tensor.withUnsafeBytes { try AtomicFile.append($0, to: descriptor, path: path) }
        offset += padding + tensor.byteCount
      }
    }
  }

  /// Reads a graph from the binary format. Weights are copied out of `bytes`; those that shared memory share it again.
  ///
  /// The result keeps every invariant that editing keeps; whether values are defined before they are used, and types
  /// fit, is for `verify` to say.
  /// - Parameters:
  ///   - operators: what operator names mean.
  ///   - checkWeights: whether the weights' checksums are compared; the structure's always is.
  /// - Throws: `FormatError`.
  public init(
    binary bytes: [UInt8], operators: OperatorTable = .standard, checkWeights: Bool = true
  ) throws(FormatError) {
    self = try Graph.decode(bytes, operators, checkWeights)
  }

  private static func decode(
    _ bytes: [UInt8], _ operators: OperatorTable, _ checkWeights: Bool
  ) throws(FormatError) -> Graph {
    // `withUnsafeBytes` gives the error back as `any Error`.
    let result: Result<Graph, FormatError> = bytes.withUnsafeBytes { bytes in
      do throws(FormatError) {
        let file = try BinaryFile(bytes)
        if checkWeights { try file.checkWeights() }
        var decoder = BinaryDecoder(file, operators: operators, owner: nil)
        return .success(try decoder.decode())
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Reads a graph from a file in the binary format and leaves the weights in the file: they are mapped and their pages
  /// read when they are touched. Opening takes no longer for big weights than for small ones.
  /// - Parameters:
  ///   - path: a file that nobody changes as long as the graph or one of its tensors is alive.
  ///   - checkWeights: whether the weights' checksums are compared, which reads them all; the structure's always is.
  /// - Throws: `FileError`, `FormatError`.
  public init(mapping path: String, operators: OperatorTable = .standard, checkWeights: Bool = false) throws {
    let mapped = try MappedFile(path: path)
    let file = try BinaryFile(mapped.bytes)
    if checkWeights { try file.checkWeights() }
    var decoder = BinaryDecoder(file, operators: operators, owner: mapped)
    self = try decoder.decode()
  }

  /// Compares the checksums of all weights in a binary file.
  /// - Throws: `FileError`; `FormatError` that names the first damaged weight.
  public static func verifyWeights(ofBinary path: String) throws {
    let mapped = try MappedFile(path: path)
    try withExtendedLifetime(mapped) { try BinaryFile(mapped.bytes).checkWeights() }
  }

  /// As `binary`, under the name that the tutorial uses.
  public func toBinary() -> [UInt8] { binary() }

  /// As `init(binary:)`, under the name that the tutorial uses.
  public static func fromBinary(
    _ bytes: [UInt8], operators: OperatorTable = .standard
  ) throws(FormatError) -> Graph {
    try Graph(binary: bytes, operators: operators)
  }
}
