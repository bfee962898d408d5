import ArgumentParser
import FXCore
import FXPasses
import FXQuant
import FXRuntime
import FXTrace
import Foundation

/// What becomes integers.
enum QuantizationSchemeName: String, ExpressibleByArgument, CaseIterable {
  /// Activations and weights, ranges from calibration.
  case `static`
  /// Weights of products; activations when the model runs.
  case dynamic
  /// Weights of products, in blocks.
  case int4 = "weights-int4"
  case int8 = "weights-int8"
}

struct Quantize: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn a model's numbers into integers of few bits.",
    discussion: """
      Calibration data are a folder per sample, with input_I.npy, input_I.pb or NAME.npy for each input; or one folder with \
      such files, whose rows are samples where the model takes one at a time.

      Examples:
        fx quantize model.onnx --calibration samples -o small.onnx --report
        fx quantize model.onnx --scheme weights-int4 -o small.onnx
      """)

  @Argument(help: "The model to read.") var input: String
  @Option(help: "Folder with samples of the inputs. The scheme static needs it, and --gptq and --report do.")
  var calibration: String?
  @Flag(help: "Use samples in which an input is one number everywhere, in place of refusing them.") var allowConstant = false
  @Option(name: .shortAndLong, help: "The file to write, its format told by the extension.") var output: String?
  @Option(help: "What becomes integers: \(QuantizationSchemeName.allCases.map(\.rawValue).joined(separator: ", ")).")
  var scheme = QuantizationSchemeName.static
  @Option(help: "How static integers are written: qdq or qoperator; by default qdq.") var format: StaticQuantization.Format?
  @Option(help: "The type of activations: u8, i8, u16 or i16; by default u8.") var activations: String?
  @Option(help: "The type of weights of the schemes static and dynamic: i8, u8 or i4; by default i8.") var weights: String?
  @Option(help: "How ranges are chosen: min-max, moving-average, mse (default), entropy, percentile or percentile:99.9.")
  var observer: String?
  @Flag(help: "One scale for all of a layer's weights in place of one per output channel.") var perTensor = false
  @Flag(help: "Symmetric activations: the integers' middle is 0.") var symmetric = false
  @Option(help: "How many weights share a scale in the weights- schemes; by default 32.") var blockSize: Int?
  @Flag(help: "Zero points for the blocks of the weights- schemes.") var asymmetric = false
  @Flag(help: "Equalize the channels of layers that follow each other first.") var equalize = false
  @Option(help: "Move difficulty from activations to weights first (SmoothQuant), by this share.") var smooth: Double?
  @Flag(help: "Correct biases by what layers' means are off.") var correctBias = false
  @Flag(help: "Choose integers of weights- schemes by the layers' results (GPTQ).") var gptq = false
  @Option(
    help: ArgumentHelp(
      "Leave layers in floating point until the class with the highest score changes for at most so many percent of the samples.",
      valueName: "points")) var maxDrop: Double?
  @Option(
    help: ArgumentHelp(
      "Leave layers in floating point whose own signal to quantization noise is below so many decibels.",
      valueName: "decibels")) var keepBelow: Double?
  @Option(help: ArgumentHelp("A node that stays in floating point; may be repeated.", valueName: "node")) var exclude: [String] =
    []
  @Flag(help: "Say per layer how far it is off, what was not quantized and why, and sizes.") var report = false

  var model: String { input }

  func validate() throws {
    if output == nil, !report { throw ValidationError("nothing to do: give --output or --report") }
    if calibration == nil, scheme == .static || gptq || maxDrop != nil || smooth != nil || report {
      throw ValidationError("--calibration names the folder with samples, which this needs")
    }
    if let observer, Observer(name: observer) == nil {
      throw ValidationError("'\(observer)' is no way to choose ranges: see --help")
    }
    for (text, allowed) in [(activations, ["u8", "i8", "u16", "i16"]), (weights, ["i8", "u8", "i4"])] {
      if let text, !allowed.contains(text) { throw ValidationError("'\(text)' is none of \(allowed.joined(separator: ", "))") }
    }
    try refuseWhatHasNoEffect()
    if let smooth, !(0...1).contains(smooth) { throw ValidationError("--smooth takes a share from 0 to 1") }
    if let maxDrop, !(0...100).contains(maxDrop) { throw ValidationError("--max-drop takes percent") }
  }

  /// - Throws: `ValidationError` for an option that the scheme does not ask for.
  private func refuseWhatHasNoEffect() throws {
    let blocks: [QuantizationSchemeName] = [.int4, .int8]
    let given: [(option: String, isGiven: Bool, schemes: [QuantizationSchemeName])] = [
      ("--format", format != nil, [.static]), ("--activations", activations != nil, [.static]),
      ("--observer", observer != nil, [.static]), ("--symmetric", symmetric, [.static]),
      ("--equalize", equalize, [.static]), ("--smooth", smooth != nil, [.static]), ("--correct-bias", correctBias, [.static]),
      ("--max-drop", maxDrop != nil, [.static]), ("--keep-below", keepBelow != nil, [.static]),
      ("--exclude", !exclude.isEmpty, [.static]), ("--allow-constant", allowConstant, [.static]),
      ("--weights", weights != nil, [.static, .dynamic]), ("--per-tensor", perTensor, [.static, .dynamic]),
      ("--block-size", blockSize != nil, blocks), ("--asymmetric", asymmetric, blocks), ("--gptq", gptq, blocks),
    ]
    for (option, isGiven, schemes) in given where isGiven && !schemes.contains(scheme) {
      let names = schemes.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("\(option) has no effect with --scheme \(scheme.rawValue): it belongs to \(names)")
    }
    if calibration != nil, scheme != .static, !gptq, !report {
      throw ValidationError("--calibration has no effect with --scheme \(scheme.rawValue), but for --gptq and --report")
    }
  }

  func execute() throws {
    if let output { try ModelFile.checkOutput(output) }
    let graph = try ModelFile.read(input)
    for name in exclude where !graph.allNodes.contains(where: { graph.name(of: $0) == name }) {
      throw GraphError.unknownName(name, suggestions: graph.nodeNames(near: name))
    }
    let samples = try calibration.map { try CalibrationFiles.samples(of: graph, in: $0) } ?? []
    let backend = CPUBackend()
    let quantized: QuantizedModel
    switch scheme {
    case .dynamic:
      quantized = try DynamicQuantization(
        weight: try weightSpec(), isPerChannel: !perTensor, executor: backend
      ).quantize(graph)
    case .int4, .int8:
      quantized = try WeightOnlyQuantization(
        bits: scheme == .int4 ? 4 : 8, blockSize: blockSize ?? 32, scheme: asymmetric ? .asymmetric : .symmetric,
        gptq: gptq ? GPTQ() : nil, executor: backend
      ).quantize(graph, samples: samples)
    case .static: quantized = try quantizeStatically(graph, samples, backend)
    }
    if let output { try ModelFile.write(quantized.graph, to: output) }
    if report { Terminal.line(try quantized.report(on: samples).description) }
    Terminal.line(
      "\(quantized.plan.nodes.count) nodes quantized, \(quantized.plan.kept.count) kept, "
        + "parameters \(quantized.original.parameterByteCount.byteText) → \(quantized.graph.parameterByteCount.byteText)")
  }

  private func weightSpec() throws -> QuantizationSpec {
    let type = ElementType(rawValue: weights ?? "i8") ?? .int8
    return QuantizationSpec(
      type, type == .uint8 ? .asymmetric : .symmetric, observer: type == .int4 ? .meanSquaredError : .minMax)
  }

  private func quantizeStatically(_ graph: Graph, _ samples: [[Tensor]], _ backend: CPUBackend) throws -> QuantizedModel {
    let type = ElementType(rawValue: activations ?? "u8") ?? .uint8
    var quantizer = CPUQuantizer(
      activation: QuantizationSpec(
        type, symmetric || type.isSignedInteger ? .symmetric : .asymmetric,
        observer: Observer(name: observer ?? "mse") ?? .meanSquaredError),
      weight: try weightSpec(), isPerChannel: !perTensor, excluded: Set(exclude))
    var preparations: [any Pass] = equalize ? [CrossLayerEqualization()] : []
    if let smooth { preparations.append(SmoothQuant(alpha: smooth, samples: samples, executor: backend)) }
    var quantization = StaticQuantization(
      quantizer: quantizer, format: format ?? .qdq, preparations: preparations, correctsBias: correctBias,
      allowsConstantInputs: allowConstant, executor: backend)
    if let keepBelow {
      let layers = try quantization.quantize(graph, samples: samples).report(on: samples).layers
      quantizer.excluded.formUnion(layers.filter { $0.own.decibels < keepBelow }.map(\.name))
      quantization.quantizer = quantizer
    }
    guard let maxDrop else { return try quantization.quantize(graph, samples: samples) }
    let expected = try TopClasses(of: graph, samples, backend)
    let mixed = try MixedPrecision(quantization, maximumDrop: maxDrop) { candidate in
      100 * expected.agreement(with: try TopClasses(of: candidate, samples, backend))
    }.quantize(graph, samples: samples)
    Terminal.line(
      "same class as in floating point: \(mixed.full.fixed(2)) % with all layers quantized, "
        + "\(mixed.final.fixed(2)) % with \(mixed.kept.count) kept"
        + (mixed.kept.isEmpty ? "" : ": \(mixed.kept.joined(separator: ", "))"))
    return mixed.model
  }
}

extension StaticQuantization.Format: ExpressibleByArgument {}

/// Where the first output has its largest number, along its last axis, for each sample and row.
private struct TopClasses: Sendable {
  private let classes: [Int]

  init(of graph: Graph, _ samples: [[Tensor]], _ backend: CPUBackend) throws {
    let compiled = try backend.compiled(graph)
    var classes: [Int] = []
    for sample in samples {
      guard let scores = try compiled.run(sample.map(RuntimeValue.tensor)).first?.tensor else { continue }
      let numbers = try scores.numbers().doubles
      let width = max(scores.shape.last ?? 1, 1)
      for row in 0..<numbers.count / width {
        let range = row * width..<(row + 1) * width
        classes.append((range.max { numbers[$0] < numbers[$1] } ?? range.lowerBound) - range.lowerBound)
      }
    }
    self.classes = classes
  }

  /// The share of rows with the same class.
  func agreement(with other: TopClasses) -> Double {
    guard !classes.isEmpty else { return 1 }
    return Double(zip(classes, other.classes).count { $0 == $1 }) / Double(classes.count)
  }
}

extension Graph {
  /// Bytes of all bound parameters.
  var parameterByteCount: Int { parameterIDs.reduce(0) { $0 + ((try? self[$1].tensor?.byteCount) ?? 0) } }
}
