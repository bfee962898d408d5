import FXCore
import Testing

@testable import FXRuntime

@Suite struct SpatialKernelTests {
  private static func convolution(
    _ op: Operator, _ x: [Int], _ w: [Int], bias: Bool = true, residual: [Int]? = nil, constant: Bool = true,
    _ attributes: Attributes = [:]
  ) -> KernelCase {
    let channels = op === Operator.convTranspose ? w[1] * (attributes["group"].flatMap(groups) ?? 1) : w[0]
    var operands: [KernelCase.Given?] = [.f(x), constant ? .constant(w) : .f(w)]
    if bias || residual != nil { operands.append(bias ? .constant([channels]) : nil) }
    if let residual { operands.append(.f(residual)) }
    return KernelCase(op: op, operands: operands, attributes: attributes, tolerance: 5e-5)
  }

  private static func groups(_ value: AttributeValue) -> Int? { if case .int(let n) = value { n } else { nil } }

  static let convolutions: [KernelCase] = [
    convolution(.conv, [1, 3, 17, 19], [8, 3, 3, 3], ["pads": .ints([1, 1, 1, 1])]),
    convolution(.conv, [2, 16, 14, 14], [24, 16, 3, 3], bias: false, ["pads": .ints([1, 1, 1, 1])]),
    convolution(.conv, [1, 3, 33, 31], [7, 3, 7, 7], ["pads": .ints([3, 3, 3, 3]), "strides": .ints([2, 2])]),
    convolution(.conv, [2, 20, 9, 9], [30, 20, 1, 1]),
    convolution(.conv, [2, 20, 9, 9], [30, 20, 1, 1], ["strides": .ints([2, 2])]),
    convolution(.conv, [1, 8, 12, 13], [12, 4, 3, 3], ["group": 2, "pads": .ints([0, 1, 2, 3])]),
    convolution(.conv, [2, 9, 12, 13], [9, 1, 3, 3], ["group": 9, "pads": .ints([1, 1, 1, 1])]),
    convolution(.conv, [1, 6, 12, 13], [6, 1, 5, 5], ["group": 6, "pads": .ints([2, 2, 2, 2]), "strides": .ints([2, 2])]),
    convolution(.conv, [1, 6, 12, 13], [12, 1, 3, 3], ["group": 6]),
    convolution(.conv, [1, 5, 12, 13], [4, 5, 3, 2], constant: false, ["dilations": .ints([2, 3])]),
    convolution(.conv, [1, 6, 12, 13], [6, 1, 3, 3], constant: false, ["group": 6]),
    convolution(.conv, [1, 3, 10, 11], [4, 3, 3, 4], ["auto_pad": "SAME_UPPER", "strides": .ints([2, 1])]),
    convolution(.conv, [1, 3, 10, 11], [4, 3, 3, 4], ["auto_pad": "SAME_LOWER"]),
    convolution(.conv, [1, 3, 10, 11], [4, 3, 3, 4], ["auto_pad": "VALID"]),
    convolution(.conv, [2, 5, 40], [6, 5, 5], ["pads": .ints([2, 2]), "dilations": .ints([2])]),
    convolution(.conv, [2, 5, 40], [5, 1, 5], ["group": 5]),
    convolution(.conv, [1, 3, 6, 7, 8], [4, 3, 3, 2, 3], ["pads": .ints([1, 0, 1, 1, 0, 1])]),
    convolution(
      .fusedConv, [1, 6, 9, 9], [8, 6, 3, 3], residual: [1, 8, 9, 9], ["pads": .ints([1, 1, 1, 1]), "activation": "relu"]),
    convolution(.fusedConv, [2, 6, 9, 9], [6, 1, 3, 3], ["group": 6, "activation": "silu"]),
    convolution(
      .fusedConv, [2, 6, 9, 9], [6, 1, 3, 3], residual: [2, 6, 7, 7],
      ["group": 6, "activation": "clip", "activation_params": .floats([0, 6])]),
    convolution(.fusedConv, [2, 6, 8, 8], [7, 6, 1, 1], bias: false, residual: [2, 7, 8, 8], ["activation": "hard_swish"]),
  ]

  static let transposed: [KernelCase] = [
    convolution(.convTranspose, [2, 6, 5, 7], [6, 4, 3, 3]),
    convolution(.convTranspose, [1, 6, 5, 7], [6, 4, 2, 2], ["strides": .ints([2, 2])]),
    convolution(
      .convTranspose, [1, 6, 5, 7], [6, 4, 3, 3],
      ["strides": .ints([2, 3]), "pads": .ints([1, 0, 1, 1]), "output_padding": .ints([1, 1])]),
    convolution(.convTranspose, [2, 6, 5, 7], [6, 4, 3, 3], constant: false, ["group": 2, "dilations": .ints([2, 1])]),
    convolution(.convTranspose, [2, 6, 20], [6, 4, 4], bias: false, ["strides": .ints([2]), "pads": .ints([1, 1])]),
  ]

  private static func pooling(_ op: Operator, _ x: [Int], _ attributes: Attributes, results: Int = 1) -> KernelCase {
    KernelCase(op: op, operands: [.f(x)], attributes: attributes, resultCount: results, tolerance: 1e-5)
  }

  static let windows: [Attributes] = [
    ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])],
    ["kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "pads": .ints([1, 1, 1, 1])],
    ["kernel_shape": .ints([3, 2]), "strides": .ints([2, 3]), "pads": .ints([1, 0, 0, 1]), "ceil_mode": true],
    ["kernel_shape": .ints([3, 3]), "auto_pad": "SAME_UPPER"],
    ["kernel_shape": .ints([2, 3]), "dilations": .ints([2, 1])],
  ]

  static let poolCases: [KernelCase] =
    windows.flatMap { attributes -> [KernelCase] in
      var counting = attributes
      counting["count_include_pad"] = true
      return [
        pooling(.maxPool, [2, 3, 11, 12], attributes), pooling(.maxPool, [1, 3, 11, 12], attributes, results: 2),
        pooling(.averagePool, [2, 3, 11, 12], attributes), pooling(.averagePool, [2, 3, 11, 12], counting),
      ]
    } + [
      pooling(.maxPool, [2, 3, 11], ["kernel_shape": .ints([3]), "strides": .ints([2])]),
      pooling(.averagePool, [2, 3, 11], ["kernel_shape": .ints([3]), "pads": .ints([1, 1])]),
      pooling(.globalAveragePool, [2, 30, 7, 7], [:]), pooling(.globalMaxPool, [2, 3, 7], [:]),
    ]

  private static func resizes(_ coordinates: String, _ filter: String) -> [KernelCase] {
    let attributes: Attributes = ["coordinate_transformation_mode": .string(coordinates), "mode": .string(filter)]
    let scales = KernelCase.Given(shape: [4], isConstant: true, elements: [1, 1, 2, 1.5])
    return [
      KernelCase(op: .resize, operands: [.f([2, 3, 5, 7]), nil, scales], attributes: attributes, tolerance: 1e-5),
      KernelCase(
        op: .resize, operands: [.f([2, 3, 8, 7]), nil, nil, .integers([2, 3, 3, 14])], attributes: attributes, tolerance: 1e-5),
    ]
  }

  static let resizes: [KernelCase] = {
    var cases: [KernelCase] = []
    for mode in ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", "half_pixel_symmetric"] {
      cases += resizes(mode, "nearest") + resizes(mode, "linear")
    }
    let scale = KernelCase.Given(shape: [1], isConstant: true, elements: [2])
    cases.append(
      KernelCase(
        op: .resize, operands: [.f([2, 3, 8]), nil, scale], attributes: ["axes": .ints([2]), "nearest_mode": "floor"],
        tolerance: 0))
    return cases
  }()

  @Test("convolutions", arguments: convolutions) func convolves(_ given: KernelCase) throws { try given.check() }
  @Test("transposed convolutions", arguments: transposed) func transposes(_ given: KernelCase) throws { try given.check() }
  @Test("resizing", arguments: resizes) func resamples(_ given: KernelCase) throws { try given.check() }
  @Test("pools", arguments: poolCases) func reducesWindows(_ given: KernelCase) throws { try given.check() }
}
