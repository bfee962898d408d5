import FXCore
import FXOnnx
import FXTestSupport
import Foundation
import Testing

/// Damaged models give a graph or an error, never a trap; what gives a graph can be written again or says why not.
@Suite struct OnnxDamageTests {
  /// The small models of the cache, where there is one, and our own.
  static let vocabulary: ModelVocabulary = {
    let folder = "\(OnnxSweepTests.cases)/node"
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    let cached = names.enumerated().filter { $0.offset % 10 == 0 }.compactMap { entry -> [UInt8]? in
      FileManager.default.contents(atPath: "\(folder)/\(entry.element)/model.onnx").map { Array($0) }
    }
    return ModelVocabulary(cached.filter { $0.count < 20_000 } + OnnxErrorTests.faults.map { OnnxErrorTests.model($0) })
  }()

  /// A thousandth of what `make fuzz` does, on the reader and the writer alone; FX_FUZZ_FILES for more.
  @Test func damagedModelsGiveAnOutcome() {
    let count = Int(ProcessInfo.processInfo.environment["FX_FUZZ_FILES"] ?? "") ?? 3000
    var graphs = 0
    for index in 0..<count {
      let file = ModelMutation.make(of: OnnxDamageTests.vocabulary, seed: 20, index: index)
      do throws(OnnxError) {
        let graph = try OnnxImporter().graph(from: OnnxDocument(bytes: file.bytes))
        graphs += 1
        _ = try exportToOnnx(graph).serialized()
      } catch {
        if error.description.contains("\n") { Issue.record("\(error)") }
      }
    }
    #expect(graphs > count / 8)
  }

  @Test func mutationsAreTheSameEveryTime() {
    for index in 0..<20 {
      let first = ModelMutation.make(of: OnnxDamageTests.vocabulary, seed: 3, index: index)
      #expect(ModelMutation.make(of: OnnxDamageTests.vocabulary, seed: 3, index: index).bytes == first.bytes)
    }
    let model = OnnxErrorTests.model(OnnxErrorTests.faults[0])
    #expect(WireMessage(.model, model[...])?.bytes == model)
  }

  @Test func deepFunctionsAreRefused() throws {
    var model = Wire().int(1, 10).message(8, Wire().text(1, "").int(2, 21))
    model = model.message(
      7, OnnxErrorTests.graph([OnnxErrorTests.node("F0", ["x"], ["y"]) { $0.text(7, "f") }], outputs: ["y"]))
    for index in 0..<10_000 {
      let callee = OnnxErrorTests.node("F\(index + 1)", ["a"], ["r"]) { $0.text(7, "f") }
      let function = Wire().text(1, "F\(index)").text(4, "a").text(5, "r").text(10, "f").message(7, callee)
      model.bytes += Wire().message(25, function).bytes
    }
    let error = try #require(throws: OnnxError.self) {
      try OnnxImporter().graph(from: OnnxDocument(bytes: model.bytes))
    }
    #expect(error.problem == .scopesTooDeep(limit: 64))
    #expect(
      error.description
        == "node with output \"r\" (F63) in y/r/r/… 57 more …/r/r/r: functions and subgraphs nest deeper than 64 levels")
  }

  @Test func namesLikeOursAreReadInLinearTime() throws {
    var graph = Wire().message(11, Wire().text(1, "node_0"))
    for index in 0..<20_000 {
      let node = OnnxErrorTests.node("Abs", ["node_\(3 * index)"], ["node_\(3 * index + 3)"])
      graph.bytes += Wire().message(1, node).bytes
    }
    let bytes = OnnxErrorTests.model(.init(name: "", graph: graph, message: ""))
    let start = ContinuousClock.now
    let read = try OnnxImporter().graph(from: OnnxDocument(bytes: bytes))
    #expect(read.nodeCount == 20_001)
    #expect(ContinuousClock.now - start < .seconds(20))
  }
}
