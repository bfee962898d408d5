import ArgumentParser
import FXCore
import FXRuntime

struct PlanCommand: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "The memory that a run needs, known before it.",
    discussion: """
      A plan follows from the inputs' types: nothing is run, and it may be for more than this machine holds. Sizes that the \
      model leaves open are given by --size or --shape.

      Examples:
        fx plan model.onnx --size batch=8
        fx plan model.onnx --shape input=8,3,224,224
      """)

  @Argument(help: "The model.") var model: String
  @OptionGroup var shapes: ShapeOptions

  func execute() throws {
    let graph = try ModelFile.read(model)
    let types = try shapes.fixedTypes(for: graph)
    let summary = try CPUBackend().compiled(graph).planSummary(forInputs: types)
    for (input, type) in zip(graph.inputs, types) { Terminal.line("input  \(graph.name(of: input)): \(type)") }
    Terminal.line("steps  \(summary.steps), of which \(summary.evaluatedSteps) find their sizes in the run")
    Terminal.line("arena  \(summary.arenaBytes.byteText)")
    Terminal.line("output \(summary.outputBytes.byteText)")
    Terminal.line("peak   \(summary.peakBytes) bytes (\(summary.peakBytes.byteText)), weights and inputs not counted")
  }
}
