internal import COnnx
import FXCore

/// Files that hold one value, as ONNX's test data does: a `TensorProto`, `SequenceProto`, `OptionalProto` or `MapProto`.
/// The bytes do not say which, so that the type has to be known.
public enum OnnxValues {
  /// Reads the value in the file at `path`. Big tensors stay in the mapped file.
  /// - Parameter type: what the file holds; `.unknown` is taken for a tensor.
  /// - Throws: `OnnxError` that names the file.
  public static func read(path: String, as type: ValueType) throws(OnnxError) -> RuntimeValue {
    do {
      let file = try MappedFile(path: path)
      return try read(file.bytes, owner: file, as: type)
    } catch {
      throw OnnxError.wrap(error) { .tensor("", $0) }.at(path: path)
    }
  }

  /// The bytes of a file that holds the value.
  /// - Throws: `OnnxError`.
  public static func serialized(_ value: RuntimeValue, name: String = "") throws(OnnxError) -> [UInt8] {
    let writer = ValueWriter(builder: try MessageBuilder())
    let message: UnsafeMutableRawPointer =
      switch value {
      case .tensor(let tensor): UnsafeMutableRawPointer(try writer.tensor(tensor, name))
      case .sequence(let elements, let type): UnsafeMutableRawPointer(try writer.sequence(elements, type, name))
      case .optional(let wrapped, let type): UnsafeMutableRawPointer(try writer.optional(wrapped, type, name))
      case .map(let keys, let values): UnsafeMutableRawPointer(try writer.map(keys, values, name))
      }
    return try withExtendedLifetime(writer.builder) { () throws(OnnxError) in try Wire.pack(message) }
  }

  private static func read(
    _ bytes: UnsafeRawBufferPointer, owner: AnyObject, as type: ValueType
  ) throws(OnnxError) -> RuntimeValue {
    let kind =
      switch type {
      case .tensor, .unknown: FXONNX_TENSOR
      case .sequence: FXONNX_SEQUENCE
      case .optional: FXONNX_OPTIONAL
      case .map: FXONNX_MAP
      }
    let (document, root) = try Wire.open(bytes, kind)
    defer { fxonnx_close(document) }
    let tensors = TensorReader(
      input: bytes, owner: owner, externalData: ExternalData(directory: nil, allowsOutside: false))
    var reader = ValueReader(tensors: tensors)
    switch type {
    case .tensor, .unknown:
      return .tensor(try reader.tensors.tensor(root.assumingMemoryBound(to: TensorProto.self).pointee))
    case .sequence: return try reader.sequence(root.assumingMemoryBound(to: SequenceProto.self).pointee, as: type)
    case .optional: return try reader.optional(root.assumingMemoryBound(to: OptionalProto.self).pointee, as: type)
    case .map: return try reader.map(root.assumingMemoryBound(to: MapProto.self).pointee)
    }
  }
}

/// The kinds of value that sequences and optionals hold (`SequenceProto.DataType`).
private enum ElementKind: Int32 {
  case none, tensor, sparseTensor, sequence, map, optional

  init(_ type: ValueType) {
    switch type {
    case .unknown: self = .none
    case .tensor: self = .tensor
    case .sequence: self = .sequence
    case .map: self = .map
    case .optional: self = .optional
    }
  }
}

private struct ValueReader {
  var tensors: TensorReader

  mutating func sequence(_ message: SequenceProto, as type: ValueType) throws(OnnxError) -> RuntimeValue {
    var elements: [RuntimeValue] = []
    for tensor in Messages<TensorProto>(message.tensor_values, message.n_tensor_values) {
      elements.append(.tensor(try tensors.tensor(tensor.pointee)))
    }
    for tensor in Messages<SparseTensorProto>(message.sparse_tensor_values, message.n_sparse_tensor_values) {
      elements.append(.tensor(try tensors.tensor(tensor.pointee)))
    }
    var element: ValueType = elements.first.map { .tensor($0.type.elementType ?? .float32, nil) } ?? .unknown
    if case .sequence(let declared) = type, declared != .unknown { element = declared }
    for inner in Messages<SequenceProto>(message.sequence_values, message.n_sequence_values) {
      elements.append(try sequence(inner.pointee, as: element))
    }
    for inner in Messages<OptionalProto>(message.optional_values, message.n_optional_values) {
      elements.append(try optional(inner.pointee, as: element))
    }
    for inner in Messages<MapProto>(message.map_values, message.n_map_values) {
      elements.append(try map(inner.pointee))
    }
    return .sequence(elements, element: element)
  }

  mutating func optional(_ message: OptionalProto, as type: ValueType) throws(OnnxError) -> RuntimeValue {
    var wrapped: ValueType = .unknown
    if case .optional(let inner) = type { wrapped = inner }
    var value: RuntimeValue?
    if let tensor = message.tensor_value { value = .tensor(try tensors.tensor(tensor.pointee)) }
    if let tensor = message.sparse_tensor_value { value = .tensor(try tensors.tensor(tensor.pointee)) }
    if let inner = message.sequence_value { value = try sequence(inner.pointee, as: wrapped) }
    if let inner = message.optional_value { value = try optional(inner.pointee, as: wrapped) }
    if let inner = message.map_value { value = try map(inner.pointee) }
    if wrapped == .unknown, let value { wrapped = value.type }
    return .optional(value, wrapped: wrapped)
  }

  mutating func map(_ message: MapProto) throws(OnnxError) -> RuntimeValue {
    guard let list = message.values, case .sequence(let values, _) = try sequence(list.pointee, as: .unknown) else {
      throw OnnxError(.tensorHasNoData(text(message.name)))
    }
    do {
      if message.n_string_keys > 0 {
        var keys: [String] = []
        for data in numbers(message.string_keys, message.n_string_keys) {
          guard let key = data.text else { throw OnnxError(.tensorText(text(message.name))) }
          keys.append(key)
        }
        return .map(keys: try Tensor([keys.count], strings: keys), values: values)
      }
      let keys = Tensor(vector: Array(numbers(message.keys, message.n_keys)))
      let type = OnnxElementType.type(message.key_type) ?? .int64
      return .map(keys: try keys.converted(to: type == .string ? .int64 : type), values: values)
    } catch {
      throw OnnxError.wrap(error) { .tensor(text(message.name), $0) }
    }
  }
}

private struct ValueWriter {
  let builder: MessageBuilder

  func tensor(_ tensor: Tensor, _ name: String) throws(OnnxError) -> UnsafeMutablePointer<TensorProto> {
    try TensorWriter(builder: builder).message(tensor, name: name)
  }

  func sequence(
    _ elements: [RuntimeValue], _ type: ValueType, _ name: String
  ) throws(OnnxError) -> UnsafeMutablePointer<SequenceProto> {
    let message = try builder.message(fxonnx__sequence_proto__init)
    message.pointee.name = try builder.optionalString(name)
    message.pointee.has_elem_type = 1
    message.pointee.elem_type = ElementKind(type == .unknown ? elements.first?.type ?? .unknown : type).rawValue
    var tensors: [UnsafeMutablePointer<TensorProto>] = []
    var sequences: [UnsafeMutablePointer<SequenceProto>] = []
    var optionals: [UnsafeMutablePointer<OptionalProto>] = []
    var maps: [UnsafeMutablePointer<MapProto>] = []
    for element in elements {
      switch element {
      case .tensor(let value): tensors.append(try tensor(value, ""))
      case .sequence(let inner, let type): sequences.append(try sequence(inner, type, ""))
      case .optional(let inner, let type): optionals.append(try optional(inner, type, ""))
      case .map(let keys, let values): maps.append(try map(keys, values, ""))
      }
    }
    (message.pointee.tensor_values, message.pointee.n_tensor_values) = (try builder.messages(tensors), tensors.count)
    (message.pointee.sequence_values, message.pointee.n_sequence_values) = (try builder.messages(sequences), sequences.count)
    (message.pointee.optional_values, message.pointee.n_optional_values) = (try builder.messages(optionals), optionals.count)
    (message.pointee.map_values, message.pointee.n_map_values) = (try builder.messages(maps), maps.count)
    return message
  }

  func optional(
    _ value: RuntimeValue?, _ type: ValueType, _ name: String
  ) throws(OnnxError) -> UnsafeMutablePointer<OptionalProto> {
    let message = try builder.message(fxonnx__optional_proto__init)
    message.pointee.name = try builder.optionalString(name)
    message.pointee.has_elem_type = 1
    message.pointee.elem_type = value == nil ? 0 : ElementKind(value?.type ?? type).rawValue
    switch value {
    case nil: break
    case .tensor(let tensor): message.pointee.tensor_value = try self.tensor(tensor, "")
    case .sequence(let elements, let type): message.pointee.sequence_value = try sequence(elements, type, "")
    case .optional(let inner, let type): message.pointee.optional_value = try optional(inner, type, "")
    case .map(let keys, let values): message.pointee.map_value = try map(keys, values, "")
    }
    return message
  }

  func map(
    _ keys: Tensor, _ values: [RuntimeValue], _ name: String
  ) throws(OnnxError) -> UnsafeMutablePointer<MapProto> {
    let message = try builder.message(fxonnx__map_proto__init)
    message.pointee.name = try builder.optionalString(name)
    message.pointee.has_key_type = 1
    message.pointee.key_type = OnnxElementType.code(keys.elementType)
    if let strings = keys.strings {
      var data: [ProtobufCBinaryData] = []
      for string in strings { data.append(try builder.bytes(string)) }
      (message.pointee.string_keys, message.pointee.n_string_keys) = (try builder.array(data) { base, _ in base }, data.count)
    } else {
      let integers: [Int64]
      do {
        integers = try keys.converted(to: .int64).elements()
      } catch {
        throw OnnxError(.tensor(name, error))
      }
      (message.pointee.keys, message.pointee.n_keys) = (try builder.array(integers) { base, _ in base }, integers.count)
    }
    message.pointee.values = try sequence(values, .unknown, "")
    return message
  }
}
