import FXCore
import FXRuntime
import Testing

@Suite struct ReferenceIndexingTests {
  static let x = ramp([2, 3])

  static let reads: [OperatorCase] = [
    .init("gather", .gather, [x, i([1, 2], [2, -3])], ["axis": 1], [f([2, 1, 2], [2, 0, 5, 3])]),
    .init("gather by a scalar", .gather, [x, i([], [1])], [:], [f([3], [3, 4, 5])]),
    .init("gather out of range", .gather, [x, ints(2)], [:], nil),
    .init("gather elements", .gatherElements, [x, i([1, 3], [1, 0, -1])], [:], [f([1, 3], [3, 1, 5])]),
    .init("gather parts", .gatherND, [x, i([2, 1], [1, 0])], [:], [f([2, 3], [3, 4, 5, 0, 1, 2])]),
    .init("gather in batches", .gatherND, [x, i([2, 1], [2, 0])], ["batch_dims": 1], [f([2], [2, 3])]),
    .init("gather by too many coordinates", .gatherND, [x, i([1, 3], [0, 0, 0])], [:], nil),
    .init("nonzero", .nonzero, [f([2, 2], [0, 1, 2, 0])], [:], [i([2, 2], [0, 1, 1, 0])]),
    .init("compress", .compress, [x, Tensor(vector: [false, true])], ["axis": 0], [f([1, 3], [3, 4, 5])]),
    .init("compress the flat tensor", .compress, [x, Tensor(vector: [true, false, true])], [:], [f([2], [0, 2])]),
    .init("topk", .topK, [f([4], [1, 3, 3, .nan]), ints(2)], [:], [f([2], [.nan, 3]), ints(3, 1)]),
    .init("topk of more than there is", .topK, [x, ints(4)], [:], nil),
    .init(
      "unique", .unique, [f([4], [2, 1, 1, 3])], ["sorted": false],
      [f([3], [2, 1, 3]), ints(0, 1, 3), ints(0, 1, 1, 2), ints(1, 2, 1)]),
    .init("lower triangle", .trilu, [ramp([2, 2]), i([], [-1])], ["upper": false], [f([2, 2], [0, 0, 2, 0])]),
  ]

  static let writes: [OperatorCase] = [
    .init(
      "scatter elements", .scatterElements, [x, i([1, 3], [1, 0, 1]), f([1, 3], [9, 8, 7])], [:],
      [f([2, 3], [0, 8, 2, 9, 4, 7])]),
    .init(
      "scatter by adding", .scatterElements, [x, i([2, 1], [0, 0]), f([2, 1], [9, 8])], ["axis": 1, "reduction": "add"],
      [f([2, 3], [9, 1, 2, 11, 4, 5])]),
    .init("scatter of another shape", .scatterElements, [x, i([1, 2], [0, 0]), f([1, 3], [1, 2, 3])], [:], nil),
    .init(
      "scatter parts", .scatterND, [x, i([1, 1], [-1]), f([1, 3], [7, 8, 9])], ["reduction": "max"],
      [f([2, 3], [0, 1, 2, 7, 8, 9])]),
    .init("scatter out of range", .scatterND, [x, i([1, 1], [2]), f([1, 3], [7, 8, 9])], [:], nil),
    .init(
      "write into a cache", .tensorScatter, [f([1, 3, 1], [0, 0, 0]), f([1, 2, 1], [1, 2]), ints(2)], ["mode": "circular"],
      [f([1, 3, 1], [2, 0, 1])]),
    .init("write beyond a cache", .tensorScatter, [f([1, 3, 1], [0, 0, 0]), f([1, 2, 1], [1, 2]), ints(2)], [:], nil),
  ]

  static let makers: [OperatorCase] = [
    .init("range", .range, [i([], [5]), i([], [0]), i([], [-2])], [:], [ints(5, 3, 1)]),
    .init("range of every integer", .range, [i([], [.min]), i([], [.max]), i([], [1])], [:], nil),
    .init("range between the ends", .range, [i([], [.min]), i([], [.max]), i([], [.max])], [:], [ints(.min, -1, .max - 1)]),
    .init("range with step 0", .range, [i([], [0]), i([], [1]), i([], [0])], [:], nil),
    .init("range of floats", .range, [f([], [1]), f([], [2]), f([], [0.25])], [:], [f([4], [1, 1.25, 1.5, 1.75])]),
    .init("constant of a shape", .constantOfShape, [ints(2, 2)], ["value": .tensor(ints(7))], [i([2, 2], [7, 7, 7, 7])]),
    .init("constant of a huge shape", .constantOfShape, [ints(1 << 40, 1 << 40)], [:], nil),
    .init("constant of a negative shape", .constantOfShape, [ints(-1)], [:], nil),
    .init(
      "eye", .eyeLike, [x], ["k": 1, "dtype": .elementType(.bool)],
      [try? Tensor([2, 3], [false, true, false, false, false, true])].compactMap(\.self)),
    .init(
      "one hot", .oneHot, [ints(1, -1, 5), i([], [3]), f([2], [0, 4])], ["axis": 0],
      [f([3, 3], [0, 0, 0, 4, 0, 0, 0, 4, 0])]),
    .init("one hot of huge depth", .oneHot, [ints(1), i([], [.max]), f([2], [0, 4])], [:], nil),
  ]

  @Test(arguments: reads + writes + makers) func gives(_ example: OperatorCase) throws { try example.check() }
}
