import FXCore

/// A function of each element of one operand.
struct UnaryKernel<X: BitwiseCopyable, Y: BitwiseCopyable>: Kernel {
  /// Maps elements; the pointers may be the same.
  typealias Loop = @Sendable (_ x: UnsafePointer<X>, _ y: UnsafeMutablePointer<Y>, _ count: Int) -> Void

  let division: WorkDivision
  let loop: Loop

  init(_ request: KernelRequest, nanosecondsEach cost: Double, _ loop: @escaping Loop) {
    division = WorkDivision(request.results[0].elementCount, nanosecondsEach: cost, threads: request.threads)
    self.loop = loop
  }

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: X.self), arguments.result(as: Y.self))
    division.run(on: arguments.pool) { range, _ in loop(x + range.lowerBound, y + range.lowerBound, range.count) }
  }
}

/// A function of the elements of two operands that broadcast.
struct BinaryKernel<A: BitwiseCopyable, B: BitwiseCopyable, Y: BitwiseCopyable>: Kernel {
  /// Maps rows: element `c` of row `r` of an operand is at `r * row + c * column`; the result is dense.
  typealias Loop =
    @Sendable (
      _ a: UnsafePointer<A>, _ aRow: Int, _ aColumn: Int, _ b: UnsafePointer<B>, _ bRow: Int, _ bColumn: Int,
      _ y: UnsafeMutablePointer<Y>, _ rows: Int, _ columns: Int
    ) -> Void

  let layout: BroadcastLayout
  let division: WorkDivision
  let loop: Loop

  /// `nil` if the operands do not broadcast.
  init?(
    _ shape: [Int], _ a: [Int], _ b: [Int], threads: Int, nanosecondsEach cost: Double = ElementCost.simple,
    _ loop: @escaping Loop
  ) {
    guard let layout = BroadcastLayout(shape, operands: [a, b]) else { return nil }
    self.layout = layout
    division = layout.division(nanosecondsEach: cost, threads: threads)
    self.loop = loop
  }

  func run(_ arguments: borrowing KernelArguments) {
    run(arguments.operand(0), arguments.operand(1), arguments.result(), on: arguments.pool)
  }

  /// - Parameter y: may be an operand that has the result's shape.
  func run(_ a: UnsafePointer<A>, _ b: UnsafePointer<B>, _ y: UnsafeMutablePointer<Y>, on pool: ThreadPool) {
    let (aRow, aColumn) = (layout.rowStrides[0], layout.columnStrides[0])
    let (bRow, bColumn) = (layout.rowStrides[1], layout.columnStrides[1])
    division.run(on: pool) { range, _ in
      layout.forEachPiece(in: range) { start, rows, columns, position in
        loop(a + position.offset(0), aRow, aColumn, b + position.offset(1), bRow, bColumn, y + start, rows, columns)
      }
    }
  }

  /// A loop over rows from one over the elements of a row.
  static func byRows(
    _ body: @escaping @Sendable (UnsafePointer<A>, Int, UnsafePointer<B>, Int, UnsafeMutablePointer<Y>, Int) -> Void
  ) -> Loop {
    { a, aRow, aColumn, b, bRow, bColumn, y, rows, columns in
      for row in 0..<rows { body(a + row * aRow, aColumn, b + row * bRow, bColumn, y + row * columns, columns) }
    }
  }
}

extension KernelRequest {
  /// The element of a constant operand that has one, as a number; `nil` for others.
  func constantNumber(_ index: Int) -> Double? {
    guard has(index), let tensor = operands[index]?.constant, tensor.elementCount == 1 else { return nil }
    return try? tensor.numbers().doubles.first
  }

  /// The elements of a constant integer operand; `nil` if it is absent or known only to the run.
  func constantIntegers(_ index: Int) -> [Int]? {
    guard has(index), let tensor = operands[index]?.constant else { return nil }
    return try? tensor.integers()
  }

  /// The shape of operand `index`; empty if it is left out.
  func shape(_ index: Int) -> [Int] { has(index) ? operands[index]?.shape ?? [] : [] }

  /// The element type of operand `index`.
  func type(_ index: Int) -> ElementType? { has(index) ? operands[index]?.elementType : nil }

  /// The operands among `indices` whose memory has the first result's form.
  func inPlace(_ indices: [Int]) -> [Int] {
    indices.filter { shape($0) == results[0].shape && type($0)?.bitWidth == results[0].elementType.bitWidth }
  }

  /// Axis `axis`, counted from the end if negative; `nil` if there is none.
  static func axis(_ axis: Int, rank: Int) -> Int? {
    let positive = axis < 0 ? axis + rank : axis
    return (0..<max(rank, 0)).contains(positive) ? positive : nil
  }
}
