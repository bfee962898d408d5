import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import Foundation
import Testing

/// Where types say too little to refuse a call, the run does: ONNX's cases and our own are compiled with every size of every input
/// symbolic, and run with one input longer or shorter than it ought to be. What types with those sizes would have refused,
/// the run refuses; otherwise it gives what the reference kernels give.
@Suite struct WrongSizeTests {
  private struct Case {
    let name: String
    let graph: Graph
    let inputs: [RuntimeValue]

    init?(_ folder: String) throws {
      name = URL(fileURLWithPath: folder).lastPathComponent
      graph = try OnnxImporter().graph(path: folder + "/model.onnx")
      var inputs: [RuntimeValue] = []
      for (index, input) in graph.inputs.enumerated() {
        inputs.append(try OnnxValues.read(path: "\(folder)/test_data_set_0/input_\(index).pb", as: graph.type(of: input)))
      }
      self.inputs = inputs
      let isRandom = try graph.allNodes.contains { try graph[$0].op.schema?.effect == .random }
      if isRandom || graph.inputs.count < 2 { return nil }
    }

    /// The graph with the types of inputs that `type` gives, and no other.
    func graph(_ type: (Int, TensorType) -> TensorType) throws -> Graph {
      var graph = graph
      for (index, input) in graph.inputs.enumerated() {
        guard let old = try graph.type(of: input).tensorType, old.shape != nil else { continue }
        try graph.setType(of: input, to: .tensor(type(index, old)))
      }
      for id in graph.bodyNodes { for result in try graph[id].results { try graph.setType(of: result, to: .unknown) } }
      return graph
    }
  }

  /// A tensor whose axis is longer or shorter by one: elements repeat.
  private static func resized(_ tensor: Tensor, _ axis: Int, by difference: Int) throws -> Tensor? {
    var shape = tensor.shape
    shape[axis] += difference
    // With no elements at all a reshape to a size that is left open has no answer, or one only because sizes are symbolic.
    guard shape[axis] > 0, tensor.elementCount > 0, tensor.elementType != .string else { return nil }
    let (inner, outer) = (tensor.shape[(axis + 1)...].reduce(1, *), tensor.shape[..<axis].reduce(1, *))
    let places = (0..<outer).flatMap { block in
      (0..<shape[axis]).flatMap { row in
        (0..<inner).map { (block * tensor.shape[axis] + row % tensor.shape[axis]) * inner + $0 }
      }
    }
    func pick<Number>(_ numbers: [Number]) -> [Number] { places.map { numbers[$0] } }
    let numbers: Numbers =
      switch try tensor.numbers() {
      case .signed(let x): .signed(pick(x))
      case .unsigned(let x): .unsigned(pick(x))
      case .floats(let x): .floats(pick(x))
      }
    return try Tensor(tensor.elementType, shape, numbers: numbers)
  }

  /// What went wrong with one input of one case resized; `nil` if nothing did.
  private static func fault(_ item: Case, _ compiled: CompiledGraph, _ inputs: [RuntimeValue]) throws -> String? {
    var concrete = try item.graph { index, type in inputs[index].tensor?.type ?? type }
    let sizes = inputs.map { "\($0.type)" }.joined(separator: ", ")
    let expected: [RuntimeValue]
    do {
      try ShapeInference().run(&concrete)
      expected = try ReferenceExecutor().run(concrete, inputs: inputs)
    } catch {
      return (try? compiled.run(inputs)) == nil ? nil : "\(sizes) gave a result, where it ought to say: \(error)"
    }
    let actual: [RuntimeValue]
    do { actual = try compiled.run(inputs) } catch { return "\(sizes) was refused: \(error)" }
    for (a, b) in zip(expected, actual) where !isWithinAQuantum(a, b) {
      if case .differ(let mismatch) = OutputComparison(.approximates(bound: 1e-3)).compare(a, b) {
        return "\(sizes): \(mismatch)"
      }
    }
    return nil
  }

  /// Whether both are quantized alike, roundings of ties apart.
  private static func isWithinAQuantum(_ a: RuntimeValue, _ b: RuntimeValue) -> Bool {
    guard let x = a.tensor, let y = b.tensor, x.type == y.type, x.elementType == .uint8 || x.elementType == .int8,
      let p = try? x.numbers().doubles, let q = try? y.numbers().doubles
    else { return false }
    return zip(p, q).allSatisfy { abs($0 - $1) <= 1 }
  }

  @Test func nothingIsComputedSilently() throws {
    let root = try #require(ProcessInfo.processInfo.environment["FX_CASES"], "`make test` writes the cases and says where")
    let stored = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases").path
    let folders = try ["\(root)/node", "\(stored)/contrib", "\(stored)/ml"].flatMap { folder in
      try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { "\(folder)/\($0)" }
    }
    let backend = CPUBackend(.init(threads: 1))
    var (tried, faults) = (0, [String]())
    for folder in folders {
      guard let item = try Case(folder) else { continue }
      let symbolic = try item.graph { index, type in
        TensorType(type.elementType, type.shape.map { Shape($0.indices.map { Dimension(symbol: "s\(index)_\($0)") }) })
      }
      let compiled = try backend.compiled(symbolic)
      for (index, input) in item.inputs.enumerated() {
        guard let tensor = input.tensor else { continue }
        for axis in tensor.shape.indices {
          for difference in [-1, 1] {
            guard let other = try Self.resized(tensor, axis, by: difference) else { continue }
            var inputs = item.inputs
            inputs[index] = .tensor(other)
            tried += 1
            if let fault = try Self.fault(item, compiled, inputs) { faults.append("\(item.name): \(fault)") }
          }
        }
      }
    }
    #expect(tried > 5000)
    #expect(faults.isEmpty, "\(faults.count) of \(tried):\n\(faults.joined(separator: "\n"))")
  }
}
