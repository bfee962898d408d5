import FXCore
import FXOnnx
import FXQuant
import FXRuntime
import FXTestSupport
import Foundation
import Testing

extension TutorialTests {
  @Suite struct Quantization {
    @Test func postTrainingQuantization() throws {
      var graph = try createSimpleGraph()

      // Create quantization parameters
      let params = try QuantizationParams(bits: 8, scale: 0.1, zeroPoint: 128, scheme: .symmetric)

      // Add quantization annotations
      for node in graph.bodyNodes where [.linear, .conv].contains(try graph[node].op) {
        // Annotate quantizable operations
        try graph.annotate(QuantizationAnnotation(node, params, quantizesWeights: true))
      }

      print("Added \(try graph.quantizationAnnotations().count) quantization annotations")

      #expect(try graph.quantizationAnnotations().map(\.params) == [params])
      #expect(try Graph(text: graph.text()).quantizationAnnotations().map(\.params) == [params])
    }

    @Test func staticQuantization() throws {
      let model = try TutorialTests.model()
      let rows = try TutorialTests.rows()
      let samples = [[rows]]
      let moreSamples = [[try Tensor([1, 3], [9, 0, -9] as [Float])]]
      let path = FileManager.default.temporaryDirectory.appendingPathComponent("fx-\(UUID()).onnx").path
      defer { try? FileManager.default.removeItem(atPath: path) }

      let quantization = StaticQuantization(quantizer: CPUQuantizer(), executor: CPUBackend())
      let quantized = try quantization.quantize(model, samples: samples)
      let outputs = try CPUBackend().run(quantized.graph, rows)
      try exportToOnnx(quantized.graph).saveToFile(path)
      print(try quantized.report(on: samples))

      #expect(areNear(try outputs[0].elements(), try TutorialTests.expected(model, rows), 0.05))
      #expect(try OnnxImporter().graph(path: path).nodes(calling: .quantizeLinear).count == 1)

      let prepared = try quantization.prepared(model)
      var data = try CalibrationData(prepared, samples: samples, executor: CPUBackend())
      data.merge(try CalibrationData(prepared, samples: moreSamples, executor: CPUBackend()))
      let again = try quantization.quantize(prepared: prepared, data: data)

      #expect(data["x"]?.range == -9...9 && data.sampleCount == 2)
      let scales = [quantized, again].compactMap { $0.activationParams[prepared.inputs[0]]?.scale }
      #expect(scales.count == 2 && scales[1] > scales[0])
      #expect {
        try quantization.quantize(model, samples: [[Tensor([2, 3], [1, 2, .nan, 4, 5, 6] as [Float])]])
      } throws: {
        "\($0)" == "calibration sample 0 of input 'x' holds 1 of 6 numbers that are NaN or infinite"
      }
    }

    @Test func quantizationAwareTraining() throws {
      // Prepare graph for QAT
      var prepared = try createSimpleGraph()
      try QATUtils.prepareQAT(&prepared)

      // The graph now has fake quantization nodes inserted
      print("Graph prepared for QAT with \(prepared.nodeCount) nodes")

      // After training, convert to quantized model
      let quantized = try QATUtils.convertToQuantized(prepared)
      print("Converted to quantized model with \(quantized.nodeCount) nodes")

      #expect(try prepared.nodeCount > createSimpleGraph().nodeCount)
      #expect(prepared.nodes(calling: .quantizeLinear).count == 2)
      #expect(quantized.nodes(calling: .dequantizeLinear).count == 2)
    }
  }
}
