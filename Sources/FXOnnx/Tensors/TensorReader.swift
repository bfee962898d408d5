internal import COnnx
import FXCore

/// Makes tensors of `TensorProto` messages.
///
/// Bytes that lie in the model's file or in an external data file are borrowed from the mapping; the rest is copied.
struct TensorReader {
  /// The model's bytes, in which detached `raw_data` lies.
  let input: UnsafeRawBufferPointer
  /// What keeps `input` alive.
  let owner: AnyObject
  var externalData: ExternalData
  /// Bytes that sparse tensors may still take as dense ones, beside four times those in which they are stored.
  var denseBytesLeft = OnnxImporter.defaultDenseLimit

  /// - Throws: `OnnxError` that names the tensor.
  mutating func tensor(_ message: TensorProto, name given: String? = nil) throws(OnnxError) -> Tensor {
    let name = given ?? text(message.name)
    guard message.n_dims <= TypeReader.rankLimit else { throw OnnxError(.rank(message.n_dims, of: name)) }
    guard let type = OnnxElementType.type(message.data_type) else {
      throw OnnxError(.elementType(code: Int(message.data_type), of: name))
    }
    guard message.segment == nil else { throw OnnxError(.tensorSegment(name)) }
    let shape = numbers(message.dims, message.n_dims).map(Int.init)
    if type == .string { return try strings(message, shape, name) }
    if message.has_data_location != 0, message.data_location == 1 {
      let entries = Messages<EntryProto>(message.external_data, message.n_external_data).pairs
      let (bytes, mapping) = try externalData.bytes(entries, of: name)
      return try borrowed(bytes, mapping, type, shape, name)
    }
    if message.has_raw_data != 0 {
      let bytes = message.raw_data.bytes
      return isInInput(bytes) ? try borrowed(bytes, owner, type, shape, name) : try copied(bytes, type, shape, name)
    }
    return try typed(message, type, shape, name)
  }

  /// Dense tensor of a sparse one, as every runtime of ours computes with it.
  mutating func tensor(_ message: SparseTensorProto, name given: String? = nil) throws(OnnxError) -> Tensor {
    let name = given ?? text(message.values?.pointee.name)
    guard let valueMessage = message.values, let indexMessage = message.indices else {
      throw OnnxError(.tensorHasNoData(name))
    }
    let values = try tensor(valueMessage.pointee, name: name)
    let indices = try tensor(indexMessage.pointee, name: name)
    let shape = numbers(message.dims, message.n_dims).map(Int.init)
    try countDense(shape, values, indices, name)
    do {
      return try densify(values, indices, shape, name)
    } catch {
      throw OnnxError.wrap(error) { .tensor(name, $0) }
    }
  }

  // MARK: Bytes

  private func isInInput(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress, let first = input.baseAddress else { return false }
    return start >= first && start + bytes.count <= first + input.count
  }

  private func borrowed(
    _ bytes: UnsafeRawBufferPointer, _ owner: AnyObject, _ type: ElementType, _ shape: [Int], _ name: String
  ) throws(OnnxError) -> Tensor {
    // Swift's `Bool` has two values; bytes of a file may have more.
    if type == .bool, bytes.contains(where: { $0 > 1 }) { return try copied(bytes, type, shape, name) }
    do {
      return try Tensor(type, shape, borrowing: bytes, owner: owner)
    } catch {
      throw OnnxError(.tensor(name, error))
    }
  }

  private func copied(
    _ bytes: UnsafeRawBufferPointer, _ type: ElementType, _ shape: [Int], _ name: String
  ) throws(OnnxError) -> Tensor {
    do {
      guard type == .bool else { return try Tensor(type, shape, bytes: bytes) }
      return try bytes.map { $0 == 0 ? 0 : 1 as UInt8 }.withUnsafeBytes { try Tensor(type, shape, bytes: $0) }
    } catch {
      throw OnnxError.wrap(error) { .tensor(name, $0) }
    }
  }

  // MARK: Typed fields

  /// Tensors whose elements are numbers of the message rather than bytes. Types of at most 32 bits stand in
  /// `int32_data`, one a number, those narrower than a byte as whole bytes of packed elements.
  private func typed(
    _ message: TensorProto, _ type: ElementType, _ shape: [Int], _ name: String
  ) throws(OnnxError) -> Tensor {
    let int32s = numbers(message.int32_data, message.n_int32_data)
    let uint64s = numbers(message.uint64_data, message.n_uint64_data)
    switch type {
    case .float32, .complex64:
      return try copied(UnsafeRawBufferPointer(numbers(message.float_data, message.n_float_data)), type, shape, name)
    case .float64, .complex128:
      return try copied(UnsafeRawBufferPointer(numbers(message.double_data, message.n_double_data)), type, shape, name)
    case .int64:
      return try copied(UnsafeRawBufferPointer(numbers(message.int64_data, message.n_int64_data)), type, shape, name)
    case .int32:
      return try copied(UnsafeRawBufferPointer(int32s), type, shape, name)
    case .uint64:
      return try copied(UnsafeRawBufferPointer(uint64s), type, shape, name)
    case .uint32:
      return try copied(uint64s.map { UInt32(truncatingIfNeeded: $0) }, type, shape, name)
    case .float16, .bfloat16, .int16, .uint16:
      return try copied(int32s.map { UInt16(truncatingIfNeeded: $0) }, type, shape, name)
    case .int8, .uint8, .bool, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0,
      .int4, .uint4, .float4e2m1, .int2, .uint2:
      return try copied(int32s.map { UInt8(truncatingIfNeeded: $0) }, type, shape, name)
    case .string:
      return try strings(message, shape, name)
    }
  }

  private func copied<Element: BitwiseCopyable>(
    _ elements: [Element], _ type: ElementType, _ shape: [Int], _ name: String
  ) throws(OnnxError) -> Tensor {
    let result = elements.withUnsafeBytes { bytes in
      Result { () throws(OnnxError) in try copied(bytes, type, shape, name) }
    }
    return try result.get()
  }

  private func strings(_ message: TensorProto, _ shape: [Int], _ name: String) throws(OnnxError) -> Tensor {
    var strings: [String] = []
    strings.reserveCapacity(message.n_string_data)
    for data in numbers(message.string_data, message.n_string_data) {
      guard let text = data.text else { throw OnnxError(.tensorText(name)) }
      strings.append(text)
    }
    do {
      return try Tensor(shape, strings: strings)
    } catch {
      throw OnnxError(.tensor(name, error))
    }
  }

  // MARK: Sparse tensors

  /// A few bytes may stand for a tensor of any size.
  private mutating func countDense(
    _ shape: [Int], _ values: Tensor, _ indices: Tensor, _ name: String
  ) throws(OnnxError) {
    let stored = 4 * (values.byteCount + indices.byteCount)
    guard shape.count <= TypeReader.rankLimit, let count = try? Tensor.elementCount(of: shape, values.elementType) else {
      throw OnnxError(.sparse(name))
    }
    // Strings take the place of a reference each.
    let bytes = values.elementType.byteCount(elements: count) ?? 16 * count
    guard bytes <= stored || bytes - stored <= denseBytesLeft else {
      throw OnnxError(.sparseTooLarge(name, bytes: bytes, limit: denseBytesLeft))
    }
    denseBytesLeft -= max(0, bytes - stored)
  }

  /// `indices` are positions in row-major order (rank 1) or coordinates, a row for each value (rank 2).
  private func densify(_ values: Tensor, _ indices: Tensor, _ shape: [Int], _ name: String) throws -> Tensor {
    let count = try Tensor.elementCount(of: shape, values.elementType)
    let raw = try indices.elements(Int64.self).map(Int.init)
    let width = indices.shape.count == 2 ? indices.shape[1] : 1
    guard indices.shape.count <= 2, width == 1 || width == shape.count, width <= raw.count || raw.isEmpty,
      raw.count == values.elementCount.multipliedReportingOverflow(by: width).partialValue, values.elementType.bitWidth >= 8
    else { throw OnnxError(.sparse(name)) }
    var positions: [Int] = []
    positions.reserveCapacity(values.elementCount)
    for row in 0..<values.elementCount {
      var position = 0
      for column in 0..<width {
        let index = raw[row * width + column]
        let size = indices.shape.count == 2 ? shape[column] : count
        guard index >= 0, index < size else { throw OnnxError(.sparse(name)) }
        position = indices.shape.count == 2 ? position * size + index : index
      }
      positions.append(position)
    }
    var dense = try Tensor(zeros: values.elementType, shape)
    let stride = values.elementType.bitWidth / 8
    values.withUnsafeBytes { source in
      dense.withUnsafeMutableBytes { target in
        for (index, position) in positions.enumerated() {
          target[(position * stride)..<((position + 1) * stride)].copyBytes(
            from: source[(index * stride)..<((index + 1) * stride)])
        }
      }
    }
    return dense
  }
}

extension OnnxError {
  /// Errors of untyped throwing calls: ours as they are, those of tensors and graphs with `problem`.
  static func wrap(_ error: any Error, _ problem: (TensorError) -> Problem) -> OnnxError {
    switch error {
    case let error as OnnxError: error
    case let error as TensorError: OnnxError(problem(error))
    case let error as GraphError: OnnxError(.graph(error))
    case let error as FileError: OnnxError(.file(error))
    default: OnnxError(.unsupported("\(error)"))
    }
  }
}
