/// Ranks in a grid with named axes: rank r stands where r's digits say, the first axis counting slowest.
public struct Mesh: Sendable, Hashable, Codable, CustomStringConvertible {
  /// One direction of the grid.
  public struct Axis: Sendable, Hashable, Codable {
    /// What it is called, such as `data`; plans know `data`, `tensor` and `pipeline`.
    public let name: String
    /// How many ranks lie along it, at least 1.
    public let size: Int
  }

  /// The axes, the slowest first; none for a single rank.
  public let axes: [Axis]

  /// What a mesh may have.
  public static let mostRanks = 1 << 20

  /// - Throws: `PlanError.mesh` for a size below 1, a name that is empty or used twice, or more than `mostRanks` ranks.
  public init(_ axes: [(name: String, size: Int)]) throws(PlanError) {
    func text() -> String { axes.map { "\($0.name)=\($0.size)" }.joined(separator: ",") }
    var count = 1
    for (index, axis) in axes.enumerated() {
      guard axis.size >= 1, !axis.name.isEmpty, !axes[..<index].contains(where: { $0.name == axis.name }) else {
        throw .mesh(text(), "sizes must be positive and names differ")
      }
      // Both factors are at most the limit, so that the product is no overflow.
      guard axis.size <= Mesh.mostRanks, count * axis.size <= Mesh.mostRanks else {
        throw .mesh(text(), "more than \(Mesh.mostRanks) ranks")
      }
      count *= axis.size
    }
    self.axes = axes.map { Axis(name: $0.name, size: $0.size) }
  }

  init(unchecked axes: [Axis]) { self.axes = axes }

  /// A mesh as people write it: `data=2,tensor=4`.
  /// - Throws: `PlanError.mesh`.
  public init(text: String) throws(PlanError) {
    var axes: [(name: String, size: Int)] = []
    for part in text.split(separator: ",") {
      let sides = part.split(separator: "=")
      guard sides.count == 2, let size = Int(sides[1]) else {
        throw .mesh(text, "axes are written as name=size, with commas between")
      }
      axes.append((String(sides[0]), size))
    }
    try self.init(axes)
  }

  /// The number of ranks.
  public var size: Int { axes.reduce(1) { $0 * $1.size } }
  public var description: String { axes.map { "\($0.name)=\($0.size)" }.joined(separator: ",") }

  /// The size of an axis; 1 for one that is not there.
  public func size(of axis: String) -> Int { axes.first { $0.name == axis }?.size ?? 1 }

  /// Where a rank stands along an axis; 0 for one that is not there.
  public func coordinate(of rank: Int, along axis: String) -> Int {
    guard let index = axes.firstIndex(where: { $0.name == axis }) else { return 0 }
    return rank / axes[(index + 1)...].reduce(1) { $0 * $1.size } % axes[index].size
  }

  /// The ranks that differ from `rank` along these axes only, in the order of their places, the first axis counting slowest.
  public func group(of rank: Int, along names: [String]) -> [Int] {
    var ranks = [rank]
    for name in names {
      guard let index = axes.firstIndex(where: { $0.name == name }) else { continue }
      let stride = axes[(index + 1)...].reduce(1) { $0 * $1.size }
      ranks = ranks.flatMap { other in
        let base = other - coordinate(of: other, along: name) * stride
        return (0..<axes[index].size).map { base + $0 * stride }
      }
    }
    return ranks
  }

  /// Where a rank stands among those of `group(of:along:)`.
  func place(of rank: Int, along names: [String]) -> Int {
    names.reduce(0) { $0 * size(of: $1) + coordinate(of: rank, along: $1) }
  }

  /// The rank at the same place but one.
  func rank(_ rank: Int, at coordinate: Int, along axis: String) -> Int { group(of: rank, along: [axis])[coordinate] }
}

/// How a tensor lies on a mesh: for each dimension the axes along which it is cut into equal parts, the first axis counting
/// slowest. Ranks that differ along other axes hold the same.
public struct ShardingSpec: Sendable, Hashable, Codable, CustomStringConvertible {
  /// For each dimension the names of the axes along which it is cut; empty for a dimension that is whole.
  public var dimensions: [[String]]

  /// A tensor cut so; whether that goes with a mesh and with sizes is checked where it is used.
  public init(_ dimensions: [[String]]) { self.dimensions = dimensions }
  /// Whole on every rank.
  public static func replicated(rank: Int) -> ShardingSpec { ShardingSpec(Array(repeating: [], count: rank)) }

  /// Whether nothing is cut: every rank holds the whole.
  public var isReplicated: Bool { dimensions.allSatisfy(\.isEmpty) }
  /// The axes along which something is cut, in the order of the dimensions.
  public var axes: [String] { dimensions.flatMap(\.self) }

  /// `[data, _, tensor]`
  public var description: String {
    "[" + dimensions.map { $0.isEmpty ? "_" : $0.joined(separator: "·") }.joined(separator: ", ") + "]"
  }

  /// The sizes of one rank's part.
  func local(_ shape: [Int], on mesh: Mesh) -> [Int] {
    zip(shape, dimensions).map { size, axes in size / axes.reduce(1) { $0 * mesh.size(of: $1) } }
  }

  /// Where one rank's part lies in the whole.
  func box(_ shape: [Int], of rank: Int, on mesh: Mesh) -> [Range<Int>] {
    zip(local(shape, on: mesh), dimensions).map { size, axes in
      let place = mesh.place(of: rank, along: axes)
      return place * size..<(place + 1) * size
    }
  }

  /// Whether every dimension falls into equal parts.
  func divides(_ shape: [Int], on mesh: Mesh) -> Bool {
    shape.count == dimensions.count
      && zip(shape, dimensions).allSatisfy { size, axes in size % axes.reduce(1) { $0 * mesh.size(of: $1) } == 0 }
  }
}
