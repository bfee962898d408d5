/// Sizes along the one, two or three spatial axes of a window: `Int`, `Extent2d` or `Extent3d`.
public protocol WindowExtent: Sendable, Hashable, ExpressibleByIntegerLiteral {
  /// One size for each spatial axis, the outermost first.
  var axisSizes: [Int] { get }
  /// The same size along every axis.
  init(_ size: Int)
}

extension Int: WindowExtent { public var axisSizes: [Int] { [self] } }

/// A height and a width: `3` for both, or `Extent2d(3, 5)`.
public struct Extent2d: WindowExtent {
  /// The size along the axis before the last.
  public var height: Int
  /// The size along the last axis.
  public var width: Int

  /// A size for each of the two axes.
  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  public init(_ size: Int) { self.init(size, size) }
  public init(integerLiteral size: Int) { self.init(size) }

  public var axisSizes: [Int] { [height, width] }
}

/// A depth, a height and a width: `3` for all, or `Extent3d(1, 3, 5)`.
public struct Extent3d: WindowExtent {
  /// The size along the third axis from the end.
  public var depth: Int
  /// The size along the axis before the last.
  public var height: Int
  /// The size along the last axis.
  public var width: Int

  /// A size for each of the three axes.
  public init(_ depth: Int, _ height: Int, _ width: Int) {
    self.depth = depth
    self.height = height
    self.width = width
  }

  public init(_ size: Int) { self.init(size, size, size) }
  public init(integerLiteral size: Int) { self.init(size) }

  public var axisSizes: [Int] { [depth, height, width] }
}
