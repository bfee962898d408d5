import FXCore
import FXRuntime
import Testing

/// Expected numbers are ONNX Runtime's.
@Suite struct ReferenceActivationTests {
  static let x = f([5], [-3, -0.5, 0, 0.75, 4])
  static let m = f([2, 3], [1, 2, 4, -1, 0, -3])

  static func at(_ op: Operator, _ expected: [Float]) -> OperatorCase { at(op, [:], expected) }

  static func at(_ op: Operator, _ attributes: Attributes, _ expected: [Float]) -> OperatorCase {
    .init("\(op.name) \(attributes.map(\.name))", op, [x], attributes, [f([5], expected)])
  }

  static let functions: [OperatorCase] = [
    at(.relu, [0, 0, 0, 0.75, 4]),
    at(.leakyRelu, ["alpha": 0.1], [-0.3, -0.05, 0, 0.75, 4]),
    at(.sigmoid, [0.04742587, 0.3775407, 0.5, 0.6791787, 0.9820138]),
    at(.tanh, [-0.9950547, -0.4621172, 0, 0.635149, 0.9993292]),
    at(.gelu, [-0.004049689, -0.1542688, 0, 0.5800295, 3.999873]),
    at(.gelu, ["approximate": "tanh"], [-0.003637522, -0.154286, 0, 0.5799606, 3.99993]),
    at(.elu, ["alpha": 0.5], [-0.4751065, -0.1967347, 0, 0.75, 4]),
    at(.selu, [-1.670569, -0.6917582, 0, 0.7880257, 4.202804]),
    at(.celu, ["alpha": 2.0], [-1.55374, -0.4423984, 0, 0.75, 4]),
    at(.softplus, [0.04858736, 0.474077, 0.6931472, 1.136871, 4.01815]),
    at(.softsign, [-0.75, -0.3333333, 0, 0.4285715, 0.8]),
    at(.hardSigmoid, [0, 0.4, 0.5, 0.65, 1]),
    at(.hardSwish, [0, -0.2083333, 0, 0.46875, 4]),
    at(.mish, [-0.1456475, -0.2207438, 0, 0.6100184, 3.997413]),
    at(.thresholdedRelu, [0, 0, 0, 0, 4]),
    at(.shrink, ["lambd": 0.6, "bias": 0.1], [-2.9, 0, 0, 0.65, 3.9]),
    at(.silu, ["alpha": 0.5], [-0.5472767, -0.2189118, 0, 0.4445, 3.523188]),
    at(.quickGelu, [-0.01807129, -0.1496116, 0, 0.5863901, 3.995585]),
    at(.erf, [-0.9999779, -0.5204999, 0, 0.7111557, 1]),
    .init("prelu", .prelu, [m, f([3], [0.5, 1, 0.1])], [:], [f([2, 3], [1, 2, 4, -0.5, 0, -0.3])]),
    .init("prelu does not widen", .prelu, [f([3], [1, 2, 3]), m], [:], nil),
    .init("relu of integers", .relu, [ints(-3, 3)], [:], [ints(0, 3)]),
    .init(
      "softmax", .softmax, [m], [:],
      [f([2, 3], [0.04201007, 0.1141952, 0.8437947, 0.2594965, 0.7053846, 0.03511903])]),
    .init(
      "softmax along the first axis", .softmax, [m], ["axis": 0],
      [f([2, 3], [0.880797, 0.880797, 0.999089, 0.1192029, 0.1192029, 0.0009110512])]),
    .init(
      "log_softmax", .logSoftmax, [m], [:], [f([2, 3], [-3.169846, -2.169846, -0.169846, -1.349012, -0.3490122, -3.349012])]),
    .init("softmax of large numbers", .softmax, [f([2], [1000, 1000])], [:], [f([2], [0.5, 0.5])]),
    .init("softmax beyond the rank", .softmax, [m], ["axis": 2], nil),
    .init("hardmax", .hardmax, [f([2, 3], [1, 4, 4, 3, 2, 1])], [:], [f([2, 3], [0, 1, 0, 1, 0, 0])]),
  ]

  @Test(arguments: functions) func gives(_ example: OperatorCase) throws { try example.check(tolerance: 1e-6) }

  /// Infinities give limits, not NaN; NaN stays.
  @Test(arguments: FusedActivation.functions.map(\.name)) func atTheEnds(_ name: String) throws {
    let x = f([3, 1], [-.infinity, .infinity, .nan])
    let result = try OperatorCase(name, .fusedMatmul, [x, f([1, 1], [1])], ["activation": .string(name)], nil).result()
    let values: [Float] = try result.elements()
    #expect(!values[0].isNaN && !values[1].isNaN, "\(name): \(values)")
    #expect(values[2].isNaN, "\(name): \(values)")
  }

  @Test func aFusedActivationIsTheOperator() throws {
    let operators: [(String, Operator, Attributes)] = [
      ("relu", .relu, [:]), ("leaky_relu", .leakyRelu, [:]), ("sigmoid", .sigmoid, [:]), ("tanh", .tanh, [:]),
      ("gelu", .gelu, [:]), ("gelu_tanh", .gelu, ["approximate": "tanh"]), ("silu", .silu, [:]), ("hard_swish", .hardSwish, [:]),
      ("hard_sigmoid", .hardSigmoid, [:]), ("elu", .elu, [:]), ("softplus", .softplus, [:]), ("mish", .mish, [:]),
    ]
    #expect(Set(operators.map(\.0)).union(["clip"]) == Set(FusedActivation.functions.map(\.name)))
    let x = try Self.x.reshaped([5, 1])
    for (name, op, attributes) in operators {
      let fused = try OperatorCase(name, .fusedMatmul, [x, f([1, 1], [1])], ["activation": .string(name)], nil).result()
      #expect(try fused == OperatorCase(name, op, [x], attributes, nil).result(), "\(name)")
    }
    let clipped = try OperatorCase(
      "clip", .fusedMatmul, [x, f([1, 1], [1])], ["activation": "clip", "activation_params": .floats([-1, 2])], nil
    ).result()
    #expect(try clipped.elements(Float.self) == [-1, -0.5, 0, 0.75, 2])
  }
}
