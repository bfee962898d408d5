import FXCore
import FXOnnx
import Foundation
import Testing

/// Every model of the local cache, read, written, and read again. Values are compared by `fx conformance`; here it is
/// structure: the second graph is the first.
@Suite struct OnnxSweepTests {
  private static let environment = ProcessInfo.processInfo.environment
  static let folder = environment["FX_CACHE"] ?? ".cache"
  static let cases = environment["FX_CASES"] ?? folder + "/cases"

  /// Those of up to 64 MB: here a model is written to memory.
  static let models: [String] = [cases, folder + "/zoo"].flatMap { root in
    (FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? [])
      .filter { $0.hasSuffix("model.onnx") }.map { root + "/" + $0 }
  }.filter { path in
    let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    return (size ?? 0) <= 64 << 20
  }.sorted()

  @Test(.enabled(if: !models.isEmpty, "no models: `make test` makes ONNX's cases"))
  func modelsSurviveARoundTrip() {
    var failures: [String: [String]] = [:]
    for path in OnnxSweepTests.models {
      do throws(OnnxError) {
        let first = try OnnxImporter().graph(path: path)
        // ONNX's Gradient names tensors of the graph around it, which are written beside those that were read.
        if first.operatorCounts.contains(where: { $0.op == .gradient }) { continue }
        let second = try OnnxImporter().graph(from: OnnxDocument(bytes: exportToOnnx(first).serialized()))
        if let difference = difference(first, second) { failures[difference, default: []].append(path) }
      } catch {
        if OnnxSweepTests.isKnownByNameOnly(error) { continue }
        failures[error.problem.description, default: []].append(path)
      }
    }
    for (reason, paths) in failures.sorted(by: { $0.value.count > $1.value.count }) {
      Issue.record("\(paths.count) × \(reason): \(paths.prefix(3))")
    }
  }

  /// Operators that nobody registered are written in their own operator set, and old ones are not written.
  private static func isKnownByNameOnly(_ error: OnnxError) -> Bool {
    guard case .unmapped(let offenders) = error.problem else { return false }
    return offenders.allSatisfy { $0.reason.hasPrefix("it is known by name only") }
  }

  private func difference(_ a: Graph, _ b: Graph) -> String? {
    if a.nodeCount != b.nodeCount { return "another number of nodes" }
    if a.outputNames != b.outputNames { return "other output names" }
    if a.inputs.map(a.name) != b.inputs.map(b.name) { return "other input names" }
    if a.inputs.map({ a.type(of: .value($0)) }) != b.inputs.map({ b.type(of: .value($0)) }) { return "other input types" }
    if a.valueNames() != b.valueNames() { return "other value names" }
    if a.metadata != b.metadata { return "other metadata" }
    let counts = [a, b].map { graph in graph.operatorCounts.map { "\($0.op) \($0.count)" } }
    return counts[0] == counts[1] ? nil : "other operators"
  }
}
