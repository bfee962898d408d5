import ArgumentParser
import FXCore
import FXPasses
import FXRuntime

struct PlanCommand: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "The memory that a run needs, known before it.",
    discussion: """
      Example:
        fx plan model.onnx --shape input=8,3,224,224
      """)

  @Argument(help: "The model.") var model: String
  @OptionGroup var shapes: ShapeOptions

  func execute() throws {
    var graph = try ModelFile.read(model)
    try shapes.apply(to: &graph)
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
