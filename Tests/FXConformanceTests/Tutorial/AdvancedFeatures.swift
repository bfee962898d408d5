import FXCodegen
import FXCore
import FXOnnx
import FXRuntime
import Foundation
import Testing

extension TutorialTests {
  @Suite(.serialized) struct AdvancedFeatures {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-tutorial-\(UUID())").path

    private func withFolder(_ body: () throws -> Void) throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      try body()
    }

    @Test func onnxExport() throws {
      try withFolder {
        let model = try TutorialTests.model()
        // Export to ONNX
        let onnxModel = try exportToOnnx(model, name: "my_model")

        // Save to file
        try onnxModel.saveToFile("\(folder)/model.onnx")

        // Export to JSON format
        let jsonModel = try model.toOnnxJSON()
        print("ONNX JSON: \(jsonModel)")

        // An operator set of your choice, and back again
        let older = try OnnxExporter(operatorSet: 13).export(model)
        let again = try OnnxImporter().graph(from: older)

        let x = try TutorialTests.rows()
        let expected = try TutorialTests.expected(model, x)
        let saved = try OnnxImporter().graph(path: "\(folder)/model.onnx")
        #expect(saved.name == "my_model" && again.operatorSets[""] == 13)
        for graph in [saved, again] { #expect(try areNear(CPUBackend().run(graph, x)[0].elements(), expected)) }
        let json = try #require(try JSONSerialization.jsonObject(with: Data(jsonModel.utf8)) as? [String: Any])
        #expect((json["graph"] as? [String: Any])?["node"] is [Any])
        if let theirs = try OnnxRuntime.run(model, x) { #expect(try areNear(theirs[0].elements(), expected)) }
      }
    }

    @Test func graphVisualization() throws {
      try withFolder {
        let graph = try createSimpleGraph()

        // Create debugger
        let debugger = GraphDebugger(graph)

        // Generate text visualization
        let textViz = debugger.generateTextVisualization()
        print("Text visualization:\n\(textViz)")

        // Generate DOT format for Graphviz
        let dotViz = debugger.generateDotVisualization()
        print("DOT visualization:\n\(dotViz)")

        // Generate HTML visualization
        let htmlViz = debugger.generateHTMLVisualization()
        try htmlViz.write(toFile: "\(folder)/graph_viz.html", atomically: true, encoding: .utf8)

        #expect(textViz.hasPrefix("graph main: 4 nodes, 3 edges"))
        #expect(dotViz.hasPrefix("digraph \"main\" {") && dotViz.contains("linear") && dotViz.contains("relu"))
        let page = try String(contentsOfFile: "\(folder)/graph_viz.html", encoding: .utf8)
        #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("relu") && !page.contains("https://"))
      }
    }

    // Implement custom backend
    struct MyCustomBackend: CustomBackend {
      func execute(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue] {
        // Custom execution logic
        print("Executing on custom backend")
        return try ReferenceExecutor().run(graph, inputs: inputs)
      }

      var info: BackendInfo {
        BackendInfo(
          name: "my_backend",
          version: "1.0.0",
          capabilities: [
            .graphExecution,
            .optimization,
          ],
          deviceTypes: ["custom_device"]
        )
      }
    }

    @Test func customBackend() throws {
      let (model, x) = (try TutorialTests.model(), try TutorialTests.rows())
      // Register custom backend
      registerBackendFactory("my_backend") {
        MyCustomBackend()
      }

      // Execute on custom backend
      let results = try executeWithBackend(model, "my_backend", inputs: [.tensor(x)])
      print("Custom backend results: \(results)")

      let numbers: [Float] = try #require(results.first?.tensor).elements()
      #expect(try areNear(numbers, TutorialTests.expected(model, x)))
      #expect {
        try executeWithBackend(model, "my_backent", inputs: [.tensor(x)])
      } throws: { "\($0)".contains("there is no backend 'my_backent'; registered: ") && "\($0)".contains("my_backend") }
    }
  }
}
