import CKernels
import FXCore
import FXTestSupport
import Testing

@testable import FXRuntime

/// Kernels on bytes beside the reference kernels. Scales are powers of two, so that results are the same bits whatever is
/// multiplied first.
@Suite struct IntegerKernelTests {
  typealias Given = KernelCase.Given

  /// Bytes of either kind over their whole range, ends included.
  static func bytes(_ type: ElementType, _ shape: [Int], isConstant: Bool = false) -> Given {
    var given = Given.typed(type, shape, type == .int8 ? -128...127 : 0...255)
    given.isConstant = isConstant
    return given
  }

  static let types: [(ElementType, ElementType)] = [(.uint8, .int8), (.int8, .int8), (.uint8, .uint8), (.int8, .uint8)]

  /// Depths that fill no group, tiles that are not full, columns past a panel, batches.
  static let shapes: [([Int], [Int])] = [
    ([1, 1], [1, 1]), ([1, 300], [300, 70]), ([7, 5], [5, 9]), ([29, 67], [67, 130]), ([13, 64], [64, 33]),
    ([2, 3, 4, 8], [8, 17]), ([3, 5, 6], [3, 6, 7]), ([2, 1, 4, 12], [3, 12, 5]), ([250, 31], [31, 20]),
  ]

  static let sums: [KernelCase] = shapes.flatMap { a, b in
    types.flatMap { types in
      [false, true].filter { !$0 || b.count == 2 }.flatMap { isConstant in
        [
          KernelCase(op: .matmulInteger, operands: [bytes(types.0, a), bytes(types.1, b, isConstant: isConstant)], tolerance: 0),
          KernelCase(
            op: .matmulInteger,
            operands: [
              bytes(types.0, a), bytes(types.1, b, isConstant: isConstant), .integers([100], type: types.0, shape: []),
              .integers((0..<(b.count == 2 ? b[1] : 1)).map { $0 % 120 }, type: types.1, shape: b.count == 2 ? [b[1]] : []),
            ], tolerance: 0),
        ]
      }
    }
  }

  static let quantized: [KernelCase] = types.flatMap { types in
    [ElementType.uint8, .int8].map { result in
      KernelCase(
        op: .qlinearMatmul,
        operands: [
          bytes(types.0, [2, 9, 40]), Given(shape: [], elements: [0.25]), .integers([7], type: types.0, shape: []),
          bytes(types.1, [40, 37], isConstant: true),
          Given(shape: [37], elements: (0..<37).map { [0.5, 0.25, 0.125][$0 % 3] }),
          .integers(Array(repeating: 3, count: 37), type: types.1), Given(shape: [], elements: [32]),
          .integers([11], type: result, shape: []),
        ], tolerance: 0)
    }
  }

  @Test("products of bytes", arguments: sums) func multiplies(_ given: KernelCase) throws { try given.check() }
  @Test("quantized products", arguments: quantized) func quantizes(_ given: KernelCase) throws { try given.check() }

  @Test(
    "bytes over their own range", arguments: [[0.5, -3, 7, 100], [0, 0], [-1, -2], [3], Array(repeating: 0.25, count: 99)])
  func dynamic(_ elements: [Double]) throws {
    var given = KernelCase(
      op: .dynamicQuantizeLinear, operands: [Given(shape: [elements.count], elements: elements)], tolerance: 0)
    given.resultCount = 3
    try given.check()
  }

  /// n columns, k rows, bits, block, whether there are zero points, rows of x.
  static let blocks: [KernelCase] = [
    (5, 32, 4, 32, false, [1, 32]), (33, 100, 4, 32, true, [3, 100]), (40, 128, 4, 64, true, [2, 2, 128]),
    (7, 96, 8, 32, false, [1, 96]), (9, 70, 8, 32, true, [5, 70]), (70, 64, 4, 32, true, [20, 64]), (3, 64, 8, 64, true, [64]),
    (9, 300, 4, 256, true, [3, 300]), (6, 640, 4, 128, true, [640]), (5, 1100, 4, 32, true, [2, 1100]),
  ].map { n, k, bits, block, hasZeros, x in
    let count = (k + block - 1) / block
    var weights = bytes(.uint8, [n, count, block * bits / 8], isConstant: true)
    weights.isConstant = n % 2 == 0
    return KernelCase(
      op: .matmulNBits,
      operands: [
        .f(x), weights, .constant([n, count], 0.01...0.1),
        hasZeros ? bytes(.uint8, [n, bits == 4 ? (count + 1) / 2 : count], isConstant: true) : nil, nil,
        n % 3 == 0 ? .constant([n]) : nil,
      ], attributes: ["N": .int(n), "K": .int(k), "bits": .int(bits), "block_size": .int(block)], tolerance: 3e-5)
  }

  @Test("weights of few bits", arguments: blocks) func weightOnly(_ given: KernelCase) throws { try given.check() }

  /// Every instruction set gives the same bits.
  @Test(arguments: availableISAs) func everyInstructionSet(_ isa: fxk_isa) throws {
    let graph = try QuantizedGraph.network()
    let input = try QuantizedGraph.input([2, 3, 13, 11])
    let expected = try ReferenceExecutor().run(graph, inputs: [.tensor(input)])
    let actual = try withISA(isa) {
      try CPUBackend(CPUBackend.Options(threads: 1)).compiled(graph).run([.tensor(input)])
    }
    #expect(actual.compactMap(\.tensor) == expected.compactMap(\.tensor))
  }
}
