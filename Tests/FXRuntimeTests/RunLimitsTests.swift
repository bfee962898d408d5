import FXCore
import FXRuntime
import Testing

/// Runs that end before they are done: by time, by memory, by cancellation.
@Suite struct RunLimitsTests {
  /// Counts up without end.
  private static func endless() throws -> Graph {
    try Graph(
      text: """
        fx 1
        graph @endless(%x: f32[]) {
          %last = while_loop(%x) condition(%a: f32[]) {
            %c = less_equal(%a, %a)
            return %c
          } body(%b: f32[]) {
            %d = add(%b, 1.0)
            return %d
          }
          return %last
        }
        """)
  }

  private static let zero = [RuntimeValue.tensor(Tensor(Float(0)))]

  @Test func aRunEndsInTime() throws {
    let limit = Duration.milliseconds(20)
    let executors: [any GraphExecutor] = [
      ReferenceExecutor(timeLimit: limit), CPUBackend(.init(threads: 1, timeLimit: limit)),
    ]
    for executor in executors {
      #expect(throws: ExecutionError.timeLimit(limit)) { try executor.run(Self.endless(), inputs: Self.zero) }
    }
    var interpreter = Interpreter(executor: ReferenceExecutor(timeLimit: limit))
    interpreter.capture = .none
    #expect(throws: ExecutionError.timeLimit(limit)) { try interpreter.run(Self.endless(), inputs: Self.zero) }
    #expect("\(ExecutionError.timeLimit(limit))" == "the run took longer than 0.02 seconds")
  }

  @Test func aCompiledGraphRunsAgainAfterItsTimeWasUp() throws {
    let graph = try Graph(
      text: """
        fx 1
        graph @count(%x: f32[], %limit: f32[]) {
          %last = while_loop(%x, %limit) condition(%a: f32[], %l: f32[]) {
            %c = less(%a, %l)
            return %c
          } body(%b: f32[], %m: f32[]) {
            %d = add(%b, 1.0)
            return %d
          }
          return %last
        }
        """)
    let compiled = try CPUBackend(.init(threads: 1, timeLimit: .milliseconds(500))).compiled(graph)
    #expect(throws: ExecutionError.timeLimit(.milliseconds(500))) {
      try compiled.run([.tensor(Tensor(Float(0))), .tensor(Tensor(Float.infinity))])
    }
    #expect(try compiled.run([.tensor(Tensor(Float(0))), .tensor(Tensor(Float(5)))]) == [.tensor(Tensor(Float(5)))])
  }

  @Test func cancellingTheTaskEndsTheRun() async throws {
    let executors: [any GraphExecutor] = [ReferenceExecutor(), CPUBackend(.init(threads: 1))]
    for executor in executors {
      let run = Task { try executor.run(Self.endless(), inputs: Self.zero) }
      try await Task.sleep(for: .milliseconds(5))
      run.cancel()
      let outcome = await run.result
      #expect(throws: ExecutionError.cancelled) { try outcome.get() }
    }
  }

  /// What only the run can tell counts too, before it is made.
  @Test func resultsThatTheRunSizesAreLimited() throws {
    let graph = try Graph(
      text: """
        fx 1
        graph @rows(%n: i64[], %x: f32[k]) {
          parameter @zero: i64[] constant = [0]
          parameter @one: i64[] constant = [1]
          %r: i64[m] = range(@zero, %n, @one)
          %i = nonzero(%x)
          return %r, %i
        }
        """)
    let compiled = try CPUBackend(.init(threads: 1, memoryLimit: 1 << 20)).compiled(graph)
    let x = RuntimeValue.tensor(try Tensor([4], [Float](repeating: 1, count: 4)))
    #expect(try compiled.run([.tensor(Tensor(Int64(1000))), x])[0].tensor?.elementCount == 1000)
    for count in [Int64(1) << 18, 1 << 40] {
      #expect {
        try compiled.run([.tensor(Tensor(count)), x])
      } throws: {
        guard case ExecutionError.memoryLimit(let needed, 1 << 20) = $0 else { return false }
        return needed >= 8 * count
      }
    }
    #expect(try compiled.run([.tensor(Tensor(Int64(7))), x])[0].tensor?.elementCount == 7)
  }

  /// A loop that gathers its turns holds more and more; what a turn needed is given back.
  @Test func whatTurnsNeededIsGivenBack() throws {
    let graph = try Graph(
      text: """
        fx 1
        graph @turns(%trips: i64[], %x: f32[256, 256]) {
          %y = loop(%trips, none, %x) {state_count = 1} body(%i: i64[], %c: bool[], %s: f32[256, 256]) {
            %t = tanh(%s)
            return %c, %t
          }
          return %y
        }
        """)
    let compiled = try CPUBackend(.init(threads: 1, memoryLimit: 2 << 20)).compiled(graph)
    let x = RuntimeValue.tensor(try Tensor(zeros: .float32, [256, 256]))
    #expect(try compiled.run([.tensor(Tensor(Int64(100))), x]) == [x])
    let tight = try CPUBackend(.init(threads: 1, memoryLimit: 100_000)).compiled(graph)
    #expect(throws: ExecutionError.self) { try tight.run([.tensor(Tensor(Int64(100))), x]) }
  }
}
