import FXCore
import Testing

@testable import FXRuntime

@Suite struct MovementKernelTests {
  static let types: [ElementType] = [.float32, .int64, .bool, .float16]

  static let permutations: [KernelCase] =
    [
      [0, 2, 1, 3], [3, 2, 1, 0], [0, 1, 3, 2], [2, 0, 1, 3], [0, 1, 2, 3],
    ].flatMap { order in
      types.map {
        KernelCase(op: .transpose, operands: [.typed($0, [2, 13, 4, 9])], attributes: ["perm": .ints(order)], tolerance: 0)
      }
    } + [KernelCase(op: .transpose, operands: [.f([70, 130])], tolerance: 0)]

  static let sliceCases: [KernelCase] = [
    ([1, 2], [3, 9], [0, 1], [1, 1]), ([-2], [100], [1], [1]), ([0], [-1], [2], [2]), ([-1], [-100], [1], [-1]),
    ([9, 1], [0, 2], [1, 0], [-3, 1]), ([2], [2], [1], [1]), ([0, 0], [100, 100], [0, 2], [1, 1]),
  ].flatMap { starts, ends, axes, steps in
    types.map {
      KernelCase(
        op: .slice,
        operands: [.typed($0, [4, 9, 5]), .integers(starts), .integers(ends), .integers(axes), .integers(steps)], tolerance: 0)
    }
  }

  static let otherCases: [KernelCase] = [
    KernelCase(op: .expand, operands: [.f([3, 1, 5]), .integers([2, 3, 4, 5])], tolerance: 0),
    KernelCase(op: .expand, operands: [.typed(.int64, [1]), .integers([7])], tolerance: 0),
    KernelCase(op: .tile, operands: [.f([3, 2, 5]), .integers([2, 1, 3])], tolerance: 0),
    KernelCase(op: .concat, operands: [.f([3, 2, 5]), .f([3, 4, 5]), .f([3, 1, 5])], attributes: ["axis": 1], tolerance: 0),
    KernelCase(op: .concat, operands: [.f([3, 2]), .f([3, 0]), .f([3, 1])], attributes: ["axis": -1], tolerance: 0),
    KernelCase(op: .concat, operands: [.typed(.bool, [3]), .typed(.bool, [2])], attributes: ["axis": 0], tolerance: 0),
    KernelCase(
      op: .split, operands: [.f([3, 7, 5]), .integers([2, 4, 1])], attributes: ["axis": 1], resultCount: 3, tolerance: 0),
    KernelCase(
      op: .split, operands: [.f([3, 7]), nil], attributes: ["axis": -1, "num_outputs": 2], resultCount: 2, tolerance: 0),
    KernelCase(op: .depthToSpace, operands: [.f([2, 12, 3, 5])], attributes: ["blocksize": 2], tolerance: 0),
    KernelCase(op: .depthToSpace, operands: [.f([2, 12, 3, 5])], attributes: ["blocksize": 2, "mode": "CRD"], tolerance: 0),
    KernelCase(op: .spaceToDepth, operands: [.f([2, 3, 6, 4])], attributes: ["blocksize": 2], tolerance: 0),
    KernelCase(op: .pad, operands: [.f([2, 3, 5]), .integers([0, 1, 2, 1, 0, 3]), .f([])], tolerance: 0),
    KernelCase(op: .pad, operands: [.typed(.int64, [4, 5]), .integers([-1, 2, 3, -2])], tolerance: 0),
    KernelCase(op: .pad, operands: [.typed(.bool, [4, 5]), .integers([1, 0]), nil, .integers([1])], tolerance: 0),
    KernelCase(op: .gather, operands: [.f([50, 33]), .integers([3, -1, 0, 49], isConstant: false)], tolerance: 0),
    KernelCase(
      op: .gather, operands: [.f([4, 9, 5]), .integers([8, 0, -9, 1], shape: [2, 2])], attributes: ["axis": 1], tolerance: 0),
    KernelCase(
      op: .gather, operands: [.typed(.int64, [4, 9]), .integers([2], type: .int32, shape: [])], attributes: ["axis": -1],
      tolerance: 0),
    KernelCase(op: .gatherElements, operands: [.f([3, 4]), .integers([1, 0, 2, -1, 2, 1], shape: [2, 3])], tolerance: 0),
    KernelCase(
      op: .gatherElements, operands: [.typed(.int64, [3, 4]), .integers([1, 0, 2, -1, 3, 1], shape: [3, 2])],
      attributes: ["axis": 1], tolerance: 0),
  ]

  static let scatterCases: [KernelCase] = [
    KernelCase(op: .gatherND, operands: [.f([3, 4, 5]), .integers([0, 1, -1, 3, 2, -4], shape: [3, 2])], tolerance: 0),
    KernelCase(
      op: .gatherND, operands: [.typed(.int64, [2, 3, 4]), .integers([1, -1, 0, 2], shape: [2, 2, 1])],
      attributes: ["batch_dims": 1], tolerance: 0),
    KernelCase(
      op: .gatherND, operands: [.typed(.bool, [3, 2]), .integers([1, 0, 2], shape: [3, 1], isConstant: false)], tolerance: 0),
    KernelCase(op: .scatterND, operands: [.f([4, 5]), .integers([2, -4, 2], shape: [3, 1]), .f([3, 5])], tolerance: 0),
    KernelCase(
      op: .scatterND, operands: [.f([4, 5]), .integers([2, 0, 2, 0, -1, 4], shape: [3, 2], isConstant: false), .f([3])],
      attributes: ["reduction": "add"]),
    KernelCase(
      op: .scatterND, operands: [.typed(.int64, [4]), .integers([3, 1], shape: [2, 1]), .typed(.int64, [2])], tolerance: 0),
    KernelCase(
      op: .scatterElements, operands: [.f([3, 4]), .integers([1, 0, 2, -1, 2, 1], shape: [2, 3]), .f([2, 3])], tolerance: 0),
    KernelCase(
      op: .scatterElements, operands: [.f([3, 4]), .integers([1, 0, 1, -1, 2, 2], shape: [3, 2]), .f([3, 2])],
      attributes: ["axis": 1, "reduction": "add"]),
    KernelCase(
      op: .scatterElements,
      operands: [.typed(.int64, [2, 3, 2]), .integers([2, 0, 1, 1], shape: [2, 1, 2]), .typed(.int64, [2, 1, 2])],
      attributes: ["axis": 1], tolerance: 0),
  ]

  /// Few different numbers, so that there are equal ones.
  private static func topK(_ shape: [Int], _ k: Int, axis: Int, largest: Bool) -> KernelCase {
    var elements: [Double] = []
    for index in 0..<shape.reduce(1, *) { elements.append(Double(index * 7919 % 13) - 6) }
    return KernelCase(
      op: .topK, operands: [.init(shape: shape, elements: elements), .integers([k])],
      attributes: ["axis": .int(axis), "largest": .bool(largest)], resultCount: 2, tolerance: 0)
  }

  static let topKCases: [KernelCase] = [
    topK([40], 7, axis: -1, largest: true), topK([40], 7, axis: 0, largest: false),
    topK([3, 50], 50, axis: 1, largest: true), topK([5, 6, 4], 2, axis: 1, largest: false),
    topK([300, 9], 1, axis: 0, largest: true), topK([2, 300], 20, axis: 1, largest: true),
    KernelCase(
      op: .topK, operands: [.init(shape: [6], elements: [1, .nan, -0.0, 0, -.infinity, .infinity]), .integers([6])],
      resultCount: 2, tolerance: 0),
  ]

  @Test("permutations", arguments: permutations) func permutes(_ given: KernelCase) throws { try given.check() }
  @Test("slices", arguments: sliceCases) func slices(_ given: KernelCase) throws { try given.check() }
  @Test("gathers and scatters", arguments: scatterCases) func scatters(_ given: KernelCase) throws { try given.check() }
  @Test("first of an order", arguments: topKCases) func selects(_ given: KernelCase) throws { try given.check() }
  @Test("others", arguments: otherCases) func others(_ given: KernelCase) throws { try given.check() }

  @Test("an index out of range is an error, from whichever thread finds it")
  func rangeErrors() throws {
    var graph = Graph()
    let data = try graph.addInput("data", .tensor(.float32, [10, 2000]))
    let index = try graph.addInput("index", .tensor(.int64, [40]))
    try graph.addOutput(try graph.call(.gather, [.value(data), .value(index)]))
    let compiled = try CPUBackend(.init(threads: 3)).compiled(graph)
    var indices = Array(repeating: Int64(9), count: 40)
    let values = try Tensor(zeros: .float32, [10, 2000])
    _ = try compiled.run([.tensor(values), .tensor(Tensor(vector: indices))])
    indices[37] = 10
    #expect(throws: ExecutionError.self) { try compiled.run([.tensor(values), .tensor(Tensor(vector: indices))]) }
  }
}
