/// Storage with generational ids: O(1) insertion, removal and access; indices of removed elements are used again.
struct Slots<ID: GraphID, Element: Sendable>: Sendable {
  private struct Slot: Sendable {
    var generation: UInt32
    var element: Element?
  }
  private var slots: [Slot] = []
  private var free: [UInt32] = []

  /// The number of elements.
  var count: Int { slots.count - free.count }

  /// One more than the largest index in use: the size of tables indexed by `ID.index`.
  var capacity: Int { slots.count }

  mutating func reserve(_ more: Int) { slots.reserveCapacity(slots.count + more) }

  mutating func insert(_ element: Element) -> ID {
    if let index = free.popLast() {
      slots[Int(index)].element = element
      return ID(index: index, generation: slots[Int(index)].generation)
    }
    slots.append(Slot(generation: 0, element: element))
    return ID(index: UInt32(truncatingIfNeeded: slots.count - 1), generation: 0)
  }

  mutating func remove(_ id: ID) {
    guard contains(id) else { return }
    slots[Int(id.index)].element = nil
    slots[Int(id.index)].generation &+= 1
    free.append(id.index)
  }

  func contains(_ id: ID) -> Bool {
    Int(id.index) < slots.count && slots[Int(id.index)].generation == id.generation && slots[Int(id.index)].element != nil
  }

  func find(_ id: ID) -> Element? {
    guard Int(id.index) < slots.count, slots[Int(id.index)].generation == id.generation else { return nil }
    return slots[Int(id.index)].element
  }

  /// The element of an id known to be alive. The graph keeps every id that it stores alive; users' ids go through `find` first.
  subscript(id: ID) -> Element {
    // A stale id here is a broken invariant of the graph itself, as an index out of bounds is one of an array.
    _read { yield slots[Int(id.index)].element.unsafelyUnwrapped }
    _modify { yield &slots[Int(id.index)].element! }
  }

  /// The ids in use, by index.
  var ids: [ID] {
    slots.indices.compactMap {
      slots[$0].element == nil ? nil : ID(index: UInt32($0), generation: slots[$0].generation)
    }
  }
}
