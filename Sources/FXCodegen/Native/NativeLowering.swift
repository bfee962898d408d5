import FXCore
import FXShapes

/// Turns a graph into a program of the native targets.
///
/// Values whose elements are known from sizes become constants, and what only they need is left out; views share memory;
/// chains of elementwise calls become one kernel; equal kernels are written once.
final class NativeLowering {
  let graph: Graph
  let operators: NativeOperators
  var program: NativeProgram
  private(set) var refusals: [CodegenError.Refusal] = []

  /// A value's memory and how it is seen.
  struct Slot {
    let buffer: Int
    let shape: [Int]
  }

  private let contents: [ValueID: [Int]]
  private var slots: [ValueID: Slot] = [:]
  private var needed: Set<NodeID> = []
  private var parameterBuffers: [ParameterID: Int] = [:]
  private var constantBuffers: [ValueID: Int] = [:]
  private var literalBuffers: [String: Int] = [:]
  private var identifiers = Identifiers(reserved: Identifiers.native)
  private var counters = 0

  /// Elements of memory that the library's products of matrices ask for.
  let workspaceElements: Int

  /// - Parameter workspaceElements: of memory that the target's products of matrices ask for.
  init(_ graph: Graph, name: String, operators: NativeOperators = .standard, workspaceElements: Int) throws {
    self.workspaceElements = workspaceElements
    var typed = graph
    let dimensions = try ShapeInference().run(&typed)
    self.graph = typed
    self.operators = operators
    contents = dimensions.compactMapValues { dimensions in
      let sizes = dimensions.compactMap(\.size)
      return sizes.count == dimensions.count ? sizes : nil
    }
    program = NativeProgram(name: name)
  }

  /// The program, with its arena planned.
  /// - Throws: `CodegenError.unsupported` naming every call that cannot be written.
  func run(target: String) throws -> (program: NativeProgram, plan: ArenaPlan) {
    try findNeeded()
    try graph.requireFixedSizes(for: target)
    for (index, input) in graph.inputs.enumerated() {
      let name = graph.name(of: input)
      let shape = try refusing(target, name, "input") { try self.shape(.value(input)) }
      let type = graph.type(of: .value(input)).elementType ?? .float32
      program.inputs.append(.init(name: name, elementType: type, shape: shape))
      slots[input] = Slot(buffer: addBuffer(name, type, shape, .input(index)), shape: shape)
    }
    try lower(graph.body)
    guard refusals.isEmpty else { throw CodegenError.unsupported(target: target, refusals) }
    for (index, (name, operand)) in zip(graph.outputNames, graph.outputs).enumerated() {
      try refusing(target, name, "output") { try self.bindOutput(index, name, operand) }
    }
    var laidOut = 0
    for index in program.weights.indices {
      program.weights[index].offset = laidOut
      laidOut += (program.weights[index].tensor.byteCount + ArenaPlan.alignment - 1) / ArenaPlan.alignment * ArenaPlan.alignment
    }
    let plan = ArenaPlan(&program)
    return (program, plan)
  }

  private func refusing<R>(_ target: String, _ name: String, _ op: String, _ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch let refusal as NativeRefusal {
      throw CodegenError.unsupported(target: target, [.init(node: name, op: op, location: nil, reason: refusal.reason)])
    }
  }

  /// The caller's memory takes the place of the arena's, or the value is copied to it.
  private func bindOutput(_ index: Int, _ name: String, _ operand: Operand) throws {
    let slot = try self.slot(operand, type: graph.type(of: operand).elementType ?? .float32)
    let type = program.buffers[slot.buffer].elementType
    program.outputs.append(.init(name: name, elementType: type, shape: slot.shape))
    if case .arena = program.buffers[slot.buffer].place {
      program.buffers[slot.buffer].place = .output(index)
    } else {
      append(.copy(from: slot.buffer, to: addBuffer(name + "_output", type, slot.shape, .output(index))))
    }
  }

  // MARK: - What is needed

  /// Marks the nodes that the outputs depend on, where known elements are not followed.
  private func findNeeded() throws {
    var pending: [Operand] = graph.outputs
    var seen: Set<ValueID> = []
    while let operand = pending.popLast() {
      guard let value = operand.value, contents[value] == nil, seen.insert(value).inserted else { continue }
      guard case .result(let id, _) = try graph.definition(of: value), needed.insert(id).inserted else { continue }
      let node = try graph[id]
      let sizes = operators[node.op]?.sizes ?? []
      for (index, operand) in node.operands.enumerated() where !sizes.contains(index) { pending.append(operand) }
      for region in node.regions { pending += graph.results(of: region) }
    }
  }

  // MARK: - Regions

  /// Appends the steps of a region's nodes.
  func lower(_ region: RegionID) throws {
    let nodes = try graph.nodes(in: region).filter(needed.contains).map { try graph[$0] }
    let groups = try ElementwiseGroups(nodes, graph, operators) { self.contents[$0] != nil }
    for node in nodes {
      do {
        if NativeOperators.controlFlow.contains(node.op) {
          try lowerControlFlow(node)
        } else if let group = groups[root: node.id] {
          try lower(group)
        } else if !groups.isInlined(node.id) {
          try lower(node)
        }
      } catch let refusal as NativeRefusal {
        refusals.append(
          .init(node: graph.name(of: node.id), op: node.op.description, location: node.location, reason: refusal.reason))
        // Those that use the results are not to blame.
        for result in node.results where slots[result] == nil { slots[result] = Slot(buffer: 0, shape: []) }
      }
    }
  }

  private func lower(_ node: Node) throws {
    guard let row = operators[node.op] else { throw NativeRefusal(reason: "no native target has the operator") }
    let call = NativeCall(node: node, lowering: self)
    switch row.form {
    case .view:
      slots[node.results[0]] = Slot(buffer: try slot(node, 0).buffer, shape: try shape(.value(node.results[0])))
    case .kernel(let body): try body(call)
    case .expression: try lower([node])
    }
    // Results without elements: nothing wrote them.
    for result in node.results where slots[result] == nil && graph.type(of: .value(result)).shape?.sizes?.contains(0) == true {
      _ = try resultSlot(result)
    }
  }

  // MARK: - Operands

  /// - Throws: `NativeRefusal` for a size that is not fixed.
  func shape(_ operand: Operand) throws -> [Int] {
    switch operand {
    case .literal, .none: return []
    default:
      let type = graph.type(of: operand)
      guard let tensor = type.tensorType else { throw NativeRefusal(reason: "\(type) is not a tensor") }
      guard let sizes = tensor.shape?.sizes else { throw NativeRefusal(reason: NativeLowering.sizeAdvice(tensor)) }
      return sizes
    }
  }

  static func sizeAdvice(_ type: TensorType) -> String {
    "its sizes depend on data: \(type)"
  }

  func elementType(_ node: Node, _ index: Int) -> ElementType { NativeType.ofOperand(node, index, graph) }

  /// The elements of an integer operand, as far as they are known.
  func integers(_ operand: Operand) -> [Int]? {
    switch operand {
    case .value(let value): return contents[value]
    case .parameter: return graph.tensor(of: operand).flatMap { try? $0.converted(to: .int64).elements(Int.self) }
    case .literal(.int(let x)): return [Int(x)]
    default: return nil
    }
  }

  func slot(_ node: Node, _ index: Int) throws -> Slot {
    try slot(node.operand(index), type: elementType(node, index))
  }

  func slot(_ operand: Operand, type: ElementType) throws -> Slot {
    switch operand {
    case .value(let value):
      if let slot = slots[value] { return slot }
      if let known = contents[value] {
        let type = graph.type(of: operand).elementType ?? .int64
        let tensor = try Tensor(type, try shape(operand), numbers: .signed(known.map(Int64.init)))
        let buffer = constantBuffers[value] ?? addWeight(graph.name(of: value), tensor)
        constantBuffers[value] = buffer
        return Slot(buffer: buffer, shape: tensor.shape)
      }
      throw NativeRefusal(reason: "'\(graph.name(of: value))' has not been computed")
    case .parameter(let id):
      guard let tensor = try graph[id].tensor else {
        throw NativeRefusal(reason: "nothing is bound to the parameter '\(try graph[id].name)'")
      }
      guard NativeType.supported.contains(tensor.elementType) else {
        throw NativeRefusal(reason: "the parameter '\(try graph[id].name)' is \(tensor.elementType)")
      }
      let buffer = try parameterBuffers[id] ?? addWeight(graph[id].name, tensor)
      parameterBuffers[id] = buffer
      return Slot(buffer: buffer, shape: tensor.shape)
    case .literal(let literal):
      let key = "\(type.rawValue) \(literal)"
      let buffer = try literalBuffers[key] ?? addWeight("constant", literal.tensor(type))
      literalBuffers[key] = buffer
      return Slot(buffer: buffer, shape: [])
    case .none: throw NativeRefusal(reason: "an operand is missing")
    }
  }

  /// The memory of a result, which is made when it is first asked for.
  func resultSlot(_ value: ValueID) throws -> Slot {
    if let slot = slots[value] { return slot }
    let shape = try shape(.value(value))
    guard let type = graph.type(of: .value(value)).elementType, NativeType.supported.contains(type) else {
      throw NativeRefusal(reason: "native targets have no \(graph.type(of: .value(value)))")
    }
    let slot = Slot(buffer: addBuffer(graph.name(of: value), type, shape, .arena(offset: 0)), shape: shape)
    slots[value] = slot
    return slot
  }

  /// Lets a value be memory that is there already.
  func alias(_ value: ValueID, _ slot: Slot) { slots[value] = slot }

  /// Forgets where the values of a region are, so that it can be written again.
  func forget(_ region: RegionID) {
    for id in (try? graph.nodes(in: region)) ?? [] {
      guard let node = try? graph[id] else { continue }
      for result in node.results { slots[result] = nil }
      for nested in node.regions { forget(nested) }
    }
  }

  // MARK: - Building

  func addBuffer(_ name: String, _ type: ElementType, _ shape: [Int], _ place: NativeProgram.Place) -> Int {
    program.buffers.append(.init(name: identifiers.unique(name), elementType: type, shape: shape, place: place))
    return program.buffers.count - 1
  }

  /// Memory that a value does not name.
  func temporary(_ name: String, _ type: ElementType, _ shape: [Int]) -> Int {
    addBuffer(name, type, shape, .arena(offset: 0))
  }

  /// Numbers that the code needs and the graph has not.
  func constant(_ name: String, _ tensor: Tensor) -> Int {
    let existing = program.weights.firstIndex { $0.name == name && $0.tensor == tensor }
    let buffer = existing.flatMap { index in program.buffers.firstIndex { $0.place == .weight(index) } }
    return buffer ?? addWeight(name, tensor)
  }

  private func addWeight(_ name: String, _ tensor: Tensor) -> Int {
    program.weights.append(.init(name: name, tensor: tensor))
    return addBuffer(name, tensor.elementType, tensor.shape, .weight(program.weights.count - 1))
  }

  /// Appends a step, unless it copies nothing.
  func append(_ step: NativeProgram.Step) {
    switch step {
    case .copy(_, let to) where program.buffers[to].byteCount == 0: break
    case .copyPart(_, _, _, _, 0): break
    default: program.steps.append(step)
    }
  }

  /// The steps that `body` appends.
  func collect(_ body: () throws -> Void) rethrows -> [NativeProgram.Step] {
    let outer = program.steps
    program.steps = []
    defer { program.steps = outer }
    try body()
    return program.steps
  }

  func counter() -> String {
    counters += 1
    return identifiers.unique("turn_\(counters)")
  }

  /// Launches a kernel, written once for all that are equal.
  func launch(_ kernel: NativeProgram.Kernel, _ buffers: [Int], comment: String) {
    guard !kernel.axes.contains(where: { $0.size == 0 }) else { return }
    let existing = program.kernels.firstIndex { other in
      other.parameters == kernel.parameters && other.axes == kernel.axes && other.body == kernel.body
        && other.usesStatus == kernel.usesStatus
    }
    if let existing { return append(.launch(kernel: existing, buffers, comment: comment)) }
    var named = kernel
    named.name = identifiers.unique(String(kernel.name.prefix(40)) + "_kernel")
    program.kernels.append(named)
    append(.launch(kernel: program.kernels.count - 1, buffers, comment: comment))
  }

  /// What a step is: the value's type, and where the call comes from.
  func comment(_ node: Node) -> String {
    let types = node.results.map { graph.type(of: .value($0)).description }.joined(separator: ", ")
    return "\(node.op.name) -> \(types)" + (node.location.map { ", \($0)" } ?? "")
  }

  /// What a kernel is: the operator's one line.
  func summary(_ node: Node) -> String { "\(node.op.name): \(node.op.schema?.summary ?? "")" }
}
