import FXCore

/// What `reshape` and `expand` can be told by a constant.
enum ReshapeTarget {
  /// The shape as the constant operand of `reshape`: 0 for a size that is the operand's at the same place, −1 for the one that
  /// follows from the others; `nil` if that does not say it all, or if a size is 0.
  static func sizes(from operand: Shape, to result: Shape) -> [Int]? {
    guard !result.contains(where: { $0.isUnknown || $0.size == 0 }) else { return nil }
    let open = result.indices.filter { result[$0].size == nil }
    if open.count <= 1 { return result.map { $0.size ?? -1 } }
    // What is 0 at run time leaves −1 undetermined, so that it must not stand beside copied sizes.
    guard open.allSatisfy({ operand.indices.contains($0) && operand[$0] == result[$0] }) else { return nil }
    return result.map { $0.size ?? 0 }
  }

  /// The shape as the constant operand of `expand`: 1 where a size stays; `nil` if one that is not fixed is added.
  static func expansion(from operand: Shape, to result: Shape) -> [Int]? {
    guard result.rank >= operand.rank, !result.contains(where: \.isUnknown) else { return nil }
    let offset = result.rank - operand.rank
    var sizes: [Int] = []
    for (index, size) in result.enumerated() {
      if index >= offset, operand[index - offset] == size {
        sizes.append(1)
      } else {
        guard let size = size.size else { return nil }
        sizes.append(size)
      }
    }
    return sizes
  }
}
