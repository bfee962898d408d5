internal import COnnx
import FXCore

/// A model as ONNX stores it: the messages of a file, or those that the exporter made of a graph.
///
/// Opening checks the bytes and unpacks the structure; weights stay in the mapped file.
///
/// `@unchecked Sendable`: the messages are not changed after `init`.
public final class OnnxDocument: @unchecked Sendable {
  /// Where the messages live and what they point into.
  enum Source {
    case opened(OpaquePointer, InputBytes)
    case built(MessageBuilder)
  }
  let source: Source
  let model: UnsafeMutablePointer<ModelProto>
  /// The file that was opened; `nil` for models from memory.
  public let path: String?

  /// Opens the model file at `path`, by mapping it.
  /// - Parameter memoryLimit: bytes that the unpacked structure may take; by default in proportion to the file.
  /// - Throws: `OnnxError` that names the file: it cannot be read, is not a model, or is damaged.
  public init(path: String, memoryLimit: Int? = nil) throws(OnnxError) {
    let file: MappedFile
    do {
      file = try MappedFile(path: path)
    } catch {
      throw OnnxError(.file(error), path: path)
    }
    do throws(OnnxError) {
      (model, source) = try OnnxDocument.open(InputBytes(file), memoryLimit)
    } catch {
      throw error.at(path: path)
    }
    self.path = path
  }

  /// Opens a model in memory, which is copied.
  /// - Throws: `OnnxError`.
  public init(bytes: [UInt8], memoryLimit: Int? = nil) throws(OnnxError) {
    (model, source) = try OnnxDocument.open(InputBytes(copying: bytes), memoryLimit)
    path = nil
  }

  private static func open(
    _ input: InputBytes, _ memoryLimit: Int?
  ) throws(OnnxError) -> (UnsafeMutablePointer<ModelProto>, Source) {
    let (document, root) = try Wire.open(input.bytes, FXONNX_MODEL, memoryLimit)
    return (root.assumingMemoryBound(to: ModelProto.self), .opened(document, input))
  }

  init(_ model: UnsafeMutablePointer<ModelProto>, builder: MessageBuilder) {
    self.model = model
    source = .built(builder)
    path = nil
  }

  deinit {
    if case .opened(let document, _) = source { fxonnx_close(document) }
  }

  /// The bytes that detached `raw_data` lies in.
  var input: UnsafeRawBufferPointer {
    if case .opened(_, let input) = source { input.bytes } else { UnsafeRawBufferPointer(start: nil, count: 0) }
  }
}

/// What the messages of an opened model point into: a mapped file, or memory that belongs to the object. The address
/// stays the same as long as the object lives.
///
/// `@unchecked Sendable`: the bytes are not written after `init`.
final class InputBytes: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
  let file: MappedFile?

  init(_ file: MappedFile) {
    self.file = file
    bytes = file.bytes
  }

  init(copying source: [UInt8]) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 64)
    memory.copyBytes(from: source)
    bytes = UnsafeRawBufferPointer(memory)
    file = nil
  }

  deinit { if file == nil { bytes.deallocate() } }
}

extension OnnxDocument: MappedMemory {
  package var mapping: UnsafeRawBufferPointer? {
    if case .opened(_, let input) = source { input.file?.bytes } else { nil }
  }
}

/// Opening of messages of any kind.
enum Wire {
  static func open(
    _ bytes: UnsafeRawBufferPointer, _ kind: fxonnx_kind, _ memoryLimit: Int? = nil
  ) throws(OnnxError) -> (document: OpaquePointer, root: UnsafeMutableRawPointer) {
    var limits = fxonnx_limits(depth: 0, budget: UInt64(max(memoryLimit ?? 0, 0)), detach_threshold: 0)
    var error = fxonnx_error()
    let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    guard let document = fxonnx_open(kind, base, bytes.count, &limits, &error), let root = fxonnx_root(document) else {
      throw OnnxError(error)
    }
    return (document, root)
  }
}

extension OnnxError {
  /// What COnnx reports, as a fact of ours.
  init(_ error: fxonnx_error) {
    let message = error.message.map { String(cString: $0) } ?? ""
    let field = error.field.map { message + "." + String(cString: $0) } ?? message
    let limit = Int(clamping: error.limit)
    let fault: OnnxError.Wire.Fault? =
      switch error.status {
      case FXONNX_TRUNCATED: .truncated
      case FXONNX_TOO_DEEP: .tooDeep(limit: limit)
      case FXONNX_BAD_STRING: .badString
      case FXONNX_DUPLICATE_FIELD: .duplicateField
      case FXONNX_OVER_BUDGET: .overBudget(bytes: limit)
      case FXONNX_TOO_LARGE: .tooLarge
      case FXONNX_OUT_OF_MEMORY, FXONNX_WRITE_FAILED: nil
      default: .malformed
      }
    guard let fault else {
      self.init(.outOfMemory)
      return
    }
    self.init(.wire(OnnxError.Wire(fault: fault, offset: Int(clamping: error.offset), field: field)))
  }
}
