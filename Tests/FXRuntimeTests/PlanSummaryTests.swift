import FXCore
import FXRuntime
import Testing

/// What a run needs, told from the inputs' types.
@Suite struct PlanSummaryTests {
  private func compiled() throws -> CompiledGraph {
    let text = """
      fx 1
      graph @two(%x: f32[n, 4], %y: f32[n, m]) {
        symbol n in 1...1000000000000
        %a = concat(%x, %y) {axis = 1}
        %b = exp(%a)
        %z = concat(%b, %a) {axis = 0}
        return %z
      }
      """
    return try CPUBackend().compiled(Graph(text: text))
  }

  private func types(_ n: Int, _ m: Int, _ other: Int? = nil) -> [ValueType] {
    [.tensor(.float32, Shape([n, 4])), .tensor(.float32, Shape([other ?? n, m]))]
  }

  @Test func isThatOfValues() throws {
    let model = try compiled()
    let values: [RuntimeValue] = try [[3, 4], [3, 5]].map { .tensor(try Tensor(zeros: .float32, $0)) }
    #expect(try model.planSummary(forInputs: types(3, 5)) == model.planSummary(for: values))
  }

  /// Nothing is allocated: 72 TB come out of this run.
  @Test func needsNoMemory() throws {
    #expect(try compiled().planSummary(forInputs: types(1_000_000_000_000, 5)).outputBytes == 72_000_000_000_000)
  }

  @Test func typesAreChecked() throws {
    let model = try compiled()
    func reason(_ types: [ValueType]) -> String {
      do {
        _ = try model.planSummary(forInputs: types)
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(reason([]) == "the graph has 2 inputs (x, y), 0 were given")
    #expect(reason(types(3, 5, 4)) == "input 'y' has size 4 in dimension 0, which is 'n' and was 3 before")
    #expect(reason(types(0, 5)).contains("input 'x' has size 0 in dimension 0, but 'n' is "))
    #expect(reason([.tensor(.int64, [3, 4]), types(3, 5)[1]]) == "input 'x' is f32[n, 4], i64[3, 4] was given")
    #expect(reason([.tensor(.float32, ["n", 4]), types(3, 5)[1]]) == "input 'x' is f32[n, 4], f32[n, 4] was given")
    #expect(reason(types(1, .max)) == "no tensor can have the shape [1, 9223372036854775807] with elements f32")
  }
}
