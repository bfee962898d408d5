import FXCore
import FXRuntime
import Testing

@Suite struct ReferenceImageTests {
  static let x = f([1, 1, 1, 4], [0, 1, 2, 3])

  static let images: [OperatorCase] = [
    .init(
      "nearest", .resize, [x, nil, f([4], [1, 1, 1, 2])],
      ["coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"], [f([1, 1, 1, 8], [0, 0, 1, 1, 2, 2, 3, 3])]),
    .init(
      "linear to a size", .resize, [x, nil, nil, ints(7)],
      ["mode": "linear", "axes": .ints([3]), "coordinate_transformation_mode": "align_corners"],
      [f([1, 1, 1, 7], [0, 0.5, 1, 1.5, 2, 2.5, 3])]),
    .init(
      "keeping proportions", .resize, [ramp([1, 1, 2, 4]), nil, nil, ints(4, 4)],
      ["axes": .ints([2, 3]), "keep_aspect_ratio_policy": "not_larger"], [ramp([1, 1, 2, 4])]),
    .init(
      "of strings", .resize, [try? Tensor([2], strings: ["a", "b"]), nil, f([1], [1.5])], [:],
      [try? Tensor([3], strings: ["a", "a", "b"])].compactMap(\.self)),
    .init("to a huge size", .resize, [x, nil, nil, ints(1 << 40)], ["axes": .ints([3])], nil),
    .init("by a negative scale", .resize, [x, nil, f([4], [1, 1, 1, -2])], [:], nil),
    .init("by nothing", .resize, [x], [:], nil),
    .init(
      "sampled at the corners and outside", .gridSample, [ramp([1, 1, 2, 2]), f([1, 1, 3, 2], [-1, -1, 1, 1, 5, 5])],
      ["align_corners": true], [f([1, 1, 1, 3], [0, 3, 0])]),
    .init(
      "sampled at no number", .gridSample, [ramp([1, 1, 2, 2]), f([1, 1, 1, 2], [.nan, .infinity])], ["padding_mode": "zeros"],
      [f([1, 1, 1, 1], [0])]),
    .init(
      "the identity's grid", .affineGrid, [f([1, 2, 3], [1, 0, 0, 0, 1, 0]), ints(1, 1, 1, 2)], ["align_corners": false],
      [f([1, 1, 2, 2], [-0.5, 0, 0.5, 0])]),
    .init("cropped and padded", .centerCropPad, [ramp([4, 1]), ints(2, 3)], [:], [f([2, 3], [0, 1, 0, 0, 2, 0])]),
    .init(
      "the better of two boxes", .nonMaxSuppression,
      [
        f([1, 3, 4], [0, 0, 1, 1, 0, 0, 1, 0.9, 5, 5, 6, 6]), f([1, 1, 3], [0.5, 0.9, 0.1]), ints(9), f([1], [0.5]),
        f([1], [0.2]),
      ],
      [:], [i([1, 3], [0, 0, 1])]),
    .init(
      "a region of one element", .roiAlign, [ramp([1, 1, 2, 2]), f([1, 4], [0.5, 0.5, 1.5, 1.5]), ints(0)], ["sampling_ratio": 1],
      [f([1, 1, 1, 1], [1.5])]),
    .init("a region of no image", .roiAlign, [ramp([1, 1, 2, 2]), f([1, 4], [0, 0, 1, 1]), ints(1)], [:], nil),
  ]

  static let losses: [OperatorCase] = [
    .init("nll", .nllLoss, [f([2, 2], [-1, -2, -3, -4]), ints(1, 0), f([2], [1, 3])], [:], [f([], [2.25])]),
    .init(
      "nll of an ignored target", .nllLoss, [f([2, 2], [-1, -2, -3, -4]), ints(-1, 0)],
      ["ignore_index": -1, "reduction": "none"], [f([2], [0, 3])]),
    .init("nll of a target out of range", .nllLoss, [f([1, 2], [-1, -2]), ints(2)], [:], nil),
    .init(
      "cross entropy of equal scores", .softmaxCrossEntropyLoss, [f([1, 2], [7, 7]), ints(0)], [:],
      [f([], [0.6931472]), f([1, 2], [-0.6931472, -0.6931472])]),
  ]

  static let signals: [OperatorCase] = [
    .init("dft", .dft, [f([1, 4, 1], [1, 2, 3, 4])], ["onesided": true], [f([1, 3, 2], [10, 0, -2, 2, -2, 0])]),
    .init(
      "inverse to real numbers", .dft, [f([1, 3, 2], [10, 0, -2, 2, -2, 0])], ["onesided": true, "inverse": true],
      [f([1, 4, 1], [1, 2, 3, 4])]),
    .init("dft of a huge length", .dft, [f([1, 1, 1], [1]), i([], [1 << 40])], [:], nil),
    .init(
      "frames", .stft, [f([1, 4, 1], [1, 2, 3, 4]), i([], [2]), f([2], [1, 1])], [:],
      [f([1, 2, 2, 2], [3, 0, -1, 0, 7, 0, -1, 0])]),
    .init("frames by step 0", .stft, [f([1, 4, 1], [1, 2, 3, 4]), i([], [0]), f([2], [1, 1])], [:], nil),
    .init("hann", .hannWindow, [i([], [4])], [:], [f([4], [0, 0.5, 1, 0.5])]),
    .init("hann of one", .hannWindow, [i([], [1])], ["periodic": false], [f([1], [0])]),
  ]

  static func strings(_ shape: [Int], _ strings: String...) -> Tensor? { try? Tensor(shape, strings: strings) }

  static let texts: [OperatorCase] = [
    .init(
      "joined", .stringConcat, [strings([2], "a", "b"), strings([1], "é")], [:], [strings([2], "aé", "bé")].compactMap(\.self)),
    .init(
      "split at most once", .stringSplit, [strings([2], "a b c", " d ")], ["maxsplit": 1],
      [strings([2, 2], "a", "b c", "d", "")].compactMap(\.self) + [ints(2, 1)]),
    .init(
      "split at delimiters", .stringSplit, [strings([1], "a,,b")], ["delimiter": ","],
      [strings([1, 3], "a", "", "b")].compactMap(\.self) + [ints(3)]),
    .init(
      "normalized", .stringNormalizer, [strings([3], "The", "cat", "THE")],
      ["stopwords": .strings(["the"]), "case_change_action": "UPPER"], [strings([1], "CAT")].compactMap(\.self)),
    .init(
      "normalized to nothing", .stringNormalizer, [strings([1, 1], "The")], ["stopwords": .strings(["the"])],
      [strings([1, 1], "")].compactMap(\.self)),
    .init("matched", .regexFullMatch, [strings([2], "abbc", "abc ")], ["pattern": "a[b]+c\\b"], [Tensor(vector: [true, false])]),
    .init("matched with no expression", .regexFullMatch, [strings([1], "a")], ["pattern": "("], nil),
  ]

  @Test(arguments: images + losses + signals + texts) func gives(_ example: OperatorCase) throws {
    try example.check(tolerance: 1e-6)
  }
}
