internal import COnnx
import FXCore

// The generated structures under ONNX's own names.
typealias ModelProto = Fxonnx__ModelProto
typealias GraphProto = Fxonnx__GraphProto
typealias NodeProto = Fxonnx__NodeProto
typealias AttributeProto = Fxonnx__AttributeProto
typealias FunctionProto = Fxonnx__FunctionProto
typealias TensorProto = Fxonnx__TensorProto
typealias SparseTensorProto = Fxonnx__SparseTensorProto
typealias ValueInfoProto = Fxonnx__ValueInfoProto
typealias TypeProto = Fxonnx__TypeProto
typealias TensorShapeProto = Fxonnx__TensorShapeProto
typealias DimensionProto = Fxonnx__TensorShapeProto__Dimension
typealias EntryProto = Fxonnx__StringStringEntryProto
typealias OperatorSetProto = Fxonnx__OperatorSetIdProto
typealias SequenceProto = Fxonnx__SequenceProto
typealias OptionalProto = Fxonnx__OptionalProto
typealias MapProto = Fxonnx__MapProto

/// A repeated message field of an unpacked message.
struct Messages<Message>: RandomAccessCollection {
  private let base: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?
  let count: Int

  init(_ base: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, _ count: Int) {
    self.base = base
    self.count = base == nil ? 0 : count
  }

  var startIndex: Int { 0 }
  var endIndex: Int { count }
  /// protobuf-c fills every element of a repeated field, so within `count` there is no null.
  subscript(position: Int) -> UnsafeMutablePointer<Message> {
    base.unsafelyUnwrapped[position].unsafelyUnwrapped
  }
}

/// The text of a string field, empty where it is absent. The wire check made sure that it is UTF-8.
func text(_ field: UnsafeMutablePointer<CChar>?) -> String {
  guard let field else { return "" }
  return String(cString: field)
}

/// The texts of a repeated string field.
func texts(_ base: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ count: Int) -> [String] {
  guard let base else { return [] }
  return (0..<count).map { text(base[$0]) }
}

/// The elements of a repeated number field.
func numbers<Number>(_ base: UnsafeMutablePointer<Number>?, _ count: Int) -> UnsafeBufferPointer<Number> {
  UnsafeBufferPointer(start: base, count: base == nil ? 0 : count)
}

extension ProtobufCBinaryData {
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : len) }

  /// The bytes as text; `nil` if they are not UTF-8, which protobuf does not ask of bytes fields.
  var text: String? { String(validating: bytes, as: UTF8.self) }
}

extension ModelProto {
  var functionMessages: Messages<FunctionProto> { Messages(functions, n_functions) }
  var opsets: Messages<OperatorSetProto> { Messages(opset_import, n_opset_import) }
  var metadata: Messages<EntryProto> { Messages(metadata_props, n_metadata_props) }
}

extension GraphProto {
  var nodes: Messages<NodeProto> { Messages(node, n_node) }
  var inputs: Messages<ValueInfoProto> { Messages(input, n_input) }
  var outputs: Messages<ValueInfoProto> { Messages(output, n_output) }
  var valueInfos: Messages<ValueInfoProto> { Messages(value_info, n_value_info) }
  var initializers: Messages<TensorProto> { Messages(initializer, n_initializer) }
  var sparseInitializers: Messages<SparseTensorProto> { Messages(sparse_initializer, n_sparse_initializer) }
  var metadata: Messages<EntryProto> { Messages(metadata_props, n_metadata_props) }
}

extension FunctionProto {
  var nodes: Messages<NodeProto> { Messages(node, n_node) }
  var opsets: Messages<OperatorSetProto> { Messages(opset_import, n_opset_import) }
  var defaults: Messages<AttributeProto> { Messages(attribute_proto, n_attribute_proto) }
}

extension NodeProto {
  var attributes: Messages<AttributeProto> { Messages(attribute, n_attribute) }
  var metadata: Messages<EntryProto> { Messages(metadata_props, n_metadata_props) }
}

extension Messages<EntryProto> {
  /// The entries in their order.
  var pairs: [(key: String, value: String)] {
    map { (text($0.pointee.key), text($0.pointee.value)) }
  }
}
