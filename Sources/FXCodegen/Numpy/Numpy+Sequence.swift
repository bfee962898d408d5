import FXCore

/// Sequences are lists; an optional that is absent is `None`.
extension NumpyRows {
  mutating func addSequence() {
    define(.sequenceConstruct) { "[\($0.operands.joined(separator: ", "))]" }
    define(.sequenceEmpty) { _ in "[]" }
    define(.sequenceAt) { "\($0.primary(0))[\($0.integer(1))]" }
    define(.sequenceLength) { "np.int64(len(\($0[0])))" }
    define(.sequenceInsert) { call in
      guard call.has(2) else { return "[*\(call[0]), \(call[1])]" }
      let place = call.integer(2)
      return "[*\(call.primary(0))[:\(place)], \(call[1]), *\(call.primary(0))[\(place):]]"
    }
    define(.sequenceErase) { call in
      guard call.has(1) else { return "\(call.primary(0))[:-1]" }
      return "[x for i, x in enumerate(\(call[0])) if i != \(call.integer(1)) % len(\(call[0]))]"
    }
    define(.concatFromSequence) { call in
      "\(call[ConcatFromSequence.newAxis] ? "np.stack" : "np.concatenate")(\(call[0]), axis=\(call[ConcatFromSequence.axis]))"
    }
    define(.optional) { $0.has(0) ? $0[0] : "None" }
    define(.optionalGetElement) { $0[0] }
    define(.optionalHasElement) { $0.has(0) ? "np.bool_(\($0[0]) is not None)" : "np.bool_(False)" }
  }
}
