import FXCore

/// How functions call operators.
extension SymbolicTensor {
  /// Calls an operator with this tensor first and returns its first result.
  func apply(
    _ op: Operator, _ others: [(any SymbolicOperand)?], attributes: Attributes = [:], _ fileID: String, _ line: Int
  ) -> SymbolicTensor {
    apply(op, others, attributes: attributes, at: .init(file: fileID, line: line))
  }

  func apply(_ op: Operator, attributes: Attributes = [:], _ fileID: String, _ line: Int) -> SymbolicTensor {
    apply(op, attributes: attributes, at: .init(file: fileID, line: line))
  }

  /// - Parameter site: `nil` inside functions made of several calls: the line that `at` was told is reported.
  func apply(
    _ op: Operator, _ others: [(any SymbolicOperand)?] = [], attributes: Attributes = [:],
    at site: TraceSession.CallSite? = nil
  ) -> SymbolicTensor {
    applyAll(op, others, attributes: attributes, resultCount: nil, at: site)[0]
  }

  /// Calls an operator for several results.
  func applyAll(
    _ op: Operator, _ others: [(any SymbolicOperand)?] = [], attributes: Attributes = [:], resultCount: Int?,
    at site: TraceSession.CallSite? = nil
  ) -> [SymbolicTensor] {
    let operands = others.map { $0?.symbolicOperand ?? SymbolicOperandKind.none }
    return session.call(op, [symbolicOperand] + operands, attributes: attributes, resultCount: resultCount, at: site)
  }

  /// `a` where this condition holds, else `b`.
  func choose(_ a: any SymbolicOperand, _ b: any SymbolicOperand) -> SymbolicTensor { apply(.where_, [a, b]) }

  /// This tensor, after noting that calls which are not told their line stand at this one.
  func at(_ fileID: String, _ line: Int) -> SymbolicTensor {
    session.move(to: .init(file: fileID, line: line))
    return self
  }

  /// Calls an operator where the module being called was called: what a layer reports.
  func applyHere(
    _ op: Operator, _ others: [(any SymbolicOperand)?] = [], attributes: Attributes = [:]
  ) -> SymbolicTensor {
    apply(op, others, attributes: attributes, at: session.here)
  }

  /// The line noted last, for library code that calls public functions in the user's name.
  var file: String { session.here?.file ?? "" }
  var line: Int { session.here?.line ?? 0 }

  /// Ends the trace with a mistake of the function `name`, found before any operator was called.
  func mistake(_ name: String, _ reason: String, operands: [SymbolicTensor] = []) -> SymbolicTensor {
    session.fail(
      TraceError(
        .invalid(reason), op: name, operands: ([self] + operands).map(\.type.description), location: session.location(nil)),
      op: nil, operands: [], at: nil)
    return poisoned
  }

  /// What calls return after a mistake.
  var poisoned: SymbolicTensor { SymbolicTensor(session, nil) }

  /// Whether the tensor is [batch, channels, …] with as many more axes, as far as known; a mistake of `name` if not.
  func hasSpatialAxes(_ count: Int, _ name: String, orNone: Bool = false) -> Bool {
    guard let rank, rank != count + 2, !(orNone && rank == 2) else { return operand != nil }
    let batch = rank == count + 1 ? "; unsqueeze(x, axes: [0]) makes a batch of one" : ""
    _ = mistake(
      name, "the rank is \(rank), expected \(count + 2)\(orNone ? " or 2" : ""): batch, channels and \(count) more\(batch)")
    return false
  }

  /// The axis counted from the start; `nil` if the rank is unknown or the axis out of range, which is a mistake.
  func axis(_ axis: Int, in name: String) -> Int? {
    guard operand != nil else { return nil }
    guard let rank else {
      _ = mistake(name, "the rank must be known")
      return nil
    }
    let index = axis < 0 ? rank + axis : axis
    guard index >= 0, index < rank else {
      _ = mistake(name, "axis \(axis) is out of range for rank \(rank)\(rank > 0 ? ": axes are \(-rank)...\(rank - 1)" : "")")
      return nil
    }
    return index
  }
}

extension TraceSession {
  /// The nearest line of the user's.
  var here: CallSite? { modules.last.map { CallSite(file: $0.file, line: $0.line) } }

  /// Notes that the user's code has come to a line.
  func move(to site: CallSite) {
    if let last = modules.indices.last { (modules[last].file, modules[last].line) = (site.file, site.line) }
  }
}
