import FXCore
import FXShapes
import Testing

/// Convolution, pooling, recurrence, images: operators whose sizes are formulas.
@Suite struct WindowRulesTests {
  static let windows: [RuleCase] = [
    .init(
      "conv", .conv, [.f32("n", 3, "h", 224), .f32(64, 3, 7, 7)], ["strides": .ints([2, 2]), "pads": .ints([3, 3, 3, 3])],
      ["f32[n, 64, floordiv(h - 1, 2) + 1, 112]"]),
    .init(
      "conv that keeps the size", .conv, [.f32("n", 8, "h", "w"), .f32(8, 1, 3, 3)], ["group": 8, "pads": .ints([1, 1, 1, 1])],
      ["f32[n, 8, h, w]"]),
    .init(
      "same size", .conv, [.f32("n", 3, "h"), .f32(4, 3, 5)], ["auto_pad": "SAME_UPPER", "strides": .ints([2])],
      ["f32[n, 4, floordiv(h + 1, 2)]"]),
    .init("weights of unknown size", .conv, [.f32("n", 3, "h"), .of(.tensor(.float32, nil))], [:], ["f32[n, u1, u2]"]),
    .init("channels that differ", .conv, [.f32("n", 3, "h"), .f32(4, 2, 5)], [:], nil),
    .init("kernels that groups do not divide", .conv, [.f32("n", 4, "h"), .f32(3, 2, 1)], ["group": 2], nil),
    .init("a bias of another size", .conv, [.f32("n", 3, "h"), .f32(4, 3, 5), .f32(5)], [:], nil),
    .init("a kernel that does not fit", .conv, [.f32("n", 3, 4), .f32(4, 3, 5)], [:], nil),
    .init("too few strides", .conv, [.f32("n", 3, "h", "w"), .f32(4, 3, 1, 1)], ["strides": .ints([2])], nil),
    .init("a stride of 0", .conv, [.f32("n", 3, "h"), .f32(4, 3, 1)], ["strides": .ints([0])], nil),
    .init("huge pads", .conv, [.f32("n", 3, "h"), .f32(4, 3, 1)], ["pads": .ints([.max, .max])], nil),
    .init(
      "fused", .fusedConv, [.f32("n", 3, 8), .f32(4, 3, 1), .none, .f32("n", 4, 8)], ["activation": "relu"], ["f32[n, 4, 8]"]),
    .init(
      "transposed", .convTranspose, [.f32("n", 4, "h"), .f32(4, 2, 4)],
      ["strides": .ints([2]), "pads": .ints([1, 1]), "group": 2], ["f32[n, 4, 2*h]"]),
    .init("deformed", .deformConv, [.f32(1, 1, 3, 3), .f32(1, 1, 2, 2), .f32(1, 8, 2, 2)], [:], ["f32[1, 1, 2, 2]"]),
    .init("deformed by too few offsets", .deformConv, [.f32(1, 1, 3, 3), .f32(1, 1, 2, 2), .f32(1, 4, 2, 2)], [:], nil),
    .init("columns to an image", .col2im, [.f32("n", 8, 16), .ints(5, 5), .ints(2, 2)], [:], ["f32[n, 2, 5, 5]"]),
    .init("too few columns", .col2im, [.f32("n", 8, 15), .ints(5, 5), .ints(2, 2)], [:], nil),
    .init(
      "max pool", .maxPool, [.f32("n", 3, "h")], ["kernel_shape": .ints([3]), "strides": .ints([2]), "ceil_mode": true],
      [
        "f32[n, 3, min(floordiv(h + 1, 2), floordiv(h - 2, 2) + 1)]",
        "i64[n, 3, min(floordiv(h + 1, 2), floordiv(h - 2, 2) + 1)]",
      ]),
    .init(
      "max pool rounding up", .maxPool, [.f32("n", 3, 6)],
      ["kernel_shape": .ints([3]), "strides": .ints([2]), "ceil_mode": true], ["f32[n, 3, 3]"]),
    .init("no kernel", .averagePool, [.f32("n", 3, 6)], ["kernel_shape": .ints([])], nil),
    .init("global", .globalAveragePool, [.f32("n", "c", "h", "w")], [:], ["f32[n, c, 1, 1]"]),
    .init(
      "unpool", .maxUnpool, [.f32("n", 1, "h"), .of(.tensor(.int64, ["n", 1, "h"]))],
      ["kernel_shape": .ints([2]), "strides": .ints([2])], ["f32[n, 1, 2*h]"]),
    .init("regions", .maxRoiPool, [.f32("n", 8, "h", "w"), .f32("r", 5)], ["pooled_shape": .ints([7, 7])], ["f32[r, 8, 7, 7]"]),
  ]

  static let layers: [RuleCase] = [
    .init(
      "lstm", .lstm, [.f32("t", "b", 10), .f32(2, 80, 10), .f32(2, 80, 20)], ["direction": "bidirectional"],
      ["f32[t, 2, b, 20]", "f32[2, b, 20]", "f32[2, b, 20]"]),
    .init(
      "gru, batch first", .gru, [.f32("b", "t", 10), .f32(1, 60, 10), .f32(1, 60, 20)], ["layout": 1],
      ["f32[b, t, 1, 20]", "f32[b, 1, 20]"]),
    .init("gates of another size", .gru, [.f32("t", "b", 10), .f32(1, 61, 10), .f32(1, 60, 20)], [:], nil),
    .init(
      "one direction too few", .rnn, [.f32("t", "b", 10), .f32(1, 20, 10), .f32(1, 20, 20)], ["direction": "bidirectional"], nil),
    .init(
      "a state of another size", .rnn, [.f32("t", 3, 10), .f32(1, 20, 10), .f32(1, 20, 20), .none, .none, .f32(1, 4, 20)], [:],
      nil),
  ]

  static let images: [RuleCase] = [
    .init(
      "resize by scales", .resize, [.f32("n", 3, "h", 7), .none, .constant(Tensor(vector: [Float(1), 1, 2, 0.5]))], [:],
      ["f32[n, 3, 2*h, 3]"]),
    .init(
      "resize to sizes", .resize, [.f32("n", 3, "h", 7), .none, .none, .sizes(["h2", "w2"])], ["axes": .ints([2, 3])],
      ["f32[n, 3, h2, w2]"]),
    .init("resize with too few scales", .resize, [.f32("n", 3), .none, .constant(Tensor(vector: [Float(1)]))], [:], nil),
    .init("grid", .gridSample, [.f32("n", 3, "h", "w"), .f32("n", 5, "q", 2)], [:], ["f32[n, 3, 5, q]"]),
    .init("a grid of too many axes", .gridSample, [.f32("n", 3, "h", "w"), .f32("n", 5, "q", 3)], [:], nil),
    .init("affine grid", .affineGrid, [.f32("n", 2, 3), .sizes(["n", 3, "h", "w"])], [:], ["f32[n, h, w, 2]"]),
    .init("regions", .roiAlign, [.f32("n", 3, "h", "w"), .f32("r", 4), .open("r")], ["output_height": 7], ["f32[r, 3, 7, 1]"]),
    .init("boxes", .nonMaxSuppression, [.f32("n", "b", 4), .f32("n", 80, "b")], [:], ["i64[u0, 3]"]),
    .init(
      "cross entropy", .softmaxCrossEntropyLoss, [.f32("n", 10, "d"), .of(.tensor(.int64, ["n", "d"]))], ["reduction": "none"],
      ["f32[n, d]", "f32[n, 10, d]"]),
    .init("targets of another batch", .nllLoss, [.f32(3, 10), .open(4)], [:], nil),
    .init("frames", .stft, [.f32("n", "l", 1), .int(16), .f32(64)], [:], ["f32[n, floordiv(l - 64, 16) + 1, 33, 2]"]),
    .init("spectrum", .dft, [.f32("n", "l", 1)], ["onesided": true], ["f32[n, floordiv(l, 2) + 1, 2]"]),
  ]

  static let indices: [RuleCase] = [
    .init("gather", .gather, [.f32(1000, 64), .of(.tensor(.int64, ["b", "s"]))], [:], ["f32[b, s, 64]"]),
    .init("gather out of range", .gather, [.f32(3), .ints(3)], [:], nil),
    .init(
      "gather parts", .gatherND, [.f32("b", 5, 6, 7), .of(.tensor(.int64, ["b", 4, 2]))], ["batch_dims": 1], ["f32[b, 4, 7]"]),
    .init("scatter parts of another shape", .scatterND, [.f32(5, 6), .of(.tensor(.int64, [2, 1])), .f32(2, 7)], [:], nil),
    .init("nonzero", .nonzero, [.f32("a", 3)], [:], ["i64[2, u0]"]),
    .init("topk", .topK, [.f32("n", 5), .ints(3)], [:], ["f32[n, 3]", "i64[n, 3]"]),
    .init("topk of more than there is", .topK, [.f32("n", 5), .ints(6)], [:], nil),
    .init("one hot", .oneHot, [.f32("n"), .int(7), .f32(2)], [:], ["f32[n, 7]"]),
    .init("constant of a shape", .constantOfShape, [.sizes(["n", 2])], [:], ["f32[n, 2]"]),
    .init("range to a size", .range, [.int(0), .sizes(["s"]), .int(2)], [:], ["i64[floordiv(s + 1, 2)]"]),
    .init(
      "range of floats", .range, [.constant(Tensor(Float(0))), .constant(Tensor(Float(1))), .constant(Tensor(Float(0.25)))], [:],
      ["f32[4]"]),
    .init("unique along an axis", .unique, [.f32("a", 3)], ["axis": 1], ["f32[a, u0]", "i64[u0]", "i64[3]", "i64[u0]"]),
  ]

  @Test(arguments: windows + layers + images + indices) func infers(_ example: RuleCase) throws { try example.check() }

  /// A table cut to the sequence's length, beside the sequence.
  @Test func positionsBroadcast() {
    let cut = Dimension.minimum("s", 512)
    #expect(Broadcasting.dimension(cut, "s") == "s")
    #expect(Broadcasting.dimension("s", cut) == "s")
    #expect(Broadcasting.dimension(cut, "t") == .unknown)
  }
}
