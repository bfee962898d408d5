internal import COnnx
import FXCore

/// Memory in which the messages of one model are built, and what they point to.
///
/// Bytes of tensors are referenced where they lie: a tensor that is passed to `retain` lives as long as the builder.
/// `@unchecked Sendable`: written by the exporter that makes it and by nobody after.
final class MessageBuilder: @unchecked Sendable {
  private let arena: OpaquePointer
  private var retained: [Tensor] = []
  private var documents: [(OpaquePointer, InputBytes)] = []

  /// - Throws: `OnnxError` with `.outOfMemory`.
  init() throws(OnnxError) {
    guard let arena = fxonnx_arena_create(.max) else { throw OnnxError(.outOfMemory) }
    self.arena = arena
  }

  deinit {
    for (document, _) in documents { fxonnx_close(document) }
    fxonnx_arena_destroy(arena)
  }

  private func allocate(_ size: Int) throws(OnnxError) -> UnsafeMutableRawPointer {
    guard let memory = fxonnx_arena_allocate(arena, size) else { throw OnnxError(.outOfMemory) }
    return memory
  }

  /// A new message; `initialize` is the generated function of its type.
  func message<Message>(
    _ initialize: (UnsafeMutablePointer<Message>?) -> Void
  ) throws(OnnxError) -> UnsafeMutablePointer<Message> {
    let message = try allocate(MemoryLayout<Message>.size).bindMemory(to: Message.self, capacity: 1)
    initialize(message)
    return message
  }

  /// A message from its bytes in base64, which lives as long as the builder; `nil` for what is none.
  /// - Throws: `OnnxError` with `.outOfMemory`.
  func message<Message>(_ kind: fxonnx_kind, _ base64: String?) throws(OnnxError) -> UnsafeMutablePointer<Message>? {
    guard var text = base64, let bytes = text.withUTF8({ Base64.decode(UnsafeRawBufferPointer($0)) }) else { return nil }
    let input = InputBytes(copying: bytes)
    guard let (document, root) = try? Wire.open(input.bytes, kind) else { return nil }
    documents.append((document, input))
    return root.assumingMemoryBound(to: Message.self)
  }

  /// - Throws: `OnnxError` with `.textHoldsNul`: strings of protobuf-c end at a NUL.
  func string(_ text: String) throws(OnnxError) -> UnsafeMutablePointer<CChar> {
    var text = text
    let count = text.utf8.count
    guard !text.utf8.contains(0) else { throw OnnxError(.textHoldsNul(text)) }
    let memory = try allocate(count + 1).bindMemory(to: CChar.self, capacity: count + 1)
    text.withUTF8 { utf8 in
      if let base = utf8.baseAddress { UnsafeMutableRawPointer(memory).copyMemory(from: base, byteCount: count) }
    }
    return memory
  }

  /// `nil` for an empty text: the field stays absent.
  func optionalString(_ text: String) throws(OnnxError) -> UnsafeMutablePointer<CChar>? {
    text.isEmpty ? nil : try string(text)
  }

  /// A copy of the bytes.
  func bytes(_ source: UnsafeRawBufferPointer) throws(OnnxError) -> ProtobufCBinaryData {
    let memory = try allocate(source.count)
    if let base = source.baseAddress { memory.copyMemory(from: base, byteCount: source.count) }
    return ProtobufCBinaryData(len: source.count, data: memory.bindMemory(to: UInt8.self, capacity: source.count))
  }

  func bytes(_ text: String) throws(OnnxError) -> ProtobufCBinaryData {
    try array(Array(text.utf8)) { ProtobufCBinaryData(len: $1, data: $0) }
  }

  /// The tensor's own bytes, which stay where they are.
  func bytes(retaining tensor: Tensor) -> ProtobufCBinaryData {
    retained.append(tensor)
    // A tensor's bytes belong to an object of their own and move only when the tensor is written,
    // which the copy in `retained` never is.
    return tensor.withUnsafeBytes { bytes in
      let data = bytes.baseAddress.map { UnsafeMutablePointer(mutating: $0.assumingMemoryBound(to: UInt8.self)) }
      return ProtobufCBinaryData(len: bytes.count, data: data)
    }
  }

  /// The elements as the pointer and count of a repeated field.
  func array<Element, Result>(
    _ elements: [Element], _ body: (UnsafeMutablePointer<Element>?, Int) -> Result
  ) throws(OnnxError) -> Result {
    guard !elements.isEmpty else { return body(nil, 0) }
    let memory = try allocate(elements.count * MemoryLayout<Element>.stride)
      .bindMemory(to: Element.self, capacity: elements.count)
    for (index, element) in elements.enumerated() { (memory + index).initialize(to: element) }
    return body(memory, elements.count)
  }

  func messages<Message>(
    _ elements: [UnsafeMutablePointer<Message>]
  ) throws(OnnxError) -> UnsafeMutablePointer<UnsafeMutablePointer<Message>?>? {
    try array(elements.map(Optional.some)) { base, _ in base }
  }

  func strings(_ texts: [String]) throws(OnnxError) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
    var pointers: [UnsafeMutablePointer<CChar>?] = []
    for text in texts { pointers.append(try string(text)) }
    return try array(pointers) { base, _ in base }
  }

  func entries(
    _ pairs: [(key: String, value: String)]
  ) throws(OnnxError) -> UnsafeMutablePointer<UnsafeMutablePointer<EntryProto>?>? {
    var entries: [UnsafeMutablePointer<EntryProto>] = []
    for (key, value) in pairs {
      let entry = try message(fxonnx__string_string_entry_proto__init)
      entry.pointee.key = try string(key)
      entry.pointee.value = try string(value)
      entries.append(entry)
    }
    return try messages(entries)
  }
}
