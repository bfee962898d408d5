import FXCore
import FXRuntime
import Testing

@Suite struct InterpreterTests {
  private static func chain() throws -> Graph {
    try Graph(
      text: """
        fx 1
        graph @main(%x: f32[2]) {
          %a: f32[2] = add(%x, 1.0)
          %b: f32[2] = mul(%a, 2.0)
          %c: f32[2] = neg(%b)
          return %c, %a
        }
        """)
  }

  /// x = 0, three turns of x + i.
  private static func loop() throws -> Graph {
    try Graph(
      text: """
        fx 1
        graph @main(%n: i64[], %x: f32[]) {
          %i: i64[], %y: f32[] = while_loop(%n, %x) "count" condition(%k: i64[], %s: f32[]) {
            %go: bool[] = less(%k, 3)
            return %go
          } body(%k: i64[], %s: f32[]) {
            %f: f32[] = cast(%k) {to = f32}
            %t: f32[] = add(%s, %f)
            %j: i64[] = add(%k, 1)
            return %j, %t
          }
          return %y
        }
        """)
  }

  private static let input = RuntimeValue.tensor(Tensor(vector: [1, 2] as [Float]))

  private func numbers(_ value: RuntimeValue?) throws -> [Float] { try #require(value?.tensor).elements() }

  @Test func hooksSeeNodesOperandsAndResults() throws {
    var log: [String] = []
    var interpreter = Interpreter()
    interpreter.willRun = { visit in
      log.append("> \(visit.qualifiedName) \(visit.node.op) \(visit.operands.count)")
      return nil
    }
    interpreter.didRun = { result in
      log.append("< \(result.visit.name) \(result.results.map(\.type))")
      #expect(result.duration >= .zero)
      return nil
    }
    let run = try interpreter.run(Self.chain(), inputs: [Self.input])
    #expect(
      log == ["> a add 2", "< a [f32[2]]", "> b mul 2", "< b [f32[2]]", "> c neg 1", "< c [f32[2]]"])
    #expect(try numbers(run.outputs[0]) == [-4, -6] && run.nodeCount == 3 && run.values.isEmpty)
    #expect(try run.outputs == ReferenceExecutor().run(Self.chain(), inputs: [Self.input]))
  }

  @Test func valuesAreReplacedWhileRunning() throws {
    var interpreter = Interpreter()
    interpreter.didRun = { $0.visit.name == "a" ? [.tensor(Tensor(vector: [10, 20] as [Float]))] : nil }
    #expect(try numbers(interpreter.run(Self.chain(), inputs: [Self.input]).outputs[0]) == [-20, -40])
    interpreter.didRun = nil
    interpreter.willRun = { $0.name == "b" ? [Self.input] : nil }
    let run = try interpreter.run(Self.chain(), inputs: [Self.input])
    #expect(try numbers(run.outputs[0]) == [-1, -2] && run.nodeCount == 2)
    interpreter.willRun = { $0.name == "b" ? [] : nil }
    #expect { try interpreter.run(Self.chain(), inputs: [Self.input]) } throws: {
      "\($0)" == "node 'b' (mul): a hook gave 0 results for 1"
    }
  }

  @Test func capturesByName() throws {
    var interpreter = Interpreter()
    interpreter.capture = .named(["b", "x"])
    let run = try interpreter.run(Self.chain(), inputs: [Self.input])
    #expect(run.values.keys.sorted() == ["b", "x"])
    #expect(try numbers(run.values["b"]) == [4, 6])
    interpreter.capture = .all
    #expect(try interpreter.run(Self.chain(), inputs: [Self.input]).values.keys.sorted() == ["a", "b", "c", "x"])
    interpreter.capture = .named(["bb"])
    #expect { try interpreter.run(Self.chain(), inputs: [Self.input]) } throws: {
      "\($0)".hasPrefix("nothing is called 'bb'; did you mean")
    }
  }

  @Test func seedsStartInTheMiddle() throws {
    let graph = try Self.chain()
    var interpreter = Interpreter()
    let b = try #require(graph.value(named: "b"))
    interpreter.seeds[b] = Self.input
    var ran: [String] = []
    interpreter.willRun = { visit in
      ran.append(visit.name)
      return nil
    }
    let run = try interpreter.run(graph, inputs: [Self.input])
    // `a` is an output, so it runs; what made `b` does not.
    #expect(ran == ["a", "c"])
    #expect(try numbers(run.outputs[0]) == [-1, -2])
    let a = try #require(graph.value(named: "a"))
    interpreter.seeds[a] = Self.input
    ran = []
    #expect(try numbers(interpreter.run(graph, inputs: [Self.input]).outputs[1]) == [1, 2])
    #expect(ran == ["c"])
    interpreter.seeds = [graph.inputs[0]: .tensor(Tensor(vector: [5, 5] as [Float]))]
    #expect(try numbers(interpreter.run(graph, inputs: [Self.input]).outputs[1]) == [6, 6])
    interpreter.seeds = [ValueID(index: 99, generation: 0): Self.input]
    #expect(throws: GraphError.self) { try interpreter.run(graph, inputs: [Self.input]) }
  }

  @Test func regionsHavePaths() throws {
    let graph = try Self.loop()
    var interpreter = Interpreter()
    interpreter.capture = .named(["t", "count.body[1]/f"])
    var paths: [String] = []
    interpreter.didRun = { result in
      paths.append(result.visit.qualifiedName)
      // The second turn adds 100 more.
      guard result.visit.qualifiedName == "count.body[1]/t" else { return nil }
      return [.tensor(Tensor(Float(100)))]
    }
    let run = try interpreter.run(graph, inputs: [.tensor(Tensor(Int64(0))), .tensor(Tensor(Float(0)))])
    #expect(try numbers(run.outputs[0]) == [102])
    #expect(run.values.keys.sorted() == ["count.body[0]/t", "count.body[1]/f", "count.body[1]/t", "count.body[2]/t"])
    #expect(try numbers(run.values["count.body[1]/t"]) == [100])
    #expect(paths.first == "count.condition[0]/go" && paths.last == "count")
    #expect(paths.filter { $0.hasPrefix("count.condition") }.count == 4)
    #expect(paths.filter { $0.hasSuffix("/f") } == ["count.body[0]/f", "count.body[1]/f", "count.body[2]/f"])
  }

  @Test func errorsOfHooksReachTheCaller() throws {
    struct Enough: Error {}
    var interpreter = Interpreter()
    interpreter.didRun = { result in
      if result.visit.name == "t" { throw Enough() }
      return nil
    }
    #expect(throws: Enough.self) {
      try interpreter.run(Self.loop(), inputs: [.tensor(Tensor(Int64(0))), .tensor(Tensor(Float(0)))])
    }
  }

  @Test func operatorsWithoutKernelsRunByHooks() throws {
    let graph = try Graph(text: "fx 1\ngraph @main(%x: f32[2]) {\n%y = ?acme::Fancy(%x)\nreturn %y\n}")
    var interpreter = Interpreter()
    #expect(throws: ExecutionError.self) { try interpreter.run(graph, inputs: [Self.input]) }
    interpreter.willRun = { visit in visit.node.op.name == "Fancy" ? [visit.operands[0] ?? Self.input] : nil }
    #expect(try interpreter.run(graph, inputs: [Self.input]).outputs == [Self.input])
  }
}
