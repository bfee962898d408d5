import ArgumentParser
import FXCore

/// The sizes that a user gives to inputs.
struct ShapeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Sizes of an input, such as input=1,3,224,224, or none for a scalar; may be repeated.", valueName: "name=dims"))
  var shape: [String] = []

  /// - Throws: `ValidationError` for what is no list of sizes, and for inputs that the graph does not have.
  func apply(to graph: inout Graph) throws {
    for entry in shape {
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let sizes = parts.last?.split(whereSeparator: { $0 == "," || $0 == "x" }).map { Int($0) } ?? []
      guard parts.count == 2, sizes.allSatisfy({ $0 ?? -1 >= 0 }) else {
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
  }
}
