import FXCore

/// An input of a traced model: its name and what is known of its type.
public struct TraceInput: Sendable, Hashable {
  /// By default `x`, or `x_0`, `x_1`, … for several inputs.
  public let name: String?
  /// What is known of the type; a size that is a name, such as `batch`, stands for any.
  public let type: ValueType

  /// An input of any type, a sequence too; `tensor` and `like` make those that are tensors.
  public init(_ name: String? = nil, _ type: ValueType) {
    self.name = name
    self.type = type
  }

  /// A tensor input, such as `.tensor(.float32, ["batch", 784])`.
  public static func tensor(_ elementType: ElementType, _ shape: Shape, name: String? = nil) -> TraceInput {
    TraceInput(name, .tensor(elementType, shape))
  }

  /// An input of a tensor's type, with exactly its sizes.
  public static func like(_ tensor: Tensor, name: String? = nil) -> TraceInput { TraceInput(name, .tensor(tensor.type)) }
}

/// The graph of a module.
///
/// Parameters are named by their paths of properties (`layers.0.weight`), share the module's tensors, and stay unbound
/// if the module's are.
/// - Parameter inputs: one for each tensor that the module takes.
/// - Throws: `TraceError` with the line of the first mistake.
public func trace<M: Module>(
  _ module: M, _ inputs: TraceInput..., options: TraceOptions = TraceOptions(), fileID: String = #fileID, line: Int = #line
) throws -> Graph {
  try trace(module, inputs, options: options, fileID: fileID, line: line)
}

/// The graph of a module: see `trace(_:_:options:)`.
public func trace<M: Module>(
  _ module: M, _ inputs: [TraceInput], options: TraceOptions = TraceOptions(), fileID: String = #fileID, line: Int = #line
) throws -> Graph {
  try TraceSession.trace(inputs, ModulePaths(module), options, fileID, line) { tensors in
    guard let input = M.Input(tensors: tensors, paths: tensors.map { $0.name ?? "" }) else {
      throw TraceError(.inputCount(tensors.count, expected: M.Input.tensorCount), location: Location(file: fileID, line: line))
    }
    return module.forward(input)
  }
}

/// The graph of a function of tensors.
/// - Throws: `TraceError` with the line of the first mistake; what `body` throws.
public func trace(
  _ inputs: [TraceInput], options: TraceOptions = TraceOptions(), fileID: String = #fileID, line: Int = #line,
  _ body: ([SymbolicTensor]) throws -> [SymbolicTensor]
) throws -> Graph {
  try TraceSession.trace(inputs, ModulePaths(), options, fileID, line, body)
}

/// The graph of a function of one tensor, or of a structure of tensors that the inputs' names say: `["image": …]` of inputs
/// `image`, …. What it gives, likewise, is an output for each tensor, named by its path in the structure.
///
/// ```swift
/// try trace(.tensor(.float32, ["n", 4], name: "x")) { (x: SymbolicTensor) in ["twice": x * 2, "root": sqrt(x)] }
/// ```
/// - Throws: `TraceError` with the line of the first mistake; what `body` throws.
public func trace<Input: TensorGroup, Output: TensorGroup>(
  _ inputs: TraceInput..., options: TraceOptions = TraceOptions(), fileID: String = #fileID, line: Int = #line,
  _ body: (Input) throws -> Output
) throws -> Graph {
  try TraceSession.trace(inputs, ModulePaths(), options, fileID, line) { tensors in
    guard let input = Input(tensors: tensors, paths: tensors.map { $0.name ?? "" }) else {
      throw TraceError(.inputCount(tensors.count, expected: Input.tensorCount), location: Location(file: fileID, line: line))
    }
    return try body(input)
  }
}

extension Module {
  /// Runs the module at once, call by call, and returns what it gives.
  ///
  /// While it runs, every `SymbolicTensor` has its elements in `tensor`, and control flow takes the branch that the
  /// predicate's value says.
  /// - Throws: `TraceError` naming the line of a mistake, or the parameters to which nothing is bound.
  public func callEagerly(
    _ inputs: Tensor..., executor: any GraphExecutor, fileID: String = #fileID, line: Int = #line
  ) throws -> [Tensor] {
    try callEagerly(inputs, executor: executor, fileID: fileID, line: line)
  }

  /// Runs the module at once: see `callEagerly(_:executor:)`.
  public func callEagerly(
    _ inputs: [Tensor], executor: any GraphExecutor, fileID: String = #fileID, line: Int = #line
  ) throws -> [Tensor] {
    let session = TraceSession(
      graph: Graph(), paths: ModulePaths(self), options: TraceOptions(), executor: executor, file: fileID, line: line)
    let tensors = try session.addInputs(inputs.map { .like($0) })
    for (tensor, input) in zip(tensors, inputs) {
      if let value = tensor.operand?.value { session.setValue(.tensor(input), of: value) }
    }
    guard let input = Input(tensors: tensors, paths: tensors.map { $0.name ?? "" }) else {
      throw TraceError(.inputCount(inputs.count, expected: Input.tensorCount), location: Location(file: fileID, line: line))
    }
    let outputs = forward(input).tensors
    if let mistake = session.mistake { throw mistake }
    return try outputs.map { output in
      guard output.session === session, let operand = output.operand, let value = session.value(of: operand) else {
        throw TraceError(.foreignTensor, location: Location(file: fileID, line: line))
      }
      guard let tensor = value.tensor else { throw ExecutionError.notATensor(value.type) }
      return tensor
    }
  }
}

extension TraceSession {
  func addInputs(_ inputs: [TraceInput]) throws -> [SymbolicTensor] {
    try inputs.enumerated().map { index, input in
      let name = input.name ?? (inputs.count == 1 ? "x" : "x_\(index)")
      return SymbolicTensor(self, .value(try graph.addInput(name, input.type)))
    }
  }

  static func trace(
    _ inputs: [TraceInput], _ paths: ModulePaths, _ options: TraceOptions, _ file: String, _ line: Int,
    _ body: ([SymbolicTensor]) throws -> some TensorGroup
  ) throws -> Graph {
    var graph = Graph(name: options.name)
    graph.symbols = options.symbols
    graph.constraints = options.constraints.flatMap(\.dimensionConstraints)
    let session = TraceSession(
      graph: graph, paths: paths, options: options, executor: nil, file: file, line: line)
    do {
      let outputs = try body(session.addInputs(inputs))
      if let mistake = session.mistake { throw mistake }
      let (names, count) = (options.outputNames.count, outputs.tensors.count)
      guard names <= count else {
        throw TraceError(
          .invalid("\(names) outputs are named, the graph has \(count)"), op: "trace",
          location: Location(file: file, line: line))
      }
      try session.addOutputs(outputs.tensors, outputs.tensorPaths)
    } catch let error as GraphError {
      throw TraceError(.graph(error), op: "trace", location: Location(file: file, line: line))
    }
    if let mistake = session.mistake { throw mistake }
    return session.graph
  }

  private func addOutputs(_ outputs: [SymbolicTensor], _ paths: [String]) throws {
    var names: Set<String> = []
    for (index, output) in outputs.enumerated() {
      guard let operand = operand(output.symbolicOperand, at: here) else { return }
      if index < options.outputNames.count {
        try graph.addOutput(operand, name: options.outputNames[index])
        names.insert(options.outputNames[index])
      } else {
        // A place in an array says less than what the value is called.
        let path = index < paths.count ? paths[index] : ""
        let hasName = path.split(separator: ".").contains { Int($0) == nil }
        // One value may be returned twice; its outputs need names of their own.
        var name = hasName ? path : graph.text(of: operand)
        while !names.insert(name).inserted { name += "_\(index)" }
        try graph.addOutput(operand, name: name)
      }
    }
  }
}
