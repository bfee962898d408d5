import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXTrace
import Foundation

// train-digits FOLDER [OUT.onnx]: trains on the images in FOLDER; fails if it reads fewer than 97 % of those held out.

struct Network: Module {
  let first = Conv2d(1, 16, kernel: 3, padding: 1)
  let second = Conv2d(16, 32, kernel: 3, padding: 1)
  let hidden = Linear(32 * 4 * 4, 64)
  let output = Linear(64, 10)

  func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    let features = maxPool2d(relu(second(relu(first(x)))), kernel: 2)
    return output(relu(hidden(features.flatten())))
  }
}

struct TooFew: Error, CustomStringConvertible {
  let percent: Double
  var description: String { "only \(percent) % of the held-out images are read right" }
}

guard CommandLine.arguments.count > 1 else {
  print("usage: train-digits FOLDER [OUT.onnx]")
  exit(2)
}
let digits = try Digits(folder: CommandLine.arguments[1])
let network = Network()
try network.initializeParameters(seed: 1)

// What is trained: from images and classes to the loss. The graph is differentiated when the step is made.
var options = TraceOptions()
options.outputNames = ["loss"]
let model = try trace(
  network, [.tensor(.float32, ["n", 1, 8, 8], name: "images"), .tensor(.int64, ["n"], name: "classes")], options: options
) { network, inputs in
  [crossEntropy(network(inputs[0]), inputs[1])]
}
let step = try TrainingStep(model, loss: "loss", optimizer: Adam.adamW())
print("\(model.nodeCount) nodes; a step of training has \(step.graph.nodeCount)")

// What is run afterwards: the same module, traced from images to scores. Weights are found by their names.
var scorer = try trace(network, .tensor(.float32, ["n", 1, 8, 8], name: "images"))
let backend = CPUBackend()

func percentRight(_ graph: Graph) throws -> Double {
  let result = try backend.run(graph, digits.pixels(digits.heldOut))[0]
  let scores: [Float] = try result.elements()
  let right = digits.heldOut.enumerated().count { position, image in
    let row = position * 10..<position * 10 + 10
    return row.max { scores[$0] < scores[$1] } == row.lowerBound + Int(digits.labels[image])
  }
  return 100 * Double(right) / Double(digits.heldOut.count)
}

var trainer = try Trainer(step, on: backend)
var random = RandomGenerator(seed: 2)
let epochs = 20
let start = ContinuousClock.now
for epoch in 1...epochs {
  var losses: [Double] = []
  let order = digits.training.shuffled(using: &random)
  for first in stride(from: 0, to: order.count - 31, by: 32) {
    let batch = order[first..<first + 32]
    let images = try digits.pixels(batch) { (Int.random(in: -1...1, using: &random), Int.random(in: -1...1, using: &random)) }
    losses.append(try trainer.train(images, digits.classes(batch), learningRate: epoch <= 14 ? 3e-3 : 5e-4))
  }
  try trainer.apply(to: &scorer)
  let loss = losses.reduce(0, +) / Double(losses.count)
  print("epoch \(epoch): loss \((loss * 1000).rounded() / 1000), \((try percentRight(scorer) * 10).rounded() / 10) % right")
}
print("\(trainer.stepCount) steps in \(ContinuousClock.now - start)")

let percent = try percentRight(scorer)
guard percent >= 97 else { throw TooFew(percent: percent) }
if CommandLine.arguments.count > 2 {
  try exportToOnnx(scorer, name: "digits").saveToFile(CommandLine.arguments[2])
  // What others will run is what is checked.
  let again = try OnnxImporter().graph(path: CommandLine.arguments[2])
  print("\(CommandLine.arguments[2]): \((try percentRight(again) * 10).rounded() / 10) % right")
}
