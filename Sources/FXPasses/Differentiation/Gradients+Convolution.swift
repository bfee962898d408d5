import FXCore
import FXShapes
import FXTrace

// Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning".

extension GradientRules {
  mutating func addConvolution() {
    self[.conv] = .cotangents { context in
      guard let dy = context.cotangent() else { return [] }
      let (x, w) = (context.operand(0), context.operand(1))
      let window = try context.slidingWindow(kernel: context.kernel(of: w), over: x)
      return [
        context.needs(0) ? window.spread(dy, w, like: x) : nil,
        context.needs(1) ? window.correlation(x, dy, like: w) : nil,
        context.needs(2) ? try context.perChannel(dy, like: context.operand(2)) : nil,
      ]
    }
    self[.convTranspose] = .cotangents { context in
      guard let dy = context.cotangent() else { return [] }
      let (x, w) = (context.operand(0), context.operand(1))
      guard context[ConvTranspose.outputShape] == nil, ["NOTSET", "VALID"].contains(context[Conv.autoPad]) else {
        throw context.unsupported("padding that follows from the result's size")
      }
      let window = try context.slidingWindow(kernel: context.kernel(of: w), over: dy)
      return [
        context.needs(0) ? window.gather(dy, w, like: x) : nil,
        context.needs(1) ? window.correlation(dy, x, like: w) : nil,
        context.needs(2) ? try context.perChannel(dy, like: context.operand(2)) : nil,
      ]
    }
  }

  mutating func addPooling() {
    first(.maxPool) { dy, context in
      // Flat positions in the whole tensor, row by row; within an image they are the same for every part of the batch.
      var attributes = context.node.attributes
      attributes[MaxPool.storageOrder] = 0
      let x = context.operand(0)
      let indices = context.sweep.writer.call(.maxPool, [x], attributes: attributes, resultCount: 2)[1]
      func rows(_ tensor: SymbolicTensor) -> SymbolicTensor { tensor.calling(.flatten, attributes: ["axis": 1]) }
      let image: SymbolicTensor
      if let sizes = x.shape.map({ $0.dropFirst().map(\.size) }), !sizes.contains(nil) {
        image = x.lift(Tensor(Int64(sizes.reduce(1) { $0 * ($1 ?? 1) })))
      } else {
        image = x.calling(.shape, attributes: ["start": 1]).calling(.reduceProd, attributes: ["keepdims": .bool(false)])
      }
      let sum = try rows(x).zeros().calling(
        .scatterElements, rows(indices.calling(.mod, image)), rows(dy), attributes: ["axis": 1, "reduction": .string("add")])
      return sum.reshaped(like: x)
    }
    first(.averagePool) { dy, context in
      guard !context[MaxPool.ceilMode] else { throw context.unsupported("windows that are not full") }
      let x = context.operand(0)
      let window = try context.slidingWindow(kernel: context[MaxPool.kernelShape], over: x)
      let element = x.elementType ?? .float32
      let ones = try window.ones(element)
      // Every channel of every image is an image of one channel.
      let single = x.lift(Tensor(vector: [-1, 1]))
      func apart(_ tensor: SymbolicTensor) -> SymbolicTensor {
        tensor.calling(.reshape, single.calling(.concat, tensor.spatialSizes(), attributes: ["axis": .int(0)]))
      }
      var share = apart(dy)
      if context[AveragePool.countIncludePad] {
        share = share / Double(window.kernel.reduce(1, *))
      } else {
        let image = x.lift(Tensor(vector: [1, 1])).calling(.concat, x.spatialSizes(), attributes: ["axis": .int(0)])
        let all = image.calling(.constantOfShape, attributes: ["value": .tensor(try Tensor(element, [1], numbers: .floats([1])))])
        share = share / window.call(.conv, all, ones)
      }
      return window.spread(share, x.lift(ones), like: apart(x)).reshaped(like: x)
    }
    self[.globalAveragePool] = .rewriting { context in
      [context.operand(0).meaned(over: Array(2..<max(2, try context.rank(context.operand(0)))))]
    }
    self[.globalMaxPool] = .rewriting { context in
      let axes = Array(2..<max(2, try context.rank(context.operand(0))))
      return [context.operand(0).calling(.reduceMax, Tensor(vector: axes), attributes: ["keepdims": .bool(true)])]
    }
  }
}

/// The window of a convolution or pooling with fixed padding, and the three products that it makes of two of image, weights
/// and result.
private struct SlidingWindow {
  let kernel: [Int]
  let strides: [Int]
  let dilations: [Int]
  let starts: [Int]
  let ends: [Int]
  let group: Int

  private var rank: Int { kernel.count }
  private var axes: [Int] { Array(2..<2 + rank) }

  /// A window of ones for one channel.
  func ones(_ element: ElementType) throws -> Tensor {
    let count = kernel.reduce(1, *)
    return try Tensor(element, [1, 1] + kernel, numbers: .floats(Array(repeating: 1, count: count)))
  }

  func call(_ op: Operator, _ x: SymbolicTensor, _ w: any SymbolicOperand) -> SymbolicTensor {
    x.calling(
      op, w,
      attributes: [
        "strides": .ints(strides), "dilations": .ints(dilations), "pads": .ints(starts + ends), "group": .int(group),
      ])
  }

  /// The image from the result: what the transposed convolution gives, cut to the image's sizes.
  func spread(_ dy: SymbolicTensor, _ w: SymbolicTensor, like x: SymbolicTensor) -> SymbolicTensor {
    let full = dy.calling(
      .convTranspose, w,
      attributes: [
        "strides": .ints(strides), "dilations": .ints(dilations), "group": .int(group),
        "output_padding": .ints(strides.map { $0 - 1 }),
      ])
    let begin = Tensor(vector: starts)
    return full.calling(.slice, begin, x.spatialSizes() + begin, Tensor(vector: axes)).reshaped(like: x)
  }

  /// The result from the image, cut to the result's sizes.
  func gather(_ x: SymbolicTensor, _ w: SymbolicTensor, like y: SymbolicTensor) -> SymbolicTensor {
    call(.conv, x, w).calling(.slice, Tensor(vector: starts.map { _ in 0 }), y.spatialSizes(), Tensor(vector: axes))
      .reshaped(like: y)
  }

  /// The weights from image and result: a convolution in which strides and dilations change places, as do batch and channels.
  func correlation(_ x: SymbolicTensor, _ dy: SymbolicTensor, like w: SymbolicTensor) -> SymbolicTensor {
    let exchanged = [1, 0] + axes
    var image = transpose(x, exchanged)
    if group > 1 {
      // Channels [g · c, n, …] as [g, c, n, …], then [c, g, n, …] as [c, g · n, …].
      func sizes(_ leading: SymbolicTensor...) -> SymbolicTensor { concat(leading + [x.spatialSizes()], axis: 0) ?? x }
      let (groups, each) = (x.lift(Tensor(vector: [group])), w.size(1))
      let apart = image.calling(.reshape, sizes(groups, each, x.size(0)))
      image = transpose(apart, [1, 0, 2] + axes.map { $0 + 1 }).calling(.reshape, sizes(each, x.lift(Tensor(vector: [-1]))))
    }
    let swapped = SlidingWindow(
      kernel: kernel, strides: dilations, dilations: strides, starts: starts, ends: ends, group: group)
    let full = swapped.call(.conv, image, transpose(dy, exchanged))
    let cut = full.calling(
      .slice, Tensor(vector: kernel.map { _ in 0 }), Tensor(vector: kernel), Tensor(vector: axes))
    return transpose(cut, exchanged).reshaped(like: w)
  }
}

extension SymbolicTensor {
  /// The sizes of all axes but the first two.
  fileprivate func spatialSizes() -> SymbolicTensor {
    if let sizes = shape?.dropFirst(2).map(\.size), !sizes.contains(nil) { return lift(Tensor(vector: sizes.compactMap(\.self))) }
    return calling(.shape, attributes: ["start": .int(2)])
  }
}

extension GradientContext {
  /// The kernel's sizes from the weights.
  fileprivate func kernel(of w: SymbolicTensor) throws -> [Int] {
    if let sizes = w.shape?.dropFirst(2).map(\.size), !sizes.contains(nil) { return sizes.compactMap(\.self) }
    guard let kernel = self[Conv.kernelShape] else { throw unsupported("weights of unknown size") }
    return kernel
  }

  /// The window with the padding that it has over `x`.
  fileprivate func slidingWindow(kernel: [Int], over x: SymbolicTensor) throws -> SlidingWindow {
    let window = try Window(
      kernel: kernel, strides: self[Conv.strides], dilations: self[Conv.dilations], pads: self[Conv.pads],
      autoPad: self[Conv.autoPad])
    var pads: [(start: Int, end: Int)] = []
    for axis in kernel.indices {
      let size = x.dimension(2 + axis).size
      if self[Conv.autoPad].hasPrefix("SAME"), size == nil { throw unsupported("padding that follows from an unknown size") }
      pads.append(window.padding(size ?? 0, axis))
    }
    guard pads.allSatisfy({ $0.start >= 0 && $0.end >= 0 }) else { throw unsupported("negative padding") }
    return SlidingWindow(
      kernel: kernel, strides: window.strides, dilations: window.dilations, starts: pads.map(\.start), ends: pads.map(\.end),
      group: node.op == .conv || node.op == .convTranspose ? self[Conv.group] : 1)
  }

  /// The sum of a cotangent over all axes but the channels'.
  fileprivate func perChannel(_ dy: SymbolicTensor, like bias: SymbolicTensor) throws -> SymbolicTensor {
    dy.summed(over: [0] + Array(2..<(try rank(dy)))).reshaped(like: bias)
  }
}
