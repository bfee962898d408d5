import FXCore

extension NumpyRows {
  mutating func addReduction() {
    reduce(.reduceSum) { "np.sum(\($0), \($1)\($2.sumType))" }
    reduce(.reduceProd) { "np.prod(\($0), \($1)\($2.sumType))" }
    reduce(.reduceMean) { x, how, call in
      guard call.isInteger(0) else { return "np.mean(\(x), \(how)\(call.sumType))" }
      let divide = call.use(.truncatedDivide)
      let count = "\(x.isPrimary ? x : "(\(x))").size // np.sum(\(x), \(how)).size"
      return "\(divide)(np.sum(\(x), \(how)\(call.sumType)), \(call.resultType() ?? "np.int64")(\(count)))"
    }
    reduce(.reduceMax) { "np.max(\($0), \($1)\($2.initial(least: true)))" }
    reduce(.reduceMin) { "np.min(\($0), \($1)\($2.initial(least: false)))" }
    arg(.argmax, "np.argmax")
    arg(.argmin, "np.argmin")
    cumulative(.cumsum, "np.cumsum")
    cumulative(.cumprod, "np.cumprod")
  }

  private mutating func reduce(
    _ op: Operator, _ expression: @escaping @Sendable (String, _ how: String, inout NumpyCall) -> String
  ) {
    define(op) { call in
      guard let axes = call.reducedAxes else { return call[0] }
      let how = "axis=\(axes)" + (call[Reduce.keepDims] ? ", keepdims=True" : "")
      let x = expression(call[0], how, &call)
      return call.isHalf && (op == .reduceSum || op == .reduceProd || op == .reduceMean) ? "\(x).astype(np.float16)" : x
    }
  }

  private mutating func arg(_ op: Operator, _ function: String) {
    define(op) { call in
      let how = "axis=\(call[ArgReduce.axis])" + (call[ArgReduce.keepDims] ? ", keepdims=True" : "")
      guard call[ArgReduce.selectLastIndex] else { return "\(function)(\(call[0]), \(how))" }
      let axis = call[ArgReduce.axis]
      return "\(call.primary(0)).shape[\(axis)] - 1 - \(function)(np.flip(\(call[0]), \(axis)), \(how))"
    }
  }

  private mutating func cumulative(_ op: Operator, _ function: String) {
    define(op) { call in
      let axis = call.integer(1)
      guard call[Cumulative.exclusive] || call[Cumulative.reverse] else {
        return "\(function)(\(call[0]), axis=\(axis)" + (call.isInteger(0) ? ", dtype=\(call.resultType() ?? "None"))" : ")")
      }
      let flags = (call[Cumulative.exclusive] ? ", exclusive=True" : "") + (call[Cumulative.reverse] ? ", reverse=True" : "")
      return "\(call.use(.cumulative))(\(function), \(call[0]), \(axis)\(flags))"
    }
  }
}

extension NumpyCall {
  /// The axes of a reduction as an argument; `nil` if nothing is reduced.
  fileprivate var reducedAxes: String? {
    let none = self[Reduce.noopWithEmptyAxes] ? nil : "None"
    guard has(1) else { return none }
    if let axes = site.integers(1) {
      return axes.isEmpty ? none : axes.count == 1 ? "\(axes[0])" : NumpyCall.tuple(axes)
    }
    return none == nil ? "tuple(\(self[1]))" : "tuple(\(self[1])) or None"
  }

  /// Sums of small integers stay in their type, those of half-precision numbers are computed in single precision.
  fileprivate var sumType: String {
    guard let type = site.elementType(0) else { return "" }
    if type == .float16 { return ", dtype=np.float32" }
    return type.isInteger && type.bitWidth < 64 ? ", dtype=\(NumpyTypes.name(type))" : ""
  }

  /// The result for no elements, where there may be none.
  fileprivate func initial(least: Bool) -> String {
    if let shape = site.shape(0) {
      let axes = site.integers(1).map { $0.isEmpty ? Array(shape.indices) : $0.map { $0 < 0 ? $0 + shape.rank : $0 } }
      let reduced = (has(1) ? axes : Array(shape.indices))?.compactMap { shape.indices.contains($0) ? shape[$0].size : nil }
      if let reduced, reduced.count == (axes ?? Array(shape.indices)).count, !reduced.contains(0) { return "" }
    }
    guard let type = site.elementType(0) else { return "" }
    if type == .bool { return ", initial=\(NumpyCall.truth(!least))" }
    if type.isInteger { return ", initial=np.iinfo(\(NumpyTypes.name(type))).\(least ? "min" : "max")" }
    return ", initial=\(least ? "-" : "")np.inf"
  }
}
