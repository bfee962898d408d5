import FXCore

extension Decompositions {
  mutating func addConvolution() {
    self[.causalConvWithState] = { context in
      let (x, weight) = (try context.term(0), try context.term(1))
      let (sizes, length) = (try x.sizes(rank: 3), try weight.size(2) - 1)
      let past = try context.optionalTerm(3) ?? x.builder.zeros([sizes[0], sizes[1], length], x.elementType)
      let padded = try concat([past, x], axis: 2)
      var y: Term
      if let channels = sizes[1].size {
        y = try padded.call(.conv, [weight.operand, context.operand(2)], [Conv.group.name: .int(channels)])
      } else {
        // A convolution has a fixed number of groups: here the windows are products with the weights.
        let places = try x.builder.range(sizes[2]).unsqueezed([1]) + x.builder.range(length + 1)
        y = try (padded.widened().gathered(places, axis: 2) * weight.widened()).sum([3], keepDims: false)
        if let bias = try context.optionalTerm(2) { y = try y + bias.widened().unsqueezed([1]) }
      }
      if context[CausalConvWithState.activation] != "none" { y = try silu(y.widened()) }
      return context.results(try y.cast(to: x.elementType), try padded.sliced(2, from: padded.size(2) - length))
    }
    define(.col2im) { context in try context.col2im() }
  }
}

extension DecompositionContext {
  /// Columns of blocks added up at their places in the padded image, whose border then goes.
  fileprivate func col2im() throws -> Term {
    let (x, image, block) = (try term(0), try term(1), try term(2))
    guard let rank = image.dimension(0), rank > 0 else {
      throw DecompositionDeclined(reason: "the number of spatial axes is not known")
    }
    let (strides, dilations, pads) = try spatialAttributes(rank: rank)
    let builder = x.builder
    let kernel = try (0..<rank).map(block.element)
    let sizes = try (0..<rank).map { try image.element($0) + .size(pads[$0] + pads[rank + $0]) }
    // For each tap and each block the element of the padded image, counted through.
    var places = builder.vector([0])
    for axis in 0..<rank {
      let reach = try (kernel[axis] - 1) * .size(dilations[axis])
      let count = try (sizes[axis] - reach - 1) / .size(strides[axis]) + 1
      let taps = try builder.range(kernel[axis]).alongAxis(axis, of: 2 * rank) * .int(Int64(dilations[axis]))
      let starts = try builder.range(count).alongAxis(rank + axis, of: 2 * rank) * .int(Int64(strides[axis]))
      places = try places * builder.term(sizes[axis]) + (taps + starts)
    }
    let taps = try kernel.product()
    let (batch, channels) = (try x.size(0), try x.size(1) / taps)
    let rows = try batch * channels
    let elements = try x.reshaped([rows, taps * x.size(2)])
    let index = try places.reshaped([1, taps * x.size(2)]).expanded(elements.sizes)
    var y = try builder.zeros([rows, sizes.product()], x.elementType)
      .scatteredElements(index, elements, axis: 1, reduction: "add").reshaped([batch, channels] + sizes)
    for axis in 0..<rank where pads[axis] > 0 || pads[rank + axis] > 0 {
      y = try y.sliced(2 + axis, from: .size(pads[axis]), to: sizes[axis] - .size(pads[rank + axis]))
    }
    return y
  }
}
