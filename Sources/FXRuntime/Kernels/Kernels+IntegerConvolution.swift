internal import CKernels
import FXCore

extension KernelTable {
  mutating func addIntegerConvolutions() { self[.integerConv] = { $0.integerConvolution() } }
}

extension KernelRequest {
  /// Images [batch, height, width, channels], weights [kernels, channels of a group, height, width].
  fileprivate func integerConvolution() -> KernelChoice? {
    if results[0].elementCount == 0 { return .kernel(NothingKernel()) }
    guard shape(0).count == 4, shape(1).count == 4, let weights = operands[1]?.constant else { return nil }
    let (x, y, w) = (shape(0), results[0].shape, shape(1))
    let groups = self[Conv.group]
    guard groups > 0, w[0] % groups == 0, x[3] == w[1] * groups,
      let window = WindowGeometry(self, input: Array(x[1...2]), output: Array(y[1...2]), kernel: Array(w[2...])),
      let scaling = IntegerScaling(
        self, integerPlaces, n: w[0], k: w.dropFirst().reduce(1, *), low: self[IntegerOutput.low],
        high: self[IntegerOutput.high])
    else { return nil }
    let geometry = fxk_int_window(window, channels: x[3], groupChannels: w[1])
    let size = results[0].elementType.bitWidth / 8
    let zeros = has(5) ? operands[5]?.constant : nil
    if w[1] == 1, groups == w[0], !has(5) || zeros != nil {
      let kernel = IntegerDepthwiseKernel(
        geometry, weights, zeros, scaling, batch: x[0], cache: self.weights, threads: threads)
      return .kernel(kernel, scratch: kernel.scratchBytes, unread: [1])
    }
    let kernel = IntegerConvolutionKernel(
      geometry, weights, scaling, batch: x[0], groups: groups, elementSize: size, cache: self.weights, threads: threads)
    return .kernel(kernel, scratch: kernel.scratchBytes, unread: [1])
  }
}

extension fxk_int_window {
  init(_ window: WindowGeometry, channels: Int, groupChannels: Int) {
    func two(_ sizes: [Int]) -> (Int, Int) { (sizes[0], sizes[1]) }
    self.init(
      channels: channels, group_channels: groupChannels, in: two(window.input), out: two(window.output),
      kernel: two(window.kernel), stride: two(window.strides), dilation: two(window.dilations), pad: two(window.padBefore),
      padding: 0)
  }

  /// Whether each pixel of the result is made of the one pixel in its place.
  fileprivate var isPointwise: Bool {
    kernel == (1, 1) && stride == (1, 1) && pad == (0, 0) && `in` == out
  }
}

/// Convolutions as products: a row of the left operand is the window of a pixel, gathered where it is not a pixel itself.
///
/// `@unchecked Sendable` for the pointers of the prototype, which are null.
private struct IntegerConvolutionKernel: Kernel, @unchecked Sendable {
  private var prototype: fxk_int_product
  private let window: fxk_int_window
  private let scaling: IntegerScaling
  private let packed: PackedIntegers
  private let groups: Int
  private let elementSize: Int
  /// Of one group's weights.
  private let packedBytes: Int
  private let division: WorkDivision
  /// Whether pieces of work are columns, in units of `unit`, else rows.
  private let splitsColumns: Bool
  private let unit: Int
  private let runBytes: Int
  private let threads: Int

  init(
    _ window: fxk_int_window, _ weights: Tensor, _ scaling: IntegerScaling, batch: Int, groups: Int, elementSize: Int,
    cache: WeightCache, threads: Int
  ) {
    self.window = window
    self.scaling = scaling
    self.groups = groups
    self.elementSize = elementSize
    self.threads = threads
    let (n, k, inner) = (scaling.n / groups, scaling.k, window.group_channels)
    let taps = window.kernel.0 * window.kernel.1
    let packedBytes = (fxk_int_packed_size(k, n) + 63) / 64 * 64
    self.packedBytes = packedBytes
    packed = PackedIntegers(
      weights, cache, layout: "integer conv \(groups) \(inner)×\(taps) \(scaling.bFlip)", byteCount: packedBytes * groups,
      columns: scaling.n
    ) { source, target, sums in
      for group in 0..<groups {
        fxk_int_pack(
          source + group * n * k, taps, 1, inner, taps, k, n, scaling.bFlip, target + group * packedBytes, sums + group * n)
      }
    }
    var product = fxk_int_product()
    (product.m, product.n, product.k) = (batch * window.out.0 * window.out.1, n, k)
    (product.a_row, product.c_row, product.a_flip) = (window.channels, scaling.n, scaling.aFlip)
    prototype = product
    let isPointwise = window.isPointwise
    runBytes = withUnsafePointer(to: window) { pointer in
      // What is read where it lies needs no memory; groups lie side by side and are gathered.
      product.window = isPointwise ? nil : pointer
      return (fxk_int_scratch(&product) + 63) / 64 * 64
    }
    // At about 200 billion operations a second.
    let cost = Double(product.m) * Double(scaling.n) * Double(k) / 100
    splitsColumns = product.m < 24 * threads && groups == 1
    unit = splitsColumns ? fxk_int_columns() : 12
    let units = ((splitsColumns ? n : product.m) + unit - 1) / unit
    division = WorkDivision(units, nanosecondsEach: cost / Double(max(units, 1)), threads: threads)
  }

  var scratchBytes: Int { scaling.preparedBytes + runBytes * threads }

  func run(_ arguments: borrowing KernelArguments) {
    let x = arguments.operand(0, as: UInt8.self)
    let y = UnsafeMutableRawPointer(arguments.result(as: UInt8.self))
    let prepared = scaling.prepare(arguments, sums: packed.sums, memory: arguments.scratch)
    let scratch = arguments.scratch + scaling.preparedBytes
    var window = window
    window.padding = scaling.zeroByte(arguments)
    let geometry = window
    division.run(on: arguments.pool) { range, worker in
      var product = prototype
      let (first, last) = (range.lowerBound * unit, range.upperBound * unit)
      withUnsafePointer(to: geometry) { pointer in
        if !geometry.isPointwise { product.window = pointer }
        for group in 0..<groups {
          let column = group * product.n
          product.a = x + group * geometry.group_channels
          product.b = UnsafeRawPointer(packed.weights.bytes + group * packedBytes)
          product.c = y + column * elementSize
          product.scaling = prepared
          product.scaling.offset += column
          product.scaling.scale += column
          if let zeros = prepared.b_zero { product.scaling.b_zero = zeros + column }
          if let shift = prepared.shift { product.scaling.shift = shift + column }
          if splitsColumns {
            fxk_int_run(&product, 0, product.m, first, min(last, product.n), scratch + worker * runBytes)
          } else {
            fxk_int_run(&product, first, min(last, product.m), 0, product.n, scratch + worker * runBytes)
          }
        }
      }
    }
  }
}

/// Convolutions of each channel by itself.
///
/// `@unchecked Sendable` for the pointers of the prototype, which point to packed weights or are null.
private struct IntegerDepthwiseKernel: Kernel, @unchecked Sendable {
  private var prototype: fxk_int_depthwise
  private let scaling: IntegerScaling
  private let packed: PackedIntegers
  private let division: WorkDivision
  private let runBytes: Int
  private let threads: Int

  init(
    _ window: fxk_int_window, _ weights: Tensor, _ zeros: Tensor?, _ scaling: IntegerScaling, batch: Int, cache: WeightCache,
    threads: Int
  ) {
    self.scaling = scaling
    self.threads = threads
    let (channels, taps) = (window.channels, window.kernel.0 * window.kernel.1)
    let zeroBytes = zeros.map { $0.withUnsafeBytes { Array($0) } } ?? []
    packed = PackedIntegers(
      weights, cache, layout: "integer depthwise \(taps) \(scaling.bFlip) \(zeroBytes.hashValue)",
      byteCount: fxk_int_depthwise_packed_size(channels, taps) * 4, columns: channels
    ) { source, target, sums in
      fxk_int_pack_depthwise(
        source, channels, taps, scaling.bFlip, zeroBytes, zeroBytes.count, target.assumingMemoryBound(to: Int32.self), sums)
    }
    var conv = fxk_int_depthwise()
    conv.window = window
    conv.x_flip = scaling.aFlip
    conv.weights = UnsafePointer(packed.weights.bytes.assumingMemoryBound(to: Int32.self))
    prototype = conv
    runBytes = (fxk_int_depthwise_scratch(&conv) + 63) / 64 * 64
    // A few rows at a time share the rows of the image that they read.
    let cost = Double(window.out.1 * channels * taps) * 0.1
    division = WorkDivision(batch * window.out.0, nanosecondsEach: cost, threads: threads)
  }

  var scratchBytes: Int { scaling.preparedBytes + runBytes * threads }

  func run(_ arguments: borrowing KernelArguments) {
    var conv = prototype
    conv.x = arguments.operand(0)
    conv.y = UnsafeMutableRawPointer(arguments.result(as: UInt8.self))
    conv.window.padding = scaling.zeroByte(arguments)
    conv.scaling = scaling.prepare(arguments, sums: packed.sums, memory: arguments.scratch, hasZeros: false)
    let scratch = arguments.scratch + scaling.preparedBytes
    let shared = conv
    division.run(on: arguments.pool) { rows, worker in
      withUnsafePointer(to: shared) {
        fxk_int_depthwise_run($0, rows.lowerBound, rows.upperBound, scratch + worker * runBytes)
      }
    }
  }
}
