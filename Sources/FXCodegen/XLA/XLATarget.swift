import FXCore
import FXTrace

/// A StableHLO module, for XLA and what else reads the dialect. Sizes are numbers; weights are arguments after the inputs,
/// and lie in an npz file under the arguments' numbers.
public struct XLATarget: CodeTarget {
  public let name = "xla"
  public let summary = "a StableHLO module for XLA"
  public let needsFixedSizes = true
  /// How calls are spelled, all but those of control flow.
  public var rows: XLARows

  /// Writes by the rows of this package, unless others are given.
  public init(rows: XLARows = .standard) { self.rows = rows }

  public func refusal(of node: Node, in graph: Graph) -> String? {
    do {
      for operand in node.operands where operand.literal == nil && !operand.isNone {
        _ = try HLOWriter.type(graph.type(of: operand))
      }
      for result in node.results { _ = try HLOWriter.type(graph.type(of: .value(result))) }
      if [Operator.cond, .whileLoop, .loop, .scan].contains(node.op) { return try loopRefusal(node, in: graph) }
      guard let row = rows[node.op] else { return "StableHLO has no row for it" }
      let site = CallSite(node, in: graph)
      let operands = try node.operands.enumerated().map { index, operand -> HLOValue? in
        if operand.isNone { return nil }
        if operand.literal != nil { return HLOValue(name: "%x", type: site.elementType(index) ?? .float32, sizes: []) }
        let (type, sizes) = try HLOWriter.type(graph.type(of: operand))
        return HLOValue(name: "%x", type: type, sizes: sizes)
      }
      var call = XLACall(site: site, operands: operands, builder: HLOBuilder())
      let results = try row(&call)
      for (index, result) in results.enumerated() {
        guard let expected = site.resultType(index)?.shape?.sizes, expected == result.sizes else {
          return "the result would be \(result.sizes), not \(site.resultType(index).map { "\($0)" } ?? "_")"
        }
      }
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// Loops carry values of one type.
  private func loopRefusal(_ node: Node, in graph: Graph) throws -> String? {
    guard node.op != .cond else { return nil }
    let count = node.op == .whileLoop ? node.results.count : node[Loop.stateCount]
    let first = node.op == .loop ? 2 : 0
    for index in 0..<min(count, node.results.count) {
      let (before, after) = (graph.type(of: node.operand(first + index)), graph.type(of: .value(node.results[index])))
      if node.operand(first + index).literal == nil, before != after { return "a state changes from \(before) to \(after)" }
    }
    return nil
  }

  public func emit(_ graph: Graph, _ options: CodegenOptions) throws -> GeneratedProgram {
    let name = options.programName(of: graph)
    var writer = HLOWriter(graph, rows)
    do {
      let inputs = try graph.inputs.map { try writer.input($0) }
      let results = try writer.write(graph.body, arguments: inputs)
      let arguments = inputs + writer.stored.map(\.value)
      var text = SourceText(indent: 2)
      text.add("// The graph \(graph.name.oneLine) in StableHLO.")
      for (index, input) in inputs.enumerated() {
        text.add("// argument \(index): \(graph.name(of: graph.inputs[index]).oneLine) \(input.typeText)")
      }
      for (index, weight) in writer.stored.enumerated() {
        text.add("// argument \(inputs.count + index): weight \(try graph[weight.id].name.oneLine)")
      }
      text.add("module @\(name) {")
      let types = results.map(\.typeText).joined(separator: ", ")
      text.add(
        "  func.func public @main(\(arguments.map { "\($0.name): \($0.typeText)" }.joined(separator: ", "))) -> (\(types)) {")
      var source = text.text + writer.builder.source.text
      source += "    \"func.return\"(\(results.map(\.name).joined(separator: ", "))) : (\(types)) -> ()\n  }\n}\n"
      var weights: [String: Tensor] = [:]
      for (index, weight) in writer.stored.enumerated() {
        guard let tensor = try graph[weight.id].tensor else { continue }
        weights["argument_\(inputs.count + index)"] = try tensor.converted(to: NumpyTypes.storage(tensor.elementType))
      }
      var program = GeneratedProgram()
      program.add("\(name).mlir", source)
      if !weights.isEmpty { program.add("\(name).npz", try Npz.encode(weights)) }
      return program
    } catch let error as NotExpressible {
      throw CodegenError.unsupported(
        target: self.name, [.init(node: graph.name, op: "graph", location: nil, reason: error.reason)])
    }
  }
}
