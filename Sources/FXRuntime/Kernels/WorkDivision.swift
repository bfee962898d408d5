/// How a kernel's work is cut into pieces for the thread pool.
///
/// Handing work to another thread and waiting for it costs about 2 µs, so pieces take at least `leastNanoseconds`, and
/// work of less than two such pieces stays on the caller's thread.
struct WorkDivision: Sendable {
  /// Units of work: rows, planes, tasks, elements.
  let count: Int
  /// Units in a piece.
  let chunk: Int

  private static let leastNanoseconds = 5000.0
  /// Pieces for each thread, so that one that is held up leaves the rest to the others.
  private static let piecesPerThread = 4

  /// - Parameter cost: of one unit, in nanoseconds; a rough figure will do.
  init(_ count: Int, nanosecondsEach cost: Double, threads: Int) {
    self.count = count
    guard threads > 1, count > 1 else {
      chunk = max(count, 1)
      return
    }
    let least = min(WorkDivision.leastNanoseconds / max(cost, 1e-3), Double(count))
    let pieces = threads * WorkDivision.piecesPerThread
    chunk = max(Int(least.rounded(.up)), (count + pieces - 1) / pieces, 1)
  }

  func run(on pool: ThreadPool, _ body: (_ range: Range<Int>, _ worker: Int) -> Void) {
    pool.parallelFor(count: count, chunk: chunk, body)
  }
}

/// How work on [outer, …, inner] is cut where positions of `inner` do not meet: into outer blocks, or into lines of inner
/// positions where there are more of those and blocks are few. A line is a cache line of floats, which threads do not share.
struct InnerDivision: Sendable {
  let outer: Int
  let inner: Int
  private let division: WorkDivision
  private let isByLine: Bool
  private static let line = 16

  /// - Parameter cost: of one inner position of one outer block, in nanoseconds.
  init(outer: Int, inner: Int, nanosecondsEach cost: Double, threads: Int) {
    (self.outer, self.inner) = (outer, inner)
    let lines = (inner + InnerDivision.line - 1) / InnerDivision.line
    isByLine = outer < 2 * threads && lines > outer
    division =
      isByLine
      ? WorkDivision(lines, nanosecondsEach: cost * Double(outer * InnerDivision.line), threads: threads)
      : WorkDivision(outer, nanosecondsEach: cost * Double(inner), threads: threads)
  }

  func run(on pool: ThreadPool, _ body: (_ blocks: Range<Int>, _ positions: Range<Int>, _ worker: Int) -> Void) {
    division.run(on: pool) { range, worker in
      if isByLine {
        body(0..<outer, range.lowerBound * InnerDivision.line..<min(range.upperBound * InnerDivision.line, inner), worker)
      } else {
        body(range, 0..<inner, worker)
      }
    }
  }
}

/// Nanoseconds that one element takes on one thread, roughly: what work is divided by.
enum ElementCost {
  /// Arithmetic and copies in cache.
  static let simple = 0.2
  /// Exponentials, divisions and their kin, by polynomials.
  static let polynomial = 0.5
  /// A call of the C library.
  static let library = 8.0
}
