import FXCore
import FXRuntime
import FXTrace
import Foundation
import Testing

/// What scripts/make-parity-cases.py wrote: small networks beside this file, larger ones where `FX_PARITY` says.
enum Parity {
  static let committed = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Parity").path
  static let folders = [committed] + (ProcessInfo.processInfo.environment["FX_PARITY"].map { [$0] } ?? [])
  static let executors: [any GraphExecutor] = [CPUBackend(), ReferenceExecutor()]

  /// The tensors whose names start with `prefix`, which goes.
  static func part(_ tensors: [String: Tensor], _ prefix: String) -> [String: Tensor] {
    let found = tensors.filter { $0.key.hasPrefix(prefix) }.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
    return Dictionary(uniqueKeysWithValues: found)
  }

  /// How far apart they are, the larger of absolute and relative; infinite for other shapes or types.
  static func difference(_ a: Tensor, _ b: Tensor) throws -> Double {
    guard a.shape == b.shape, a.elementType == b.elementType else { return .infinity }
    let pairs = zip(try a.numbers().doubles, try b.numbers().doubles)
    return pairs.map { x, y in x == y || (x.isNaN && y.isNaN) ? 0 : Swift.abs(x - y) / Swift.max(1, Swift.abs(y)) }
      .reduce(0) { $1.isNaN ? .infinity : Swift.max($0, $1) }
  }
}

/// The networks of `Models`, with weights by PyTorch, give what PyTorch gives.
@Suite struct ParityTests {
  typealias Sizes = [String: String]

  /// The graph of a network with weights from a file, for inputs whose leading axes are open.
  private static func graph(_ name: String, _ sizes: Sizes, _ weights: [String: Tensor]) throws -> Graph {
    func size(_ key: String) throws -> Int { try #require(sizes[key].flatMap { Int($0) }) }
    func load<M: Module>(_ module: M, _ inputs: TraceInput...) throws -> Graph {
      try module.load(weights)
      return try trace(module, inputs)
    }
    switch name {
    case "resnet18":
      return try load(
        ResNet18(width: size("width"), classes: size("classes")), .tensor(.float32, ["n", 3, "h", "w"], name: "x"))
    case "vit":
      return try load(
        VisionTransformer(
          image: size("image"), patch: size("patch"), width: size("width"), depth: size("depth"), heads: size("heads"),
          classes: size("classes")),
        .tensor(.float32, ["n", 3, Dimension(size("image")), Dimension(size("image"))], name: "x"))
    case "lstm":
      return try load(
        LSTMClassifier(
          vocabulary: size("vocabulary"), width: size("width"), hidden: size("hidden"), classes: size("classes")),
        .tensor(.int64, ["n", "words"], name: "x"))
    case "unet":
      let widths = try #require(sizes["widths"]).split(separator: ",").compactMap { Int($0) }
      // Halves that are doubled again are the size only where it is even: the trace needs to know.
      return try load(
        UNet(widths: widths, classes: size("classes")),
        .tensor(.float32, ["n", 3, 4 * Dimension(symbol: "h"), 4 * Dimension(symbol: "w")], name: "x"))
    case "moe":
      return try load(
        MixtureOfExperts(width: size("width"), hidden: size("hidden"), experts: size("experts"), chosen: size("chosen")),
        .tensor(.float32, ["tokens", Dimension(size("width"))], name: "x"))
    default:
      let (heads, depth) = (try size("heads"), try size("depth"))
      let model = GPT2(
        vocabulary: try size("vocabulary"), context: try size("context"), width: try size("width"), depth: depth, heads: heads)
      try model.load(weights)
      let cache = ValueType.tensor(.float32, ["n", Dimension(heads), "past", Dimension(try size("width") / heads)])
      let past = (0..<depth).flatMap { layer in ["key", "value"].map { TraceInput("past.\(layer).\($0)", cache) } }
      return try trace(model, [.tensor(.int64, ["n", "new"], name: "ids")] + past)
    }
  }

  @Test(arguments: Parity.folders, ["resnet18", "vit", "gpt2", "lstm", "unet", "moe"])
  func equalsPyTorch(folder: String, name: String) throws {
    let weights = try Safetensors.contents("\(folder)/\(name)/weights.safetensors")
    let values = try Safetensors.read("\(folder)/\(name)/values.safetensors")
    let graph = try ParityTests.graph(name, weights.metadata, weights.tensors)
    try graph.verify()
    for run in 0..<10 {
      let inputs = Parity.part(values, "\(run).input.")
      guard !inputs.isEmpty else { break }
      let operands = try graph.inputs.map { try #require(inputs[graph.name(of: $0)]) }
      let expected = Parity.part(values, "\(run).output.")
      for executor in folder == Parity.committed ? Parity.executors : [CPUBackend()] {
        let results = try executor.run(graph, inputs: operands.map(RuntimeValue.tensor))
        for (output, wanted) in expected {
          let index = expected.count == 1 ? 0 : try #require(graph.outputNames.firstIndex(of: output))
          let difference = try Parity.difference(try #require(results[index].tensor), wanted)
          #expect(difference <= 1e-4, "\(name), run \(run), output \(output) on \(type(of: executor))")
        }
      }
    }
  }
}
