import FXCore

/// The graph of a function of tensors that calls a module, such as the loss of a model: parameters are named by their paths
/// in the module.
/// - Throws: `TraceError` with the line of the first mistake; what `body` throws.
public func trace<M: Module>(
  _ module: M, _ inputs: [TraceInput], options: TraceOptions = TraceOptions(), fileID: String = #fileID, line: Int = #line,
  _ body: (M, [SymbolicTensor]) throws -> [SymbolicTensor]
) throws -> Graph {
  try TraceSession.trace(inputs, ModulePaths(module), options, fileID, line) { try body(module, $0) }
}
