import FXCore
import FXRuntime
import Testing

@Suite struct ReferenceReshapingTests {
  static let x = ramp([2, 3])

  static let moves: [OperatorCase] = [
    .init("reshape", .reshape, [ramp([2, 3, 4]), ints(0, -1)], [:], [ramp([2, 12])]),
    .init("reshape that does not fit", .reshape, [x, ints(4, -1)], [:], nil),
    .init("reshape to a huge shape", .reshape, [x, ints(.max, .max)], [:], nil),
    .init("reshape with a zero size", .reshape, [f([0, 3], []), ints(3, 0)], ["allowzero": true], [f([3, 0], [])]),
    .init("transpose", .transpose, [x], [:], [f([3, 2], [0, 3, 1, 4, 2, 5])]),
    .init(
      "transpose by an order", .transpose, [ramp([1, 2, 3])], ["perm": .ints([2, 0, 1])], [f([3, 1, 2], [0, 3, 1, 4, 2, 5])]),
    .init("squeeze", .squeeze, [ramp([1, 3, 1]), ints(-1)], [:], [ramp([1, 3])]),
    .init("squeeze all", .squeeze, [ramp([1, 3, 1])], [:], [ramp([3])]),
    .init("squeeze of a larger size", .squeeze, [x, ints(0)], [:], nil),
    .init("unsqueeze", .unsqueeze, [x, ints(3, 0)], [:], [ramp([1, 2, 3, 1])]),
    .init("flatten", .flatten, [ramp([2, 3, 4])], ["axis": -1], [ramp([6, 4])]),
    .init("expand", .expand, [ramp([3, 1]), ints(2, 1, 2)], [:], [f([2, 3, 2], [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2])]),
    .init("expand beyond memory", .expand, [ramp([1]), ints(1 << 40, 1 << 20)], [:], nil),
    .init("shape", .shape, [ramp([2, 3, 4])], ["start": 1, "end": -1], [ints(3)]),
    .init("shape of a scalar", .shape, [f([], [1])], [:], [i([0], [])]),
    .init("size", .size, [x], [:], [i([], [6])]),
    .init(
      "depth to space", .depthToSpace, [ramp([1, 4, 1, 2])], ["blocksize": 2], [f([1, 1, 2, 4], [0, 2, 1, 3, 4, 6, 5, 7])]),
    .init("blocks that do not fit", .depthToSpace, [ramp([1, 4, 1, 2])], ["blocksize": 3], nil),
    .init(
      "space to depth", .spaceToDepth, [f([1, 1, 2, 4], [0, 2, 1, 3, 4, 6, 5, 7])], ["blocksize": 2], [ramp([1, 4, 1, 2])]),
    .init(
      "reverse sequences", .reverseSequence, [x, ints(1, 3)], ["batch_axis": 0, "time_axis": 1],
      [f([2, 3], [0, 1, 2, 5, 4, 3])]),
  ]

  static let joins: [OperatorCase] = [
    .init("concat", .concat, [x, ramp([2, 1])], ["axis": -1], [f([2, 4], [0, 1, 2, 0, 3, 4, 5, 1])]),
    .init("concat of shapes that differ", .concat, [x, ramp([3, 1])], ["axis": 1], nil),
    .init(
      "split", .split, [ramp([2, 4]), ints(1, 3)], ["axis": 1], [f([2, 1], [0, 4]), f([2, 3], [1, 2, 3, 5, 6, 7])]),
    .init("uneven split", .split, [ramp([3])], ["num_outputs": 2], [ramp([2]), f([1], [2])]),
    .init("split into more than there is", .split, [ramp([3]), ints(4)], [:], nil),
    .init("slice", .slice, [x, ints(1, -2), ints(.max, 3)], [:], [f([1, 2], [4, 5])]),
    .init("slice backwards", .slice, [ramp([5]), ints(-1), ints(.min), ints(0), ints(-2)], [:], [f([3], [4, 2, 0])]),
    .init("slice by a huge step", .slice, [ramp([5]), ints(1), ints(.max), ints(0), ints(.max)], [:], [f([1], [1])]),
    .init("slice with step 0", .slice, [ramp([5]), ints(0), ints(5), ints(0), ints(0)], [:], nil),
    .init("pad", .pad, [ramp([2]), ints(1, 2), f([], [9])], [:], [f([5], [9, 0, 1, 9, 9])]),
    .init("pad by cutting", .pad, [ramp([4]), ints(-1, 1)], [:], [f([4], [1, 2, 3, 0])]),
    .init("pad by mirrors", .pad, [ramp([3]), ints(3, 4)], ["mode": "reflect"], [f([10], [1, 2, 1, 0, 1, 2, 1, 0, 1, 2])]),
    .init(
      "pad by the edge", .pad, [x, ints(1, 1), nil, ints(-1)], ["mode": "edge"], [f([2, 5], [0, 0, 1, 2, 2, 3, 3, 4, 5, 5])]),
    .init("pad by the other end", .pad, [ramp([3]), ints(2, 1)], ["mode": "wrap"], [f([6], [1, 2, 0, 1, 2, 0])]),
    .init("pad beyond memory", .pad, [ramp([2]), ints(.max, .max)], [:], nil),
    .init("tile", .tile, [ramp([1, 2]), ints(2, 2)], [:], [f([2, 4], [0, 1, 0, 1, 0, 1, 0, 1])]),
    .init("tile beyond memory", .tile, [ramp([1, 2]), ints(.max, 2)], [:], nil),
  ]

  @Test(arguments: moves + joins) func gives(_ example: OperatorCase) throws { try example.check() }

  /// Every element type moves: packed ones, strings and complex numbers too.
  @Test(arguments: ElementType.allCases) func anyTypeMoves(_ type: ElementType) throws {
    let source: Tensor
    if type.isComplex {
      source = try Tensor(uninitialized: type, [2, 3]) { bytes in
        for index in bytes.indices { bytes[index] = UInt8(index % 251) }
      }
    } else {
      source = try Tensor([2, 3], [1, 0, 1, 1, 0, 0] as [Float]).converted(to: type)
    }
    let once = try OperatorCase("transpose", .transpose, [source], [:], nil).result()
    #expect(once.shape == [3, 2])
    #expect(try OperatorCase("transpose", .transpose, [once], [:], nil).result() == source)
    let twice = try OperatorCase("concat", .concat, [source, source], ["axis": 1], nil).result()
    #expect(twice.shape == [2, 6])
    #expect(try OperatorCase("split", .slice, [twice, ints(3), ints(6), ints(1)], [:], nil).result() == source)
  }
}

extension OperatorCase {
  /// The only result of the call.
  func result() throws -> Tensor {
    let (graph, inputs) = try graph()
    return try #require(try ReferenceExecutor().run(graph, inputs: inputs)[0].tensor)
  }
}
