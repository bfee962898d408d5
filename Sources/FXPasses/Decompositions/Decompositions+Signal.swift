import FXCore

/// Source of the formulas: the definitions of the ONNX operators of the same names. They are computed in `float64`, since
/// what should cancel to 0 does not in narrower types.
extension Decompositions {
  mutating func addSignal() {
    window(.hannWindow) { angle in
      let sine = try sin(angle * .float(.pi))
      return try sine * sine
    }
    window(.hammingWindow) { angle in try Literal.float(25.0 / 46) - cos(angle * .float(2 * .pi)) * .float(21.0 / 46) }
    window(.blackmanWindow) { angle in
      try Literal.float(0.42) - cos(angle * .float(2 * .pi)) * 0.5 + cos(angle * .float(4 * .pi)) * 0.08
    }
    define(.melWeightMatrix) { context in try context.melWeights() }
    define(.dft) { context in
      let (x, operand) = (try context.term(0), try context.optionalTerm(2))
      let rank = try x.rank
      let given = context.operand(1).isNone ? nil : try context.term(1).asExtent()
      let (isInverse, isOnesided) = (context[DFT.inverse], context[DFT.onesided])
      let axis = try operand.map { try $0.asExtent() } ?? .size(-2)
      let signal = try Signal(x, axis: axis.size.map { .size($0 < 0 ? $0 + rank : $0) } ?? axis)
      let length = try given ?? (isInverse && isOnesided ? Extent.maximum(signal.length - 1, 0) * 2 : signal.length)
      return try signal.transformed(length, isInverse: isInverse, isOnesided: isOnesided)
    }
    define(.stft) { context in
      let (x, window) = (try context.term(0), try context.optionalTerm(2))
      let step = try context.term(1).asExtent()
      let length = try context.optionalTerm(3)?.asExtent() ?? window?.size(0) ?? x.size(1)
      let count = try (x.size(1) - length) / step + 1
      let builder = x.builder
      let starts = try (builder.range(count) * builder.term(step)).unsqueezed([1])
      var frames = try x.cast(to: .float64).gathered(starts + builder.range(length), axis: 1)
      if let window { frames = try frames * window.cast(to: .float64).unsqueezed([1]) }
      return try Signal(frames, axis: 2).transformed(length, isInverse: false, isOnesided: context[STFT.onesided])
        .cast(to: x.elementType)
    }
  }

  /// A window from a function of the part of it that has passed.
  private mutating func window(_ op: Operator, _ function: @escaping @Sendable (Term) throws -> Term) {
    define(op) { context in
      let size = try context.term(0).asExtent()
      let builder = context.builder
      let period = try context[SignalWindow.periodic] ? size : .maximum(size - 1, 1)
      let passed = try builder.range(size).cast(to: .float64) / builder.term(period).cast(to: .float64)
      return try function(passed).cast(to: context[SignalWindow.outputType])
    }
  }
}

/// A tensor [outer, length, inner, 1 or 2] of numbers along one axis of another tensor.
private struct Signal {
  private let source: Term
  private let axis: Extent
  private let elements: Term
  private let isComplex: Bool
  let length: Extent

  /// - Parameter axis: counted from the front, or from the end if only the run knows it.
  init(_ x: Term, axis: Extent) throws {
    let rank = try x.rank
    guard rank >= 2 else { throw DecompositionDeclined(reason: "a signal has two axes") }
    let parts = try x.size(rank - 1)
    // What may be complex is taken as complex.
    isComplex = parts.size != 1
    source = x
    let (outer, inner): (Extent, Extent)
    if let place = axis.size {
      guard (0..<rank - 1).contains(place) else { throw DecompositionDeclined(reason: "there is no axis \(place) of \(rank)") }
      self.axis = axis
      length = try x.size(place)
      (outer, inner) = (try x.count(0..<place), try x.count(place + 1..<rank - 1))
    } else {
      let builder = x.builder
      let place = try mod(builder.term(axis + .size(rank)), builder.vector([rank]))
      let (sizes, axes) = (try x.call(.shape), try builder.range(.size(rank)))
      func product(_ isMeant: Term) throws -> Extent {
        .term(try select(isMeant, sizes, 1).call(.reduceProd, [builder.vector([0]).operand]))
      }
      self.axis = .term(place)
      length = .term(try sizes.gathered(place, axis: 0))
      outer = try product(axes .< place)
      inner = try product((axes .> place) .& (axes .< .int(Int64(rank - 1))))
    }
    let elements = try x.cast(to: .float64).reshaped([outer, length, inner, parts])
    self.elements = isComplex ? try elements.padded(3, before: 0, after: 2 - parts) : elements
  }

  /// The discrete Fourier transform by a matrix of cosines and one of sines.
  func transformed(_ length: Extent, isInverse: Bool, isOnesided: Bool) throws -> Term {
    let builder = source.builder
    let mirrors = isOnesided && isInverse
    var signal = try elements.sliced(1, from: 0, to: length)
      .padded(1, before: 0, after: Extent.maximum(length - self.length, 0))
    var imaginary = isComplex ? try signal.gathered(1, axis: 3) : nil
    let places = try builder.range(length)
    if mirrors {
      // What the other half of a one-sided spectrum would be mirrors the first.
      let half = builder.term(try length / 2)
      let isMirrored = try places .> half
      let sources = try select(isMirrored, builder.term(length) - places, places)
      signal = try signal.gathered(sources, axis: 1)
      imaginary = try imaginary.map { part in
        let mirrored = try part.gathered(sources, axis: 1)
        return try select(isMirrored.unsqueezed([1]), -mirrored, mirrored)
      }
    }
    let real = try signal.gathered(0, axis: 3)
    let bins = isOnesided && !isInverse ? try length / 2 + 1 : length
    let turns = try mod(builder.range(bins).unsqueezed([1]) * places, builder.term(length))
    let turn = try builder.term(length).cast(to: .float64)
    let angles = try turns.cast(to: .float64) * .float(isInverse ? 2 * .pi : -2 * .pi) / turn
    // Quarters of a turn are exact, so that what cancels there is 0.
    let quarters = try turns * 4
    let full = builder.term(length)
    let cosines = try select(mod(quarters, full * 2) .== full, 0, cos(angles))
    let sines = try select(mod(quarters, full * 2) .== 0, 0, sin(angles))
    var re = try matmul(cosines, real)
    var im = try matmul(sines, real)
    if let imaginary {
      re = try re - matmul(sines, imaginary)
      im = try im + matmul(cosines, imaginary)
    }
    let both = try stack(mirrors ? [re] : [re, im], axis: 3)
    let result = try isInverse ? both / turn : both
    return try result.cast(to: source.elementType).reshaped(shape(bins, parts: mirrors ? 1 : 2))
  }

  /// The source's shape with another length and another number of parts.
  private func shape(_ length: Extent, parts: Int) throws -> [Extent] {
    let rank = try source.rank
    if let place = axis.size {
      var sizes = try source.sizes
      (sizes[place], sizes[rank - 1]) = (length, .size(parts))
      return sizes
    }
    let builder = source.builder
    let axes = try builder.range(.size(rank))
    let known = try select(axes .== builder.term(axis), builder.term(length), source.call(.shape))
    let all = try select(axes .== .int(Int64(rank - 1)), .int(Int64(parts)), known)
    return try (0..<rank).map(all.element)
  }
}

extension DecompositionContext {
  /// Triangles between bounds that are equidistant on the mel scale 2595 log₁₀(1 + f ÷ 700).
  fileprivate func melWeights() throws -> Term {
    func number(_ index: Int) throws -> Term { try term(index).cast(to: .float64).reshaped([]) }
    func mel(_ hertz: Term) throws -> Term { try log(hertz / 700 + 1) * .float(2595 / 2.302585092994046) }
    let (bins, length) = (try term(0).asExtent(), try term(1).asExtent())
    let low = try mel(number(3))
    let step = try (mel(number(4)) - low) / builder.term(bins + 2).cast(to: .float64)
    let mels = try builder.range(bins + 2).cast(to: .float64) * step + low
    let hertz = try (exp(mels * .float(2.302585092994046 / 2595)) - 1) * 700
    let bounds = try floor((number(1) + 1) * hertz / number(2)).unsqueezed([0])
    func bound(_ first: Extent) throws -> Term { try bounds.sliced(1, from: first, to: first + bins) }
    let (left, center, right) = (try bound(0), try bound(1), try bound(2))
    let rows = try builder.range(length / 2 + 1).cast(to: .float64).unsqueezed([1])
    let rising = try select((rows .>= left) .& (rows .< center), (rows - left) / (center - left), 0)
    let falling = try select((rows .> center) .& (rows .< right), (right - rows) / (right - center), 0)
    return try select(rows .== center, 1, rising + falling).cast(to: self[SignalWindow.outputType])
  }
}
