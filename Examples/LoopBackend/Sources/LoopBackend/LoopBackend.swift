import FXCore

/// A backend of plain Swift loops over `float32`: an example of what a backend must do, and a second opinion on the
/// operators that it knows.
///
/// It compiles: `support` answers per node, by operator, attributes and types; `compile` turns a graph into a list of
/// steps over numbered slots. What it does not support, a `PartitionedBackend` gives to another.
public struct LoopBackend: Backend {
  public init() {}

  public var info: BackendInfo {
    BackendInfo(name: "loops", version: "1.0.0", capabilities: [.graphExecution, .dynamicShapes], deviceTypes: ["cpu"])
  }

  public func support(for node: NodeID, in graph: Graph) -> BackendSupport {
    guard let node = try? graph[node] else { return .unsupported(reason: "the node is not in the graph") }
    do {
      _ = try LoopKernels.kernel(for: node, in: graph)
      return .supported
    } catch {
      return .unsupported(reason: error.description)
    }
  }

  /// About a nanosecond an element, and one for two multiplications of a product: what `Partitioner` weighs.
  public func estimatedSeconds(for node: NodeID, in graph: Graph) -> Double? {
    guard let node = try? graph[node] else { return nil }
    func elements(_ operand: Operand) -> Double {
      (graph.type(of: operand).shape ?? []).reduce(1) { $0 * Double($1.size ?? 1) }
    }
    let result = node.results.first.map { elements(.value($0)) } ?? 0
    guard node.op == .gemm || node.op == .linear, let width = graph.type(of: node.operand(0)).shape?.last?.size else {
      return result * 1e-9
    }
    return result * Double(width) * 0.5e-9
  }

  /// - Throws: `ExecutionError.unsupported`, `.unboundParameters`.
  public func compile(_ graph: Graph) throws -> any Executable {
    let obstacles = obstacles(in: graph)
    guard obstacles.isEmpty else { throw ExecutionError.unsupported(obstacles) }
    return try LoopProgram(graph)
  }
}

/// A compiled graph: steps over numbered slots, the first of which are the inputs.
struct LoopProgram: Executable {
  private struct Step: Sendable {
    let kernel: LoopKernel
    let operands: [Source]
    let result: Int
    let name: String
    let op: String
    let location: Location?
  }

  private enum Source: Sendable {
    case slot(Int)
    case constant(Tensor)
    case none
  }

  private let inputNames: [String]
  private var steps: [Step] = []
  private var outputs: [Source] = []
  private let slotCount: Int

  init(_ graph: Graph) throws {
    inputNames = graph.inputs.map { graph.name(of: $0) }
    var slots: [ValueID: Int] = [:]
    for input in graph.inputs { slots[input] = slots.count }
    func source(_ operand: Operand) throws -> Source {
      switch operand {
      case .value(let value): return slots[value].map(Source.slot) ?? .none
      case .parameter(let id):
        guard let tensor = try graph[id].tensor else { throw ExecutionError.unboundParameters([try graph[id].name]) }
        return .constant(tensor)
      case .literal(let literal): return .constant(try literal.tensor(.float32))
      case .none: return .none
      }
    }
    for id in graph.bodyNodes {
      let node = try graph[id]
      let operands = try node.operands.map(source)
      slots[node.results[0]] = slots.count
      steps.append(
        Step(
          kernel: try LoopKernels.kernel(for: node, in: graph), operands: operands, result: slots.count - 1,
          name: graph.name(of: id), op: node.op.description, location: node.location))
    }
    outputs = try graph.outputs.map(source)
    slotCount = slots.count
  }

  func run(_ inputs: [RuntimeValue]) throws -> [RuntimeValue] {
    guard inputs.count == inputNames.count else {
      throw ExecutionError.inputCount(expected: inputNames, actual: inputs.count)
    }
    var slots: [Tensor?] = Array(repeating: nil, count: slotCount)
    for (index, input) in inputs.enumerated() {
      guard let tensor = input.tensor else { throw ExecutionError.notATensor(input.type) }
      slots[index] = tensor
    }
    func tensor(_ source: Source) -> Tensor? {
      switch source {
      case .slot(let index): slots[index]
      case .constant(let tensor): tensor
      case .none: nil
      }
    }
    for step in steps {
      do {
        slots[step.result] = try step.kernel(step.operands.compactMap(tensor))
      } catch {
        throw ExecutionError.node(step.name, op: step.op, location: step.location, reason: "\(error)")
      }
    }
    return try outputs.map { source in
      guard let tensor = tensor(source) else { throw ExecutionError.unsupported(["a result that is none"]) }
      return .tensor(tensor)
    }
  }
}
