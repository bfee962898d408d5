import FXCore
import FXRuntime
import Testing

/// Expected numbers are ONNX Runtime's.
@Suite struct ReferenceNormalizationTests {
  static func squares(_ shape: [Int]) -> Tensor { f(shape, (0..<shape.reduce(1, *)).map { Float($0 * $0) }) }
  static let statistics: [Tensor?] = [
    ramp([2, 2, 1]), f([2], [1, 2]), f([2], [0, 1]), f([2], [1, 2]), f([2], [4, 9]),
  ]

  static let normalizations: [OperatorCase] = [
    .init(
      "batch", .batchNormalization, statistics, ["epsilon": 0.0], [f([2, 2, 1], [-0.5, 0.3333333, 0.5, 1.666667])]),
    .init(
      "batch in training", .batchNormalization, statistics, ["training_mode": true, "momentum": 0.75],
      [f([2, 2, 1], [-0.999995, -0.99999, 0.999995, 2.99999]), f([2], [1, 2]), f([2], [3.25, 7])]),
    .init("batch with too few channels", .batchNormalization, [ramp([2, 3])] + statistics.dropFirst(), [:], nil),
    .init(
      "layer", .layerNormalization, [squares([2, 3]), f([3], [1, 2, 3]), f([3], [0, 0.5, 0])], [:],
      [
        f([2, 3], [-0.980579, -0.2844631, 4.118432, -1.170669, 0.2964056, 3.817399]), f([2, 1], [1.666667, 16.66667]),
        f([2, 1], [0.5883474, 0.152696]),
      ]),
    .init("layer over an axis beyond the rank", .layerNormalization, [ramp([2, 3]), ramp([3])], ["axis": 2], nil),
    .init(
      "rms", .rmsNormalization, [ramp([2, 3]), f([3], [1, 2, 3])], [:],
      [f([2, 3], [0, 1.549189, 4.647566, 0.7348468, 1.959591, 3.674234])]),
    .init(
      "group", .groupNormalization, [squares([1, 4, 2]), f([4], [1, 2, 3, 4]), f([4], [0, 0, 1, 1])], ["num_groups": 2],
      [f([1, 4, 2], [-0.9999996, -0.7142854, 0.2857142, 3.142856, -2.76855, -0.5803597, 2.458794, 6.673086])]),
    .init("groups that do not divide", .groupNormalization, [ramp([1, 4]), ramp([4]), ramp([4])], ["num_groups": 3], nil),
    .init(
      "instance", .instanceNormalization, [squares([1, 2, 3]), f([2], [1, 2]), f([2], [0, 1])], [:],
      [f([1, 2, 3], [-0.980579, -0.3922316, 1.372811, -1.341338, 0.7964058, 3.544933])]),
    .init("l1", .lpNormalization, [f([2, 2], [1, -3, 0, 0])], ["p": 1], [f([2, 2], [0.25, -0.75, 0, 0])]),
    .init("l2", .lpNormalization, [f([2, 2], [3, -4, 0, 0])], [:], [f([2, 2], [0.6, -0.8, 0, 0])]),
    .init(
      "local response", .lrn, [ramp([1, 4, 1, 1])], ["size": 3, "alpha": 3.0, "beta": 0.5],
      [f([1, 4, 1, 1], [0, 0.4082483, 0.5163978, 0.8017837])]),
    .init(
      "local response of a huge window", .lrn, [f([1, 2], [3, 4])], ["size": .int(.max), "beta": 0.0], [f([1, 2], [3, 4])]),
    .init(
      "mean and variance", .meanVarianceNormalization, [ramp([2, 1, 2])], ["axes": .ints([0, 2])],
      [f([2, 1, 2], [-1.341641, -0.4472136, 0.4472136, 1.341641])]),
  ]

  static let q = f([1, 1, 2, 2], [0, 0.25, 0.5, 0.75])
  static let k = f([1, 1, 3, 2], [0, 1, 2, 3, 4, 5].map { Float($0) / 3 })

  static let attentions: [OperatorCase] = [
    .init("attention", .attention, [q, k, ramp([1, 1, 3, 1])], [:], [f([1, 1, 2, 1], [1.078386, 1.37169])]),
    .init("causal", .attention, [q, k, ramp([1, 1, 3, 1])], ["is_causal": true], [f([1, 1, 2, 1], [0, 0.6431943])]),
    .init(
      "masked", .attention, [q, k, ramp([1, 1, 3, 1]), t([2, 3], [true, false, true, false, false, false])], [:],
      [f([1, 1, 2, 1], [1.117308, 0])]),
    .init(
      "a window", .attention, [q, k, ramp([1, 1, 3, 1])], ["left_window_size": 0, "right_window_size": 0],
      [f([1, 1, 2, 1], [0, 1])]),
    .init(
      "heads that share keys", .attention,
      [f([1, 1, 4], [0, 0.25, 0.5, 0.75]), f([1, 2, 2], [0, 1, 2, 3].map { Float($0) / 3 }), ramp([1, 2, 2])],
      ["q_num_heads": 2, "kv_num_heads": 1], [f([1, 1, 4], [1.058857, 2.058857, 1.286389, 2.286389])]),
    .init(
      "a cache", .attention,
      [q, ramp([1, 1, 1, 2]), f([1, 1, 1, 1], [7]), nil, f([1, 1, 2, 2], [0, -1, -2, -3]), ramp([1, 1, 2, 1])],
      ["is_causal": true, "scale": 0.5, "softcap": 2.0],
      [f([1, 1, 2, 1], [3.186035, 4.333699]), f([1, 1, 3, 2], [0, -1, -2, -3, 0, 1]), f([1, 1, 3, 1], [0, 1, 7])]),
    .init("heads that do not divide", .attention, [ramp([1, 3, 1, 2]), ramp([1, 2, 1, 2]), ramp([1, 2, 1, 2])], [:], nil),
    .init(
      "rotation of halves", .rotaryEmbedding,
      [ramp([1, 1, 2, 4]), cosines, sines, i([1, 2], [1, 0])], [:],
      [f([1, 1, 2, 4], [-1.682942, -3.144039, 1.080605, -0.3391431, 4, 5, 6, 7])]),
    .init(
      "rotation of neighbours", .rotaryEmbedding,
      [ramp([1, 2, 4]), cosines.batched, sines.batched], ["interleaved": true, "num_heads": 1],
      [f([1, 2, 4], [0, 1, 2, 3, -2.046146, 6.067395, -8.861963, 2.542757])]),
    .init("a position beyond the cache", .rotaryEmbedding, [ramp([1, 1, 1, 4]), cosines, sines, i([1, 1], [2])], [:], nil),
  ]
  /// Of the angles 0, 0 at the first position and 1, 2 at the second.
  static let cosines = f([2, 2], [1, 1, 0.5403023, -0.4161468])
  static let sines = f([2, 2], [0, 0, 0.8414710, 0.9092974])

  @Test(arguments: normalizations + attentions) func gives(_ example: OperatorCase) throws {
    try example.check(tolerance: 2e-6)
  }
}

extension Tensor {
  fileprivate var batched: Tensor { (try? reshaped([1] + shape)) ?? self }
}
