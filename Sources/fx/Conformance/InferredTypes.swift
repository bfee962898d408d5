import FXCore
import FXShapes
import Foundation

/// Compares inferred types with what a run gave, and with what ONNX's shape inference says.
struct InferredTypes {
  /// What ONNX's inference, with data propagation, found for a tensor; sizes that it does not know are null.
  struct Peer: Decodable {
    let type: String
    let shape: [Int?]?
  }

  let graph: Graph
  /// The sizes that the graph's symbols had in the run.
  let sizes: [String: Int]

  /// Infers all types anew from those of the inputs.
  init(_ original: Graph, inputs: [RuntimeValue], symbolic: Bool) throws {
    var graph = original
    if symbolic { try graph.makeInputsSymbolic() } else { try graph.forgetTypes() }
    try ShapeInference().run(&graph)
    var sizes: [String: Int] = [:]
    for (input, value) in zip(graph.inputs, inputs) {
      guard let shape = try graph.type(of: input).shape, let tensor = value.tensor, shape.rank == tensor.shape.count else {
        continue
      }
      for (dimension, size) in zip(shape, tensor.shape) {
        if let symbol = dimension.symbol { sizes[symbol] = size }
      }
    }
    (self.graph, self.sizes) = (graph, sizes)
  }

  /// Why the type inferred for an output is not one of `value`, or `nil`.
  func contradiction(output index: Int, _ value: RuntimeValue) -> String? {
    contradiction(graph.type(of: graph.outputs[index]), value)
  }

  private func contradiction(_ type: ValueType, _ value: RuntimeValue) -> String? {
    let difference = "inferred \(type), but the output is \(value.type)"
    switch (type, value) {
    case (.unknown, _): return "nothing is inferred, but the output is \(value.type)"
    case (.tensor(let type), .tensor(let tensor)):
      guard type.elementType == tensor.elementType else { return difference }
      guard let shape = type.shape else { return nil }
      let fits =
        shape.rank == tensor.shape.count
        && zip(shape, tensor.shape).allSatisfy { inferred, size in inferred.evaluate(sizes).map { $0 == size } ?? true }
      return fits ? nil : difference
    case (.sequence(let element), .sequence(let values, _)):
      return values.lazy.compactMap { contradiction(element, $0) }.first
    case (.optional(let element), .optional(let value, _)): return value.flatMap { contradiction(element, $0) }
    case (.optional(let element), _): return contradiction(element, value)
    case (.map(let key, let element), .map(let actual, let values)):
      return key == actual.elementType ? values.lazy.compactMap { contradiction(element, $0) }.first : difference
    default: return difference
    }
  }

  /// What ONNX's inference knows of a tensor that is not inferred here, or `nil`.
  func lack(_ type: ValueType, beside peer: Peer) -> String? {
    guard case .tensor(let own) = type else { return "ONNX infers \(peer), here it is \(type)" }
    guard let shape = peer.shape else { return nil }
    let knowsAll =
      own.shape.map { own in own.rank == shape.count && zip(own, shape).allSatisfy { $1 == nil || $0.size == $1 } } ?? false
    return knowsAll ? nil : "ONNX infers \(shape.map { $0.map(String.init) ?? "?" }), here it is \(type)"
  }

  /// The first lack among the outputs and the named values.
  func lack(beside peers: [String: Peer]) -> String? {
    for (name, operand) in zip(graph.outputNames, graph.outputs) {
      if let peer = peers[name], let lack = lack(graph.type(of: operand), beside: peer) { return "'\(name)': \(lack)" }
    }
    for name in graph.valueNames() {
      guard let peer = peers[name], let value = graph.value(named: name) else { continue }
      if let lack = lack(graph.type(of: .value(value)), beside: peer) { return "'\(name)': \(lack)" }
    }
    return nil
  }
}
