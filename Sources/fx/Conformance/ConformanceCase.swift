import FXCore
import Foundation

enum ConformanceError: Error, CustomStringConvertible {
  case noCases
  case noMatch(String)
  case noDataSets
  case file(String, String)
  case fileCount(String, expected: Int, actual: Int)
  case mismatch(set: String, output: String, String)
  case lessThanOnnx(String)
  case notDecomposed([String], reasons: [String])

  var description: String {
    switch self {
    case .noCases: "no folder with model.onnx and test_data_set_* below it"
    case .noMatch(let filter): "no case's path matches '\(filter)'"
    case .file(let path, let reason): "\(path): \(reason)"
    case .noDataSets: "no test_data_set_* beside the model"
    case .fileCount(let set, let expected, let actual): "\(set) has \(actual) output files, the model \(expected) outputs"
    case .mismatch(let set, let output, let difference): "\(set) output '\(output)': \(difference)"
    case .lessThanOnnx(let lack): lack
    case .notDecomposed(let operators, let reasons):
      "\(operators.joined(separator: ", ")) not decomposed: \(reasons.joined(separator: "; "))"
    }
  }
}

/// A model with inputs and expected outputs, in the layout of ONNX's backend tests.
struct ConformanceCase {
  let folder: String
  var name: String { (folder as NSString).lastPathComponent }

  /// The cases below folders, by path, or those whose path a regular expression matches.
  /// - Throws: `ModelFileError` if there is none; `FileError`.
  static func find(below roots: [String], matching filter: String?) throws -> [ConformanceCase] {
    let pattern = try filter.map { try Regex($0) }
    let all = try roots.flatMap(find)
    let path = roots.joined(separator: " ")
    guard !all.isEmpty else { throw ModelFileError(path: path, problem: .content(ConformanceError.noCases)) }
    guard let pattern else { return all }
    let chosen = try all.filter { try pattern.firstMatch(in: $0.folder) != nil }
    guard !chosen.isEmpty else { throw ModelFileError(path: path, problem: .content(ConformanceError.noMatch(filter ?? ""))) }
    return chosen
  }

  /// The cases below a folder, by path.
  private static func find(below root: String) throws -> [ConformanceCase] {
    let files = FileManager.default
    guard files.fileExists(atPath: root) else { throw FileError(path: root, operation: .open, code: ENOENT) }
    var found: [String] = []
    if files.fileExists(atPath: root + "/model.onnx") { found.append(root) }
    let all = files.enumerator(atPath: root)
    while let path = all?.nextObject() as? String {
      if path.hasSuffix("/model.onnx") { found.append(root + "/" + String(path.dropLast("/model.onnx".count))) }
    }
    return found.sorted().map(ConformanceCase.init)
  }

  struct Tolerances: Decodable {
    let rtol: Double?
    let atol: Double?
  }

  /// - Throws: `ConformanceError` for a wrong result, or what kept the model from running.
  func check(_ mode: ConformanceMode, rtol: Double, atol: Double) throws {
    let own = try tolerances()
    let comparison = ValueComparison(rtol: own?.rtol ?? rtol, atol: own?.atol ?? atol)
    let graph = try ModelFile.read(folder + "/model.onnx")
    let execute = try mode.executable(graph)
    let sets = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("test_data_set_") }.sorted()
    guard !sets.isEmpty else { throw ConformanceError.noDataSets }
    for set in sets {
      let data = "\(folder)/\(set)"
      let inputs = try ValueFiles.inputs(of: graph, in: data)
      let expected = try outputs(of: graph, in: data)
      guard let execute else {
        try checkTypes(graph, inputs, expected)
        continue
      }
      if RandomCases.contains(name) {
        try checkRandom(graph, expected) { try execute(inputs) }
      } else {
        let results = try execute(inputs)
        try check(graph, set) { comparison.difference(results[$0], expected[$0]) }
      }
    }
  }

  private func check(_ graph: Graph, _ set: String, _ difference: (Int) throws -> String?) throws {
    for (index, name) in graph.outputNames.enumerated() {
      if let difference = try difference(index) { throw ConformanceError.mismatch(set: set, output: name, difference) }
    }
  }

  /// Types and ranges, and that a seed, if there is one, makes runs equal.
  private func checkRandom(_ graph: Graph, _ expected: [RuntimeValue], run: () throws -> [RuntimeValue]) throws {
    let results = try run()
    let hasSeed = try graph.allNodes.contains { try graph[$0].attributes["seed"] != nil }
    let again = hasSeed ? try run() : results
    try check(graph, "random") { index in
      let (result, sample) = (results[index], expected[index])
      guard result.type == sample.type else { return "\(result.type), expected \(sample.type)" }
      guard result == again[index] else { return "two runs with one seed differ" }
      guard let numbers = try result.tensor?.numbers().doubles, let samples = try sample.tensor?.numbers().doubles else {
        return nil
      }
      let range = 0.0...1.0
      guard samples.allSatisfy(range.contains) else { return "the range of the sample is not known" }
      return numbers.first { !range.contains($0) }.map { "\($0) is outside \(range)" }
    }
  }

  private func checkTypes(_ graph: Graph, _ inputs: [RuntimeValue], _ expected: [RuntimeValue]) throws {
    let types = try InferredTypes(graph, inputs: inputs, symbolic: false)
    try check(graph, "types") { types.contradiction(output: $0, expected[$0]) }
    let symbolic = try InferredTypes(graph, inputs: inputs, symbolic: true)
    try check(graph, "symbolic types") { symbolic.contradiction(output: $0, expected[$0]) }
    if let peers: [String: InferredTypes.Peer] = try decoded("types.json"), let lack = types.lack(beside: peers) {
      throw ConformanceError.lessThanOnnx(lack)
    }
  }

  func outputs(of graph: Graph, in data: String) throws -> [RuntimeValue] {
    let files = try FileManager.default.contentsOfDirectory(atPath: data).filter { $0.hasPrefix("output_") }
    let operands = graph.outputs
    guard files.count == operands.count else {
      throw ConformanceError.fileCount(data, expected: operands.count, actual: files.count)
    }
    return try operands.enumerated().map { index, operand in
      try ValueFiles.read("\(data)/output_\(index).pb", type: graph.type(of: operand))
    }
  }

  /// Those of data.json, if the case has one.
  func tolerances() throws -> Tolerances? { try decoded("data.json") }

  private func decoded<Content: Decodable>(_ file: String) throws -> Content? {
    do {
      return try FileManager.default.contents(atPath: "\(folder)/\(file)").map {
        try JSONDecoder().decode(Content.self, from: $0)
      }
    } catch let error as DecodingError {
      throw ConformanceError.file("\(folder)/\(file)", error.reason)
    }
  }
}
