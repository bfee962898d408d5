import FXCore
import Testing

@testable import FXRuntime

@Suite struct RowKernelTests {
  /// Every subset of the axes of [2, 3, 4, 5], by every reduction.
  static let reductions: [KernelCase] = Operator.axisReductions.flatMap { op in
    (1..<16).map { mask in
      let axes = (0..<4).filter { mask & 1 << $0 != 0 }
      let range = op === Operator.reduceLogSum || op === Operator.reduceProd ? 0.5...1.2 : -2...2
      return KernelCase(
        op: op, operands: [.f([2, 3, 4, 5], range), .integers(axes)], attributes: ["keepdims": .bool(mask % 2 == 0)],
        tolerance: 1e-5)
    }
  }

  /// Three sums of eleven features.
  private static func linear(_ op: Operator, rows: Int, _ attributes: Attributes, hasBias: Bool = true) -> KernelCase {
    var attributes = attributes
    attributes["coefficients"] = .floats((0..<33).map { Float(($0 * 7) % 13) / 60 - 0.1 })
    if hasBias { attributes["intercepts"] = .floats([0.25, 0.5, 0.125]) }
    return KernelCase(
      op: op, operands: [.f([rows, 11], 0...1)], attributes: attributes, resultCount: op === Operator.linearClassifier ? 2 : 1,
      tolerance: 1e-5)
  }

  static let rows: [KernelCase] =
    [-1, 1, 0, 2].flatMap { axis in
      [Operator.softmax, .logSoftmax].map { op in
        KernelCase(op: op, operands: [.f([3, 40, 9])], attributes: ["axis": .int(axis)], tolerance: 1e-5)
      }
    }
    + [Operator.argmax, .argmin].flatMap { op in
      [0, 1, -1].map { axis in KernelCase(op: op, operands: [.f([6, 70, 3])], attributes: ["axis": .int(axis)]) }
    } + [
      KernelCase(op: .reduceSum, operands: [.f([300, 200])], tolerance: 1e-4),
      KernelCase(op: .reduceMean, operands: [.f([30, 20]), nil], attributes: ["keepdims": false]),
      KernelCase(
        op: .argmax, operands: [.typed(.float32, [5, 9], -1...1)], attributes: ["axis": -1, "select_last_index": true]),
      KernelCase(op: .layerNormalization, operands: [.f([4, 5, 300]), .constant([300]), .constant([300])], tolerance: 1e-5),
      KernelCase(
        op: .layerNormalization, operands: [.f([4, 5, 30]), .f([5, 30])], attributes: ["axis": 1], resultCount: 3, tolerance: 1e-5
      ),
      KernelCase(op: .rmsNormalization, operands: [.f([4, 5, 30]), .constant([30])], tolerance: 1e-5),
      KernelCase(
        op: .batchNormalization,
        operands: [.f([2, 5, 7, 3]), .constant([5]), .constant([5]), .constant([5]), .constant([5], 0.5...2)], tolerance: 1e-5),
      KernelCase(op: .batchNormalization, operands: [.f([4, 5]), .f([5]), .f([5]), .f([5]), .f([5], 0.5...2)], tolerance: 1e-5),
      KernelCase(
        op: .groupNormalization, operands: [.f([2, 6, 5, 3]), .constant([6]), .f([6])], attributes: ["num_groups": 3],
        tolerance: 1e-5),
      KernelCase(op: .instanceNormalization, operands: [.f([2, 6, 50]), .constant([6]), .f([6])], tolerance: 1e-5),
      KernelCase(op: .scaler, operands: [.f([7, 3])], attributes: ["offset": .floats([1, -2, 0.5]), "scale": .floats([3])]),
      KernelCase(op: .normalizer, operands: [.f([7, 9])], attributes: ["norm": "L2"]),
      KernelCase(op: .normalizer, operands: [.f([7, 9])], attributes: ["norm": "L1"]),
      KernelCase(op: .normalizer, operands: [.f([9])], attributes: ["norm": "MAX"]),
      linear(.linearClassifier, rows: 5, ["classlabels_ints": .ints([7, 2, 5])]),
      linear(.linearClassifier, rows: 600, ["classlabels_ints": .ints([7, 2, 5, 9]), "post_transform": "SOFTMAX"]),
      linear(.linearClassifier, rows: 1, ["classlabels_ints": .ints([7, 2, 5]), "post_transform": "LOGISTIC"], hasBias: false),
      linear(.linearRegressor, rows: 40, ["targets": 3]),
      linear(.linearRegressor, rows: 4, ["targets": 3, "post_transform": "PROBIT"], hasBias: false),
      KernelCase(op: .lrn, operands: [.f([2, 7, 5, 3])], attributes: ["size": 5, "alpha": .float(0.3)], tolerance: 1e-5),
      KernelCase(
        op: .lrn, operands: [.f([3, 4])], attributes: ["size": 2, "beta": .float(0.6), "bias": .float(2)], tolerance: 1e-5),
    ]

  static let signals: [KernelCase] = [
    KernelCase(
      op: .stft, operands: [.f([2, 100, 1]), .integers([7], shape: []), .constant([16]), nil], tolerance: 1e-5),
    KernelCase(
      op: .stft, operands: [.f([1, 61, 1]), .integers([5], shape: []), nil, .integers([15], shape: [])],
      attributes: ["onesided": false], tolerance: 1e-5),
    KernelCase(
      op: .rotaryEmbedding,
      operands: [.f([2, 3, 5, 8]), .f([9, 4]), .f([9, 4]), .integers([0, 8, 2, 3, 4, 5, 6, 7, 1, 0], shape: [2, 5])]),
    KernelCase(
      op: .rotaryEmbedding, operands: [.f([2, 5, 12]), .f([2, 5, 2]), .f([2, 5, 2])],
      attributes: ["num_heads": 2, "interleaved": true, "rotary_embedding_dim": 4]),
  ]

  @Test("reductions", arguments: reductions) func reduces(_ given: KernelCase) throws { try given.check() }
  @Test("softmax, extremes, normalizations", arguments: rows) func mapsRows(_ given: KernelCase) throws { try given.check() }
  @Test("frames, rotations", arguments: signals) func transforms(_ given: KernelCase) throws { try given.check() }
}
