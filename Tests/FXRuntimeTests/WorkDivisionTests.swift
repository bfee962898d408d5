import Synchronization
import Testing

@testable import FXRuntime

@Suite struct WorkDivisionTests {
  /// Every position of every block falls to one piece, and pieces inside a block end at cache lines.
  @Test(arguments: [(1, 16), (1, 17), (1, 1000), (3, 5), (3, 4096), (40, 7), (2, 31)], [1, 2, 4])
  func innerPiecesCoverAllOnce(_ sizes: (outer: Int, inner: Int), threads: Int) {
    let division = InnerDivision(outer: sizes.outer, inner: sizes.inner, nanosecondsEach: 1e6, threads: threads)
    let seen = Mutex([Int](repeating: 0, count: sizes.outer * sizes.inner))
    division.run(on: ThreadPool(threads: threads)) { blocks, positions, worker in
      #expect(worker < threads)
      #expect(positions.lowerBound % 16 == 0 && (positions.upperBound % 16 == 0 || positions.upperBound == sizes.inner))
      seen.withLock { seen in
        for block in blocks { for position in positions { seen[block * sizes.inner + position] += 1 } }
      }
    }
    #expect(seen.withLock { $0.allSatisfy { $0 == 1 } })
  }
}
