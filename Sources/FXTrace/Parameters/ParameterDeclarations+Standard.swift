import FXCore

extension ParameterDeclarations {
  /// `linear`, `conv`, `layer_normalization` and `batch_normalization`.
  ///
  /// `linear` takes a width `out_features`, `conv` takes `out_channels`, and both leave the bias out for `bias` false. A width that
  /// neither the call nor a bound weight gives is the input's: `linear` of 784 features gives 784.
  public static let standard: ParameterDeclarations = {
    var table = ParameterDeclarations()
    table[.linear] = linear
    table[.conv] = convolution
    table[.layerNormalization] = Entry([
      normalized(1, "weight", .constant(1)), normalized(2, "bias", isOptional: true, .constant(0)),
    ])
    table[.batchNormalization] = Entry([
      perChannel(1, "weight", .constant(1)), perChannel(2, "bias", .constant(0)),
      perChannel(3, "running_mean", role: .buffer, .constant(0)),
      perChannel(4, "running_var", role: .buffer, .constant(1)),
    ])
    return table
  }()

  private static let linear = Entry(
    widths: ["out_features"],
    [
      ParameterDeclaration(1, "weight") { context in
        let input = context.dimension(-1, of: 0)
        return [
          context.first(
            context.dimension(0, of: 1), context.width("out_features"), context.dimension(0, of: 2),
            context.isFinal ? input : .unknown),
          context.first(context.dimension(1, of: 1), input),
        ]
      } initializer: { shape, _ in
        .kaimingUniform(fanIn: shape.last ?? 0)
      },
      ParameterDeclaration(2, "bias", isOptional: true) { context in
        [context.first(context.dimension(0, of: 2), context.dimension(0, of: 1), context.width("out_features"))]
      } initializer: { _, context in
        .kaimingUniform(fanIn: context.dimension(-1, of: 1).size ?? 0)
      },
    ])

  private static let convolution = Entry(
    widths: ["out_channels"],
    [
      ParameterDeclaration(1, "weight") { context in
        guard let kernel = context.attributes[Conv.kernelShape] else { return nil }
        let input = context.dimension(1, of: 0)
        let output = context.first(
          context.dimension(0, of: 1), context.width("out_channels"), context.dimension(0, of: 2),
          context.isFinal ? input : .unknown)
        let perGroup = input / Dimension(context.attributes[Conv.group])
        return Shape([output, context.first(context.dimension(1, of: 1), perGroup)] + kernel.map(Dimension.init(_:)))
      } initializer: { shape, _ in
        .kaimingUniform(fanIn: Initializer.fanIn(of: shape))
      },
      ParameterDeclaration(2, "bias", isOptional: true) { context in
        [context.first(context.dimension(0, of: 2), context.dimension(0, of: 1), context.width("out_channels"))]
      } initializer: { _, context in
        .kaimingUniform(fanIn: context.operandTypes[1].shape?.sizes.map(Initializer.fanIn(of:)) ?? 0)
      },
    ])

  /// A parameter of the shape of the axes that are normalized.
  private static func normalized(
    _ operand: Int, _ name: String, isOptional: Bool = false, _ initializer: Initializer
  ) -> ParameterDeclaration {
    ParameterDeclaration(operand, name, isOptional: isOptional) { context in
      guard let rank = context.rank(of: 0) else { return nil }
      let axis = context.attributes[LayerNormalization.axis]
      let first = axis < 0 ? rank + axis : axis
      guard (0..<rank).contains(first) else { return nil }
      return Shape((first..<rank).map { context.dimension($0, of: 0) })
    } initializer: { _, _ in
      initializer
    }
  }

  /// A parameter with an element for each channel.
  private static func perChannel(
    _ operand: Int, _ name: String, role: Parameter.Role = .weight, _ initializer: Initializer
  ) -> ParameterDeclaration {
    ParameterDeclaration(operand, name, role: role) { context in
      [context.dimension(1, of: 0)]
    } initializer: { _, _ in
      initializer
    }
  }
}
