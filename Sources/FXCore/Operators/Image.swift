/// Resampling of images and volumes, and detection. Source of semantics: the ONNX operators of the same names.
extension Operator {
  /// `resize`: x resampled along axes, by scales or to sizes; one of them is given.
  public static let resize = Operator(
    "resize", .image, "x resampled along axes, by scales or to sizes; one of them is given.",
    operands: ["x", "roi?: R", "scales?: F", "sizes?: I"],
    types: ["R": .init(.float64, .float32, .float16), "F": .init(.float32), "I": .int64],
    attributes: [
      Resize.antialias.specification, Resize.axes.specification, Resize.coordinates.specification,
      Resize.cubicCoefficient.specification, Resize.excludeOutside.specification, Resize.extrapolation.specification,
      Resize.aspect.specification, Resize.mode.specification, Resize.nearestMode.specification,
    ], traits: .core, aliases: ["interpolate"], onnx: "Resize", torch: "torch.nn.functional.interpolate")
  /// `grid_sample`: x read at the points of a grid, whose coordinates go from −1 to 1, the last axis first.
  public static let gridSample = Operator(
    "grid_sample", .image, "x read at the points of a grid, whose coordinates go from −1 to 1, the last axis first.",
    operands: ["x", "grid: G"], types: ["G": .floating],
    attributes: [GridSample.alignCorners.specification, GridSample.mode.specification, GridSample.paddingMode.specification],
    onnx: "GridSample", torch: "torch.nn.functional.grid_sample")
  /// `affine_grid`: The grid that `grid_sample` takes, moved by an affine map for each image.
  public static let affineGrid = Operator(
    "affine_grid", .image, "The grid that `grid_sample` takes, moved by an affine map for each image.",
    operands: ["theta", "size: I"], types: ["T": .floating, "I": .int64],
    attributes: [GridSample.alignCorners.specification], traits: .composite, onnx: "AffineGrid",
    torch: "torch.nn.functional.affine_grid")
  /// `roi_align`: Means (or maxima) of points sampled in each cell of a grid laid over regions [x1, y1, x2, y2].
  public static let roiAlign = Operator(
    "roi_align", .image, "Means (or maxima) of points sampled in each cell of a grid laid over regions [x1, y1, x2, y2].",
    operands: ["x", "rois", "batch_indices: I"], types: ["T": .floating, "I": .int64],
    attributes: [
      RoiAlign.coordinates.specification, RoiAlign.mode.specification, RoiAlign.outputHeight.specification,
      RoiAlign.outputWidth.specification, RoiAlign.samplingRatio.specification, RoiAlign.spatialScale.specification,
    ], onnx: "RoiAlign", torch: "torchvision.ops.roi_align")
  /// `non_max_suppression`: The best boxes of each class that do not overlap a better one: i64[count, 3] of batch, class and
  /// box.
  public static let nonMaxSuppression = Operator(
    "non_max_suppression", .image,
    "The best boxes of each class that do not overlap a better one: i64[count, 3] of batch, class and box.",
    operands: [
      "boxes", "scores", "max_output_boxes_per_class?: I", "iou_threshold?", "score_threshold?",
    ], results: ["selected_indices: I"], types: ["T": .init(.float32), "I": .int64],
    attributes: [NonMaxSuppression.isCentered.specification], onnx: "NonMaxSuppression", torch: "torchvision.ops.nms")
  /// `center_crop_pad`: x cut or padded with zeros on both sides to the given sizes.
  public static let centerCropPad = Operator(
    "center_crop_pad", .image, "x cut or padded with zeros on both sides to the given sizes.",
    operands: ["x", "shape: I"], types: ["I": .index], attributes: [CenterCropPad.axes.specification],
    traits: [.composite, .dataMovement], onnx: "CenterCropPad", torch: "torchvision.transforms.functional.center_crop")

  /// BMP, JPEG, JPEG 2000, PNG, PNM (P1 to P6), TIFF and WebP, told apart by their first bytes. What cannot be decoded gives an
  /// image without rows and columns.
  public static let imageDecoder = Operator(
    "image_decoder", .image, "The pixels of an encoded image: u8[height, width, channels].", operands: ["encoded"],
    types: ["T": .init(.uint8)], attributes: [ImageDecoder.pixelFormat.specification], onnx: "ImageDecoder",
    torch: "torchvision.io.decode_image")

  package static let images: [Operator] = [
    .resize, .gridSample, .affineGrid, .roiAlign, .nonMaxSuppression, .centerCropPad, .imageDecoder,
  ]
}

/// The attributes of `resize`.
public enum Resize {
  /// Whether shrinking widens the filter, so that every element counts.
  public static let antialias = AttributeKey<Bool>("antialias", default: false)
  /// The axes that roi, scales and sizes are about; all if absent.
  public static let axes = AttributeKey<[Int]?>("axes")
  /// How a coordinate of the result maps to one of the operand. ONNX had `tf_half_pixel_for_nn` in operator sets 11 and 12.
  public static let coordinates = AttributeKey<String>(
    "coordinate_transformation_mode", default: "half_pixel",
    allowed: [
      "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize",
      "tf_half_pixel_for_nn",
    ])
  /// ONNX's `cubic_coeff_a`.
  public static let cubicCoefficient = AttributeKey<Float>("cubic_coeff_a", default: -0.75)
  /// Whether elements outside have no weight, rather than that of the nearest inside.
  public static let excludeOutside = AttributeKey<Bool>("exclude_outside", default: false)
  /// What `tf_crop_and_resize` gives outside the operand.
  public static let extrapolation = AttributeKey<Float>("extrapolation_value", default: 0)
  /// Whether sizes are met exactly, or bound a result of the operand's proportions.
  public static let aspect = AttributeKey<String>(
    "keep_aspect_ratio_policy", default: "stretch", allowed: ["stretch", "not_larger", "not_smaller"])
  /// ONNX's `mode`.
  public static let mode = AttributeKey<String>("mode", default: "nearest", allowed: ["nearest", "linear", "cubic"])
  /// Which of two neighbours is the nearest.
  public static let nearestMode = AttributeKey<String>(
    "nearest_mode", default: "round_prefer_floor", allowed: ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
}

/// The attributes of `grid_sample`.
public enum GridSample {
  /// Whether −1 and 1 are the centres of the outer elements rather than their outer edges.
  public static let alignCorners = AttributeKey<Bool>("align_corners", default: false)
  /// ONNX's `mode`.
  public static let mode = AttributeKey<String>("mode", default: "linear", allowed: ["linear", "nearest", "cubic"])
  /// What is outside: zeros, the edge, or a mirror image.
  public static let paddingMode = AttributeKey<String>(
    "padding_mode", default: "zeros", allowed: ["zeros", "border", "reflection"])
}

/// The attributes of `roi_align`.
public enum RoiAlign {
  /// Whether regions are shifted by half an element.
  public static let coordinates = AttributeKey<String>(
    "coordinate_transformation_mode", default: "half_pixel", allowed: ["half_pixel", "output_half_pixel"])
  /// ONNX's `mode`.
  public static let mode = AttributeKey<String>("mode", default: "avg", allowed: ["avg", "max"])
  /// ONNX's `output_height`.
  public static let outputHeight = AttributeKey<Int>("output_height", default: 1)
  /// ONNX's `output_width`.
  public static let outputWidth = AttributeKey<Int>("output_width", default: 1)
  /// Points per cell along each axis; 0 for as many as the cell has elements.
  public static let samplingRatio = AttributeKey<Int>("sampling_ratio", default: 0)
  /// What the regions' coordinates are multiplied by.
  public static let spatialScale = AttributeKey<Float>("spatial_scale", default: 1)
}

/// The attributes of `non_max_suppression`.
public enum NonMaxSuppression {
  /// Whether boxes are [x centre, y centre, width, height] rather than two corners [y1, x1, y2, x2].
  public static let isCentered = AttributeKey<Bool>("center_point_box", default: false)
}

/// The attributes of `center_crop_pad`.
public enum CenterCropPad {
  /// The axes that the sizes are of; all if absent.
  public static let axes = AttributeKey<[Int]?>("axes")
}

/// The attributes of `image_decoder`.
public enum ImageDecoder {
  /// The order of a pixel's channels, or one channel of brightness.
  public static let pixelFormat = AttributeKey<String>("pixel_format", default: "RGB", allowed: ["RGB", "BGR", "Grayscale"])
}
