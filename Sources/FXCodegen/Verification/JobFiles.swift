import FXCore
import FXTrace
import Foundation

/// The files by which jobs and their results pass between processes: npy files, and a line of JSON per answer.
struct JobFiles {
  let root: String
  /// The element type that an array has in place of one that files have none for.
  let storage: @Sendable (ElementType) -> ElementType

  private struct Answer: Decodable {
    let job: Int
    let error: String?
    let results: [Value]?
  }

  /// A value: a file with an element type, a list, or nothing.
  indirect enum Value: Codable {
    case file(String, type: String?)
    case list([Value])
    case none

    init(from decoder: any Decoder) throws {
      if let list = try? decoder.singleValueContainer().decode([Value].self) {
        self = .list(list)
      } else if let pair = try? decoder.singleValueContainer().decode([String: String].self), let file = pair["file"] {
        self = .file(file, type: pair["type"])
      } else {
        self = .none
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .file(let file, let type): try container.encode(["file": file, "type": type ?? ""])
      case .list(let values): try container.encode(values)
      case .none: try container.encodeNil()
      }
    }
  }

  /// What `answers.jsonl` says of the jobs.
  func answers(to jobs: [ProgramJob], _ output: Subprocess.Output) throws -> [ProgramRun] {
    var runs = Array(repeating: ProgramRun.failed("the process ended before it: \(output.lastLine)"), count: jobs.count)
    let answers = FileManager.default.contents(atPath: "\(root)/answers.jsonl") ?? Data()
    for line in answers.split(separator: UInt8(ascii: "\n")) {
      let answer = try JSONDecoder().decode(Answer.self, from: line)
      guard runs.indices.contains(answer.job) else { continue }
      if let error = answer.error {
        runs[answer.job] = .failed(error)
      } else {
        let types = jobs[answer.job].resultTypes
        do {
          let values = try (answer.results ?? []).enumerated().map { try read($1, $0 < types.count ? types[$0] : .unknown) }
          runs[answer.job] = .executed(values)
        } catch {
          runs[answer.job] = .failed("\(error)")
        }
      }
    }
    return runs
  }

  func write(_ value: RuntimeValue, to path: String) throws -> Value {
    switch value {
    case .tensor(let tensor):
      try Npy.write(tensor.converted(to: fileType(tensor.elementType)), to: path + ".npy")
      return .file(path + ".npy", type: tensor.elementType.rawValue)
    case .sequence(let values, _): return .list(try values.enumerated().map { try write($1, to: "\(path)_\($0)") })
    case .optional(let value, _): return try value.map { try write($0, to: path) } ?? .none
    case .map: throw ExecutionError.notATensor(value.type)
    }
  }

  /// What files hold in place of types that npy has none for.
  private func fileType(_ type: ElementType) -> ElementType { NumpyTypes.storage(type) }

  private func read(_ value: Value, _ type: ValueType) throws -> RuntimeValue {
    switch value {
    case .file(let path, let name):
      var tensor = try Npy.read(path)
      if let name, let type = ElementType(rawValue: name) { tensor = try tensor.converted(to: type, saturating: false) }
      if let expected = type.elementType, tensor.elementType != expected, tensor.elementType == storage(expected) {
        tensor = try tensor.converted(to: expected, saturating: false)
      }
      return .tensor(tensor)
    case .list(let values):
      var element = ValueType.unknown
      if case .sequence(let inner) = type { element = inner }
      return .sequence(try values.map { try read($0, element) }, element: element)
    case .none: return .optional(nil, wrapped: .unknown)
    }
  }
}
