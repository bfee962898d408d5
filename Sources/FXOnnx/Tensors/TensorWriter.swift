internal import COnnx
import FXCore

/// Writes tensors as `TensorProto` messages whose `raw_data` is the tensor's own memory.
struct TensorWriter {
  let builder: MessageBuilder

  func message(_ tensor: Tensor, name: String) throws(OnnxError) -> UnsafeMutablePointer<TensorProto> {
    let message = try header(tensor, name: name)
    if let strings = tensor.strings {
      var data: [ProtobufCBinaryData] = []
      for string in strings { data.append(try builder.bytes(string)) }
      message.pointee.string_data = try builder.array(data) { base, _ in base }
      message.pointee.n_string_data = data.count
    } else {
      message.pointee.has_raw_data = 1
      message.pointee.raw_data = builder.bytes(retaining: tensor)
    }
    return message
  }

  private func header(_ tensor: Tensor, name: String) throws(OnnxError) -> UnsafeMutablePointer<TensorProto> {
    let message = try builder.message(fxonnx__tensor_proto__init)
    message.pointee.name = try builder.optionalString(name)
    message.pointee.has_data_type = 1
    message.pointee.data_type = OnnxElementType.code(tensor.elementType)
    message.pointee.dims = try builder.array(tensor.shape.map(Int64.init)) { base, _ in base }
    message.pointee.n_dims = tensor.shape.count
    return message
  }
}
