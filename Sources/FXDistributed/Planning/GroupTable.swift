/// The groups of ranks along axes of a mesh, each made once: plans of a thousand ranks name them a hundred thousand times, and
/// arrays that share their elements are compared at once.
struct GroupTable: Sendable {
  private struct Groups: Sendable {
    /// For each rank the position of its group.
    var positions: [Int]
    var groups: [[Int]]
  }

  private var table: [[String]: Groups] = [:]

  init(_ mesh: Mesh, along lists: Set<[String]>) {
    for axes in lists {
      var groups = Groups(positions: Array(repeating: -1, count: mesh.size), groups: [])
      for rank in 0..<mesh.size where groups.positions[rank] < 0 {
        let group = mesh.group(of: rank, along: axes)
        for member in group { groups.positions[member] = groups.groups.count }
        groups.groups.append(group)
      }
      table[axes] = groups
    }
  }

  /// The group of a rank along axes that the table was made for; the rank alone along others.
  func group(of rank: Int, along axes: [String]) -> [Int] {
    guard let groups = table[axes] else { return [rank] }
    return groups.groups[groups.positions[rank]]
  }

  /// All groups along axes.
  func groups(along axes: [String]) -> [[Int]] { table[axes]?.groups ?? [] }
}
