import FXCore

extension KernelTable {
  mutating func addRotations() {
    self[.rotaryEmbedding] = { $0.rotation() }
  }
}

extension KernelRequest {
  fileprivate func rotation() -> KernelChoice? {
    let x = shape(0)
    guard type(0) == .float32, type(1) == .float32, type(2) == .float32, results[0].elementCount > 0,
      shape(1) == shape(2), !has(3) || type(3) == .int64
    else { return nil }
    let heads = x.count == 4 ? x[1] : self[RotaryEmbedding.headCount]
    guard x.count == 4 || x.count == 3, heads > 0, x.count == 4 || x[2] % heads == 0 else { return nil }
    let length = x.count == 4 ? x[2] : x[1]
    let size = x.count == 4 ? x[3] : x[2] / heads
    let asked = self[RotaryEmbedding.rotatedSize]
    let rotated = asked == 0 ? size : asked
    guard rotated > 0, rotated <= size, rotated % 2 == 0, shape(1).last == rotated / 2 else { return nil }
    if has(3) {
      guard shape(1).count == 2, shape(3).reduce(1, *) == x[0] * length else { return nil }
    } else {
      guard shape(1) == [x[0], length, rotated / 2] else { return nil }
    }
    let kernel = RotationKernel(
      heads: heads, length: length, size: size, half: rotated / 2, isSplit: x.count == 4,
      isInterleaved: self[RotaryEmbedding.interleaved], tableRows: has(3) ? shape(1)[0] : nil,
      division: WorkDivision(x[0] * length, nanosecondsEach: Double(heads * size) * ElementCost.simple * 4, threads: threads))
    return .kernel(kernel)
  }
}

/// Turns pairs of the elements of each head by the angles of its place.
private struct RotationKernel: Kernel {
  let heads: Int
  let length: Int
  let size: Int
  /// Pairs that are turned; elements behind them stay.
  let half: Int
  /// Whether x is [batch, heads, length, size] rather than [batch, length, heads · size].
  let isSplit: Bool
  let isInterleaved: Bool
  /// Rows of the tables that position ids name; `nil` where every place has a row of its own.
  let tableRows: Int?
  /// Of places.
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) throws {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    let (cosines, sines) = (arguments.operand(1, as: Float.self), arguments.operand(2, as: Float.self))
    let ids = tableRows.map { _ in arguments.operand(3, as: Int64.self) }
    if let ids, let tableRows {
      for place in 0..<division.count where !(0..<Int64(tableRows)).contains(ids[place]) {
        throw KernelError.invalid("position \(ids[place]) is out of range for tables of \(tableRows) rows")
      }
    }
    let step = isInterleaved ? 2 : 1
    let distance = isInterleaved ? 1 : half
    division.run(on: arguments.pool) { range, _ in
      for place in range {
        let row = (ids.map { Int($0[place]) } ?? place) * half
        for head in 0..<heads {
          let line = isSplit ? (place / length * heads + head) * length + place % length : place * heads + head
          let (source, target) = (x + line * size, y + line * size)
          for pair in 0..<half {
            let (a, b) = (source[pair * step], source[pair * step + distance])
            let (cosine, sine) = (cosines[row + pair], sines[row + pair])
            target[pair * step] = cosine * a - sine * b
            target[pair * step + distance] = sine * a + cosine * b
          }
          for index in 2 * half..<size { target[index] = source[index] }
        }
      }
    }
  }
}
