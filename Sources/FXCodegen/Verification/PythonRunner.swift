import FXCore
import FXTrace
import Foundation

/// Runs programs in one Python process: starting an interpreter for each would take longer than most programs.
struct PythonRunner: ProgramRunner {
  let environment: RunnerEnvironment
  /// The packages without which nothing runs.
  let packages: [String]
  /// Python that defines `load(folder, name, inputs)`, which gives the list of a program's results, `decode(array, type)`,
  /// which makes an input of an array, and `encode(value)`, which makes (array, type or None) of a result.
  let adapter: String
  /// The element type that an array has in place of one that files have none for.
  let storage: @Sendable (ElementType) -> ElementType

  private struct Answer: Decodable {
    let job: Int
    let error: String?
    let results: [Value]?
  }

  /// A value as the two processes write it: a file with an element type, a list, or nothing.
  private indirect enum Value: Codable {
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

  private struct Request: Encodable {
    let folder: String
    let name: String
    let inputs: [Value]
  }

  func run(_ jobs: [ProgramJob]) throws -> [ProgramRun] {
    if let reason = missing() { return jobs.map { _ in .skipped(reason) } }
    guard let root = jobs.first.map({ ($0.folder as NSString).deletingLastPathComponent }) else { return [] }
    var runs = Array(repeating: ProgramRun.failed("the interpreter ended before it"), count: jobs.count)
    var requests: [Request] = []
    for job in jobs {
      let inputs = try job.inputs.enumerated().map { try write($1, to: "\(job.folder)/input_\($0)") }
      let source = job.program.files.first.map { ($0.name as NSString).deletingPathExtension } ?? ""
      requests.append(Request(folder: job.folder, name: source, inputs: inputs))
    }
    try AtomicFile.write([UInt8](JSONEncoder().encode(requests)), to: "\(root)/jobs.json")
    try AtomicFile.write([UInt8]((adapter + PythonRunner.driver).utf8), to: "\(root)/driver.py")
    let output = try Subprocess.run(environment.python, ["\(root)/driver.py", root], timeout: environment.timeout)
    let answers = FileManager.default.contents(atPath: "\(root)/answers.jsonl") ?? Data()
    for line in answers.split(separator: UInt8(ascii: "\n")) {
      let answer = try JSONDecoder().decode(Answer.self, from: line)
      guard runs.indices.contains(answer.job) else { continue }
      if let error = answer.error {
        runs[answer.job] = .failed(error)
      } else {
        let types = jobs[answer.job].resultTypes
        runs[answer.job] = result {
          try (answer.results ?? []).enumerated().map { try read($1, $0 < types.count ? types[$0] : .unknown) }
        }
      }
    }
    if output.status != 0, answers.isEmpty { return jobs.map { _ in .failed("python: \(output.lastLine)") } }
    return runs
  }

  private func result(_ values: () throws -> [RuntimeValue]) -> ProgramRun {
    do { return .executed(try values()) } catch { return .failed("\(error)") }
  }

  /// What is missing to run anything.
  private func missing() -> String? {
    let check = "import " + (packages + ["json"]).joined(separator: ", ")
    guard let output = try? Subprocess.run(environment.python, ["-c", check], timeout: 120) else {
      return "'\(environment.python)' does not start"
    }
    return output.status == 0 ? nil : "\(environment.python): \(output.lastLine)"
  }

  private func write(_ value: RuntimeValue, to path: String) throws -> Value {
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

  /// What is the same for all targets: reads jobs, runs them, writes results.
  private static let driver = """

    import json
    import sys
    import warnings

    import numpy as np


    def read(value):
        if value is None:
            return None
        if isinstance(value, list):
            return [read(element) for element in value]
        array = np.load(value["file"])
        return decode(array.astype(object) if array.dtype.kind == "U" else array, value["type"])


    def write(value, path):
        if value is None:
            return None
        if isinstance(value, (list, tuple)):
            return [write(element, f"{path}_{i}") for i, element in enumerate(value)]
        array, type = encode(value)
        if array.dtype == object:
            array = array.astype(str)
        np.save(path + ".npy", array)
        return {"file": path + ".npy"} | ({"type": type} if type else {})


    warnings.simplefilter("ignore")
    root = sys.argv[1]
    with open(root + "/jobs.json") as file:
        jobs = json.load(file)
    with open(root + "/answers.jsonl", "w") as answers:
        for number, job in enumerate(jobs):
            try:
                results = load(job["folder"], job["name"], [read(value) for value in job["inputs"]])
                answer = {"job": number, "results": [write(r, f"{job['folder']}/result_{i}") for i, r in enumerate(results)]}
            except Exception as error:
                answer = {"job": number, "error": f"{type(error).__name__}: {error}".replace("\\n", " ")[:400]}
            answers.write(json.dumps(answer) + "\\n")
            answers.flush()
    """
}
