import FXCodegen
import FXCore
import Foundation

/// Official cases written for a native target, compiled and run.
struct NativeSweep {
  private(set) var passed: [String] = []
  /// Those that pass after inputs that say sizes were made constants.
  private(set) var specialized: Set<String> = []
  /// The operators of those that passed.
  private(set) var operators: Set<Operator> = []
  private(set) var failed: [String: String] = [:]
  /// Cases by the reason why the target does not write them.
  private(set) var refused: [String: [String]] = [:]

  var summary: String {
    "\(passed.count) passed (\(specialized.count) with sizes as constants), \(refused.values.joined().count) refused, \(failed.count) failed"
  }

  init(_ folders: [String], target: any CodeTarget, runner: NativeRunner, environments: [[String: String]] = [[:]]) throws {
    let generator = CodeGenerator(targets: [target])
    var runner = runner
    var cases: [String: NativeCase] = [:]
    for folder in folders {
      let name = (folder as NSString).lastPathComponent
      do {
        var item = try NativeCase(folder: folder)
        let program: GeneratedProgram
        do {
          program = try generator.generate(item.graph, target: target.name, CodegenOptions(name: name))
        } catch is CodegenError {
          item = try item.withConstantSizes()
          program = try generator.generate(item.graph, target: target.name, CodegenOptions(name: name))
          specialized.insert(name)
        }
        try runner.add(name, program, item.inputs)
        cases[name] = item
      } catch CodegenError.unsupported(_, let refusals) {
        let reasons = Set(refusals.map { "\($0.op): \($0.reason)" }).sorted().joined(separator: "; ")
        refused[reasons, default: []].append(name)
        specialized.remove(name)
      } catch NativeCase.Unsuitable.notTensors {
        refused["values that are no tensors", default: []].append(name)
      } catch {
        failed[name] = "\(error)"
      }
    }
    let binary = try runner.build()
    let types = cases.mapValues { $0.expected.map(\.type) }
    for environment in environments {
      let results = try runner.run(binary, outputs: types, environment: environment)
      let note = environment.values.map { " (\($0))" }.joined()
      for (name, item) in cases where failed[name] == nil {
        switch results[name] {
        case .success(let tensors)?: if let difference = item.difference(tensors) { failed[name] = difference + note }
        case .failure(let failure)?: failed[name] = failure.text + note
        case nil: failed[name] = "it did not run" + note
        }
      }
    }
    passed = cases.keys.filter { failed[$0] == nil }.sorted()
    for name in passed { operators.formUnion(cases[name]?.graph.operatorCounts.map(\.op) ?? []) }
  }
}
