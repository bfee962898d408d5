/// Convolutions over one or more spatial axes. Source of semantics: the ONNX operators of the same names.
///
/// Tensors are [batch, channels, spatial…], weights [out channels, channels ÷ group, kernel…]; `conv_transpose` has
/// weights [channels, out channels ÷ group, kernel…]. Pads list the starts of all spatial axes, then the ends.
extension Operator {
  static let convolutionAttributes = [
    Conv.autoPad.specification, Conv.dilations.specification, Conv.group.specification, Conv.kernelShape.specification,
    Conv.pads.specification, Conv.strides.specification,
  ]

  /// `conv`: Cross-correlation with a bank of kernels, plus bias.
  public static let conv = Operator(
    "conv", .convolution, "Cross-correlation with a bank of kernels, plus bias.", operands: ["x", "w", "b?"],
    types: ["T": .floating], attributes: convolutionAttributes, traits: .core, aliases: ["conv1d", "conv2d", "conv3d"],
    onnx: "Conv", torch: "torch.nn.functional.conv2d")
  /// `fused_conv`: activation(conv(x, w, b) + residual)
  public static let fusedConv = Operator(
    "fused_conv", .convolution, "activation(conv(x, w, b) + residual)", operands: ["x", "w", "b?", "residual?"],
    types: ["T": .floating], attributes: convolutionAttributes + FusedActivation.specifications, traits: .composite)
  /// `conv_transpose`: The gradient of a convolution with respect to its operand: a learned upsampling.
  public static let convTranspose = Operator(
    "conv_transpose", .convolution, "The gradient of a convolution with respect to its operand: a learned upsampling.",
    operands: ["x", "w", "b?"], types: ["T": .floating],
    attributes: convolutionAttributes + [ConvTranspose.outputPadding.specification, ConvTranspose.outputShape.specification],
    traits: .core, aliases: ["conv_transpose2d"], onnx: "ConvTranspose", torch: "torch.nn.functional.conv_transpose2d")
  /// `deform_conv`: Convolution whose taps are displaced by offsets and weighted by a mask.
  public static let deformConv = Operator(
    "deform_conv", .convolution, "Convolution whose taps are displaced by offsets and weighted by a mask.",
    operands: ["x", "w", "offset", "b?", "mask?"], types: ["T": .floating],
    attributes: convolutionAttributes.filter { $0.name != "auto_pad" } + [DeformConv.offsetGroup.specification],
    onnx: "DeformConv", torch: "torchvision.ops.deform_conv2d")
  /// `col2im`: Columns of blocks summed into images: [n, c × block, blocks] to [n, c, image…].
  public static let col2im = Operator(
    "col2im", .convolution, "Columns of blocks summed into images: [n, c × block, blocks] to [n, c, image…].",
    operands: ["x", "image_shape: S", "block_shape: S"], types: ["S": .int64],
    attributes: [Conv.dilations.specification, Conv.pads.specification, Conv.strides.specification], traits: .composite,
    aliases: ["fold"], onnx: "Col2Im", torch: "torch.nn.functional.fold")
  /// `causal_conv_with_state`: Depthwise 1-D convolution that looks back only; the state is what the next call looks back on.
  public static let causalConvWithState = Operator(
    "causal_conv_with_state", .convolution,
    "Depthwise 1-D convolution that looks back only; the state is what the next call looks back on.",
    operands: ["x", "weight", "bias?", "past_state?"], results: ["y", "present_state"],
    types: ["T": .init(.float32, .float16, .bfloat16)], attributes: [CausalConvWithState.activation.specification],
    traits: .composite, onnx: "CausalConvWithState")

  package static let convolutions: [Operator] = [
    .conv, .fusedConv, .convTranspose, .deformConv, .col2im, .causalConvWithState,
  ]
}

/// Attributes of everything that slides a window over spatial axes. Lists have one number per spatial axis.
public enum Conv {
  /// How to pad: as `pads` says (`NOTSET`), not at all, or so that the size is ⌈size ÷ stride⌉, with the odd element of
  /// padding at the end (`SAME_UPPER`) or the start.
  public static let autoPad = AttributeKey<String>(
    "auto_pad", default: "NOTSET", allowed: ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"])
  /// Distances between taps; 1 if absent.
  public static let dilations = AttributeKey<[Int]?>("dilations")
  /// Channels and kernels are divided into this many groups that do not mix.
  public static let group = AttributeKey<Int>("group", default: 1)
  /// The kernel's sizes; those of the weights if absent.
  public static let kernelShape = AttributeKey<[Int]?>("kernel_shape")
  /// Elements of padding before each spatial axis, then after each; 0 if absent.
  public static let pads = AttributeKey<[Int]?>("pads")
  /// Distances between windows; 1 if absent.
  public static let strides = AttributeKey<[Int]?>("strides")
}

/// The attributes of `conv_transpose`.
public enum ConvTranspose {
  /// Elements that the result has at its ends beyond what the kernels reach.
  public static let outputPadding = AttributeKey<[Int]?>("output_padding")
  /// The result's spatial sizes, from which the padding then follows.
  public static let outputShape = AttributeKey<[Int]?>("output_shape")
}

/// The attributes of `deform_conv`.
public enum DeformConv {
  /// Channels are divided into this many groups that share offsets and mask.
  public static let offsetGroup = AttributeKey<Int>("offset_group", default: 1)
}

/// The attributes of `causal_conv_with_state`.
public enum CausalConvWithState {
  /// ONNX's `activation`.
  public static let activation = AttributeKey<String>("activation", default: "none", allowed: ["none", "silu", "swish"])
}
