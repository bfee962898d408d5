import FXTestSupport
import Testing

@testable import FXRuntime

@Suite struct ArenaPlannerTests {
  @Test(arguments: 0..<50) func blocksThatLiveTogetherNeverOverlap(seed: UInt64) {
    var random = RandomSource(seed: seed)
    var planner = ArenaPlanner()
    var live: [(offset: Int, size: Int)] = []
    for _ in 0..<400 {
      if live.isEmpty || random.below(5) < 3 {
        let size = random.below(10) == 0 ? 0 : random.below(5000)
        let offset = planner.allocate(size)
        #expect(offset % ArenaPlanner.alignment == 0)
        #expect(offset + size <= planner.peak)
        let overlaps = live.contains { $0.offset < offset + max(size, 1) && offset < $0.offset + max($0.size, 1) }
        #expect(!overlaps)
        live.append((offset, size))
      } else {
        let block = live.remove(at: random.below(live.count))
        planner.release(block.offset, block.size)
      }
    }
    let peak = planner.peak
    for block in live { planner.release(block.offset, block.size) }
    // Everything is free and in one piece again, so a block of the whole arena needs no more of it.
    #expect(planner.allocate(peak) == 0)
    #expect(planner.peak == peak)
  }
}
