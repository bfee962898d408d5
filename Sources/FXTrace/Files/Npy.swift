import FXCore

/// NumPy's array file format, versions 1 to 3. Source: numpy.lib.format, NEP 1.
public enum Npy {
  /// Reads the array in the file at `path`; the elements stay in the mapped file where their layout allows.
  /// - Throws: `FileError`, `NpyError`, `TensorError`.
  public static func read(_ path: String) throws -> Tensor {
    let file = try MappedFile(path: path)
    return try decode(file.bytes, owner: file)
  }

  /// Reads an array from bytes.
  /// - Parameter owner: keeps `bytes` alive; the tensor then borrows them where their layout allows. Without it, it copies.
  /// - Throws: `NpyError`, `TensorError`.
  public static func decode(_ bytes: UnsafeRawBufferPointer, owner: AnyObject? = nil) throws -> Tensor {
    let (header, start) = try NpyHeader.parse(bytes)
    let body = UnsafeRawBufferPointer(rebasing: bytes[start...])
    if case .unicode(let width) = header.element { return try strings(header, body, width: width) }
    guard case .number(let type, let isSwapped) = header.element else { throw NpyError.unsupported(header.descriptor) }
    let count = try Tensor.elementCount(of: header.shape, type)
    guard let needed = type.byteCount(elements: count), needed <= body.count else { throw NpyError.truncated }
    let data = UnsafeRawBufferPointer(rebasing: body[..<needed])
    // Without elements there is no order, and the other sizes may be any.
    if data.isEmpty || (!isSwapped && (!header.isFortranOrder || header.shape.count <= 1)) {
      if let owner { return try Tensor(type, header.shape, borrowing: data, owner: owner) }
      return try Tensor(type, header.shape, bytes: data)
    }
    return try rearranged(header, type, data, isSwapped: isSwapped)
  }

  /// The array as a file's bytes, version 1 unless the header is long.
  /// - Throws: `NpyError.unsupported` for element types that NumPy has none for.
  public static func encode(_ tensor: Tensor) throws -> [UInt8] {
    var payload: [UInt8] = []
    let descriptor: String
    if let strings = tensor.strings {
      let width = max(1, strings.map { $0.unicodeScalars.count }.max() ?? 1)
      descriptor = "<U\(width)"
      for string in strings {
        for scalar in string.unicodeScalars { withUnsafeBytes(of: scalar.value.littleEndian) { payload += $0 } }
        payload += Array(repeating: 0, count: (width - string.unicodeScalars.count) * 4)
      }
    } else {
      guard let known = NpyHeader.descriptors.first(where: { $0.type == tensor.elementType }) else {
        throw NpyError.unsupported(tensor.elementType.rawValue)
      }
      descriptor = (tensor.elementType.bitWidth == 8 ? "|" : "<") + known.code
      payload = tensor.withUnsafeBytes(Array.init)
    }
    let shape = tensor.shape.map(String.init).joined(separator: ", ") + (tensor.shape.count == 1 ? "," : "")
    var header = Array("{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(shape)), }".utf8)
    let isLong = header.count > 65000
    let prefix = isLong ? 12 : 10
    header += Array(repeating: UInt8(ascii: " "), count: (64 - (prefix + header.count + 1) % 64) % 64) + [UInt8(ascii: "\n")]
    var file = NpyHeader.magic + [isLong ? 2 : 1, 0]
    if isLong {
      withUnsafeBytes(of: UInt32(header.count).littleEndian) { file += $0 }
    } else {
      withUnsafeBytes(of: UInt16(header.count).littleEndian) { file += $0 }
    }
    return file + header + payload
  }

  /// Writes the array to a file, which appears whole or not at all.
  /// - Throws: `NpyError.unsupported`, `FileError`.
  public static func write(_ tensor: Tensor, to path: String) throws {
    try AtomicFile.write(try encode(tensor), to: path)
  }

  private static func strings(_ header: NpyHeader, _ body: UnsafeRawBufferPointer, width: Int) throws -> Tensor {
    let count = try Tensor.elementCount(of: header.shape, .string)
    // Strings of no characters take no bytes: a header could ask for any number of them.
    guard width > 0 || count == 0 else { throw NpyError.unsupported(header.descriptor) }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: width * 4)
    guard !overflow, bytes <= body.count else { throw NpyError.truncated }
    let strings = (0..<count).map { index in
      var scalars = String.UnicodeScalarView()
      for position in 0..<width {
        let code = body.loadUnaligned(fromByteOffset: (index * width + position) * 4, as: UInt32.self)
        guard code != 0, let scalar = Unicode.Scalar(UInt32(littleEndian: code)) else { break }
        scalars.append(scalar)
      }
      return String(scalars)
    }
    return try Tensor(header.shape, strings: strings)
  }

  /// Row-major, little-endian elements from column-major or big-endian ones.
  private static func rearranged(
    _ header: NpyHeader, _ type: ElementType, _ data: UnsafeRawBufferPointer, isSwapped: Bool
  ) throws -> Tensor {
    let size = type.bitWidth / 8
    let shape = header.shape
    var strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.dropFirst() { strides[axis] = strides[axis - 1] * shape[axis - 1] }
    // Swapping complex numbers reverses each half by itself.
    let unit = type.isComplex ? size / 2 : size
    return try Tensor(uninitialized: type, shape) { target in
      var position = Array(repeating: 0, count: shape.count)
      for index in 0..<(target.count / size) {
        let source = header.isFortranOrder ? zip(position, strides).reduce(0) { $0 + $1.0 * $1.1 } : index
        for byte in 0..<size {
          let from = isSwapped ? byte / unit * unit + (unit - 1 - byte % unit) : byte
          target[index * size + byte] = data[source * size + from]
        }
        for axis in shape.indices.reversed() {
          position[axis] += 1
          if position[axis] < shape[axis] { break }
          position[axis] = 0
        }
      }
    }
  }
}

/// What can be wrong with an npy file.
public enum NpyError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The bytes do not start with npy's magic string, or are fewer than ten.
  case notNpy
  /// The header, or the elements that it promises, go on beyond the end of the bytes.
  case truncated
  /// The version is unknown, the header longer than 1 MiB, or no dictionary of the format's three keys: what is wrong.
  case badHeader(String)
  /// An element type that is not read or written, such as pickled objects.
  case unsupported(String)

  public var description: String {
    switch self {
    case .notNpy: "not an npy file"
    case .truncated: "the npy file ends before its data"
    case .badHeader(let what): "the npy header is wrong: \(what)"
    case .unsupported(let type): "npy elements of type '\(type)' are not supported"
    }
  }
}
