/// The dimensions of a tensor of known rank, outermost first. Sizes may be symbolic or unknown.
public struct Shape: Sendable, Hashable {
  /// The sizes, outermost first; empty for a scalar.
  public var dimensions: [Dimension]

  /// A shape of these dimensions.
  public init(_ dimensions: [Dimension]) { self.dimensions = dimensions }
  /// A shape of fixed sizes.
  public init(_ sizes: [Int]) { dimensions = sizes.map(Dimension.init(_:)) }

  /// The number of dimensions; 0 for a scalar.
  public var rank: Int { dimensions.count }

  /// The sizes, if none depends on a symbol.
  public var sizes: [Int]? {
    var result: [Int] = []
    result.reserveCapacity(dimensions.count)
    for dimension in dimensions {
      guard let size = dimension.size else { return nil }
      result.append(size)
    }
    return result
  }

  /// The product of all dimensions.
  public var elementCount: Dimension { dimensions.reduce(Dimension(1), *) }
}

extension Shape: RandomAccessCollection, MutableCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { dimensions.count }
  public subscript(position: Int) -> Dimension {
    get { dimensions[position] }
    set { dimensions[position] = newValue }
  }
}

extension Shape: ExpressibleByArrayLiteral, CustomStringConvertible {
  public init(arrayLiteral elements: Dimension...) { dimensions = elements }
  /// `[batch, 3, 224, 224]`
  public var description: String { "[" + dimensions.map(\.description).joined(separator: ", ") + "]" }
}
