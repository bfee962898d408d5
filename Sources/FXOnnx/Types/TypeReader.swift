internal import COnnx
import FXCore

/// Value types of `TypeProto` messages.
enum TypeReader {
  /// Dimensions that a tensor may have; NumPy allows 64.
  static let rankLimit = 256

  /// The type of the value called `name`; `.unknown` where the message says nothing.
  ///
  /// Sparse tensors have the type of the dense ones that they are imported as.
  /// - Throws: `OnnxError` for an element type or dimension that is none, and for opaque types.
  static func type(_ message: UnsafeMutablePointer<TypeProto>?, of name: String) throws(OnnxError) -> ValueType {
    guard let message = message?.pointee else { return .unknown }
    if let tensor = message.tensor_type ?? message.sparse_tensor_type {
      // Exporters write 0 for "not known" in value infos of intermediate results.
      guard tensor.pointee.elem_type != 0 else { return .unknown }
      guard let element = OnnxElementType.type(tensor.pointee.elem_type) else {
        throw OnnxError(.elementType(code: Int(tensor.pointee.elem_type), of: name))
      }
      return .tensor(element, try shape(tensor.pointee.shape, of: name))
    }
    if let sequence = message.sequence_type { return .sequence(try type(sequence.pointee.elem_type, of: name)) }
    if let optional = message.optional_type { return .optional(try type(optional.pointee.elem_type, of: name)) }
    if let map = message.map_type {
      guard let key = OnnxElementType.type(map.pointee.key_type) else {
        throw OnnxError(.elementType(code: Int(map.pointee.key_type), of: name))
      }
      return .map(key, try type(map.pointee.value_type, of: name))
    }
    guard message.opaque_type == nil else { throw OnnxError(.valueType(of: name)) }
    return .unknown
  }

  /// `nil` where the message has no shape: the rank is not known.
  private static func shape(
    _ message: UnsafeMutablePointer<TensorShapeProto>?, of name: String
  ) throws(OnnxError) -> Shape? {
    guard let message = message?.pointee else { return nil }
    guard message.n_dim <= rankLimit else { throw OnnxError(.rank(message.n_dim, of: name)) }
    var dimensions: [Dimension] = []
    dimensions.reserveCapacity(message.n_dim)
    for dimension in Messages(message.dim, message.n_dim) {
      dimensions.append(try self.dimension(dimension.pointee, of: name))
    }
    return Shape(dimensions)
  }

  private static func dimension(_ message: DimensionProto, of name: String) throws(OnnxError) -> Dimension {
    if message.has_dim_value != 0 {
      // Old converters write −1 for "any size".
      if message.dim_value == -1 { return .unknown }
      guard message.dim_value >= 0 else { throw OnnxError(.dimension(Int(message.dim_value), of: name)) }
      return Dimension(Int(message.dim_value))
    }
    let symbol = text(message.dim_param)
    return symbol.isEmpty ? .unknown : Dimension(symbol: symbol)
  }
}
