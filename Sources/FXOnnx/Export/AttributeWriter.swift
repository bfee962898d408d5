internal import COnnx
import FXCore

/// Writes attribute values as `AttributeProto` messages.
struct AttributeWriter {
  let builder: MessageBuilder

  func message(_ name: String, _ value: AttributeValue) throws(OnnxError) -> UnsafeMutablePointer<AttributeProto> {
    let message = try header(name, kind(value))
    switch value {
    case .bool(let flag): setInt(message, flag ? 1 : 0)
    case .int(let number): setInt(message, Int64(number))
    case .elementType(let type): setInt(message, Int64(OnnxElementType.code(type)))
    case .float(let number):
      message.pointee.has_f = 1
      message.pointee.f = number
    case .string(let text):
      message.pointee.has_s = 1
      message.pointee.s = try builder.bytes(text)
    case .ints(let list):
      message.pointee.ints = try builder.array(list.map(Int64.init)) { base, _ in base }
      message.pointee.n_ints = list.count
    case .floats(let list):
      message.pointee.floats = try builder.array(list) { base, _ in base }
      message.pointee.n_floats = list.count
    case .strings(let list):
      var data: [ProtobufCBinaryData] = []
      for text in list { data.append(try builder.bytes(text)) }
      message.pointee.strings = try builder.array(data) { base, _ in base }
      message.pointee.n_strings = list.count
    case .tensor(let tensor):
      message.pointee.t = try TensorWriter(builder: builder).message(tensor, name: "")
    case .tensors(let list):
      var tensors: [UnsafeMutablePointer<TensorProto>] = []
      for tensor in list { tensors.append(try TensorWriter(builder: builder).message(tensor, name: "")) }
      message.pointee.tensors = try builder.messages(tensors)
      message.pointee.n_tensors = list.count
    case .type(let type):
      message.pointee.tp = try TypeWriter(builder: builder).message(type)
    case .types(let list):
      var types: [UnsafeMutablePointer<TypeProto>] = []
      for type in list {
        guard let type = try TypeWriter(builder: builder).message(type) else {
          throw OnnxError(.attributeValue(name, reason: "holds an unknown type"))
        }
        types.append(type)
      }
      message.pointee.type_protos = try builder.messages(types)
      message.pointee.n_type_protos = types.count
    }
    return message
  }

  func message(
    _ name: String, _ graphs: [UnsafeMutablePointer<GraphProto>], isList: Bool
  ) throws(OnnxError) -> UnsafeMutablePointer<AttributeProto> {
    let message = try header(name, isList ? .graphs : .graph)
    if isList {
      message.pointee.graphs = try builder.messages(graphs)
      message.pointee.n_graphs = graphs.count
    } else {
      message.pointee.g = graphs.first
    }
    return message
  }

  private func header(
    _ name: String, _ kind: AttributeReader.Kind
  ) throws(OnnxError) -> UnsafeMutablePointer<AttributeProto> {
    let message = try builder.message(fxonnx__attribute_proto__init)
    message.pointee.name = try builder.string(name)
    message.pointee.has_type = 1
    message.pointee.type = kind.rawValue
    return message
  }

  private func setInt(_ message: UnsafeMutablePointer<AttributeProto>, _ number: Int64) {
    message.pointee.has_i = 1
    message.pointee.i = number
  }

  private func kind(_ value: AttributeValue) -> AttributeReader.Kind {
    switch value {
    case .bool, .int, .elementType: .int
    case .float: .float
    case .string: .string
    case .ints: .ints
    case .floats: .floats
    case .strings: .strings
    case .tensor: .tensor
    case .tensors: .tensors
    case .type: .type
    case .types: .types
    }
  }
}
