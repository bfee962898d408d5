import FXCore

/// A number that products of matrices are made of.
protocol ProductElement: Sendable {
  static var zero: Self { get }
  static var one: Self { get }
  static func times(_ a: Self, _ b: Self) -> Self
  static func plus(_ a: Self, _ b: Self) -> Self
}

extension Double: ProductElement {
  static var one: Double { 1 }
  static func times(_ a: Double, _ b: Double) -> Double { a * b }
  static func plus(_ a: Double, _ b: Double) -> Double { a + b }
}

/// Wraps.
extension Int64: ProductElement {
  static var one: Int64 { 1 }
  static func times(_ a: Int64, _ b: Int64) -> Int64 { a &* b }
  static func plus(_ a: Int64, _ b: Int64) -> Int64 { a &+ b }
}

/// The product of two tensors as `numpy.matmul` has it.
struct MatrixProduct {
  /// The result's shape.
  let shape: [Int]
  private let m: Int
  private let n: Int
  private let k: Int
  /// How many elements the result has.
  private let count: Int
  /// For each matrix of the result, which matrices are multiplied.
  private let pairs: [(Int, Int)]

  /// - Throws: `KernelError.invalid` if the shapes do not fit; `.notBroadcastable` if leading dimensions do not.
  init(_ a: [Int], _ b: [Int]) throws {
    guard let last = a.last, !b.isEmpty, last == (b.count == 1 ? b[0] : b[b.count - 2]) else {
      throw KernelError.invalid("matrices of shapes \(a) and \(b) cannot be multiplied")
    }
    k = last
    m = a.count == 1 ? 1 : a[a.count - 2]
    n = b.count == 1 ? 1 : b[b.count - 1]
    let (batchA, batchB) = (Array(a.dropLast(2)), Array(b.dropLast(2)))
    let batch = try Broadcast.shape([batchA, batchB])
    shape = batch + (a.count == 1 ? [] : [m]) + (b.count == 1 ? [] : [n])
    count = try Selection.count(shape)
    pairs =
      count == 0 ? [] : Array(zip(Broadcast.indices(batchA, to: batch), Broadcast.indices(batchB, to: batch)))
  }

  func callAsFunction<T: ProductElement>(_ a: [T], _ b: [T]) -> [T] {
    var result = Array(repeating: T.zero, count: count)
    result.withUnsafeMutableBufferPointer { c in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          for (index, (i, j)) in pairs.enumerated() {
            multiply(a, i * m * k, b, j * k * n, c, index * m * n)
          }
        }
      }
    }
    return result
  }

  /// Row by row: the innermost loop runs along rows of b and of the result.
  @inline(__always)
  private func multiply<T: ProductElement>(
    _ a: UnsafeBufferPointer<T>, _ a0: Int, _ b: UnsafeBufferPointer<T>, _ b0: Int, _ c: UnsafeMutableBufferPointer<T>, _ c0: Int
  ) {
    for i in 0..<m {
      for p in 0..<k {
        let x = a[a0 + i * k + p]
        let (row, target) = (b0 + p * n, c0 + i * n)
        for j in 0..<n { c[target + j] = T.plus(c[target + j], T.times(x, b[row + j])) }
      }
    }
  }
}
