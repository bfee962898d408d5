import FXCore

/// How elements between those of an image are found.
public enum InterpolationMode: String, Sendable {
  /// The nearest one, as PyTorch's `nearest`: ⌊i × old ÷ new⌋.
  case nearest
  /// The nearest one by the centres of elements, as PyTorch's `nearest-exact`.
  case nearestExact
  /// Straight lines between neighbours along each axis: PyTorch's `linear`, `bilinear` and `trilinear`.
  case linear
  /// Cubic splines with a = −3/4, as PyTorch's `bicubic`.
  case cubic
}

/// x [n, c, ...] resampled along its spatial axes to the given sizes.
/// - Parameter alignCorners: whether the outer elements' centres stay where they are, rather than their outer edges.
public func interpolate(
  _ x: SymbolicTensor, size: [Int], mode: InterpolationMode = .nearest, alignCorners: Bool = false,
  antialias: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  guard x.checkSpatial(size.count), let shape = x.shape else { return SymbolicTensor(x.session, nil) }
  guard
    let sizes = x.sizes(
      Shape(Array(shape.prefix(2)) + size.map(Dimension.init(_:))), keepsAxes: false, for: .resize)
  else {
    return SymbolicTensor(x.session, nil)
  }
  return x.apply(.resize, [nil, nil, sizes], attributes: .resize(mode, alignCorners, antialias))
}

/// x [n, c, ...] resampled along its spatial axes, which grow by factors.
/// - Parameter scale: one factor for all axes, or one for each.
public func interpolate(
  _ x: SymbolicTensor, scale: [Float], mode: InterpolationMode = .nearest, alignCorners: Bool = false,
  antialias: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  guard x.checkSpatial(scale.count == 1 ? nil : scale.count), let rank = x.rank else {
    return SymbolicTensor(x.session, nil)
  }
  let factors = scale.count == 1 ? Array(repeating: scale[0], count: rank - 2) : scale
  return x.apply(
    .resize, [nil, Tensor(vector: [1, 1] + factors)], attributes: .resize(mode, alignCorners, antialias))
}

/// x [n, c, h, w] read at the points of a grid [n, h′, w′, 2], whose coordinates go from −1 to 1, x before y.
public func gridSample(
  _ x: SymbolicTensor, _ grid: any SymbolicOperand, mode: InterpolationMode = .linear, alignCorners: Bool = false,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[GridSample.mode] = mode == .nearestExact ? InterpolationMode.nearest.rawValue : mode.rawValue
  attributes[GridSample.alignCorners] = alignCorners
  return x.apply(.gridSample, [grid], attributes: attributes, fileID, line)
}

extension SymbolicTensor {
  /// - Parameter count: how many spatial axes there must be; any number but none if `nil`.
  fileprivate func checkSpatial(_ count: Int?) -> Bool {
    guard operand != nil else { return false }
    guard let rank else {
      _ = mistake("interpolate", "the rank must be known")
      return false
    }
    let count = count ?? Swift.max(0, rank - 2)
    guard rank == count + 2, count > 0 else {
      _ = mistake("interpolate", "there are sizes for \(count) spatial axes, the tensor has \(Swift.max(0, rank - 2))")
      return false
    }
    return true
  }
}

extension Attributes {
  fileprivate static func resize(_ mode: InterpolationMode, _ alignCorners: Bool, _ antialias: Bool) -> Attributes {
    var attributes = Attributes()
    switch mode {
    case .nearest:
      attributes[Resize.mode] = "nearest"
      attributes[Resize.coordinates] = "asymmetric"
      attributes[Resize.nearestMode] = "floor"
    case .nearestExact:
      attributes[Resize.mode] = "nearest"
      attributes[Resize.nearestMode] = "round_prefer_ceil"
    case .linear, .cubic:
      attributes[Resize.mode] = mode.rawValue
      attributes[Resize.coordinates] = alignCorners ? "align_corners" : "half_pixel"
      attributes[Resize.antialias] = antialias
    }
    return attributes
  }
}
