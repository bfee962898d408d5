import FXCore
import FXTrace
import Foundation
import Synchronization

/// Weights in several safetensors files, with an index that says which file holds which: the layout in which Hugging Face
/// publishes large models. A file is mapped when the first of its tensors is asked for, so that a rank touches nothing else.
public final class WeightShards: Sendable {
  private struct Index: Codable {
    var metadata: [String: Int]?
    // The format's name.
    var weight_map: [String: String]
  }

  /// The folder with the index and the files.
  public let folder: String
  /// For each tensor the file that holds it.
  public let files: [String: String]
  private let opened = Mutex<[String: Safetensors.Contents]>([:])

  /// The file name of the index, as Hugging Face has it.
  public static let indexName = "model.safetensors.index.json"

  /// - Parameter folder: holds `model.safetensors.index.json` and the files it names.
  /// - Throws: `PlanError.file` for an index that is none, or names files elsewhere.
  public init(folder: String) throws {
    let path = "\(folder)/\(WeightShards.indexName)"
    do {
      files = try JSONDecoder().decode(Index.self, from: Data(contentsOf: URL(fileURLWithPath: path))).weight_map
    } catch {
      throw PlanError.file("\(path): \(error.localizedDescription)")
    }
    self.folder = folder
    for (name, file) in files where file.contains("/") || file.isEmpty {
      throw PlanError.file("\(path): '\(name)' is in '\(file)'")
    }
  }

  /// The files that were asked for so far.
  public var openedFiles: [String] { opened.withLock { $0.keys.sorted() } }

  /// A tensor, borrowing the mapped file; `nil` for a name that the index lacks.
  /// - Throws: `FileError`, `SafetensorsError`; `PlanError.file` if the file lacks what the index says it has.
  public func tensor(named name: String) throws -> Tensor? {
    guard let file = files[name] else { return nil }
    guard let tensor = try contents(file).tensors[name] else { throw PlanError.file("\(folder)/\(file) has no '\(name)'") }
    return tensor
  }

  /// Free text that a file holds beside its tensors.
  func metadata(of file: String) throws -> [String: String] { try contents(file).metadata }

  private func contents(_ file: String) throws -> Safetensors.Contents {
    try opened.withLock { opened in
      if let contents = opened[file] { return contents }
      let contents = try Safetensors.contents("\(folder)/\(file)")
      opened[file] = contents
      return contents
    }
  }

  /// Writes tensors in the order of their names, a new file whenever one has reached `bytesPerFile`, and the index last.
  /// - Throws: `SafetensorsError`, `FileError`, or an error of the file system.
  @discardableResult
  public static func write(_ tensors: [String: Tensor], to folder: String, bytesPerFile: Int) throws -> WeightShards {
    try Folder.make(folder)
    var groups: [[String: Tensor]] = [[:]]
    var bytes = 0
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      if bytes > 0, bytes + tensor.byteCount > bytesPerFile {
        groups.append([:])
        bytes = 0
      }
      groups[groups.count - 1][name] = tensor
      bytes += tensor.byteCount
    }
    var files: [String: String] = [:]
    for (index, group) in groups.enumerated() {
      let file = fileName(index, of: groups.count)
      try Safetensors.write(group, metadata: ["format": "pt"], to: "\(folder)/\(file)")
      for name in group.keys { files[name] = file }
    }
    try writeIndex(files, totalBytes: tensors.values.reduce(0) { $0 + $1.byteCount }, to: folder)
    return try WeightShards(folder: folder)
  }

  /// `model-00001-of-00004.safetensors`
  static func fileName(_ index: Int, of count: Int) -> String {
    func five(_ number: Int) -> String { String(repeating: "0", count: max(0, 5 - "\(number)".count)) + "\(number)" }
    return "model-\(five(index + 1))-of-\(five(count)).safetensors"
  }

  static func writeIndex(_ files: [String: String], totalBytes: Int, to folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let index = Index(metadata: ["total_size": totalBytes], weight_map: files)
    try AtomicFile.write([UInt8](encoder.encode(index)), to: "\(folder)/\(indexName)")
  }
}

extension ExecutionPlan {
  /// What a rank runs, with weights that the graph lacks from files: the rank opens those that hold what its stage uses, and
  /// takes its parts. Queries, keys and values in one matrix come apart only if the plan's graph had its weights.
  /// - Throws: as `rankProgram(_:bindsWeights:)`; `GraphError.bindingType` for a weight of another type; errors of the files.
  public func rankProgram(_ rank: Int, weights: WeightShards) throws -> RankProgram {
    try rankProgram(
      rank,
      binding: { parameter in
        guard let tensor = try weights.tensor(named: parameter.name) else { return parameter.tensor }
        guard tensor.type == parameter.type else {
          throw GraphError.bindingType(parameter.name, expected: parameter.type, actual: tensor.type)
        }
        return tensor
      })
  }
}

extension DistributedExecutor {
  /// Makes this rank's part of a plan ready, with weights from files: see `ExecutionPlan.rankProgram(_:weights:)`.
  public func prepare(_ plan: ExecutionPlan, weights: WeightShards) throws -> DistributedExecutable {
    try prepare(PreparedPlan(plan), plan.rankProgram(communicator.rank, weights: weights))
  }
}
