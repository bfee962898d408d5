import FXCore
import FXRuntime
import FXTrace
import Testing

/// Layers with PyTorch's weights give what PyTorch's layers give (scripts/make-parity-cases.py, `layers`).
@Suite struct LayerParityTests {
  struct Case {
    let name: String
    /// Loads the weights and traces inputs of the given types.
    let graph: ([String: Tensor], [TraceInput]) throws -> Graph

    init(_ name: String, _ make: @escaping () -> some Module) {
      self.name = name
      graph = { weights, inputs in
        let module = make()
        try module.load(weights)
        return try trace(module, inputs)
      }
    }
  }

  /// A layer called in a way of its own.
  struct Called<Layer: Module>: Module {
    let layer: Layer
    let call: (Layer, [SymbolicTensor]) -> [SymbolicTensor]
    var parts: [ModulePart] { layer.parts }
    func forward(_ inputs: [SymbolicTensor]) -> [SymbolicTensor] { call(layer, inputs) }
  }

  static var cases: [Case] {
    [
      Case("conv1d") { Conv1d(4, 6, kernel: 3, stride: 2, padding: 1, dilation: 2) },
      Case("conv3d") { Conv3d(4, 2, kernel: Extent3d(1, 2, 3), bias: false) },
      Case("convCircular") { Conv2d(4, 3, kernel: 3, padding: 1, paddingMode: .circular) },
      Case("convTranspose1d") { ConvTranspose1d(4, 2, kernel: 3, stride: 2, outputPadding: 1) },
      Case("convTranspose2d") { ConvTranspose2d(4, 6, kernel: 3, stride: 2, padding: 1, groups: 2) },
      Case("convTranspose3d") { ConvTranspose3d(4, 2, kernel: 2, stride: 2) },
      Case("batchNorm1d") { BatchNorm1d(4) }, Case("batchNorm3d") { BatchNorm3d(4, affine: false) },
      Case("groupNorm") { GroupNorm(groups: 2, 4) }, Case("instanceNorm") { InstanceNorm2d(4) },
      Case("instanceNormAffine") { InstanceNorm1d(4, affine: true) }, Case("layerNorm") { LayerNorm([6, 7]) },
      Case("rmsNorm") { RMSNorm(7) }, Case("prelu") { PReLU(count: 4) }, Case("maxPool1d") { MaxPool1d(kernel: 3, stride: 2) },
      Case("maxPool3d") { MaxPool3d(kernel: 2) }, Case("avgPool3d") { AvgPool3d(kernel: 2, stride: 1) },
      Case("adaptiveAvgPool1d") { AdaptiveAvgPool1d(4) }, Case("adaptiveMaxPool3d") { AdaptiveMaxPool3d(2) },
      Case("upsample") { Upsample(scale: 2, mode: .linear) }, Case("lstm") { LSTMLayer(8, 5, layers: 2) },
      Case("gru") { GRULayer(8, 5, layers: 2, bidirectional: true) },
      Case("rnn") { RNNLayer(8, 5, nonlinearity: .relu, bias: false) },
      Case("encoderLayer") { TransformerEncoderLayer(8, heads: 2, feedForward: 16) },
      Case("lstmState") { LSTMLayer(8, 5, bias: false, batchFirst: true, bidirectional: true) },
      Case("attentionCross") {
        Called(layer: MultiheadAttention(8, heads: 2)) { layer, inputs in [layer(inputs[0], inputs[1], inputs[1])] }
      },
      Case("attentionWidths") {
        Called(layer: MultiheadAttention(8, heads: 2, keySize: 6, valueSize: 4, batchFirst: true)) { layer, inputs in
          let swapped = inputs.map { transpose($0, 0, 1) }
          return [layer(swapped[0], swapped[1], swapped[2])]
        }
      },
      Case("attentionMasked") {
        Called(layer: MultiheadAttention(8, heads: 2)) { layer, inputs in
          [layer(inputs[0], keyPaddingMask: inputs[1], mask: inputs[2])]
        }
      },
    ]
  }

  @Test func equalsPyTorch() throws {
    let values = try Safetensors.read("\(Parity.committed)/layers.safetensors")
    for testCase in LayerParityTests.cases {
      let own = Parity.part(values, "\(testCase.name).")
      let inputs = Parity.part(own, "input.").sorted { $0.key < $1.key }.map(\.value)
      let wanted = Parity.part(own, "output.").sorted { $0.key < $1.key }.map(\.value)
      try #require(!inputs.isEmpty && !wanted.isEmpty, "\(testCase.name)")
      do {
        let graph = try testCase.graph(Parity.part(own, "weights."), inputs.map { .like($0) })
        for executor in Parity.executors {
          let results = try executor.run(graph, inputs: inputs.map(RuntimeValue.tensor))
          #expect(results.count == wanted.count, "\(testCase.name)")
          for (result, wanted) in zip(results, wanted) {
            let difference = try Parity.difference(try #require(result.tensor), wanted)
            #expect(difference <= 1e-5, "\(testCase.name) on \(type(of: executor))")
          }
        }
      } catch {
        Issue.record("\(testCase.name): \(error)")
      }
    }
  }
}
