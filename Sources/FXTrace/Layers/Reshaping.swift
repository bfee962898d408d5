import FXCore

/// Each image as one row: [n, c, h, w] becomes [n, c·h·w]. (`Flatten` names the operator's attributes.)
public final class FlattenLayer: StatelessModule, Sendable {
  public let axis: Int

  public init(axis: Int = 1) { self.axis = axis }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Flatten.axis] = axis
    return x.applyHere(.flatten, attributes: attributes)
  }
}

/// What it is given.
public final class Identity: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x }
}

/// An axis as several of the given sizes; −1 stands for what is left.
public final class Unflatten: StatelessModule, Sendable {
  public let axis: Int
  public let sizes: Shape

  public init(axis: Int, sizes: Shape) {
    self.axis = axis
    self.sizes = sizes
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { unflatten(x, axis: axis, sizes, fileID: x.file, line: x.line) }
}

/// Channels rearranged into blocks of pixels: [n, c·f², h, w] to [n, c, h·f, w·f].
public final class PixelShuffle: StatelessModule, Sendable {
  public let factor: Int

  public init(factor: Int) { self.factor = factor }
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { pixelShuffle(x, factor, fileID: x.file, line: x.line) }
}

/// Blocks of pixels rearranged into channels: [n, c, h·f, w·f] to [n, c·f², h, w].
public final class PixelUnshuffle: StatelessModule, Sendable {
  public let factor: Int

  public init(factor: Int) { self.factor = factor }
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { pixelUnshuffle(x, factor, fileID: x.file, line: x.line) }
}

/// Elements added around the last axes: see the function `pad`. Stands for PyTorch's `ZeroPad2d`, `ReflectionPad1d`, ….
public final class Padding: StatelessModule, Sendable {
  public let counts: [Int]
  public let mode: PaddingMode
  public let value: Double

  /// - Parameter counts: before and after the last axis, then the one before it, ….
  public init(_ counts: [Int], mode: PaddingMode = .constant, value: Double = 0) {
    self.counts = counts
    self.mode = mode
    self.value = value
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    pad(x, counts, mode: mode, value: mode == .constant ? value : nil, fileID: x.file, line: x.line)
  }
}

/// Images [n, c, ...] resampled to sizes or by factors, as `torch.nn.Upsample`.
public final class Upsample: StatelessModule, Sendable {
  private enum Target: Sendable { case size([Int]), scale([Float]) }
  private let target: Target
  public let mode: InterpolationMode
  public let alignCorners: Bool

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

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    switch target {
    case .size(let size):
      interpolate(x, size: size, mode: mode, alignCorners: alignCorners, fileID: x.file, line: x.line)
    case .scale(let scale):
      interpolate(x, scale: scale, mode: mode, alignCorners: alignCorners, fileID: x.file, line: x.line)
    }
  }
}
