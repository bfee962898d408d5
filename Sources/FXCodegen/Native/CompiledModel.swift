import FXCore
import Foundation
import Synchronization

/// A model that was compiled to a shared library, loaded.
///
/// Runs from several threads take turns: a model has memory for one run.
public final class CompiledModel: Executable {
  /// An input or output of the model.
  public struct Port: Sendable, Equatable {
    /// What the graph calls the input or output.
    public let name: String
    /// The element type and the sizes, all of which are numbers.
    public let type: TensorType
  }
  /// What the model was called when it was compiled: `NativeCompiler` names it after the library's file.
  public let name: String
  /// What `run` takes, in order.
  public let inputs: [Port]
  /// What `run` gives, in order.
  public let outputs: [Port]
  /// Memory of a run, beside weights, inputs and outputs.
  public let arenaByteCount: Int

  private let functions: Functions
  /// The library's model; the lock is what makes runs take turns.
  private let model: Mutex<Handle>

  /// `@unchecked Sendable`: what it points to is used under the lock alone.
  private struct Handle: @unchecked Sendable { let pointer: UnsafeMutableRawPointer }

  private typealias Create = @convention(c) (UnsafePointer<CChar>?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Int32
  private typealias Destroy = @convention(c) (UnsafeMutableRawPointer?) -> Void
  private typealias Run =
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafePointer<UnsafeRawPointer?>?, UnsafePointer<UnsafeMutableRawPointer?>?
    ) -> Int32
  private typealias Message = @convention(c) (Int32) -> UnsafePointer<CChar>?

  /// `@unchecked Sendable`: code of a library that is never unloaded.
  private struct Functions: @unchecked Sendable {
    let library: UnsafeMutableRawPointer
    let create: Create
    let destroy: Destroy
    let run: Run
    let message: Message

    func text(_ status: Int32) -> String { message(status).map { String(cString: $0) } ?? "status \(status)" }
  }

  /// Loads a library. The library stays loaded as long as the process runs.
  /// - Parameter weights: the weights' file where the library has none in it.
  /// - Throws: `CompiledModelError`.
  public init(path: String, weights: String? = nil) throws {
    // A name without a folder would be looked for elsewhere.
    let full = path.contains("/") ? path : "./" + path
    guard let library = dlopen(full, RTLD_NOW | RTLD_LOCAL) else {
      throw CompiledModelError.cannotLoad(path, reason: dlerror().map { String(cString: $0) } ?? "")
    }
    guard let symbol = dlsym(library, "fx_model_interface") else { throw CompiledModelError.notAModel(path) }
    let get = unsafeBitCast(symbol, to: (@convention(c) () -> UnsafeRawPointer?).self)
    guard let table = get(), table.load(as: Int32.self) == 1 else { throw CompiledModelError.notAModel(path) }
    let reader = InterfaceReader(table: table)
    guard let create = reader.function(0), let destroy = reader.function(1), let run = reader.function(2),
      let message = reader.function(3)
    else { throw CompiledModelError.notAModel(path) }
    functions = Functions(
      library: library, create: unsafeBitCast(create, to: Create.self), destroy: unsafeBitCast(destroy, to: Destroy.self),
      run: unsafeBitCast(run, to: Run.self), message: unsafeBitCast(message, to: Message.self))
    name = reader.name
    inputs = try reader.ports(at: InterfaceReader.inputs).map { try CompiledModel.port($0, path) }
    outputs = try reader.ports(at: InterfaceReader.outputs).map { try CompiledModel.port($0, path) }
    arenaByteCount = reader.arenaByteCount
    var made: UnsafeMutableRawPointer?
    let status = functions.create(weights, &made)
    guard status == 0, let made else { throw CompiledModelError.status(functions.text(status)) }
    model = Mutex(Handle(pointer: made))
  }

  deinit { model.withLock { functions.destroy($0.pointer) } }

  private static func port(_ raw: InterfaceReader.Port, _ path: String) throws -> Port {
    guard let type = ElementType(rawValue: raw.type) else { throw CompiledModelError.notAModel(path) }
    return Port(name: raw.name, type: TensorType(type, Shape(raw.sizes)))
  }

  /// - Throws: `ExecutionError` for inputs of another number or type; `CompiledModelError.status`.
  public func run(_ values: [RuntimeValue]) throws -> [RuntimeValue] {
    guard values.count == inputs.count else {
      throw ExecutionError.inputCount(expected: inputs.map(\.name), actual: values.count)
    }
    var tensors: [Tensor] = []
    for (port, value) in zip(inputs, values) {
      guard let tensor = value.tensor, tensor.type == port.type else {
        throw ExecutionError.inputType(port.name, expected: .tensor(port.type), actual: value.type)
      }
      tensors.append(tensor)
    }
    var results = try outputs.map { try Tensor(zeros: $0.type.elementType, $0.type.shape?.sizes ?? []) }
    let status = model.withLock { model in
      pointers(to: tensors[...], []) { read in
        mutablePointers(to: &results, 0, []) { written in functions.run(model.pointer, read, written) }
      }
    }
    guard status == 0 else { throw CompiledModelError.status(functions.text(status)) }
    return results.map(RuntimeValue.tensor)
  }

  private func pointers<R>(
    to tensors: ArraySlice<Tensor>, _ known: [UnsafeRawPointer?], _ body: (UnsafePointer<UnsafeRawPointer?>?) -> R
  ) -> R {
    guard let first = tensors.first else { return known.withUnsafeBufferPointer { body($0.baseAddress) } }
    return first.withUnsafeBytes { pointers(to: tensors.dropFirst(), known + [$0.baseAddress], body) }
  }

  private func mutablePointers<R>(
    to tensors: inout [Tensor], _ index: Int, _ known: [UnsafeMutableRawPointer?],
    _ body: (UnsafePointer<UnsafeMutableRawPointer?>?) -> R
  ) -> R {
    guard index < tensors.count else { return known.withUnsafeBufferPointer { body($0.baseAddress) } }
    // Taken out, so that the tensor has one owner and is written in place.
    var tensor = tensors[index]
    defer { tensors[index] = tensor }
    return tensor.withUnsafeMutableBytes { bytes in
      mutablePointers(to: &tensors, index + 1, known + [bytes.baseAddress], body)
    }
  }
}

/// Reads the C structures of `fx_interface.h` on a machine whose pointers, `int64_t` and `size_t` have 8 bytes.
private struct InterfaceReader {
  let table: UnsafeRawPointer
  static let (inputs, outputs) = (16, 32)

  struct Port {
    let name: String
    let type: String
    let sizes: [Int]
  }

  var name: String { string(table, 8) }
  var arenaByteCount: Int { table.load(fromByteOffset: 48, as: Int.self) }
  func function(_ index: Int) -> UnsafeRawPointer? {
    table.load(fromByteOffset: 64 + 8 * index, as: UnsafeRawPointer?.self)
  }

  func ports(at offset: Int) -> [Port] {
    let count = Int(table.load(fromByteOffset: offset, as: Int32.self))
    guard let list = table.load(fromByteOffset: offset + 8, as: UnsafeRawPointer?.self) else { return [] }
    return (0..<count).map { index in
      let info = list + 40 * index
      let rank = Int(info.load(fromByteOffset: 16, as: Int32.self))
      let sizes = info.load(fromByteOffset: 24, as: UnsafePointer<Int64>?.self)
      return Port(name: string(info, 0), type: string(info, 8), sizes: (0..<rank).map { Int(sizes?[$0] ?? 0) })
    }
  }

  private func string(_ base: UnsafeRawPointer, _ offset: Int) -> String {
    base.load(fromByteOffset: offset, as: UnsafePointer<CChar>?.self).map { String(cString: $0) } ?? ""
  }
}

/// What can be wrong with a compiled model.
public enum CompiledModelError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There is no library at the path, or it does not load; the reason is the system's.
  case cannotLoad(String, reason: String)
  /// The library has no model, or one of another version.
  case notAModel(String)
  /// What the model reported.
  case status(String)

  public var description: String {
    switch self {
    case .cannotLoad(let path, let reason): "\(path): \(reason)"
    case .notAModel(let path): "\(path): the library holds no model that `fx compile` made"
    case .status(let text): "the compiled model reported: \(text)"
    }
  }
}
