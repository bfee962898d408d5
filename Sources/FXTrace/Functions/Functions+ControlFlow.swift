import FXCore

/// What `then` gives if the predicate holds, else what `otherwise` gives; only the branch taken runs.
///
/// The branches may use any tensor of the trace; what they use becomes a captured operand of the `cond` node. In an
/// eager run the predicate's value decides which branch is called.
/// - Parameter predicate: one truth value; reduce with `any` or `all`, or choose element by element with `where`.
public func cond<Output: TensorGroup>(
  _ predicate: SymbolicTensor, then: () -> Output, else otherwise: () -> Output, fileID: String = #fileID,
  line: Int = #line
) -> Output {
  let session = predicate.session
  let site = TraceSession.CallSite(file: fileID, line: line)
  guard session.check(predicate: predicate, "cond", at: site) else { return then() }
  if session.executor != nil { return predicate.isTrue ? then() : otherwise() }
  let results = session.callWithRegions(
    .cond, [predicate.symbolicOperand], arguments: [[], []], at: site,
    resultCount: { counts in
      guard counts[0] == counts[1] else { throw TraceError(.resultCounts("then", counts[0], "else", counts[1])) }
      return counts[0]
    },
    body: { region, _ in (region == 0 ? then() : otherwise()).tensors.map(\.symbolicOperand) })
  // After a mistake everything is poisoned; calling a branch gives as many poisoned tensors as the caller expects.
  return results.flatMap(Output.init(tensors:)) ?? then()
}

/// The state after `body` was applied for as long as `condition` holds of it, looked at before each turn.
///
/// Both may use any tensor of the trace. The state keeps its element types; sizes that change from turn to turn become
/// unknown.
public func whileLoop<State: TensorGroup>(
  _ state: State, condition: (State) -> SymbolicTensor, body: (State) -> State, fileID: String = #fileID,
  line: Int = #line
) -> State {
  guard let session = state.tensors.first?.session else { return state }
  let site = TraceSession.CallSite(file: fileID, line: line)
  if session.executor != nil {
    var current = state
    while true {
      let predicate = condition(current)
      guard session.check(predicate: predicate, "while_loop", at: site), predicate.isTrue else { return current }
      current = body(current)
    }
  }
  var types = state.tensors.map(\.type)
  while session.mistake == nil {
    var widened = types
    let results = session.callWithRegions(
      .whileLoop, state.tensors.map(\.symbolicOperand), arguments: [types, types], at: site,
      resultCount: { counts in
        guard counts[1] == types.count else { throw TraceError(.resultCounts("body", counts[1], "state", types.count)) }
        guard widened == types else { throw RetracedRegions() }
        return types.count
      },
      body: { region, arguments in
        guard let current = State(tensors: arguments) else { return [] }
        guard region == 0 else {
          let next = body(current).tensors
          widened = zip(types, next).map { $0.united(with: $1.type) ?? $0 }
          return next.map(\.symbolicOperand)
        }
        let predicate = condition(current)
        return session.check(predicate: predicate, "while_loop", at: site) ? [predicate.symbolicOperand] : []
      })
    if let results { return State(tensors: results) ?? state }
    // The body was traced for sizes that it changes: once more for sizes that are not known.
    types = widened
  }
  return state
}

extension SymbolicTensor {
  /// The value of a predicate in an eager run.
  fileprivate var isTrue: Bool {
    guard let tensor, tensor.elementCount == 1, case .signed(let values)? = try? tensor.numbers() else { return false }
    return values[0] != 0
  }
}

extension TraceSession {
  /// Whether the predicate may be one truth value; a mistake if it is known not to be.
  fileprivate func check(predicate: SymbolicTensor, _ op: String, at site: CallSite) -> Bool {
    guard mistake == nil, predicate.operand != nil else { return false }
    guard let type = predicate.type.tensorType, !type.isTruthValue else { return true }
    fail(TraceError(.predicate(.tensor(type)), op: op, location: location(site)), op: nil, operands: [], at: site)
    return false
  }
}

extension TensorType {
  /// Whether a tensor of this type may be a single truth value.
  var isTruthValue: Bool { elementType == .bool && (shape?.elementCount.size ?? 1) == 1 }
}
