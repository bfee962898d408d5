import FXCore

extension NumpyRows {
  mutating func addIndexing() {
    define(.gather) { call in
      if call.site.rank(1) == 0, call[Gather.axis] == 0, let index = call.site.integers(1)?.first {
        return "\(call.primary(0))[\(index)]"
      }
      return "np.take(\(call[0]), \(call[1]), axis=\(call[Gather.axis]))"
    }
    define(.gatherElements) { "\($0.use(.gatherElements))(\($0[0]), \($0[1]), \($0[GatherElements.axis]))" }
    define(.gatherND) { call in
      let batch = call[GatherND.batchDims]
      return "\(call.use(.gatherND))(\(call[0]), \(call[1])" + (batch == 0 ? ")" : ", batch_dims=\(batch))")
    }
    define(.scatterElements) { call in
      "\(call.use(.scatterElements))(\(call[0]), \(call[1]), \(call[2]), \(call[ScatterElements.axis])\(call.reduction))"
    }
    define(.scatterND) { "\($0.use(.scatterND))(\($0[0]), \($0[1]), \($0[2])\($0.reduction))" }
    define(.nonzero) { call in
      if call.site.rank(0) == 0 { return "np.zeros((0, int(\(call[0]) != 0)), dtype=np.int64)" }
      return "np.stack(np.nonzero(\(call[0])))"
    }
    self[.topK] = { call in
      let largest = call[TopK.largest] ? "" : ", largest=False"
      return .all("\(call.use(.topK))(\(call[0]), \(call.integer(1)), \(call[TopK.axis])\(largest))")
    }
    define(.range) { call in
      let type = call.site.elementType(0)
      let limits = (0..<3).map { call.number($0) }
      let arguments =
        limits[2] == "1" ? limits[0] == "0" ? limits[1] : "\(limits[0]), \(limits[1])" : limits.joined(separator: ", ")
      if type == .float16 { return "np.arange(\(arguments), dtype=np.float32).astype(np.float16)" }
      return "np.arange(\(arguments), dtype=\(call.resultType() ?? "None"))"
    }
    define(.constantOfShape) { call in
      let type = call.resultType() ?? "np.float32"
      let value = call[ConstantOfShape.value]
      let number = try value.flatMap { value -> String? in
        guard value.elementCount == 1, let scalar = try? value.reshaped([]) else { return nil }
        return try NumpyDialect.inline(scalar)
      }
      if value != nil, number == nil { throw NotExpressible("the value is no number") }
      if number == nil || value.flatMap({ try? $0.numbers().doubles.first }) == 0 {
        return "np.zeros(\(call.tuple(0)), dtype=\(type))"
      }
      return "np.full(\(call.tuple(0)), \(number ?? "0"))"
    }
    self[.unique] = { call in
      guard call[Unique.sorted] else { throw NotExpressible("NumPy has no order of first occurrence") }
      let axis = call[Unique.axis].map { ", axis=\($0)" } ?? ""
      let count = call.site.node.results.count
      if count == 1 { return .expression("np.unique(\(call[0])\(axis))") }
      let flags = ["return_index", "return_inverse", "return_counts"].map { "\($0)=True" }.joined(separator: ", ")
      let all = "np.unique(\(call[0])\(axis), \(flags))"
      return .all(count == 4 ? all : "\(all)[:\(count)]")
    }
  }
}

extension NumpyCall {
  fileprivate var reduction: String {
    self[ScatterND.reduction] == "none" ? "" : ", reduction=\"\(self[ScatterND.reduction])\""
  }

  /// A scalar operand as a plain number if it is known.
  fileprivate func number(_ index: Int) -> String {
    if let integer = site.integers(index)?.first { return "\(integer)" }
    if let number = site.number(index) { return NumpyTypes.number(number, site.elementType(index) ?? .float32) }
    return site.rank(index) == 0 ? self[index] : "\(primary(index)).item()"
  }
}
