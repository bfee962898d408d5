/// Gives blocks of memory offsets in one arena while steps are planned in execution order: a block that ends frees
/// its place for later ones. Best fit with merging of neighbours; O(free blocks) to find a place.
struct ArenaPlanner {
  /// Every block starts at a multiple of this, a cache line and the widest vector.
  static let alignment = 64

  private struct Free {
    var offset: Int
    var size: Int
  }
  /// Sorted by offset, never adjacent.
  private var free: [Free] = []
  private(set) var peak = 0

  /// Sizes are rounded up to whole lines, so that ends are starts.
  static func rounded(_ size: Int) -> Int { (max(size, 1) + alignment - 1) / alignment * alignment }

  /// The offset of a new block of `size` bytes.
  mutating func allocate(_ size: Int) -> Int {
    let size = ArenaPlanner.rounded(size)
    var best: Int?
    for index in free.indices where free[index].size >= size {
      if let chosen = best, free[chosen].size <= free[index].size { continue }
      best = index
    }
    if let best {
      let offset = free[best].offset
      if free[best].size == size {
        free.remove(at: best)
      } else {
        free[best] = Free(offset: offset + size, size: free[best].size - size)
      }
      return offset
    }
    // Grow: a free block at the end is part of the new one.
    if let last = free.last, last.offset + last.size == peak {
      free.removeLast()
      peak = last.offset + size
      return last.offset
    }
    peak += size
    return peak - size
  }

  /// Ends the block at `offset` that was given for `size` bytes.
  mutating func release(_ offset: Int, _ size: Int) {
    let size = ArenaPlanner.rounded(size)
    var index = free.partitioningIndex { $0.offset > offset }
    free.insert(Free(offset: offset, size: size), at: index)
    if index + 1 < free.count, free[index].offset + free[index].size == free[index + 1].offset {
      free[index].size += free[index + 1].size
      free.remove(at: index + 1)
    }
    if index > 0, free[index - 1].offset + free[index - 1].size == free[index].offset {
      free[index - 1].size += free[index].size
      free.remove(at: index)
      index -= 1
    }
  }
}

extension Array {
  /// The first index whose element satisfies the predicate, of an array in which all that do come last.
  fileprivate func partitioningIndex(_ predicate: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
