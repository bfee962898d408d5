import FXCore
import FXTestSupport
import Testing

@Suite struct TextFormatTests {
  @Test(arguments: 0..<8) func readsBackWhatItPrints(batch: Int) throws {
    for seed in batch * 250..<(batch + 1) * 250 {
      var random = RandomGraph(seed: UInt64(seed))
      let graph = try random.make()
      let text = graph.text()
      do {
        let copy = try Graph(text: text, operators: RandomGraph.operators)
        if copy != graph || copy.text() != text {
          Issue.record("seed \(seed) does not read back\n\(text)\n\(copy.text())")
          return
        }
      } catch {
        Issue.record("seed \(seed): \(error)\n\(text)")
        return
      }
    }
  }
}
