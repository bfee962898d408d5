import FXCore

/// Checks that many rules share.
extension InferenceContext {
  /// Applies a rule to operands whose element types fit the schema.
  mutating func apply(_ rule: ShapeRule) -> Result<[ValueType], ShapeError> {
    Result { () throws(ShapeError) in
      try checked(by: node.op.schema).get()
      return try rule(&self)
    }
  }

  /// Whether the operands' element types fit the schema.
  func checked(by schema: OperatorSchema?) -> Result<Void, ShapeError> {
    switch schema?.mismatch(of: operandTypes.map { $0?.elementType }) {
    case nil: .success(())
    case .notAllowed(let operand, let allowed, let actual):
      .failure(.elementType(operand: operand, allowed: allowed, actual: actual))
    case .differ(_, let expected, let actual): .failure(.elementTypesDiffer(expected, actual))
    }
  }

  /// The one size of two dimensions that must be equal: the more specific of both.
  /// - Throws: `ShapeError.dimensionsDiffer` if they are fixed and differ.
  static func same(_ what: String, _ a: Dimension, _ other: String, _ b: Dimension) throws(ShapeError) -> Dimension {
    if a.size != nil, b.size != nil, a != b { throw .dimensionsDiffer(what, a, other, b) }
    return a.size != nil ? a : b.size != nil || a.isUnknown ? b : a
  }

  /// Checks that an operand, if it is there, broadcasts to a shape without widening it.
  /// - Throws: `ShapeError.notBroadcastable`.
  func checkBroadcasts(_ index: Int, to shape: Shape?) throws(ShapeError) {
    guard has(index), let operand = try self.shape(index), let shape else { return }
    guard operand.rank <= shape.rank else { throw .notBroadcastable(operand, shape) }
    for (a, b) in zip(operand.reversed(), shape.reversed()) {
      guard let size = a.size, size != 1, let wanted = b.size else { continue }
      if size != wanted { throw .notBroadcastable(operand, shape) }
    }
  }

  /// Checks that an operand, if it is there, is a vector of a given length.
  /// - Throws: `ShapeError.rank`, `.dimensionsDiffer`.
  func checkVector(_ index: Int, _ length: Dimension, _ what: String) throws(ShapeError) {
    guard has(index), let shape = try shape(index, rank: 1) else { return }
    _ = try InferenceContext.same("the length of operand \(index)", shape[0], what, length)
  }

  /// The type of operand `index` with another element type.
  func type(_ index: Int, holding element: ElementType) throws(ShapeError) -> ValueType {
    .tensor(element, try shape(index))
  }
}
