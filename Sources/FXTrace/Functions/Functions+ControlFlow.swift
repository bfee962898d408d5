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
  var made: Output?
  let results = session.callWithRegions(
    .cond, [predicate.symbolicOperand], arguments: [[], []], at: site,
    resultCount: { counts in
      guard counts[0] == counts[1] else { throw TraceError(.resultCounts("then", counts[0], "else", counts[1])) }
      return counts[0]
    },
    body: { region, _ in
      let output = region == 0 ? then() : otherwise()
      made = made ?? output
      return output.tensors.map(\.symbolicOperand)
    })
  // After a mistake everything is poisoned; calling a branch gives as many poisoned tensors as the caller expects.
  return results.flatMap { made?.replacingTensors($0) } ?? made ?? then()
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
        guard let current = state.replacingTensors(arguments) else { return [] }
        guard region == 0 else {
          let next = body(current).tensors
          widened = zip(types, next).map { $0.united(with: $1.type) ?? $0 }
          return next.map(\.symbolicOperand)
        }
        let predicate = condition(current)
        return session.check(predicate: predicate, "while_loop", at: site) ? [predicate.symbolicOperand] : []
      })
    if let results { return state.replacingTensors(results) ?? state }
    // The body was traced for sizes that it changes: once more for sizes that are not known.
    types = widened
  }
  return state
}

/// Runs a body over the slices of tensors along their first axis, with a state that goes from turn to turn.
///
/// ```swift
/// let (total, sums) = scan(zero, over: x) { total, row in (total + row, total + row) }
/// ```
///
/// The body may use any tensor of the trace. The state keeps its element types; sizes that change from turn to turn become
/// unknown.
/// - Parameters:
///   - elements: tensors whose first axes are equally long; each turn gets a slice of each, without that axis.
///   - reversed: whether to go from the last slice to the first; outputs stand where their slices do.
/// - Returns: the last state, and the outputs of all turns stacked along a new first axis.
public func scan<State: TensorGroup, Elements: TensorGroup, Output: TensorGroup>(
  _ state: State, over elements: Elements, reversed: Bool = false, fileID: String = #fileID, line: Int = #line,
  body: (State, Elements) -> (State, Output)
) -> (State, Output) {
  let (states, scanned) = (state.tensors, elements.tensors)
  let site = TraceSession.CallSite(file: fileID, line: line)
  guard let session = (scanned.first ?? states.first)?.session else { return body(state, elements) }
  session.move(to: site)
  if let wrong = scanned.first(where: { $0.rank == 0 }) ?? (scanned.isEmpty ? states.first : nil) {
    _ = wrong.mistake("scan", "there must be tensors to go over, with an axis to go along")
  }
  if session.executor != nil { return session.scanEagerly(state, elements, reversed, body) }
  var types = states.map(\.type)
  let sliceTypes = scanned.map { $0.type.withoutFirstAxis }
  var attributes = Attributes()
  attributes[Loop.stateCount] = states.count
  attributes[Scan.inputCount] = scanned.count
  while session.mistake == nil {
    var widened = types
    var made: Output?
    let results = session.callWithRegions(
      .scan, (states + scanned).map(\.symbolicOperand), attributes: attributes, arguments: [types + sliceTypes], at: site,
      resultCount: { counts in
        guard widened == types else { throw RetracedRegions() }
        return counts[0]
      },
      finalAttributes: {
        guard reversed else { return attributes }
        attributes[Scan.inputDirections] = Array(repeating: 1, count: scanned.count)
        attributes[Scan.outputDirections] = Array(repeating: 1, count: made?.tensors.count ?? 0)
        return attributes
      },
      body: { _, arguments in
        guard let current = state.replacingTensors(Array(arguments.prefix(states.count))),
          let slices = elements.replacingTensors(Array(arguments.dropFirst(states.count)))
        else { return [] }
        let (next, output) = body(current, slices)
        made = output
        guard next.tensors.count == states.count else {
          session.fail(
            TraceError(
              .resultCounts("the body's state", next.tensors.count, "the scan's", states.count), op: "scan",
              location: session.location(site)), op: nil, operands: [], at: site)
          return []
        }
        widened = zip(types, next.tensors).map { $0.united(with: $1.type) ?? $0 }
        return (next.tensors + output.tensors).map(\.symbolicOperand)
      })
    if let results, let made {
      let last = state.replacingTensors(Array(results.prefix(states.count))) ?? state
      return (last, made.replacingTensors(Array(results.dropFirst(states.count))) ?? made)
    }
    types = widened
  }
  return (state, body(state, elements).1)
}

/// What a body makes of each slice of tensors along their first axis, stacked along a new first axis.
public func map<Elements: TensorGroup, Output: TensorGroup>(
  over elements: Elements, fileID: String = #fileID, line: Int = #line, body: (Elements) -> Output
) -> Output {
  scan([SymbolicTensor](), over: elements, fileID: fileID, line: line) { ($0, body($1)) }.1
}

extension TraceSession {
  fileprivate func scanEagerly<State: TensorGroup, Elements: TensorGroup, Output: TensorGroup>(
    _ state: State, _ elements: Elements, _ reversed: Bool, _ body: (State, Elements) -> (State, Output)
  ) -> (State, Output) {
    let scanned = elements.tensors
    let count = scanned.first?.dimension(0).size ?? 0
    guard mistake == nil, count > 0, scanned.allSatisfy({ $0.dimension(0).size == count }) else {
      if let first = scanned.first {
        _ = first.mistake(
          "scan", "first axes must be equally long, and not empty in an eager run", operands: Array(scanned.dropFirst()))
      }
      return body(state, elements)
    }
    var (current, outputs): (State, [Output]) = (state, [])
    for turn in 0..<count {
      let position = reversed ? count - 1 - turn : turn
      let slices = elements.replacingTensors(scanned.map { $0.apply(.gather, [Tensor(position)]) }) ?? elements
      let (next, output) = body(current, slices)
      current = next
      outputs.append(output)
    }
    if reversed { outputs.reverse() }
    var attributes = Attributes()
    attributes[Concat.axis] = 0
    let stacked = outputs[0].tensors.indices.map { index in
      let parts = outputs.map { $0.tensors[index].apply(.unsqueeze, [Tensor(vector: [0])]) }
      return parts[0].apply(.concat, Array(parts.dropFirst()), attributes: attributes)
    }
    return (current, outputs[0].replacingTensors(stacked) ?? outputs[0])
  }
}

extension ValueType {
  /// The type of a slice along the first axis.
  fileprivate var withoutFirstAxis: ValueType {
    guard let elementType else { return self }
    return .tensor(elementType, shape.map { Shape(Array($0.dropFirst())) })
  }
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
