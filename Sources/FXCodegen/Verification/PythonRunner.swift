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

  private struct Request: Encodable {
    let folder: String
    let name: String
    let inputs: [JobFiles.Value]
  }

  func run(_ jobs: [ProgramJob]) throws -> [ProgramRun] {
    if let reason = missing() { return jobs.map { _ in .skipped(reason) } }
    guard let root = jobs.first.map({ ($0.folder as NSString).deletingLastPathComponent }) else { return [] }
    let files = JobFiles(root: root, storage: storage)
    let requests = try jobs.map { job in
      let inputs = try job.inputs.enumerated().map { try files.write($1, to: "\(job.folder)/input_\($0)") }
      return Request(folder: job.folder, name: job.name, inputs: inputs)
    }
    try AtomicFile.write([UInt8](JSONEncoder().encode(requests)), to: "\(root)/jobs.json")
    try AtomicFile.write([UInt8]((adapter + PythonRunner.driver).utf8), to: "\(root)/driver.py")
    let output = try Subprocess.run(environment.python, ["\(root)/driver.py", root], timeout: environment.timeout)
    return try files.answers(to: jobs, output)
  }

  /// What is missing to run anything.
  private func missing() -> String? {
    let check = "import " + (packages + ["json"]).joined(separator: ", ")
    guard let output = try? Subprocess.run(environment.python, ["-c", check], timeout: 120) else {
      return "'\(environment.python)' does not start"
    }
    return output.status == 0 ? nil : "\(environment.python): \(output.lastLine)"
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
