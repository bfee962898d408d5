import FXCore
import FXOnnx
import FXShapes
import Foundation

/// The formats that models are read and written in, told by a file name's extension.
enum ModelFormat: String, CaseIterable {
  case onnx, json, text = "fxt", binary = "fxb"

  init(path: String) throws {
    let suffix = (path as NSString).pathExtension.lowercased()
    guard let format = ModelFormat(rawValue: suffix) else { throw ModelFileError(path: path, problem: .extensionUnknown) }
    self = format
  }
}

/// A model file that cannot be read or written, with the reason.
struct ModelFileError: Error, CustomStringConvertible {
  enum Problem {
    case extensionUnknown
    case content(any Error)
  }
  let path: String
  let problem: Problem

  var description: String {
    switch problem {
    case .extensionUnknown:
      (path.isEmpty ? "''" : path) + (FileManager.isFolder(path) ? ": a folder; models" : ": models")
        + " have one of the extensions \(ModelFormat.allCases.map { "." + $0.rawValue }.joined(separator: ", "))"
    case .content(let error):
      // Errors that name a file, this or another, are not prefixed again.
      error is FileError || String(describing: error).contains(path) ? String(describing: error) : "\(path): \(error)"
    }
  }
}

enum ModelFile {
  /// Reads a model; weights stay in the file where the format allows. Shapes are inferred.
  /// - Parameter checksWeights: whether the weights of a binary file are compared with their checksums.
  static func read(_ path: String, checksWeights: Bool = true) throws -> Graph {
    let format = try ModelFormat(path: path)
    do {
      var graph =
        switch format {
        case .onnx: try OnnxImporter().graph(path: path)
        case .json: try Graph(json: String(decoding: contents(path), as: UTF8.self))
        case .text: try Graph(text: String(decoding: contents(path), as: UTF8.self))
        case .binary: try Graph(mapping: path, checkWeights: checksWeights)
        }
      try graph.verify(.typed)
      try ShapeInference().run(&graph)
      return graph
    } catch {
      throw ModelFileError(path: path, problem: .content(error))
    }
  }

  /// Looks before long work whether a model can be written to a path.
  /// - Throws: `ModelFileError` for an extension that says no format; `FileError`.
  static func checkOutput(_ path: String) throws {
    _ = try ModelFormat(path: path)
    try OutputFile.check(path)
  }

  /// Writes a model; the file appears whole or not at all.
  static func write(_ graph: Graph, to path: String) throws {
    let format = try ModelFormat(path: path)
    do {
      switch format {
      case .onnx: try exportToOnnx(graph).saveToFile(path)
      case .json: try AtomicFile.write([UInt8](graph.json().utf8), to: path)
      case .text: try AtomicFile.write([UInt8](graph.text().utf8), to: path)
      case .binary: try graph.writeBinary(to: path)
      }
    } catch {
      throw ModelFileError(path: path, problem: .content(error))
    }
  }

  private static func contents(_ path: String) throws -> UnsafeRawBufferPointerHolder {
    UnsafeRawBufferPointerHolder(file: try MappedFile(path: path))
  }
}

/// The bytes of a mapped file as a collection that keeps the mapping alive.
struct UnsafeRawBufferPointerHolder: RandomAccessCollection {
  let file: MappedFile
  var startIndex: Int { 0 }
  var endIndex: Int { file.bytes.count }
  subscript(position: Int) -> UInt8 { file.bytes[position] }
}
