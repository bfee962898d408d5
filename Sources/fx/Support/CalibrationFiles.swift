import FXCore
import FXQuant
import Foundation

/// Samples to calibrate on, from a folder: one sample per subfolder, in the order of their names, or the folder itself.
///
/// Arrays with more rows than the model takes at once are cut into samples.
enum CalibrationFiles {
  /// - Throws: `ModelFileError` naming the folder and the input; `QuantizationError.calibration`.
  static func samples(of graph: Graph, in folder: String) throws -> [[Tensor]] {
    guard FileManager.isFolder(folder) else {
      throw ModelFileError(path: folder, problem: .content(CalibrationFileError.noFolder))
    }
    let entries = try FileManager.default.contentsOfDirectory(atPath: folder).sorted {
      $0.compare($1, options: .numeric) == .orderedAscending
    }
    let folders = entries.map { "\(folder)/\($0)" }.filter(FileManager.isFolder)
    let hasFiles = entries.contains { $0.hasSuffix(".npy") || $0.hasSuffix(".pb") }
    var samples: [[Tensor]] = []
    for path in hasFiles || folders.isEmpty ? [folder] : folders {
      let values = try ValueFiles.inputs(of: graph, in: path)
      let tensors = try values.enumerated().map { index, value in
        guard let tensor = value.tensor else {
          throw ModelFileError(
            path: path, problem: .content(CalibrationFileError.noTensor(graph.name(of: graph.inputs[index]))))
        }
        return tensor
      }
      samples += try cut(tensors, for: graph)
    }
    try CalibrationData.check(samples, for: graph)
    return samples
  }

  /// Rows of arrays that are larger than the model takes.
  private static func cut(_ tensors: [Tensor], for graph: Graph) throws -> [[Tensor]] {
    let fitting = try zip(graph.inputs, tensors).allSatisfy { input, tensor in
      try graph.type(of: input).tensorType?.admits(tensor.type) ?? true
    }
    guard !fitting, let count = tensors.first?.shape.first, count > 1, tensors.allSatisfy({ $0.shape.first == count }) else {
      return [tensors]
    }
    return try (0..<count).map { row in
      try tensors.map { tensor in
        guard tensor.elementType.bitWidth >= 8 else { return tensor }
        let size = tensor.byteCount / count
        return try tensor.withUnsafeBytes {
          try Tensor(
            tensor.elementType, [1] + tensor.shape.dropFirst(),
            bytes: UnsafeRawBufferPointer(rebasing: $0[row * size..<(row + 1) * size]))
        }
      }
    }
  }
}

enum CalibrationFileError: Error, CustomStringConvertible {
  case noFolder
  case noTensor(String)

  var description: String {
    switch self {
    case .noFolder: "no such folder; calibration data are folders that hold a file per input"
    case .noTensor(let name): "input '\(name)' is no tensor"
    }
  }
}
