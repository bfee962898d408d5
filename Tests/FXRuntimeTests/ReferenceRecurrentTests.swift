import FXCore
import FXRuntime
import Testing

/// Layers of one unit with linear activations, so that every step can be followed by hand.
@Suite struct ReferenceRecurrentTests {
  static let x = f([3, 1, 1], [1, 2, 3])
  static let short = f([2, 1, 1], [1, 2])
  static func ones(_ shape: [Int]) -> Tensor { f(shape, Array(repeating: 1, count: shape.reduce(1, *))) }
  static func linear(_ count: Int, _ more: Attributes = [:]) -> Attributes {
    var attributes = more
    attributes["activations"] = .strings(Array(repeating: "Affine", count: count))
    return attributes
  }
  static let lengths = Tensor(vector: [Int32(2)])
  static let one = ones([1, 1, 1])

  static let layers: [OperatorCase] = [
    .init("rnn", .rnn, [x, one, one], linear(1), [f([3, 1, 1, 1], [1, 3, 6]), f([1, 1, 1], [6])]),
    .init(
      "rnn backwards", .rnn, [x, one, one], linear(1, ["direction": "reverse"]),
      [f([3, 1, 1, 1], [6, 5, 3]), f([1, 1, 1], [6])]),
    .init(
      "rnn of a short sequence backwards", .rnn, [x, one, one, nil, lengths], linear(1, ["direction": "reverse"]),
      [f([3, 1, 1, 1], [3, 2, 0]), f([1, 1, 1], [3])]),
    .init(
      "rnn both ways, batch first", .rnn, [f([1, 3, 1], [1, 2, 3]), ones([2, 1, 1]), ones([2, 1, 1]), ones([2, 2])],
      linear(2, ["direction": "bidirectional", "layout": 1]), [f([1, 3, 2, 1], [3, 12, 7, 9, 12, 5]), f([1, 2, 1], [12, 12])]),
    .init(
      "rnn with another activation", .rnn, [x, one, one], ["activations": .strings(["Relu"]), "clip": 2.0],
      [f([3, 1, 1, 1], [1, 2, 2])]),
    .init(
      "rnn with parameters", .rnn, [f([1, 1, 1], [3]), one, one],
      ["activations": .strings(["affine"]), "activation_alpha": .floats([2]), "activation_beta": .floats([5])],
      [f([1, 1, 1, 1], [11])]),
    .init(
      "rnn from a state", .rnn, [f([1, 1, 1], [3]), one, one, nil, nil, f([1, 1, 1], [4])], linear(1), [f([1, 1, 1, 1], [7])]),
    .init("rnn with an unknown activation", .rnn, [x, one, one], ["activations": .strings(["Sine"])], nil),
    .init("rnn with weights that do not fit", .rnn, [x, ones([1, 2, 1]), one], [:], nil),
    .init("rnn with a length beyond the end", .rnn, [x, one, one, nil, Tensor(vector: [Int32(4)])], [:], nil),
    .init(
      "lstm", .lstm, [short, ones([1, 4, 1]), ones([1, 4, 1])], linear(3),
      [f([2, 1, 1, 1], [1, 36]), f([1, 1, 1], [36]), f([1, 1, 1], [12])]),
    .init(
      "lstm clipped", .lstm, [short, ones([1, 4, 1]), ones([1, 4, 1])], linear(3, ["clip": 2.0]), [f([2, 1, 1, 1], [1, 4])]),
    .init(
      "lstm of coupled gates", .lstm, [short, ones([1, 4, 1]), ones([1, 4, 1])], linear(3, ["input_forget": true]),
      [f([2, 1, 1, 1], [1, 21])]),
    .init(
      "lstm with peepholes", .lstm, [f([1, 1, 1], [1]), ones([1, 4, 1]), ones([1, 4, 1]), nil, nil, nil, nil, ones([1, 3])],
      linear(3),
      [f([1, 1, 1, 1], [2])]),
    .init(
      "gru", .gru, [short, f([1, 3, 1], [0, 1, 1]), f([1, 3, 1], [0, 1, 1]), f([1, 6], [0, 0, 0, 0, 0, 1])], linear(2),
      [f([2, 1, 1, 1], [2, 11]), f([1, 1, 1], [11])]),
    .init(
      "gru, linear before reset", .gru,
      [short, f([1, 3, 1], [0, 1, 1]), f([1, 3, 1], [0, 1, 1]), f([1, 6], [0, 0, 0, 0, 0, 1])],
      linear(2, ["linear_before_reset": true]), [f([2, 1, 1, 1], [2, 14])]),
  ]

  @Test(arguments: layers) func gives(_ example: OperatorCase) throws { try example.check(tolerance: 1e-6) }
}
