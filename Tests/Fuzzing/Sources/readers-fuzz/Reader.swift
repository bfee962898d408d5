import FXCore
import FXOnnx
import FXTrace

/// A format that comes from outside. Bytes are read, and what could be read is written and read again: nothing may trap,
/// and the second reading must give what the first one gave.
enum Reader: String, CaseIterable {
  case onnx, text, json, binary, npy, npz, safetensors

  /// - Throws: what the reader says of bytes that it refuses.
  func read(_ bytes: UnsafeRawBufferPointer) throws {
    switch self {
    case .onnx:
      try OnnxImporter().graph(from: OnnxDocument(bytes: Array(bytes))).verify(.structural)
    case .text:
      let text = try Graph(text: String(decoding: bytes, as: UTF8.self)).text()
      Reader.expectSame(text) { try Graph(text: text).text() }
    case .json:
      let graph = try Graph(json: String(decoding: bytes, as: UTF8.self))
      Reader.expectSame(graph.text()) { try Graph(json: graph.toJSON()).text() }
    case .binary:
      let graph = try Graph(binary: Array(bytes))
      Reader.expectSame(graph.text()) { try Graph(binary: graph.binary()).text() }
    case .npy:
      let tensor = try Npy.decode(bytes)
      Reader.expectSame(tensor) { try Npy.encode(tensor).withUnsafeBytes { try Npy.decode($0) } }
    case .npz:
      let tensors = try Npz.decode(bytes)
      Reader.expectSame(tensors) { try Npz.encode(tensors).withUnsafeBytes { try Npz.decode($0) } }
    case .safetensors:
      let tensors = try Safetensors.decode(bytes).tensors
      Reader.expectSame(tensors) { try Safetensors.encode(tensors).withUnsafeBytes { try Safetensors.decode($0).tensors } }
    }
  }

  private static func expectSame<Value: Equatable>(_ first: Value, _ again: () throws -> Value) {
    do {
      let second = try again()
      if first != second { fatalError("read again, it is something else:\n\(first)\n\(second)") }
    } catch {
      fatalError("what was written cannot be read: \(error)")
    }
  }
}
