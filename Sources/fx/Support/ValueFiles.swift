import FXCore
import FXOnnx
import FXPasses
import FXTrace
import Foundation

/// Inputs and outputs of a model as files in a folder: `input_0.npy` or `input_0.pb`, or `NAME.npy`.
enum ValueFiles {
  /// The graph's inputs from a folder.
  static func inputs(of graph: Graph, in folder: String) throws -> [RuntimeValue] {
    guard FileManager.isFolder(folder) else {
      let isFile = FileManager.default.fileExists(atPath: folder)
      throw FileError(path: folder, operation: .open, code: isFile ? ENOTDIR : ENOENT)
    }
    return try graph.inputs.enumerated().map { index, input in
      let name = graph.name(of: input)
      let candidates = ["input_\(index).npy", "input_\(index).pb", "\(name).npy"].map { "\(folder)/\($0)" }
      guard let path = candidates.first(where: FileManager.default.fileExists) else {
        throw ModelFileError(path: folder, problem: .content(ValueFileError.missing(name, candidates)))
      }
      return try read(path, type: graph.type(of: input))
    }
  }

  /// The value in a file: an array, or one of ONNX's messages for a value of `type`.
  static func read(_ path: String, type: ValueType) throws -> RuntimeValue {
    do {
      return path.hasSuffix(".npy") ? .tensor(try Npy.read(path)) : try OnnxValues.read(path: path, as: type)
    } catch {
      throw ModelFileError(path: path, problem: .content(error))
    }
  }

  /// Writes `KIND_I.npy`, or `.pb` for what npy cannot hold. Gives the file's name.
  @discardableResult
  static func write(
    _ value: RuntimeValue, index: Int, name: String, kind: String = "output", to folder: String
  ) throws -> String {
    if let tensor = value.tensor, let bytes = try? Npy.encode(tensor) {
      try AtomicFile.write(bytes, to: "\(folder)/\(kind)_\(index).npy")
      return "\(kind)_\(index).npy"
    }
    try AtomicFile.write(OnnxValues.serialized(value, name: name), to: "\(folder)/\(kind)_\(index).pb")
    return "\(kind)_\(index).pb"
  }

  /// Makes a folder of a graph's inputs.
  static func write(inputs: [RuntimeValue], of graph: Graph, to folder: String) throws {
    try Folder.make(folder)
    for (index, (input, value)) in zip(graph.inputs, inputs).enumerated() {
      try write(value, index: index, name: graph.name(of: input), kind: "input", to: folder)
    }
  }
}

enum ValueFileError: Error, CustomStringConvertible {
  case missing(String, [String])

  var description: String {
    switch self {
    case .missing(let name, let candidates): "no file for input '\(name)': one of \(candidates.joined(separator: ", "))"
    }
  }
}
