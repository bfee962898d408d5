internal import COnnx
import FXCore

/// Attribute values of `AttributeProto` messages, subgraphs apart: those become regions.
struct AttributeReader {
  /// What an attribute holds. `type` may be missing in files of IR version 1; then the filled field tells.
  enum Kind: Int32 {
    case float = 1, int, string, tensor, graph, floats, ints, strings, tensors, graphs
    case sparseTensor, sparseTensors, type, types
  }

  static func kind(_ message: AttributeProto) -> Kind? {
    if message.has_type != 0, message.type != 0 { return Kind(rawValue: message.type) }
    if message.has_f != 0 { return .float }
    if message.has_i != 0 { return .int }
    if message.has_s != 0 { return .string }
    if message.t != nil { return .tensor }
    if message.g != nil { return .graph }
    if message.n_floats > 0 { return .floats }
    if message.n_strings > 0 { return .strings }
    if message.n_tensors > 0 { return .tensors }
    if message.n_graphs > 0 { return .graphs }
    if message.sparse_tensor != nil { return .sparseTensor }
    if message.tp != nil { return .type }
    return .ints
  }

  /// The subgraphs of an attribute; empty for other kinds.
  static func subgraphs(_ message: AttributeProto) -> [UnsafeMutablePointer<GraphProto>] {
    switch kind(message) {
    case .graph: message.g.map { [$0] } ?? []
    case .graphs: Array(Messages(message.graphs, message.n_graphs))
    default: []
    }
  }

  /// The value; `nil` for subgraphs.
  /// - Throws: `OnnxError` that names the attribute.
  static func value(
    _ message: AttributeProto, name: String, tensors: inout TensorReader
  ) throws(OnnxError) -> AttributeValue? {
    guard let kind = kind(message) else { throw OnnxError(.attributeKind(name, expected: "of a known type")) }
    switch kind {
    case .graph, .graphs: return nil
    case .float: return .float(message.f)
    case .int: return .int(Int(message.i))
    case .string: return .string(try string(message.s, name))
    case .floats: return .floats(Array(numbers(message.floats, message.n_floats)))
    case .ints: return .ints(numbers(message.ints, message.n_ints).map(Int.init))
    case .strings:
      var strings: [String] = []
      for data in numbers(message.strings, message.n_strings) { strings.append(try string(data, name)) }
      return .strings(strings)
    case .tensor:
      guard let tensor = message.t else { throw OnnxError(.missingAttribute(name)) }
      return .tensor(try tensors.tensor(tensor.pointee))
    case .tensors:
      var list: [Tensor] = []
      for tensor in Messages<TensorProto>(message.tensors, message.n_tensors) {
        list.append(try tensors.tensor(tensor.pointee))
      }
      return .tensors(list)
    case .sparseTensor:
      guard let tensor = message.sparse_tensor else { throw OnnxError(.missingAttribute(name)) }
      return .tensor(try tensors.tensor(tensor.pointee))
    case .sparseTensors:
      var list: [Tensor] = []
      for tensor in Messages<SparseTensorProto>(message.sparse_tensors, message.n_sparse_tensors) {
        list.append(try tensors.tensor(tensor.pointee))
      }
      return .tensors(list)
    case .type: return .type(try TypeReader.type(message.tp, of: name))
    case .types:
      var list: [ValueType] = []
      for type in Messages<TypeProto>(message.type_protos, message.n_type_protos) {
        list.append(try TypeReader.type(type, of: name))
      }
      return .types(list)
    }
  }

  private static func string(_ data: ProtobufCBinaryData, _ name: String) throws(OnnxError) -> String {
    guard let text = data.text else { throw OnnxError(.attributeValue(name, reason: "is not UTF-8")) }
    return text
  }
}
