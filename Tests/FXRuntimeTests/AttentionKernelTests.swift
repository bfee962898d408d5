import FXCore
import Testing

@testable import FXRuntime

@Suite struct AttentionKernelTests {
  static let attentions: [KernelCase] = [
    KernelCase(op: .attention, operands: [.f([2, 3, 70, 8]), .f([2, 3, 20, 8]), .f([2, 3, 20, 6])]),
    KernelCase(
      op: .attention, operands: [.f([2, 5, 24]), .f([2, 9, 12]), .f([2, 9, 12])],
      attributes: ["q_num_heads": 4, "kv_num_heads": 2, "scale": 0.3]),
    KernelCase(
      op: .attention, operands: [.f([1, 2, 9, 8]), .f([1, 2, 9, 8]), .f([1, 2, 9, 8])], attributes: ["is_causal": true]),
    KernelCase(op: .attention, operands: [.f([2, 2, 5, 8]), .f([2, 2, 7, 8]), .f([2, 2, 7, 8]), .f([5, 7])]),
    KernelCase(
      op: .attention, operands: [.f([2, 2, 5, 8]), .f([2, 2, 7, 8]), .f([2, 2, 7, 8]), .typed(.bool, [2, 1, 5, 7])],
      attributes: ["is_causal": true]),
  ]

  private static func quantizations(_ type: ElementType) -> [KernelCase] {
    let axis: Attributes = ["axis": 1]
    return [
      KernelCase(
        op: .quantizeLinear, operands: [.f([3, 500]), .constant([], 0.02...0.03), .typed(type, [], 3...9)], tolerance: 0),
      KernelCase(
        op: .quantizeLinear, operands: [.f([3, 5, 7]), .f([5], 0.01...0.03), .typed(type, [5], 3...9)], attributes: axis,
        tolerance: 0),
      KernelCase(
        op: .dequantizeLinear, operands: [.typed(type, [3, 5, 7], 0...100), .f([5], 0.01...0.03), .typed(type, [5], 3...9)],
        attributes: axis),
      KernelCase(op: .dequantizeLinear, operands: [.typed(type, [30], 0...100), .f([], 0.01...0.03)]),
    ]
  }

  static let quantizations: [KernelCase] = {
    var cases = quantizations(.int8) + quantizations(.uint8)
    cases.append(KernelCase(op: .dequantizeLinear, operands: [.typed(.int32, [30], -1000...1000), .f([], 0.01...0.03)]))
    return cases
  }()

  @Test("attention", arguments: attentions) func attends(_ given: KernelCase) throws { try given.check() }
  @Test("quantization", arguments: quantizations) func quantizes(_ given: KernelCase) throws { try given.check() }
}
