import FXCodegen
import FXCore
import FXOnnx
import FXShapes
import FXTrace
import Foundation
import Testing

/// Generated Swift is compiled against this build, run, and compared: it makes the graph that it was made from.
@Suite struct SwiftSourceTests {
  /// The folder of this build's modules and objects, where they are to be found.
  private static let build: String? = {
    let folder = (ProcessInfo.processInfo.arguments[0] as NSString).deletingLastPathComponent
    let candidates = [folder, FileManager.default.currentDirectoryPath + "/.build/debug"]
    return candidates.first {
      FileManager.default.fileExists(atPath: $0 + "/Modules/FXCore.swiftmodule")
        && FileManager.default.fileExists(atPath: $0 + "/FXCore.build")
    }
  }()

  /// The graph without what no source says: labels of nodes, metadata, the places of calls.
  private static func plainText(_ graph: Graph) throws -> String {
    var graph = graph
    graph.metadata = [:]
    graph.operatorSets = [:]
    for node in graph.allNodes { try graph.setName(nil, of: node) }
    graph.removeUnusedParameters()
    return graph.text(TextOptions(locations: false))
  }

  @Test(.enabled(if: build != nil, "the modules of this build are not beside the tests")) func makesTheSameGraph() throws {
    let build = try #require(Self.build)
    let folder = NSTemporaryDirectory() + "fx-swift-\(UUID())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var digits = try OnnxImporter().graph(path: "Models/digits/model.onnx")
    try ShapeInference().run(&digits)
    let graphs = try [digits] + CodegenCases.own().map(\.graph)
    var main = "import FXCore\nimport FXTrace\n"
    var arguments = ["swiftc", "-swift-version", "6", "-I", build + "/Modules", "\(folder)/main.swift"]
    for (index, graph) in graphs.enumerated() {
      let program = try CodeGenerator().generate(graph, target: "swift", CodegenOptions(name: "case\(index)"))
      try program.write(to: folder)
      arguments.append("\(folder)/case\(index).swift")
      let weights = program.files.count > 1 ? "try Safetensors.read(\"\(folder)/case\(index).safetensors\")" : "[:]"
      main += "let text\(index) = try case\(index)(\(weights)).text(TextOptions(locations: false))\n"
      main += "try AtomicFile.write([UInt8](text\(index).utf8), to: \"\(folder)/\(index).fxt\")\n"
    }
    try AtomicFile.write([UInt8](main.utf8), to: folder + "/main.swift")
    for module in ["FXCore", "FXShapes", "FXTrace"] {
      let files = try FileManager.default.contentsOfDirectory(atPath: "\(build)/\(module).build")
      arguments += files.filter { $0.hasSuffix(".o") }.map { "\(build)/\(module).build/\($0)" }
    }
    #expect(try run("/usr/bin/env", arguments + ["-o", folder + "/program"]) == 0, "swiftc does not accept the sources")
    #expect(try run(folder + "/program", []) == 0)
    for (index, graph) in graphs.enumerated() {
      let text = String(decoding: FileManager.default.contents(atPath: "\(folder)/\(index).fxt") ?? Data(), as: UTF8.self)
      let prepared = try CodeGenerator().prepare(graph, for: CodegenCases.target("swift"))
      #expect(try text == Self.plainText(prepared))
    }
  }

  private func run(_ program: String, _ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
