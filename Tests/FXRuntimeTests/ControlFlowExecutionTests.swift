import FXCore
import FXRuntime
import Testing

/// Control flow as compiled and by the reference: turns that do not come, nesting, captures.
@Suite struct ControlFlowExecutionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    let inputs: [RuntimeValue]
    let expected: [RuntimeValue]
    var testDescription: String { name }
  }

  private static func floats(_ shape: [Int], _ elements: [Float]) -> RuntimeValue { .tensor(f(shape, elements)) }

  private static func loop(_ name: String, trips: Int, _ expected: [RuntimeValue]) -> Case {
    Case(
      name: name,
      text: """
        graph @loop(%n: i64[], %s: f32[batch], %w: f32[batch]) {
          %last, %all = loop(%n, none, %s, %w) {state_count = 1} body(%i: i64[], %c: bool[], %x: f32[*], %y: f32[*]) {
            %z = add(%x, %y)
            %e = concat(%z, %y) {axis = 0}
            return %c, %z, %e
          }
          return %last, %all
        }
        """,
      inputs: [.tensor(Tensor(trips)), floats([2], [1, 2]), floats([2], [10, 20])], expected: expected)
  }

  private static func scan(_ name: String, _ x: RuntimeValue, _ expected: [RuntimeValue]) -> Case {
    Case(
      name: name,
      text: """
        graph @scan(%s: f32[2], %x: f32[2, n]) {
          %last, %all = scan(%s, %x) {num_scan_inputs = 1, scan_input_axes = [1], scan_output_axes = [-1], state_count = 1} \
        body(%a: f32[2], %b: f32[2]) {
            %c = add(%a, %b)
            return %c, %c
          }
          return %last, %all
        }
        """,
      inputs: [floats([2], [1, 2]), x], expected: expected)
  }

  /// A branch in a loop in a branch: the inner branch sees a value three levels up.
  private static func nested(_ flag: Bool, trips: Int, _ expected: [RuntimeValue]) -> Case {
    Case(
      name: "nested \(flag) \(trips)",
      text: """
        graph @nested(%p: bool[], %n: i64[], %x: f32[k]) {
          %y = cond(%p, %n, %x) then(%n1: i64[], %x1: f32[*]) {
            %s, %e = loop(%n1, none, %x1, %x1) {state_count = 1} body(%i: i64[], %c: bool[], %a: f32[*], %x2: f32[*]) {
              %odd = mod(%i, 2)
              %isOdd = equal(%odd, 1)
              %b = cond(%isOdd, %a, %x2) then(%a3: f32[*], %x3: f32[*]) {
                %m = mul(%a3, %x3)
                return %m
              } else(%a4: f32[*], %x4: f32[*]) {
                %m2 = add(%a4, %x4)
                return %m2
              }
              return %c, %b, %b
            }
            %sum = reduce_sum(%e)
            return %sum
          } else(%n5: i64[], %x5: f32[*]) {
            %sum5 = reduce_max(%x5)
            return %sum5
          }
          return %y
        }
        """,
      inputs: [.tensor(Tensor(flag)), .tensor(Tensor(trips)), floats([2], [1, 3])], expected: expected)
  }

  private static func sequence(_ name: String, _ elements: [RuntimeValue], _ expected: [RuntimeValue]) -> Case {
    Case(
      name: name,
      text: """
        graph @map(%xs: seq<f32[*]>, %w: f32[]) {
          %ys = sequence_map(%xs, %w) {input_count = 1} body(%x: f32[*], %v: f32[]) {
            %y = mul(%x, %v)
            return %y
          }
          %n = sequence_length(%ys)
          return %ys, %n
        }
        """,
      inputs: [.sequence(elements, element: .tensor(.float32, nil)), floats([], [2])],
      expected: [.sequence(expected, element: .tensor(.float32, nil)), .tensor(Tensor(expected.count))])
  }

  static let cases: [Case] = [
    loop("two turns", trips: 2, [floats([2], [21, 42]), floats([2, 4], [11, 22, 10, 20, 21, 42, 10, 20])]),
    loop("no turn", trips: 0, [floats([2], [1, 2]), floats([0, 4], [])]),
    loop("fewer than no turns", trips: -3, [floats([2], [1, 2]), floats([0, 4], [])]),
    scan("columns", floats([2, 3], [1, 2, 3, 4, 5, 6]), [floats([2], [7, 17]), floats([2, 3], [2, 4, 7, 6, 11, 17])]),
    scan("no columns", floats([2, 0], []), [floats([2], [1, 2]), floats([2, 0], [])]),
    // States [2, 6], then times x, then plus x; all elements summed.
    nested(true, trips: 3, [floats([1, 1], [2 + 6 + 2 + 18 + 3 + 21])]),
    nested(true, trips: 0, [floats([1, 1], [0])]),
    nested(false, trips: 3, [floats([1], [3])]),
    sequence("two elements", [floats([2], [1, 2]), floats([1], [5])], [floats([2], [2, 4]), floats([1], [10])]),
    sequence("no elements", [], []),
  ]

  static let endless: [(text: String, inputs: [RuntimeValue])] = [
    (
      """
      graph @while(%x: f32[], %limit: f32[]) {
        %last = while_loop(%x, %limit) condition(%a: f32[], %l: f32[]) {
          %c = less(%a, %l)
          return %c
        } body(%b: f32[], %m: f32[]) {
          %d = add(%b, 1.0)
          return %d
        }
        return %last
      }
      """, [floats([], [0]), floats([], [5])]
    ),
    (
      """
      graph @loop(%x: f32[], %limit: f32[]) {
        %last = loop(none, true, %x, %limit) {state_count = 1} body(%i: i64[], %c: bool[], %b: f32[], %m: f32[]) {
          %d = add(%b, 1.0)
          %e = less(%d, %m)
          return %e, %d
        }
        return %last
      }
      """, [floats([], [0]), floats([], [5])]
    ),
  ]

  /// A loop of five turns, where five are allowed, four, and where it would not end.
  @Test(arguments: endless.indices) func turnsAreLimited(_ index: Int) throws {
    let (text, inputs) = Self.endless[index]
    let graph = try Graph(text: "fx 1\n" + text)
    func executors(_ count: Int) -> [any GraphExecutor] {
      let kernels = ReferenceKernels.standard.limitingTurns(to: count)
      return [ReferenceExecutor(kernels: kernels), CPUBackend(.init(reference: kernels))]
    }
    for executor in executors(5) {
      #expect(try executor.run(graph, inputs: inputs) == [Self.floats([], [5])])
      #expect(try executor.run(graph, inputs: inputs) == [Self.floats([], [5])], "each run counts for itself")
    }
    for executor in executors(4) {
      #expect {
        try executor.run(graph, inputs: inputs)
      } throws: { "\($0)".hasSuffix("the loop goes on after 4 turns, the most allowed") }
      #expect(throws: ExecutionError.self) { try executor.run(graph, inputs: [inputs[0], Self.floats([], [.infinity])]) }
    }
  }

  @Test(arguments: cases) func agrees(_ item: Case) throws {
    let graph = try Graph(text: "fx 1\n" + item.text)
    #expect(try ReferenceExecutor().run(graph, inputs: item.inputs) == item.expected, "by the reference")
    let compiled = try CPUBackend().compiled(graph)
    #expect(try compiled.run(item.inputs) == item.expected, "compiled")
    #expect(try compiled.run(item.inputs) == item.expected, "compiled, a second run")
  }
}
