internal import COnnx
import FXCore

/// Writes value types as `TypeProto` messages.
struct TypeWriter {
  let builder: MessageBuilder

  /// `nil` where nothing is known, inside sequences too: ONNX has no message for half a type.
  func message(_ type: ValueType) throws(OnnxError) -> UnsafeMutablePointer<TypeProto>? {
    guard isKnown(type) else { return nil }
    return try known(type)
  }

  /// A value info; without a type where that is not known.
  func valueInfo(_ name: String, _ type: ValueType) throws(OnnxError) -> UnsafeMutablePointer<ValueInfoProto> {
    let info = try builder.message(fxonnx__value_info_proto__init)
    info.pointee.name = try builder.string(name)
    info.pointee.type = try message(type)
    return info
  }

  private func isKnown(_ type: ValueType) -> Bool {
    switch type {
    case .unknown: false
    case .tensor: true
    case .sequence(let inner), .optional(let inner), .map(_, let inner): isKnown(inner)
    }
  }

  private func known(_ type: ValueType) throws(OnnxError) -> UnsafeMutablePointer<TypeProto> {
    let message = try builder.message(fxonnx__type_proto__init)
    switch type {
    case .unknown: break
    case .tensor(let tensor):
      let inner = try builder.message(fxonnx__type_proto__tensor__init)
      inner.pointee.has_elem_type = 1
      inner.pointee.elem_type = OnnxElementType.code(tensor.elementType)
      if let shape = tensor.shape { inner.pointee.shape = try self.shape(shape) }
      message.pointee.tensor_type = inner
    case .sequence(let element):
      let inner = try builder.message(fxonnx__type_proto__sequence__init)
      inner.pointee.elem_type = try known(element)
      message.pointee.sequence_type = inner
    case .optional(let wrapped):
      let inner = try builder.message(fxonnx__type_proto__sequence__init)
      inner.pointee.elem_type = try known(wrapped)
      message.pointee.optional_type = inner
    case .map(let key, let value):
      let inner = try builder.message(fxonnx__type_proto__map__init)
      inner.pointee.has_key_type = 1
      inner.pointee.key_type = OnnxElementType.code(key)
      inner.pointee.value_type = try known(value)
      message.pointee.map_type = inner
    }
    return message
  }

  private func shape(_ shape: Shape) throws(OnnxError) -> UnsafeMutablePointer<TensorShapeProto> {
    let message = try builder.message(fxonnx__tensor_shape_proto__init)
    var dimensions: [UnsafeMutablePointer<DimensionProto>] = []
    for dimension in shape {
      let inner = try builder.message(fxonnx__tensor_shape_proto__dimension__init)
      if let size = dimension.size {
        inner.pointee.has_dim_value = 1
        inner.pointee.dim_value = Int64(size)
      } else if !dimension.isUnknown {
        // A symbol by its name, an expression as text: ONNX gives `dim_param` no grammar.
        inner.pointee.dim_param = try builder.string(dimension.symbol ?? dimension.description)
      }
      dimensions.append(inner)
    }
    message.pointee.dim = try builder.messages(dimensions)
    message.pointee.n_dim = dimensions.count
    return message
  }
}
