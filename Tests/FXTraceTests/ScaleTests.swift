import FXCore
import FXTrace
import Testing

@Suite struct ScaleTests {
  /// Four times the calls in not much more than four times the time: no call looks at all that came before.
  @Test func tracingIsLinear() throws {
    func flat(_ count: Int) throws {
      var tracer = ModuleTracer()
      try tracer.addInput("x", .tensor(.float32, [2]))
      try tracer.addCall("relu", ["x"])
      for index in 1..<count { try tracer.addCall("add", ["node_\(index - 1)", 1]) }
      _ = try tracer.finalize()
    }
    func symbolic(_ count: Int) throws {
      _ = try trace([.tensor(.float32, ["batch", 4])]) { inputs in
        [(0..<count).reduce(inputs[0]) { x, _ in reshape(relu(x + 1), [x.dimension(0), 4]) }]
      }
    }
    for body in [flat, symbolic] {
      let clock = ContinuousClock()
      // The best of three, since other work shares the machine.
      func time(_ count: Int) throws -> Duration {
        try (0..<3).map { _ in try clock.measure { try body(count) } }.min() ?? .zero
      }
      let (small, large) = (try time(1_000), try time(4_000))
      #expect(large < small * 10, "\(small), \(large)")
    }
  }
}
