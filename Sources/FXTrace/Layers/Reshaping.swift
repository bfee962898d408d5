import FXCore

/// Each image as one row: [n, c, h, w] becomes [n, c·h·w]. (`Flatten` names the operator's attributes.)
public final class FlattenLayer: StatelessModule, Sendable {
  /// The first of the axes that become the second, counted from the end if negative; those before it become the first.
  public let axis: Int

  /// A layer that calls the operator `flatten`, by default keeping the first axis.
  public init(axis: Int = 1) { self.axis = axis }

  /// Always gives a matrix: PyTorch's `Flatten` keeps axes before the first that it joins, this one joins them too.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Flatten.axis] = axis
    return x.applyHere(.flatten, attributes: attributes)
  }
}

/// What it is given.
public final class Identity: StatelessModule, Sendable {
  /// A layer that makes no call.
  public init() {}
  /// x itself.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x }
}

/// An axis as several of the given sizes; −1 stands for what is left.
public final class Unflatten: StatelessModule, Sendable {
  /// The axis that is divided, counted from the end if negative.
  public let axis: Int
  /// What stands in its place.
  public let sizes: Shape

  /// A layer that divides an axis, as `torch.nn.Unflatten`.
  public init(axis: Int, sizes: Shape) {
    self.axis = axis
    self.sizes = sizes
  }

  /// […, a·b, …] → […, a, b, …] for sizes [a, b]. An axis out of range, or sizes that do not fit, are a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { unflatten(x, axis: axis, sizes, fileID: x.file, line: x.line) }
}

/// Channels rearranged into blocks of pixels: [n, c·f², h, w] to [n, c, h·f, w·f].
public final class PixelShuffle: StatelessModule, Sendable {
  /// f: how many times height and width grow.
  public let factor: Int

  /// A layer that calls the operator `depth_to_space`, in the order of channels that PyTorch has.
  public init(factor: Int) { self.factor = factor }
  /// [n, c·f², h, w] → [n, c, h·f, w·f]. Channels that f² does not divide are a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { pixelShuffle(x, factor, fileID: x.file, line: x.line) }
}

/// Blocks of pixels rearranged into channels: [n, c, h·f, w·f] to [n, c·f², h, w].
public final class PixelUnshuffle: StatelessModule, Sendable {
  /// f: how many times height and width shrink.
  public let factor: Int

  /// A layer that calls the operator `space_to_depth`, in the order of channels that PyTorch has.
  public init(factor: Int) { self.factor = factor }
  /// [n, c, h·f, w·f] → [n, c·f², h, w]. Sizes that f does not divide are a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { pixelUnshuffle(x, factor, fileID: x.file, line: x.line) }
}

/// Elements added around the last axes: see the function `pad`. Stands for PyTorch's `ZeroPad2d`, `ReflectionPad1d`, ….
public final class Padding: StatelessModule, Sendable {
  /// Before and after the last axis, then the one before it, …; negative counts cut.
  public let counts: [Int]
  /// What the added elements are.
  public let mode: PaddingMode
  /// The number added in the mode `constant`; other modes do not use it.
  public let value: Double

  /// - Parameter counts: before and after the last axis, then the one before it, ….
  public init(_ counts: [Int], mode: PaddingMode = .constant, value: Double = 0) {
    self.counts = counts
    self.mode = mode
    self.value = value
  }

  /// Each axis grows by its two counts. An odd number of counts, or counts for more axes than x has, are a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    pad(x, counts, mode: mode, value: mode == .constant ? value : nil, fileID: x.file, line: x.line)
  }
}

/// Images [n, c, ...] resampled to sizes or by factors, as `torch.nn.Upsample`.
public final class Upsample: StatelessModule, Sendable {
  private enum Target: Sendable { case size([Int]), scale([Float]) }
  private let target: Target
  /// How elements between those of x are found; the nearest is taken by default.
  public let mode: InterpolationMode
  /// Whether the outer elements' centres stay where they are, rather than their outer edges. `nearest` modes ignore it.
  public let alignCorners: Bool

  /// - Parameter size: the result's size along each spatial axis.
  public init(size: [Int], mode: InterpolationMode = .nearest, alignCorners: Bool = false) {
    target = .size(size)
    self.mode = mode
    self.alignCorners = alignCorners
  }

  /// - Parameter scale: what every spatial size is multiplied by.
  public init(scale: Float, mode: InterpolationMode = .nearest, alignCorners: Bool = false) {
    target = .scale([scale])
    self.mode = mode
    self.alignCorners = alignCorners
  }

  /// [n, c, …] → the same rank with other spatial sizes. Another number of sizes than spatial axes is a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    switch target {
    case .size(let size):
      interpolate(x, size: size, mode: mode, alignCorners: alignCorners, fileID: x.file, line: x.line)
    case .scale(let scale):
      interpolate(x, scale: scale, mode: mode, alignCorners: alignCorners, fileID: x.file, line: x.line)
    }
  }
}
