import FXCore

extension NumpyRows {
  mutating func addPooling() {
    self[.maxPool] = { call in
      let arguments = try call.poolArguments()
      guard call.site.node.results.count > 1 else { return .expression("\(call.use(.maxPool))(\(arguments))") }
      let order = call[MaxPool.storageOrder] == 1 ? ", column_major=True" : ""
      return .all("\(call.use(.maxPoolIndices))(\(arguments)\(order))")
    }
    define(.averagePool) { call in
      let counts = call[AveragePool.countIncludePad] ? ", count_include_pad=True" : ""
      let arguments = try call.poolArguments()
      return "\(call.use(.averagePool))(\(arguments)\(counts))"
    }
  }
}

extension NumpyCall {
  fileprivate mutating func poolArguments() throws -> String {
    let kernel = self[MaxPool.kernelShape]
    let (strides, dilations) = try window(rank: kernel.count, kernel: kernel)
    let size = NumpyCall.tuple(kernel)
    let pads = try pads(kernel: kernel, kernelText: size, strides: strides, dilations: dilations)
    // Rounding up means nothing where the padding follows from the sizes.
    let rounds = self[MaxPool.ceilMode] && self[Conv.autoPad] == "NOTSET" ? ", ceil_mode=True" : ""
    return
      "\(self[0]), \(size), strides=\(NumpyCall.tuple(strides)), pads=\(pads), dilations=\(NumpyCall.tuple(dilations))\(rounds)"
  }
}
