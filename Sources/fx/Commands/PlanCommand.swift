import ArgumentParser
import FXCore
import FXPasses
import FXRuntime

struct PlanCommand: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "The memory that a run needs, known before it.")

  @Argument(help: "The model.") var model: String
  @Option(help: ArgumentHelp("Sizes of an input, such as input=1,3,224,224; may be repeated.", valueName: "name=dims"))
  var shape: [String] = []

  func execute() throws {
    var graph = try ModelFile.read(model)
    for entry in shape {
      let parts = entry.split(separator: "=", maxSplits: 1)
      let sizes = parts.last?.split(whereSeparator: { $0 == "," || $0 == "x" }).map { Int($0) } ?? []
      guard parts.count == 2, !sizes.contains(nil), sizes.allSatisfy({ $0 ?? -1 >= 0 }) else {
        throw ValidationError("--shape takes NAME=SIZE,SIZE,…, not '\(entry)'")
      }
      let name = String(parts[0])
      guard let input = graph.inputs.first(where: { graph.name(of: $0) == name }) else {
        let names = graph.inputs.map { graph.name(of: $0) }
        throw ValidationError("the model has no input '\(name)'; it has \(names.joined(separator: ", "))")
      }
      guard let element = try graph.type(of: input).elementType else {
        throw ValidationError("the type of input '\(name)' is not known")
      }
      try graph.setType(of: input, to: .tensor(element, Shape(sizes.compactMap(\.self))))
    }
    let inputs = try InputSampler().inputs(of: graph)
    let compiled = try CPUBackend().compiled(graph)
    for (input, value) in zip(graph.inputs, inputs) { Terminal.line("input  \(graph.name(of: input)): \(value.type)") }
    let summary = try compiled.planSummary(for: inputs)
    Terminal.line("steps  \(summary.steps), of which \(summary.evaluatedSteps) find their sizes in the run")
    Terminal.line("arena  \(summary.arenaBytes.byteText)")
    Terminal.line("output \(summary.outputBytes.byteText)")
    Terminal.line("peak   \(summary.peakBytes) bytes (\(summary.peakBytes.byteText)), weights and inputs not counted")
  }
}
