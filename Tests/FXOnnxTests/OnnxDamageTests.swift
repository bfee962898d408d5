import FXCore
import FXOnnx
import Foundation
import Testing

/// Damaged models give a graph or an error, never a trap; what gives a graph can be written again or says why not.
@Suite struct OnnxDamageTests {
  /// Small models with subgraphs, functions, sequences, sparse and old forms, where the cache has them; else our own.
  static let samples: [[UInt8]] = {
    let names = [
      "test_if", "test_loop11", "test_scan_sum", "test_sequence_map_add_2_sequences", "test_clip", "test_slice",
      "test_softmax_axis_0", "test_constant", "test_gridsample", "test_lstm_defaults", "test_resize_upsample_scales_nearest",
      "test_split_equal_parts_1d_opset13", "test_ai_onnx_ml_label_encoder_string_int",
    ]
    let cached = names.compactMap { FileManager.default.contents(atPath: "\(OnnxSweepTests.cases)/node/\($0)/model.onnx") }
    let own = OnnxErrorTests.faults.map { OnnxErrorTests.model($0) }
    return cached.map { Array($0) } + own
  }()

  @Test func damagedModelsGiveAnOutcome() {
    var seed = UInt64(20)
    func next(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    let rounds = Int(ProcessInfo.processInfo.environment["FX_FUZZ_ROUNDS"] ?? "") ?? 200
    var graphs = 0
    for sample in OnnxDamageTests.samples {
      for _ in 0..<rounds {
        var bytes = sample
        for _ in 0...next(3) { bytes[next(bytes.count)] = [0, 1, 0x7f, 0x80, 0xff, UInt8(next(256))][next(6)] }
        if next(8) == 0 { bytes.removeLast(next(bytes.count)) }
        do throws(OnnxError) {
          let graph = try OnnxImporter().graph(from: OnnxDocument(bytes: bytes))
          graphs += 1
          _ = try exportToOnnx(graph).serialized()
        } catch {
          if error.description.contains("\n") { Issue.record("\(error)") }
        }
      }
    }
    #expect(graphs > 0)
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
    #expect(error.problem == .scopesTooDeep(limit: 128))
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
