import FXCore

extension ShapeRules {
  mutating func addSignal() {
    self[.dft] = ShapeRules.dft
    self[.stft] = ShapeRules.stft
    set([.hannWindow, .hammingWindow, .blackmanWindow]) { (context) throws(ShapeError) in
      let size = try context.scalarSize(0) ?? context.dataDependentDimension()
      return [.tensor(context[SignalWindow.outputType], [size])]
    }
    self[.melWeightMatrix] = { (context) throws(ShapeError) in
      let bins = try context.scalarSize(0) ?? context.dataDependentDimension()
      let rows = try context.scalarSize(1).map { $0 / 2 + 1 } ?? context.dataDependentDimension()
      return [.tensor(context[SignalWindow.outputType], [rows, bins])]
    }
  }

  @Sendable private static func dft(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard var shape = try context.shape(0, minimumRank: 2) else { return [try context.tensor(nil, like: 0)] }
    var axis = shape.rank - 2
    if context.has(2) {
      guard let named = context.integers(2)?.first else {
        // Whatever the axis is, a transform of full length changes no other size than the last.
        let keepsSizes = !context.has(1) && !context[DFT.onesided]
        var open = keepsSizes ? shape : context.openShape(rank: shape.rank) ?? shape
        open[shape.rank - 1] = context[DFT.inverse] && context[DFT.onesided] ? 1 : 2
        return [try context.tensor(open, like: 0)]
      }
      axis = try normalizedAxis(named, rank: shape.rank)
    }
    guard axis < shape.rank - 1 else { throw .axis(axis, rank: shape.rank - 1) }
    let (isInverse, isOnesided) = (context[DFT.inverse], context[DFT.onesided])
    var length = isInverse && isOnesided ? (shape[axis] - 1) * 2 : shape[axis]
    if context.has(1) { length = try context.scalarSize(1) ?? context.dataDependentDimension() }
    shape[axis] = isOnesided && !isInverse ? length / 2 + 1 : length
    shape[shape.rank - 1] = isOnesided && isInverse ? 1 : 2
    return [try context.tensor(shape, like: 0)]
  }

  @Sendable private static func stft(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard let signal = try context.shape(0, rank: 3) else { return [try context.tensor(context.openShape(rank: 4), like: 0)] }
    var length = signal[1]
    if context.has(2), let window = try context.shape(2, rank: 1) { length = window[0] }
    if context.has(3), let size = try context.scalarSize(3) { length = size }
    if context.has(3), context.contents(3) == nil, !context.has(2) { length = context.dataDependentDimension() }
    let bins = context[STFT.onesided] ? length / 2 + 1 : length
    guard let step = try context.scalarSize(1) else {
      return [try context.tensor([signal[0], context.dataDependentDimension(), bins, 2], like: 0)]
    }
    guard step.size != 0 else { throw .invalid("the step is 0") }
    let frames = (signal[1] - length) / step + 1
    if let frames = frames.size, frames < 1 { throw .invalid("a frame of \(length) does not fit a signal of \(signal[1])") }
    return [try context.tensor([signal[0], frames, bins, 2], like: 0)]
  }
}

extension InferenceContext {
  /// The size that a scalar operand holds; `nil` if it is open.
  fileprivate func scalarSize(_ index: Int) throws(ShapeError) -> Dimension? {
    guard let size = contents(index)?.first, !size.isUnknown else { return nil }
    if let number = size.size, number < 0 { throw .invalid("operand \(index) is the negative size \(number)") }
    return size
  }
}
