import FXCore
import FXRuntime
import Testing

@Suite struct ReferenceRandomTests {
  /// The numbers that `numpy.random.RandomState(7)` gives.
  static let numpy: [OperatorCase] = [
    .init(
      "uniform", .randomUniform, [], ["shape": .ints([4]), "seed": 7.0], [f([4], [0.07630829, 0.7799188, 0.43840924, 0.7234652])]),
    .init(
      "normal", .randomNormalLike, [ramp([2, 2])], ["seed": 7.0], [f([2, 2], [1.6905257, -0.46593738, 0.03282017, 0.40751627])]),
    .init(
      "bernoulli", .bernoulli, [f([8], [0.2, 0.9, 0.5, 0.6, 0.1, 0.7, 0.3, 0.4])],
      ["seed": 7.0, "dtype": .elementType(.bool)], [t([8], [false, true, false, false, true, true, false, false])]),
    .init("dropout rests outside training", .dropout, [ramp([3])], [:], [ramp([3]), t([3], [true, true, true])]),
    .init("a ratio beyond 1", .dropout, [ramp([3]), f([], [1.5]), t([], [true])], [:], nil),
  ]

  @Test(arguments: numpy) func gives(_ example: OperatorCase) throws { try example.check(tolerance: 1e-6) }

  @Test func seedsOfExecutorsDecide() throws {
    let (graph, inputs) = try OperatorCase("", .randomUniformLike, [ramp([1000])], [:], nil).graph()
    let first = try ReferenceExecutor(seed: 1).run(graph, inputs: inputs)
    #expect(try ReferenceExecutor(seed: 1).run(graph, inputs: inputs) == first)
    #expect(try ReferenceExecutor(seed: 2).run(graph, inputs: inputs) != first)
    let numbers: [Float] = try #require(first[0].tensor).elements()
    #expect(numbers.allSatisfy { (0..<1).contains($0) })
    #expect(abs(numbers.reduce(0, +) / 1000 - 0.5) < 0.05)
  }

  /// What is kept is scaled so that the mean stays.
  @Test func dropoutInTraining() throws {
    let ones = f([2000], Array(repeating: 1, count: 2000))
    let example = OperatorCase("", .dropout, [ones, f([], [0.25]), t([], [true])], ["seed": 3], [ones, ones])
    let (graph, inputs) = try example.graph()
    let results = try ReferenceExecutor().run(graph, inputs: inputs).compactMap(\.tensor)
    let (values, mask): ([Float], [Bool]) = (try results[0].elements(), try results[1].elements())
    #expect(zip(values, mask).allSatisfy { $0 == ($1 ? Float(1 / 0.75) : 0) })
    #expect(abs(Double(mask.count { $0 }) / 2000 - 0.75) < 0.05)
  }

  @Test func multinomialFollowsTheWeights() throws {
    let x = f([2, 3], [0, 0, -1000, -1000, 5, -1000])
    let result = try OperatorCase("", .multinomial, [x], ["sample_size": 400, "seed": 1.0], nil).result()
    #expect(result.shape == [2, 400])
    let samples: [Int32] = try result.elements()
    #expect(samples[400...].allSatisfy { $0 == 1 })
    let zeros = samples[..<400].count { $0 == 0 }
    #expect((150...250).contains(zeros) && !samples[..<400].contains(2))
  }
}
