import FXCore
import FXOnnx
import Foundation
import Testing

/// Models with one fault each, by their wire bytes.
@Suite struct OnnxErrorTests {
  struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    let graph: Wire
    var opset: Int64? = 21
    let message: String
    var testDescription: String { name }
  }

  static func node(_ opType: String, _ inputs: [String], _ outputs: [String], _ more: (Wire) -> Wire = { $0 }) -> Wire {
    var wire = Wire()
    for input in inputs { wire = wire.text(1, input) }
    for output in outputs { wire = wire.text(2, output) }
    return more(wire.text(4, opType))
  }

  static func graph(_ nodes: [Wire], outputs: [String] = []) -> Wire {
    var wire = nodes.reduce(Wire()) { $0.message(1, $1) }.message(11, Wire().text(1, "x"))
    for output in outputs { wire = wire.message(12, Wire().text(1, output)) }
    return wire
  }

  static func tensor(_ dims: [Int64], type: Int64 = 1, raw: Int = 0) -> Wire {
    dims.reduce(Wire()) { $0.int(1, $1) }.int(2, type).text(8, "w").data(9, [UInt8](repeating: 0, count: raw))
  }

  static let faults: [Fault] = [
    Fault(
      name: "dangling", graph: graph([node("Abs", ["nowhere"], ["y"])]),
      message: #"node with output "y" (Abs): nothing defines the value "nowhere""#),
    Fault(
      name: "cyclic", graph: graph([node("Add", ["x", "b"], ["a"]), node("Abs", ["a"], ["b"])]),
      message: #"the nodes form a cycle through "a", "b""#),
    Fault(
      name: "defined twice", graph: graph([node("Abs", ["x"], ["y"]), node("Neg", ["x"], ["y"])]),
      message: #"node with output "y" (Neg): the value "y" is defined twice"#),
    Fault(
      name: "missing output", graph: graph([], outputs: ["y"]), message: #"nothing defines the value "y""#),
    Fault(
      name: "no operator set", graph: graph([node("Abs", ["x"], ["y"]) { $0.text(7, "com.vendor") }]),
      message: #"node with output "y" (Abs): the model imports no operator set for the domain "com.vendor""#),
    Fault(
      name: "too new", graph: graph([]), opset: 99,
      message: #"operator set 99 of "" is newer than 28, the newest known"#),
    Fault(
      name: "negative size", graph: graph([]).message(5, tensor([-1])),
      message: #"tensor "w": no tensor can have the shape [-1] with elements f32"#),
    Fault(
      name: "huge sizes", graph: graph([]).message(5, tensor([1 << 40, 1 << 40], raw: 8)),
      message: #"tensor "w": no tensor can have the shape [1099511627776, 1099511627776] with elements f32"#),
    Fault(
      name: "too few bytes", graph: graph([]).message(5, tensor([3], raw: 8)),
      message: #"tensor "w": 8 bytes do not fill a tensor f32[3], which takes 12"#),
    Fault(
      name: "unknown element type", graph: graph([]).message(5, tensor([1], type: 27, raw: 1)),
      message: #""w" has the element type 27, which is none that is supported"#),
    Fault(
      name: "too many operands", graph: graph([node("Abs", ["x", "x"], ["y"])]),
      message: #"node with output "y" (Abs): "#),
    Fault(
      name: "unknown attribute",
      graph: graph([node("Abs", ["x"], ["y"]) { $0.message(5, Wire().text(1, "k").int(3, 1).int(20, 2)) }]),
      message: #"node with output "y" (Abs): the attribute "k" is none of Abs version 21"#),
    Fault(
      name: "reference without a function",
      graph: graph([node("LeakyRelu", ["x"], ["y"]) { $0.message(5, Wire().text(1, "alpha").int(20, 1).text(21, "slope")) }]),
      message: #"node with output "y" (LeakyRelu): the attribute refers to "slope" of a function, and the node is in none"#),
    Fault(
      name: "external data in memory",
      graph: graph([]).message(5, tensor([1]).int(14, 1).message(13, Wire().text(1, "location").text(2, "w.bin"))),
      message: #"tensor "w": its data is in another file, and a model read from memory has no directory to look in"#),
  ]

  static func model(_ fault: Fault) -> [UInt8] {
    var wire = Wire().int(1, 10).message(7, fault.graph)
    if let opset = fault.opset { wire = wire.message(8, Wire().text(1, "").int(2, opset)) }
    return wire.bytes
  }

  @Test(arguments: faults)
  func oneLineSaysWhatAndWhere(fault: Fault) throws {
    let error = try #require(throws: OnnxError.self) {
      try OnnxImporter().graph(from: OnnxDocument(bytes: OnnxErrorTests.model(fault)))
    }
    #expect(error.description.hasPrefix(fault.message), "\(error)")
    #expect(!error.description.contains("\n"))
  }

  @Test func regionsTooDeepToWrite() throws {
    let open = String(repeating: " %a = cond(%p, %p) then(%p: bool[]) {", count: 31)
    let close = String(repeating: " } else(%p: bool[]) { return %p } return %a", count: 31)
    let graph = try Graph(text: "fx 1 graph @g(%p: bool[]) {\(open) return %p\(close) }")
    #expect { try exportToOnnx(graph) } throws: {
      "\($0)".hasSuffix("the graph nests deeper than 30 levels: protobuf limits how deep messages are inside each other")
    }
  }

  @Test func nodesOutOfOrderAreSorted() throws {
    let graph = OnnxErrorTests.graph(
      [OnnxErrorTests.node("Abs", ["a"], ["b"]), OnnxErrorTests.node("Neg", ["x"], ["a"])], outputs: ["b"])
    let read = try OnnxImporter().graph(
      from: OnnxDocument(bytes: OnnxErrorTests.model(Fault(name: "", graph: graph, message: ""))))
    #expect(read.valueNames() == ["x", "a", "b"])
  }

  @Test(arguments: ["../outside.bin", "/etc/hostname", "inside/../../outside.bin", "link.bin"])
  func externalDataStaysInTheDirectory(location: String) throws {
    let root = NSTemporaryDirectory() + "onnx-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: root + "/model/inside", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    try AtomicFile.write([1, 2, 3, 4], to: root + "/outside.bin")
    try FileManager.default.createSymbolicLink(atPath: root + "/model/link.bin", withDestinationPath: root + "/outside.bin")
    let tensor = OnnxErrorTests.tensor([1]).int(14, 1).message(13, Wire().text(1, "location").text(2, location))
    let bytes = OnnxErrorTests.model(Fault(name: "", graph: OnnxErrorTests.graph([]).message(5, tensor), message: ""))
    try AtomicFile.write(bytes, to: root + "/model/model.onnx")
    let error = try #require(throws: OnnxError.self) { try OnnxImporter().graph(path: root + "/model/model.onnx") }
    #expect(error.problem == .externalData("w", .outside(location: location)))
    var importer = OnnxImporter()
    importer.allowsExternalDataOutside = true
    if !location.hasPrefix("/") { #expect(throws: Never.self) { try importer.graph(path: root + "/model/model.onnx") } }
  }

  @Test func recursiveAndExplodingFunctionsAreRefused() throws {
    func function(_ name: String, calls: [String]) -> Wire {
      var wire = Wire().text(1, name).text(4, "a").text(5, "r").text(10, "f")
      var last = "a"
      for (index, callee) in calls.enumerated() {
        let output = index == calls.count - 1 ? "r" : "t\(index)"
        let isOwn = callee.hasPrefix("F")
        wire = wire.message(7, OnnxErrorTests.node(callee, [last], [output]) { isOwn ? $0.text(7, "f") : $0 })
        last = output
      }
      return wire
    }
    func model(_ functions: [Wire], call: String) -> [UInt8] {
      let graph = OnnxErrorTests.graph([OnnxErrorTests.node(call, ["x"], ["y"]) { $0.text(7, "f") }], outputs: ["y"])
      let base = Wire().int(1, 10).message(7, graph).message(8, Wire().text(1, "").int(2, 21))
      return functions.reduce(base) { $0.message(25, $1) }.bytes
    }
    let loop = try #require(throws: OnnxError.self) {
      try OnnxImporter().graph(from: OnnxDocument(bytes: model([function("F", calls: ["F"])], call: "F")))
    }
    #expect(loop.problem == .recursiveFunction("F"))
    let doubling = (1...40).map { function("F\($0)", calls: ["F\($0 - 1)", "F\($0 - 1)"]) }
    var importer = OnnxImporter()
    importer.nodeLimit = 10_000
    let bomb = try #require(throws: OnnxError.self) {
      try importer.graph(
        from: OnnxDocument(bytes: model([function("F0", calls: ["Abs"])] + doubling, call: "F40")))
    }
    #expect(bomb.problem == .tooManyNodes(limit: 10_000))
    let fine = try OnnxImporter().graph(
      from: OnnxDocument(bytes: model([function("F", calls: ["Abs", "Neg"])], call: "F")))
    #expect(fine.valueNames() == ["x", "y/t0", "y"])
  }
}
