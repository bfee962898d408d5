import FXCore

/// A set of ids of one graph, as a bit per slot: for sets that grow with the graph.
///
/// Generations are not looked at, so it must not outlive an erasure.
struct IDSet<ID: GraphID>: Sendable {
  private var members: [Bool] = []

  init() {}

  func contains(_ id: ID) -> Bool { Int(id.index) < members.count && members[Int(id.index)] }

  /// Adds an id. Returns whether it was not there before.
  @discardableResult
  mutating func insert(_ id: ID) -> Bool {
    let index = Int(id.index)
    if index >= members.count {
      members.append(contentsOf: repeatElement(false, count: index + 1 - members.count + members.count / 2))
    }
    guard !members[index] else { return false }
    members[index] = true
    return true
  }
}
