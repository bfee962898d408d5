internal import COnnx
import FXCore

extension OnnxDocument {
  /// Where a saved model keeps its weights.
  public enum WeightPlacement: Sendable {
    /// In the model while it stays below the 2 GiB that protobuf allows, else beside it.
    case automatic
    /// In the model.
    case inline
    /// In a file of the model's name with `.data` appended, beside it.
    case external
  }

  /// Writes the model to a file, replacing one that is there. Readers see the old file or the new, never a part.
  ///
  /// Weights stream from where they lie; a model may be saved over the file that it was read from.
  /// - Throws: `OnnxError` that names the file.
  public func saveToFile(_ path: String, weights: WeightPlacement = .automatic) throws(OnnxError) {
    do {
      try withExtendedLifetime(self) {
        if try isExternal(weights) {
          try saveExternally(path)
        } else {
          try OnnxDocument.write(model, to: path)
        }
      }
    } catch {
      throw OnnxError.wrap(error) { .tensor("", $0) }.at(path: path)
    }
  }

  /// The bytes of the model file, with all weights.
  /// - Throws: `OnnxError` with `.modelTooLarge`.
  public func serialized() throws(OnnxError) -> [UInt8] {
    _ = try OnnxDocument.packedSize(model)
    return try withExtendedLifetime(self) { () throws(OnnxError) in try Wire.pack(model) }
  }

  private func isExternal(_ weights: WeightPlacement) throws(OnnxError) -> Bool {
    switch weights {
    case .external: return true
    case .inline: return false
    case .automatic:
      var error = fxonnx_error()
      let status = fxonnx_packed_size(model, nil, &error)
      guard status == FXONNX_OK || status == FXONNX_TOO_LARGE else { throw OnnxError(error) }
      return status == FXONNX_TOO_LARGE
    }
  }

  private static func packedSize(_ model: UnsafePointer<ModelProto>) throws(OnnxError) -> UInt64 {
    var size: UInt64 = 0
    var error = fxonnx_error()
    switch fxonnx_packed_size(model, &size, &error) {
    case FXONNX_OK: return size
    case FXONNX_TOO_LARGE: throw OnnxError(.modelTooLarge(bytes: Int(clamping: size)))
    case FXONNX_TOO_DEEP: throw OnnxError(.nestedTooDeep(limit: Int(clamping: error.limit)))
    default: throw OnnxError(error)
    }
  }

  private static func write(_ model: UnsafePointer<ModelProto>, to path: String) throws {
    _ = try packedSize(model)
    try AtomicFile.write(path) { descriptor in
      var error = fxonnx_error()
      guard fxonnx_pack_to_file(model, descriptor, &error) == FXONNX_OK else {
        throw FileError(path: path, operation: .write, code: error.code)
      }
    }
  }

  // MARK: External data

  /// Tensors smaller than this stay in the model: a page for a scalar is waste.
  private static let externalThreshold = 1024
  /// Offsets are multiples of a page, so that the data can be mapped tensor by tensor.
  private static let pageSize = 4096

  private func saveExternally(_ path: String) throws {
    guard let graph = model.pointee.graph else { return try OnnxDocument.write(model, to: path) }
    let dataPath = path + ".data"
    let location = dataPath.split(separator: "/").last.map(String.init) ?? dataPath
    let builder = try MessageBuilder()
    var tensors: [UnsafeMutablePointer<TensorProto>] = []
    try AtomicFile.write(dataPath) { descriptor in
      var offset = 0
      let padding = [UInt8](repeating: 0, count: OnnxDocument.pageSize)
      for tensor in graph.pointee.initializers {
        let bytes = tensor.pointee.raw_data.bytes
        guard tensor.pointee.has_raw_data != 0, bytes.count >= OnnxDocument.externalThreshold else {
          tensors.append(tensor)
          continue
        }
        let gap = (OnnxDocument.pageSize - offset % OnnxDocument.pageSize) % OnnxDocument.pageSize
        try padding.withUnsafeBytes {
          try AtomicFile.append(UnsafeRawBufferPointer(rebasing: $0.prefix(gap)), to: descriptor, path: dataPath)
        }
        offset += gap
        try AtomicFile.append(bytes, to: descriptor, path: dataPath)
        tensors.append(try OnnxDocument.external(tensor, location, offset: offset, builder))
        offset += bytes.count
      }
    }
    // Shallow copies: the document's own messages stay as they are.
    let newGraph = try builder.message(fxonnx__graph_proto__init)
    newGraph.pointee = graph.pointee
    newGraph.pointee.initializer = try builder.messages(tensors)
    newGraph.pointee.n_initializer = tensors.count
    let newModel = try builder.message(fxonnx__model_proto__init)
    newModel.pointee = model.pointee
    newModel.pointee.graph = newGraph
    try OnnxDocument.write(newModel, to: path)
    withExtendedLifetime(builder) {}
  }

  private static func external(
    _ tensor: UnsafeMutablePointer<TensorProto>, _ location: String, offset: Int, _ builder: MessageBuilder
  ) throws(OnnxError) -> UnsafeMutablePointer<TensorProto> {
    let message = try builder.message(fxonnx__tensor_proto__init)
    message.pointee = tensor.pointee
    message.pointee.has_raw_data = 0
    message.pointee.raw_data = ProtobufCBinaryData(len: 0, data: nil)
    message.pointee.has_data_location = 1
    message.pointee.data_location = 1
    message.pointee.external_data = try builder.entries([
      ("location", location), ("offset", String(offset)), ("length", String(tensor.pointee.raw_data.len)),
    ])
    message.pointee.n_external_data = 3
    return message
  }
}

extension Wire {
  /// The bytes of any message.
  static func pack(_ message: UnsafeRawPointer) throws(OnnxError) -> [UInt8] {
    var bytes: [UInt8] = []
    var size: UInt64 = 0
    var error = fxonnx_error()
    guard fxonnx_packed_size(message, &size, &error) == FXONNX_OK else { throw OnnxError(error) }
    bytes.reserveCapacity(Int(clamping: size))
    let status = withUnsafeMutablePointer(to: &bytes) { target in
      fxonnx_pack(
        message,
        { context, piece, count in
          guard let context else { return 1 }
          context.assumingMemoryBound(to: [UInt8].self).pointee
            .append(contentsOf: UnsafeBufferPointer(start: piece, count: count))
          return 0
        }, target, &error)
    }
    guard status == FXONNX_OK else { throw OnnxError(error) }
    return bytes
  }
}
