import FXCore
import FXQuant
import FXRuntime
import FXTestSupport
import Testing

@Suite struct CalibrationTests {
  static func statistics(_ x: [Float]) throws -> TensorStatistics { try #require(try TensorStatistics(Tensor(vector: x))) }

  @Test func histogramsAreTheSameInAnyOrder() throws {
    var random = RandomSource(seed: 3)
    let parts = (0..<5).map { part in
      (0..<200).map { index in
        index % 7 == 0 ? 0 : Float(random.double(in: -1...1)) * Float(1 << (3 * part)) * 0.01
      }
    }
    var forward = try Self.statistics(parts[0])
    for part in parts.dropFirst() { forward.merge(try Self.statistics(part)) }
    var backward = try Self.statistics(parts[4])
    for part in parts.dropLast().reversed() { backward.merge(try Self.statistics(part)) }
    let whole = try Self.statistics(parts.flatMap { $0 })
    #expect(forward.histogram == whole.histogram && backward.histogram == whole.histogram)
    #expect(whole.histogram.count == 1000 && whole.histogram.zeros == 5 * 29)
    #expect(whole.histogram.bins.count <= 4096)
    #expect(forward.range == whole.range && forward.sampleCount == 5)
  }

  /// Ten thousand numbers of a bell, and one outlier.
  static let bell: [Float] = {
    var random = RandomSource(seed: 11)
    return (0..<10_000).map { _ in (0..<12).reduce(Float(-6)) { sum, _ in sum + Float(random.double(in: 0...1)) } } + [60]
  }()

  /// The root of the mean square of the error that a range makes with 8 or 4 bits, over the numbers themselves.
  static func error(_ observer: Observer, _ type: ElementType, without outlier: Bool = false) throws -> Double {
    let statistics = try Self.statistics(bell)
    let params = try observer.params(of: statistics, as: type, .asymmetric)
    let x = outlier ? Array(bell.dropLast()) : bell
    let y = try params.fakeQuantize(Tensor(vector: x)).elements(Float.self)
    return (zip(x, y).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) } / Double(x.count)).squareRoot()
  }

  @Test func observersDoWhatTheyAreFor() throws {
    let statistics = try Self.statistics(Self.bell)
    #expect(Observer.minMax.range(of: statistics, as: .uint8, .asymmetric).upperBound == 60)
    // All but one in a thousand on either side: about 3.1 standard deviations.
    let percentile = Observer.percentile(0.998).range(of: statistics, as: .uint8, .asymmetric)
    #expect((2.8...3.4).contains(percentile.upperBound) && (-3.4...(-2.8)).contains(percentile.lowerBound))
    let entropy = Observer.entropy.range(of: statistics, as: .uint8, .asymmetric)
    #expect(entropy.upperBound < 30)
    // In 4 bits the outlier is not worth what it costs the others.
    #expect(try Self.error(.meanSquaredError, .uint4) < 0.8 * Self.error(.minMax, .uint4))
    #expect(try Self.error(.percentile(0.999), .uint8, without: true) < 0.3 * Self.error(.minMax, .uint8, without: true))
    // No range has less error than the one with the least, within what the search's steps allow.
    let least = try Self.error(.meanSquaredError, .uint4)
    for share in stride(from: 0.05, through: 1, by: 0.05) {
      let other = try QuantizationParams(covering: [-4...Float(60 * share)], as: .uint4, .asymmetric)
      let y = try other.fakeQuantize(Tensor(vector: Self.bell)).elements(Float.self)
      let error = zip(Self.bell, y).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) } / Double(y.count)
      #expect(least < error.squareRoot() * 1.05)
    }
  }

  @Test func movingAverageForgivesSingleSamples() throws {
    var statistics = try Self.statistics([-1, 1])
    for _ in 0..<8 { statistics.merge(try Self.statistics([-1, 1])) }
    statistics.merge(try Self.statistics([-1, 11]))
    #expect(Observer.movingAverage.range(of: statistics, as: .uint8, .asymmetric) == -1...2)
    #expect(Observer.minMax.range(of: statistics, as: .uint8, .asymmetric) == -1...11)
  }

  @Test func channelsAndConstants() throws {
    let tensor = try Tensor([2, 3], [1, -2, 3, 4, -5, 6] as [Float])
    let statistics = try #require(try TensorStatistics(tensor, channelAxis: -1))
    #expect(statistics.channels?.ranges == [1...4, -5...(-2), 3...6])
    for constant in [Float(0), 5, -3, .leastNonzeroMagnitude] {
      let statistics = try Self.statistics(Array(repeating: constant, count: 10))
      #expect(statistics.isConstant)
      for observer in [Observer.minMax, .movingAverage, .percentile(0.999), .meanSquaredError, .entropy] {
        for scheme in QuantizationParams.Scheme.allCases {
          let params = try observer.params(of: statistics, as: .uint8, scheme)
          let y = try params.fakeQuantize(Tensor(vector: [constant])).elements(Float.self)[0]
          #expect(abs(y - constant) <= params.scale, "\(observer) \(scheme) \(constant) → \(y)")
        }
      }
    }
  }

  static let graph = """
    fx 1
    graph @main(%x: f32[n, 2], %mask: bool[n]) {
      %y = relu(%x)
      return %y
    }
    """

  static func sample(_ x: [Float]) throws -> [Tensor] {
    [try Tensor([x.count / 2, 2], x), try Tensor([x.count / 2], Array(repeating: true, count: x.count / 2))]
  }

  @Test func dataMerge() throws {
    let graph = try Graph(text: Self.graph)
    let samples = try [[1, -2], [3, 4, 0.5, 0], [9, -1]].map { try Self.sample($0.map { Float($0) }) }
    let executor = ReferenceExecutor()
    let all = try CalibrationData(graph, samples: samples, executor: executor)
    var parts = try CalibrationData(graph, samples: Array(samples[..<1]), executor: executor)
    parts.merge(try CalibrationData(graph, samples: Array(samples[1...]), executor: CPUBackend()))
    #expect(parts["y"]?.range == 0...9)
    #expect(parts["x"]?.range == -2...9)
    #expect(parts.sampleCount == 3)
    #expect(parts["x"]?.histogram == all["x"]?.histogram && parts["y"]?.histogram == all["y"]?.histogram)
    #expect(all.warnings.isEmpty && all["mask"] == nil)
  }

  @Test func constantInputMayBeAllowed() throws {
    let data = try CalibrationData(
      Graph(text: Self.graph), samples: [Self.sample([2, 2]), Self.sample([2, 2])], allowsConstantInputs: true,
      executor: ReferenceExecutor())
    #expect(data.warnings == ["input 'x' is 2.0 everywhere in the calibration data"])
    // No samples take nothing back, others do.
    var empty = CalibrationData()
    empty.merge(data)
    #expect(empty == data)
    empty.merge(CalibrationData())
    #expect(empty == data)
    empty.merge(try CalibrationData(Graph(text: Self.graph), samples: [Self.sample([1, 2])], executor: ReferenceExecutor()))
    #expect(empty.warnings.isEmpty && empty.sampleCount == 3)
  }

  static let wrong: [(@Sendable () throws -> [[Tensor]], String)] = [
    ({ [] }, "no calibration data for input 'x', input 'mask'"),
    ({ [try sample([1, 2]), [Tensor(Float(0))]] }, "calibration sample 1 has 1 values, the graph has 2 inputs: 'x', 'mask'"),
    (
      { [try sample([1, 2]), try sample([1, .nan, .infinity, 4])] },
      "calibration sample 1 of input 'x' holds 2 of 4 numbers that are NaN or infinite"
    ),
    (
      { [try sample([2, 2]), try sample([2, 2, 2, 2])] },
      "input 'x' is 2.0 everywhere in the calibration data, which says nothing of ranges; allow constant inputs if that is meant"
    ),
    ({ [try sample([])] }, "calibration sample 0 of input 'x' has no elements"),
    (
      { [[try Tensor(zeros: .float32, [1, 3]), try Tensor(zeros: .bool, [1])]] },
      "calibration sample 0 of input 'x' is f32[1, 3], the graph takes f32[n, 2]"
    ),
    (
      { [[try Tensor(zeros: .float32, [1, 2]), try Tensor(zeros: .int64, [1])]] },
      "calibration sample 0 of input 'mask' is i64[1], the graph takes bool[n]"
    ),
  ]

  @Test(arguments: 0..<7) func wrongDataNamesTheInput(index: Int) throws {
    let (make, message) = Self.wrong[index]
    let samples = try make()
    do {
      _ = try CalibrationData(Graph(text: Self.graph), samples: samples, executor: ReferenceExecutor())
      Issue.record("nothing was thrown")
    } catch {
      #expect("\(error)" == message)
    }
  }
}
