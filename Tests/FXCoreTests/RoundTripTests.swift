import FXTestSupport
import Testing

@testable import FXCore

/// Whatever a graph holds, every format gives it back.
@Suite struct RoundTripTests {
  @Test(arguments: 0..<8) func everyFormat(batch: Int) throws {
    for seed in batch * 50..<(batch + 1) * 50 {
      var random = RandomGraph(seed: UInt64(seed))
      let graph = try random.make()
      let text = graph.text()
      #expect(graph.brokenInvariants == [], "seed \(seed)")
      for format in GraphFormat.allCases {
        let copy: Graph
        do {
          switch format {
          case .text: copy = try Graph(text: text, operators: RandomGraph.operators)
          case .binary: copy = try Graph(binary: graph.binary(), operators: RandomGraph.operators)
          case .json: copy = try Graph(json: graph.json(), operators: RandomGraph.operators)
          }
        } catch {
          Issue.record("seed \(seed): \(error)\n\(text)")
          return
        }
        guard copy == graph, copy.text() == text, copy.brokenInvariants == [] else {
          Issue.record("seed \(seed) does not come back from \(format): \(copy.brokenInvariants)\n\(text)\n\(copy.text())")
          return
        }
      }
    }
  }
}
