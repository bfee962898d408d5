import FXCore
import FXPasses
import FXTrace

/// Reading scikit-learn's digits: a network, its step of training, and the batches.
struct Task: Sendable {
  struct Network: Module {
    let hidden = [Linear(64, 128), Linear(128, 128)]
    let output = Linear(128, 10)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      output(hidden.reduce(x) { gelu($1($0)) })
    }
  }

  let batchSize = 64
  let step: TrainingStep
  private let images: [UInt8]
  private let labels: [UInt8]

  /// - Parameter folder: `images.npy`, u8[n, 64] from 0 to 16, and `labels.npy`, u8[n].
  init(folder: String) throws {
    images = try Npy.read("\(folder)/images.npy").elements()
    labels = try Npy.read("\(folder)/labels.npy").elements()
    var options = TraceOptions()
    options.outputNames = ["loss"]
    let network = Network()
    try network.initializeParameters(seed: 3)
    let inputs: [TraceInput] = [
      .tensor(.float32, [Dimension(batchSize), 64], name: "images"),
      .tensor(.float32, [Dimension(batchSize), 10], name: "goals"),
    ]
    let model = try trace(network, inputs, options: options) { network, tensors in
      [crossEntropy(network(tensors[0]), tensors[1])]
    }
    step = try TrainingStep(model, loss: "loss", optimizer: Adam(learningRate: 2e-3))
  }

  /// Images from 0 to 1, and 1 for the digit that each shows.
  func batch(_ index: Int) throws -> [Tensor] {
    let rows = (0..<batchSize).map { (index * batchSize + $0) % labels.count }
    let pixels = rows.flatMap { row in images[row * 64..<row * 64 + 64].map { Float($0) / 16 } }
    let goals = rows.flatMap { row in (0..<10).map { $0 == Int(labels[row]) ? 1 : 0 as Float } }
    return [try Tensor([batchSize, 64], pixels), try Tensor([batchSize, 10], goals)]
  }
}
