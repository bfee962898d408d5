import ArgumentParser
import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import Foundation

/// How a case's model is executed.
enum ConformanceMode: String, ExpressibleByArgument, CaseIterable {
  /// Compiled for the CPU.
  case run
  /// By the slow kernels that define the operators.
  case reference
  /// After the aggressive pipeline.
  case optimized
  /// After export to ONNX and import of the result.
  case roundtrip
}

/// A case that cannot be judged here, with the reason.
struct ConformanceSkip: Error {
  let reason: String
}

enum ConformanceError: Error, CustomStringConvertible {
  case noCases
  case noDataSets
  case fileCount(String, expected: Int, actual: Int)
  case mismatch(set: String, output: String, String)

  var description: String {
    switch self {
    case .noCases: "no folder with model.onnx and test_data_set_* below it"
    case .noDataSets: "no test_data_set_* beside the model"
    case .fileCount(let set, let expected, let actual): "\(set) has \(actual) output files, the model \(expected) outputs"
    case .mismatch(let set, let output, let difference): "\(set) output '\(output)': \(difference)"
    }
  }
}

/// A model with inputs and expected outputs, in the layout of ONNX's backend tests.
struct ConformanceCase {
  let folder: String
  var name: String { (folder as NSString).lastPathComponent }

  /// The cases below a folder, by path.
  static func find(below root: String) throws -> [ConformanceCase] {
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

  private struct Tolerances: Decodable {
    let rtol: Double?
    let atol: Double?
  }

  func check(_ mode: ConformanceMode, rtol: Double, atol: Double) throws {
    let about = "\(folder)/data.json"
    let own = try FileManager.default.contents(atPath: about).map { try JSONDecoder().decode(Tolerances.self, from: $0) }
    let comparison = ValueComparison(rtol: own?.rtol ?? rtol, atol: own?.atol ?? atol)
    var graph = try ModelFile.read(folder + "/model.onnx")
    switch mode {
    case .run, .reference: break
    case .optimized: try PassManager.aggressiveOptimizationPasses(executor: CPUBackend()).run(&graph)
    case .roundtrip:
      let document = try exportToOnnx(graph)
      graph = try OnnxImporter().graph(from: OnnxDocument(bytes: document.serialized()))
      try graph.verify(.typed)
      try ShapeInference().run(&graph)
    }
    let execute: ([RuntimeValue]) throws -> [RuntimeValue]
    if mode == .reference {
      execute = { [graph] in try ReferenceExecutor().run(graph, inputs: $0) }
    } else {
      execute = try CPUBackend().compiled(graph).run
    }
    let sets = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("test_data_set_") }.sorted()
    guard !sets.isEmpty else { throw ConformanceError.noDataSets }
    for set in sets { try check(set, graph, comparison, execute) }
  }

  private func check(
    _ set: String, _ graph: Graph, _ comparison: ValueComparison, _ execute: ([RuntimeValue]) throws -> [RuntimeValue]
  ) throws {
    let data = "\(folder)/\(set)"
    let inputs = try ValueFiles.inputs(of: graph, in: data)
    let files = try FileManager.default.contentsOfDirectory(atPath: data).filter { $0.hasPrefix("output_") }
    let names = graph.outputNames
    guard files.count == names.count else {
      throw ConformanceError.fileCount(set, expected: names.count, actual: files.count)
    }
    let results = try execute(inputs)
    for (index, result) in results.enumerated() {
      let expected = try ValueFiles.read("\(data)/output_\(index).pb", type: graph.type(of: graph.outputs[index]))
      if let difference = comparison.difference(result, expected) {
        throw ConformanceError.mismatch(set: set, output: names[index], difference)
      }
    }
  }
}
