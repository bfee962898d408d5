import FXCore

/// Where two outputs that should agree do not.
public struct OutputMismatch: Sendable, Equatable {
  /// The output's name.
  public internal(set) var output = ""
  /// What differs, in words: types, counts, keys, or the first element that is too far off.
  public internal(set) var reason: String
}

extension OutputMismatch: CustomStringConvertible {
  public var description: String { output.isEmpty ? reason : "output '\(output)': \(reason)" }
}

/// Compares what a graph computes before and after a pass, as strictly as the pass's contract says.
///
/// Integers, strings and Booleans must be equal. Floating-point elements, and the real and imaginary parts of complex ones, may
/// deviate by a share of the largest finite magnitude of their tensor; infinities must be equal, and NaN stands for NaN.
public struct OutputComparison: Sendable {
  /// What the pass promises; `tolerance(for:)` follows from it.
  public let contract: NumericContract

  /// A comparison as strict as a contract.
  public init(_ contract: NumericContract) { self.contract = contract }

  /// Whether two values agree.
  public enum Verdict: Sendable, Equatable {
    /// The largest deviation, relative to the largest magnitude of its tensor.
    case agree(Double)
    /// The values differ; the mismatch names no output, which the caller knows.
    case differ(OutputMismatch)
  }

  /// The share of a tensor's largest magnitude by which its elements may deviate.
  ///
  /// Regrouped arithmetic deviates by some hundred units in the last place where sums are long or layers many; the
  /// narrower a type, the fewer of its digits that may cost.
  public func tolerance(for type: ElementType) -> Double {
    switch contract {
    case .exact: 0
    case .approximates(let bound): bound
    case .reassociates:
      switch type {
      case .float64, .complex128: 1e-10
      case .float32, .complex64: 1e-4
      case .float16: 2e-2
      case .bfloat16: 5e-2
      default: 0.25
      }
    }
  }

  /// Compares two values, element by element. Elements of sequences and maps are compared as values of their own.
  public func compare(_ before: RuntimeValue, _ after: RuntimeValue) -> Verdict {
    switch (before, after) {
    case (.tensor(let a), .tensor(let b)): return compare(a, b)
    case (.sequence(let a, _), .sequence(let b, _)): return compare(a, b)
    case (.optional(nil, _), .optional(nil, _)): return .agree(0)
    case (.optional(let a?, _), .optional(let b?, _)): return compare(a, b)
    case (.map(let keys, let a), .map(let others, let b)):
      return keys == others ? compare(a, b) : .differ(OutputMismatch(reason: "the keys of a map differ"))
    default: return .differ(OutputMismatch(reason: "\(before.type) became \(after.type)"))
    }
  }

  private func compare(_ before: [RuntimeValue], _ after: [RuntimeValue]) -> Verdict {
    guard before.count == after.count else {
      return .differ(OutputMismatch(reason: "\(before.count) elements became \(after.count)"))
    }
    var worst = 0.0
    for (a, b) in zip(before, after) {
      switch compare(a, b) {
      case .agree(let deviation): worst = max(worst, deviation)
      case .differ(let mismatch): return .differ(mismatch)
      }
    }
    return .agree(worst)
  }

  private func compare(_ before: Tensor, _ after: Tensor) -> Verdict {
    guard before.elementType == after.elementType, before.shape == after.shape else {
      return .differ(OutputMismatch(reason: "\(before.type) became \(after.type)"))
    }
    if before == after { return .agree(0) }
    guard before.elementType.isFloatingPoint || before.elementType.isComplex, let a = before.components,
      let b = after.components
    else {
      return .differ(OutputMismatch(reason: firstDifference(before, after)))
    }
    let scale = a.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
    let allowed = tolerance(for: before.elementType) * scale
    var worst = 0.0
    for index in a.indices where a[index].bitPattern != b[index].bitPattern {
      let (x, y) = (a[index], b[index])
      if x.isNaN && y.isNaN { continue }
      let difference = x == y ? 0 : (x - y).magnitude
      // Written so that NaN fails; 0 and −0 differ in bits and are told apart by an exact contract only.
      guard difference <= allowed, contract != .exact else {
        let isComplex = a.count > before.elementCount
        let place = isComplex ? "the \(index % 2 == 0 ? "real" : "imaginary") part of element \(index / 2)" : "element \(index)"
        return .differ(OutputMismatch(reason: "\(place) is \(y), was \(x); \(difference) off, \(allowed) allowed"))
      }
      worst = max(worst, difference)
    }
    return .agree(scale > 0 ? worst / scale : worst)
  }

  private func firstDifference(_ before: Tensor, _ after: Tensor) -> String {
    if let a = before.strings, let b = after.strings, let index = a.indices.first(where: { a[$0] != b[$0] }) {
      return "element \(index) is '\(b[index])', was '\(a[index])'"
    }
    guard let a = try? before.numbers().doubles, let b = try? after.numbers().doubles,
      let index = a.indices.first(where: { a[$0] != b[$0] })
    else { return "the elements differ" }
    return "element \(index) is \(b[index]), was \(a[index])"
  }
}

extension Tensor {
  /// The elements as doubles, of complex numbers real and imaginary parts in turn; `nil` for strings.
  package var components: [Double]? {
    let part: ElementType
    switch elementType {
    case .complex64: part = .float32
    case .complex128: part = .float64
    default: return try? numbers().doubles
    }
    return try? withUnsafeBytes { try Tensor(part, shape + [2], bytes: $0) }.numbers().doubles
  }
}
