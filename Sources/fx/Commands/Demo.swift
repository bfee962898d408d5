import ArgumentParser
import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import FXTrace
import Foundation

struct Demo: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Everything at once: inspect, optimize with validation, run, export and profile a model.",
    discussion: """
      Nothing is left behind. Exit status 1 if the exported model gives something else than the model.

      Example:
        fx demo model.onnx
      """)

  @Argument(help: "An ONNX model; images.npy and labels.npy beside it are classified.")
  var model = "Models/digits/model.onnx"

  func execute() throws {
    heading("1. The model")
    let graph = try ModelFile.read(model)
    try GraphSummary(graph).print(path: model)
    if graph.nodeCount <= 40 {
      Terminal.line()
      Terminal.line(graph.tabularText.trimmingCharacters(in: .newlines))
    }

    heading("2. Optimized, every pass checked by running the graph before and after it")
    var optimized = graph
    var passes = PassManager.aggressiveOptimizationPasses(executor: CPUBackend())
    // Compiling must not apply the passes that are to be checked.
    passes.validation = PassValidation(executor: CPUBackend(.init(optimizes: false)))
    Terminal.line(try passes.run(&optimized).description.trimmingCharacters(in: .newlines))

    heading("3. Run")
    let compiled = try CPUBackend().compiled(optimized)
    let folder = (model as NSString).deletingLastPathComponent
    let values: [RuntimeValue]
    if let digits = try LabelledImages(folder: folder.isEmpty ? "." : folder) {
      values = [.tensor(digits.images)]
      try digits.classify(compiled)
    } else {
      values = try InputSampler().inputs(of: optimized)
      let results = try compiled.run(values)
      Terminal.line("inputs drawn from a fixed seed: \(values.map { "\($0.type)" }.joined(separator: ", "))")
      for (name, result) in zip(optimized.outputNames, results) { Terminal.line("output \(name): \(summary(result))") }
    }

    heading("4. Exported and read back")
    try export(optimized, values, expected: compiled.run(values))

    heading("5. Where the time goes")
    _ = try compiled.run(values)
    ProfileTable(try compiled.profile(values).profile, threads: CPUBackend.coreCount).print(top: 8)
  }

  private func heading(_ text: String) {
    Terminal.line()
    Terminal.line(Terminal.bold(text))
  }

  private func summary(_ value: RuntimeValue) -> String {
    guard let tensor = value.tensor, let numbers = try? tensor.numbers().doubles, !numbers.isEmpty else { return "\(value.type)" }
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    return "\(value.type), from \((numbers.min() ?? 0).fixed(4)) to \((numbers.max() ?? 0).fixed(4)), mean \(mean.fixed(4))"
  }

  private func export(_ graph: Graph, _ inputs: [RuntimeValue], expected: [RuntimeValue]) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("fx-demo-\(getpid()).onnx").path
    defer { unlink(path) }
    try ModelFile.write(graph, to: path)
    let size = try MappedFile(path: path).bytes.count
    let results = try CPUBackend().compiled(try ModelFile.read(path)).run(inputs)
    let comparison = ValueComparison(rtol: 1e-5, atol: 1e-6)
    for (name, (actual, expected)) in zip(graph.outputNames, zip(results, expected)) {
      if let difference = comparison.difference(actual, expected) {
        throw CheckFailed(message: "the exported model differs in output '\(name)': \(difference)")
      }
    }
    Terminal.line("\(size.byteText) of ONNX; run again from there, the outputs are the same")
  }
}

/// Images with their answers, as the digits model ships them.
struct LabelledImages {
  let images: Tensor
  let labels: [Int64]

  /// `nil` if the folder holds none.
  init?(folder: String) throws {
    let files = ["images.npy", "labels.npy"].map { "\(folder)/\($0)" }
    guard files.allSatisfy(FileManager.default.fileExists) else { return nil }
    images = try Npy.read(files[0])
    labels = try Npy.read(files[1]).converted(to: .int64).elements()
    guard images.shape.count == 4, images.shape[0] == labels.count else {
      throw ModelFileError(
        path: files[1], problem: .content(KernelError.invalid("\(labels.count) labels for images of shape \(images.shape)")))
    }
  }

  func classify(_ compiled: CompiledGraph) throws {
    guard let scores = try compiled.run([.tensor(images)]).first?.tensor else { return }
    let classes = scores.shape.last ?? 1
    let numbers = try scores.numbers().doubles
    let answers = labels.indices.map { image in
      (0..<classes).max { numbers[image * classes + $0] < numbers[image * classes + $1] } ?? 0
    }
    try show(Array(labels.indices.prefix(8)), answers)
    let right = zip(answers, labels).count { $0 == Int($1) }
    let share = Double(right) / Double(max(labels.count, 1)) * 100
    Terminal.line("\(right) of \(labels.count) images that training never saw are right (\(share.fixed(1)) %)")
  }

  /// Pictures side by side, with what the model says and what is right below.
  private func show(_ indices: [Int], _ answers: [Int]) throws {
    let (height, width) = (images.shape[2], images.shape[3])
    let pixels = try images.numbers().doubles
    let brightest = max(pixels.max() ?? 1, 1e-9)
    let shades = Array(" .:-=+*#%@")
    for row in 0..<height {
      Terminal.line(
        indices.map { image in
          (0..<width).map { column in
            let value = pixels[((image * images.shape[1]) * height + row) * width + column]
            let shade = shades[min(shades.count - 1, max(0, Int(value / brightest * Double(shades.count))))]
            return String([shade, shade])
          }.joined()
        }.joined(separator: "  "))
    }
    Terminal.line(
      indices.map { "says \(answers[$0]), is \(labels[$0])".left(width * 2) }.joined(separator: "  "))
  }
}
