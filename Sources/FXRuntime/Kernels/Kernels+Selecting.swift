import FXCore

extension KernelTable {
  mutating func addSelecting() {
    self[.topK] = { $0.topK() }
  }
}

extension KernelRequest {
  fileprivate func topK() -> KernelChoice? {
    let shape = shape(0)
    guard type(0) == .float32, let axis = KernelRequest.axis(self[TopK.axis], rank: shape.count), results.count == 2,
      results.allSatisfy({ $0.shape.count == shape.count }), shape.reduce(1, *) > 0, shape[axis] <= Int(UInt32.max)
    else { return nil }
    let k = results[0].shape[axis]
    guard k > 0, k <= shape[axis] else { return nil }
    let kernel = TopKKernel(
      lanes: shape.reduce(1, *) / shape[axis], inner: shape.dropFirst(axis + 1).reduce(1, *), size: shape[axis], k: k,
      isLargest: self[TopK.largest], threads: threads)
    return .kernel(kernel, scratch: threads * k * MemoryLayout<UInt64>.stride)
  }
}

/// The first `k` of each lane and their places, in order; NaN counts as greatest, the first of equal ones comes first.
private struct TopKKernel: Kernel {
  let inner: Int
  let size: Int
  let k: Int
  let isLargest: Bool
  let division: WorkDivision

  init(lanes: Int, inner: Int, size: Int, k: Int, isLargest: Bool, threads: Int) {
    self.inner = inner
    self.size = size
    self.k = k
    self.isLargest = isLargest
    division = WorkDivision(lanes, nanosecondsEach: 4 * Double(size) + 40 * Double(k), threads: threads)
  }

  /// A number whose order is that of the elements, and then that of their places.
  private func rank(_ x: Float, _ place: Int) -> UInt64 {
    let bits = x.isNaN ? 0x7fff_ffff : x == 0 ? 0 : x.bitPattern
    let ascending = bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
    return UInt64(isLargest ? ~ascending : ascending) << 32 | UInt64(truncatingIfNeeded: place)
  }

  func run(_ arguments: borrowing KernelArguments) {
    let x = arguments.operand(0, as: Float.self)
    let values = arguments.wants(0) ? arguments.result(0, as: Float.self) : nil
    let places = arguments.wants(1) ? arguments.result(1, as: Int64.self) : nil
    let scratch = arguments.scratch.assumingMemoryBound(to: UInt64.self)
    division.run(on: arguments.pool) { range, worker in
      var heap = UnsafeMutableBufferPointer(start: scratch + worker * k, count: k)
      for lane in range {
        let source = x + (lane / inner * size * inner + lane % inner)
        for place in 0..<k { heap[place] = rank(source[place * inner], place) }
        for root in (0..<k / 2).reversed() { sink(root, in: heap) }
        // The last of those kept is the heap's root: whatever comes before it takes its place.
        for place in k..<size {
          let next = rank(source[place * inner], place)
          guard next < heap[0] else { continue }
          heap[0] = next
          sink(0, in: heap)
        }
        heap.sort()
        for (position, entry) in heap.enumerated() {
          let place = Int(entry & 0xffff_ffff)
          let target = (lane / inner * k + position) * inner + lane % inner
          values?[target] = source[place * inner]
          places?[target] = Int64(place)
        }
      }
    }
  }

  private func sink(_ start: Int, in heap: UnsafeMutableBufferPointer<UInt64>) {
    var root = start
    while 2 * root + 1 < heap.count {
      var child = 2 * root + 1
      if child + 1 < heap.count, heap[child] < heap[child + 1] { child += 1 }
      guard heap[root] < heap[child] else { return }
      heap.swapAt(root, child)
      root = child
    }
  }
}
