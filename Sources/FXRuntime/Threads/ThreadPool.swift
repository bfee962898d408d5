internal import CKernels

/// Threads that run chunks of an index range together with the caller.
///
/// Chunks are claimed one by one, so uneven work and a core taken away by the host cost little. Between calls the
/// threads watch for work for a tenth of a millisecond, then sleep. A call allocates nothing.
///
/// Calls may overlap: while one runs on the pool, another (from a second thread, or from inside a chunk) runs its whole
/// range on its own thread.
///
/// Sendable because the only stored property is a constant pointer to the C pool, whose functions may be called from
/// any thread; `deinit` can only run when no call is under way, since a call holds a reference.
public final class ThreadPool: @unchecked Sendable {
  private let pool: OpaquePointer?

  /// The number of threads that work, the caller's included. Chunks see worker numbers below it.
  public let size: Int

  /// Starts `threads - 1` threads; fewer if the system refuses them. Counts below 1 are taken as 1.
  public init(threads: Int) {
    pool = fxk_threads_create(max(1, min(threads, 1024)))
    size = pool.map { fxk_threads_size($0) } ?? 1
  }

  /// Stops and joins the threads.
  deinit {
    fxk_threads_destroy(pool)
  }

  /// Calls `body`, in which `parallelFor` will be called over and over: until it ends, threads without work stay awake for
  /// up to 2 ms if there is a core for each, since waking one takes as long as many a step.
  func whileStepsFollow<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard let pool, size > 1 else { return try body() }
    fxk_threads_begin_row(pool)
    defer { fxk_threads_end_row(pool) }
    return try body()
  }

  /// Runs `body` once for each piece of `0..<count`, `chunk` indices long but for the last, and returns when all
  /// are done. The pieces run in any order and at once; `worker` tells apart those that run at the same time, so that
  /// scratch memory can be chosen by it. If the range is one piece or the pool is busy, one call gets the whole range.
  public func parallelFor(count: Int, chunk: Int, _ body: (_ range: Range<Int>, _ worker: Int) -> Void) {
    guard count > 0 else { return }
    guard let pool, size > 1, count > chunk else {
      body(0..<count, 0)
      return
    }
    // `body` outlives the call below, and the C pool returns only when nobody runs it any more.
    withoutActuallyEscaping(body) { escapable in
      var job = Job(body: escapable)
      withUnsafeMutablePointer(to: &job) { job in
        fxk_threads_run(pool, count, max(1, chunk), runChunk, job)
      }
    }
  }
}

/// What a thread needs to run a chunk; lives on the caller's stack.
private struct Job {
  let body: (Range<Int>, Int) -> Void
}

private func runChunk(context: UnsafeMutableRawPointer?, begin: Int, end: Int, worker: Int) {
  guard let context else { return }
  context.assumingMemoryBound(to: Job.self).pointee.body(begin..<end, worker)
}
