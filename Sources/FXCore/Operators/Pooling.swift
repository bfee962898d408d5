/// Reductions of windows over spatial axes. Source of semantics: the ONNX operators of the same names.
extension Operator {
  /// The attributes of a window that has no weights to take its size from.
  private static let windowAttributes = [
    Conv.autoPad.specification, MaxPool.ceilMode.specification, Conv.dilations.specification,
    MaxPool.kernelShape.specification, Conv.pads.specification, Conv.strides.specification,
  ]

  /// `max_pool`: The largest element of each window, and where in x it is.
  public static let maxPool = Operator(
    "max_pool", .pooling, "The largest element of each window, and where in x it is.", operands: ["x"],
    results: ["y", "indices?: I"], types: ["T": [.floating, .init(.int8, .uint8)], "I": .int64],
    attributes: windowAttributes + [MaxPool.storageOrder.specification], traits: .core,
    aliases: ["max_pool1d", "max_pool2d", "max_pool3d"], onnx: "MaxPool", torch: "torch.nn.functional.max_pool2d")
  /// `average_pool`: The mean of each window.
  public static let averagePool = Operator(
    "average_pool", .pooling, "The mean of each window.", operands: ["x"], types: ["T": .floating],
    attributes: windowAttributes + [AveragePool.countIncludePad.specification], traits: .core,
    aliases: ["avg_pool1d", "avg_pool2d", "avg_pool3d"], onnx: "AveragePool", torch: "torch.nn.functional.avg_pool2d")
  /// `lp_pool`: The p-norm of each window.
  public static let lpPool = Operator(
    "lp_pool", .pooling, "The p-norm of each window.", operands: ["x"], types: ["T": .floating],
    attributes: windowAttributes + [LpPool.p.specification], traits: .composite, onnx: "LpPool",
    torch: "torch.nn.functional.lp_pool2d")
  /// `global_average_pool`: The mean over all spatial axes.
  public static let globalAveragePool = Operator(
    "global_average_pool", .pooling, "The mean over all spatial axes.", operands: ["x"], types: ["T": .floating],
    traits: .composite, onnx: "GlobalAveragePool")
  /// `global_max_pool`: The largest element over all spatial axes.
  public static let globalMaxPool = Operator(
    "global_max_pool", .pooling, "The largest element over all spatial axes.", operands: ["x"], types: ["T": .floating],
    traits: .composite, onnx: "GlobalMaxPool")
  /// `global_lp_pool`: The p-norm over all spatial axes.
  public static let globalLpPool = Operator(
    "global_lp_pool", .pooling, "The p-norm over all spatial axes.", operands: ["x"], types: ["T": .floating],
    attributes: [LpPool.p.specification], traits: .composite, onnx: "GlobalLpPool")
  /// `max_unpool`: Elements put back where `max_pool` found them, zeros elsewhere.
  public static let maxUnpool = Operator(
    "max_unpool", .pooling, "Elements put back where `max_pool` found them, zeros elsewhere.",
    operands: ["x", "indices: I", "output_shape?: I"], types: ["T": .floating, "I": .int64],
    attributes: [MaxPool.kernelShape.specification, Conv.pads.specification, Conv.strides.specification],
    traits: .composite, onnx: "MaxUnpool", torch: "torch.nn.functional.max_unpool2d")
  /// `max_roi_pool`: The largest element of each cell of a grid laid over regions [batch, x1, y1, x2, y2] of x.
  public static let maxRoiPool = Operator(
    "max_roi_pool", .pooling, "The largest element of each cell of a grid laid over regions [batch, x1, y1, x2, y2] of x.",
    operands: ["x", "rois"], types: ["T": .floating],
    attributes: [MaxRoiPool.pooledShape.specification, MaxRoiPool.spatialScale.specification], onnx: "MaxRoiPool",
    torch: "torchvision.ops.roi_pool")

  package static let poolings: [Operator] = [
    .maxPool, .averagePool, .lpPool, .globalAveragePool, .globalMaxPool, .globalLpPool, .maxUnpool, .maxRoiPool,
  ]
}

/// The attributes of `max_pool`.
public enum MaxPool {
  /// Whether a last window that is not full counts, unless it starts in the padding.
  public static let ceilMode = AttributeKey<Bool>("ceil_mode", default: false)
  /// ONNX's `kernel_shape`.
  public static let kernelShape = AttributeKey<[Int]>("kernel_shape")
  /// Whether indices count in row-major (0) or column-major (1) order within a channel.
  public static let storageOrder = AttributeKey<Int>("storage_order", default: 0)
}

/// The attributes of `average_pool`.
public enum AveragePool {
  /// Whether elements of padding count in the mean.
  public static let countIncludePad = AttributeKey<Bool>("count_include_pad", default: false)
}

/// The attributes of `lp_pool`.
public enum LpPool {
  /// ONNX's `p`.
  public static let p = AttributeKey<Int>("p", default: 2)
}

/// The attributes of `max_roi_pool`.
public enum MaxRoiPool {
  /// The result's height and width.
  public static let pooledShape = AttributeKey<[Int]>("pooled_shape")
  /// What the regions' coordinates are multiplied by.
  public static let spatialScale = AttributeKey<Float>("spatial_scale", default: 1)
}
