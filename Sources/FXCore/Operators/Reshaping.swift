/// Operators that move elements and compute none. Source of semantics: the ONNX operators of the same names.
extension Operator {
  /// An operator on any element type that moves or selects elements.
  /// - Parameter torch: PyTorch's name, or the module where ours is found.
  static func movement(
    _ name: String, _ family: OperatorFamily, _ summary: String, operands: [OperandSpecification],
    results: [OperandSpecification] = ["y"], types: [String: ElementTypes] = [:], attributes: [AttributeSpecification] = [],
    traits: OperatorTraits = .core, onnx: String, torch: String? = "torch.", aliases: [String] = []
  ) -> Operator {
    Operator(
      name, family, summary, operands: operands, results: results, types: types, attributes: attributes,
      traits: [.dataMovement, traits], aliases: aliases, onnx: onnx,
      torch: torch.map { $0.hasSuffix(".") ? $0 + name : $0 })
  }

  /// `reshape`: The same elements in another shape; −1 stands for what is left, 0 for the size in x.
  public static let reshape = movement(
    "reshape", .reshaping, "The same elements in another shape; −1 stands for what is left, 0 for the size in x.",
    operands: ["x", "shape: S"], types: ["S": .int64], attributes: [Reshape.allowZero.specification],
    onnx: "Reshape", aliases: ["view"])
  /// `transpose`: Axes in another order, reversed if none is given.
  public static let transpose = movement(
    "transpose", .reshaping, "Axes in another order, reversed if none is given.", operands: ["x"],
    attributes: [Transpose.permutation.specification], onnx: "Transpose", torch: "torch.permute", aliases: ["permute"])
  /// `squeeze`: Without the given axes of size 1, or without all of them.
  public static let squeeze = movement(
    "squeeze", .reshaping, "Without the given axes of size 1, or without all of them.", operands: ["x", "axes?: A"],
    types: ["A": .int64], onnx: "Squeeze")
  /// `unsqueeze`: With axes of size 1 at the given places of the result.
  public static let unsqueeze = movement(
    "unsqueeze", .reshaping, "With axes of size 1 at the given places of the result.", operands: ["x", "axes: A"],
    types: ["A": .int64], onnx: "Unsqueeze")
  /// `flatten`: A matrix: the axes before `axis` together, the others together.
  public static let flatten = movement(
    "flatten", .reshaping, "A matrix: the axes before `axis` together, the others together.", operands: ["x"],
    attributes: [Flatten.axis.specification], traits: .composite, onnx: "Flatten")
  /// `expand`: Broadcast with a shape.
  public static let expand = movement(
    "expand", .reshaping, "Broadcast with a shape.", operands: ["x", "shape: S"], types: ["S": .int64], onnx: "Expand",
    torch: "torch.broadcast_to")
  /// `concat`: Tensors one after another along an axis.
  public static let concat = movement(
    "concat", .reshaping, "Tensors one after another along an axis.", operands: ["inputs..."],
    types: ["T": .any], attributes: [Concat.axis.specification], onnx: "Concat", torch: "torch.cat",
    aliases: ["cat", "concatenate"])
  /// `split`: Cut along an axis into the given sizes, or into equal parts of which the last may be smaller.
  public static let split = movement(
    "split", .reshaping, "Cut along an axis into the given sizes, or into equal parts of which the last may be smaller.",
    operands: ["x", "split?: S"], results: ["outputs..."], types: ["S": .int64],
    attributes: [Split.axis.specification, Split.outputCount.specification], onnx: "Split")
  /// `slice`: Elements from start to end (exclusive) by step along axes, as Python slices.
  public static let slice = movement(
    "slice", .reshaping, "Elements from start to end (exclusive) by step along axes, as Python slices.",
    operands: ["x", "starts: I", "ends: I", "axes?: I", "steps?: I"], types: ["I": .index], onnx: "Slice",
    torch: "torch.Tensor.__getitem__")
  /// `pad`: Elements added before and after along axes; negative counts cut.
  public static let pad = movement(
    "pad", .reshaping, "Elements added before and after along axes; negative counts cut.",
    operands: ["x", "pads: P", "constant_value?", "axes?: I"], types: ["P": .int64, "I": .index],
    attributes: [Pad.mode.specification], onnx: "Pad", torch: "torch.nn.functional.pad")
  /// `tile`: x repeated along each axis.
  public static let tile = movement(
    "tile", .reshaping, "x repeated along each axis.", operands: ["x", "repeats: R"], types: ["R": .int64], onnx: "Tile")
  /// `shape`: The sizes of x, those from `start` to `end` (exclusive).
  public static let shape = movement(
    "shape", .reshaping, "The sizes of x, those from `start` to `end` (exclusive).", operands: ["x"], results: ["y: S"],
    types: ["S": .int64], attributes: [ShapeOperator.start.specification, ShapeOperator.end.specification], onnx: "Shape",
    torch: "torch.Tensor.shape")
  /// `size`: The number of elements of x.
  public static let size = movement(
    "size", .reshaping, "The number of elements of x.", operands: ["x"], results: ["y: S"], types: ["S": .int64],
    traits: .composite, onnx: "Size", torch: "torch.numel")
  /// `depth_to_space`: Channels rearranged into blocks of pixels: [n, c, h, w] to [n, c÷b², h×b, w×b].
  public static let depthToSpace = movement(
    "depth_to_space", .reshaping, "Channels rearranged into blocks of pixels: [n, c, h, w] to [n, c÷b², h×b, w×b].",
    operands: ["x"], attributes: [DepthToSpace.blockSize.specification, DepthToSpace.mode.specification],
    traits: .composite, onnx: "DepthToSpace", torch: "torch.nn.functional.pixel_shuffle", aliases: ["pixel_shuffle"])
  /// `space_to_depth`: Blocks of pixels rearranged into channels: [n, c, h, w] to [n, c×b², h÷b, w÷b].
  public static let spaceToDepth = movement(
    "space_to_depth", .reshaping, "Blocks of pixels rearranged into channels: [n, c, h, w] to [n, c×b², h÷b, w÷b].",
    operands: ["x"], attributes: [SpaceToDepth.blockSize.specification, SpaceToDepth.mode.specification],
    traits: .composite, onnx: "SpaceToDepth", torch: "torch.nn.functional.pixel_unshuffle")
  /// `reverse_sequence`: Along the time axis the first `sequence_lens[b]` elements of each batch reversed.
  public static let reverseSequence = movement(
    "reverse_sequence", .reshaping, "Along the time axis the first `sequence_lens[b]` elements of each batch reversed.",
    operands: ["x", "sequence_lens: L"], types: ["L": .int64],
    attributes: [ReverseSequence.batchAxis.specification, ReverseSequence.timeAxis.specification], traits: .composite,
    onnx: "ReverseSequence", torch: nil)

  package static let reshaping: [Operator] = [
    .reshape, .transpose, .squeeze, .unsqueeze, .flatten, .expand, .concat, .split, .slice, .pad, .tile, .shape, .size,
    .depthToSpace, .spaceToDepth, .reverseSequence,
  ]
}

/// The attributes of `reshape`.
public enum Reshape {
  /// Whether 0 is a size rather than a reference to the operand's.
  public static let allowZero = AttributeKey<Bool>("allowzero", default: false)
}

/// The attributes of `transpose`.
public enum Transpose {
  /// For each axis of the result the operand's axis it is; reversed if absent.
  public static let permutation = AttributeKey<[Int]?>("perm")
}

/// The attributes of `flatten`.
public enum Flatten {
  /// The first axis of the second group, from −rank to rank.
  public static let axis = AttributeKey<Int>("axis", default: 1)
}

/// The attributes of `concat`.
public enum Concat {
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis")
}

/// The attributes of `split`.
public enum Split {
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis", default: 0)
  /// The number of equal parts; by default the number of results.
  public static let outputCount = AttributeKey<Int?>("num_outputs")
}

/// The attributes of `pad`.
public enum Pad {
  /// What the added elements are: a constant, a mirror image without the edge, the edge, or the other end.
  public static let mode = AttributeKey<String>(
    "mode", default: "constant", allowed: ["constant", "reflect", "edge", "wrap"])
}

/// The attributes of `shape`.
public enum ShapeOperator {
  /// ONNX's `start`.
  public static let start = AttributeKey<Int>("start", default: 0)
  /// Exclusive; the rank if absent.
  public static let end = AttributeKey<Int?>("end")
}

/// The attributes of `depth_to_space`.
public enum DepthToSpace {
  /// How many elements share a scale, or the side of a block.
  public static let blockSize = AttributeKey<Int>("blocksize")
  /// Whether the block index is outermost in a channel's number (`DCR`) or innermost (`CRD`).
  public static let mode = AttributeKey<String>("mode", default: "DCR", allowed: ["DCR", "CRD"])
}

/// The attributes of `space_to_depth`.
public enum SpaceToDepth {
  /// How many elements share a scale, or the side of a block.
  public static let blockSize = AttributeKey<Int>("blocksize")
  /// Whether the block index is outermost in a channel's number (`DCR`) or innermost (`CRD`).
  public static let mode = AttributeKey<String>("mode", default: "DCR", allowed: ["DCR", "CRD"])
}

/// The attributes of `reverse_sequence`.
public enum ReverseSequence {
  /// ONNX's `batch_axis`.
  public static let batchAxis = AttributeKey<Int>("batch_axis", default: 1)
  /// ONNX's `time_axis`.
  public static let timeAxis = AttributeKey<Int>("time_axis", default: 0)
}
