import Foundation
import Synchronization
import Testing

@testable import FXRuntime

@Suite struct ThreadPoolTests {
  struct Shape: CustomTestStringConvertible {
    let threads: Int
    let count: Int
    let chunk: Int
    var testDescription: String { "\(threads) threads, \(count) by \(chunk)" }
  }

  static let shapes = [1, 2, 3, 8].flatMap { threads in
    [(0, 1), (1, 1), (7, 3), (64, 1), (1000, 7), (5, 100), (9, 0)].map { Shape(threads: threads, count: $0.0, chunk: $0.1) }
  }

  @Test("every index runs once, workers are below the size", arguments: shapes)
  func coversTheRange(shape: Shape) {
    let pool = ThreadPool(threads: shape.threads)
    #expect(pool.size == shape.threads)
    for _ in 0..<50 {
      let counts = (0..<shape.count).map { _ in Counter() }
      let badWorkers = Counter()
      pool.parallelFor(count: shape.count, chunk: shape.chunk) { range, worker in
        if worker < 0 || worker >= shape.threads { badWorkers.add(1) }
        for index in range { counts[index].add(1) }
      }
      #expect(counts.allSatisfy { $0.value == 1 })
      #expect(badWorkers.value == 0)
    }
  }

  /// Plain, unsynchronized writes by the chunks and reads by the caller: what the thread sanitizer looks at.
  @Test("results are visible to the caller, through sleeps and many short jobs")
  func publishesResults() {
    let pool = ThreadPool(threads: 4)
    let values = UnsafeMutableBufferPointer<Int>.allocate(capacity: 256)
    defer { values.deallocate() }
    nonisolated(unsafe) let shared = values
    for round in 0..<3000 {
      if round % 500 == 499 { Thread.sleep(forTimeInterval: 0.002) }
      pool.parallelFor(count: 256, chunk: 1 + round % 40) { range, _ in
        for index in range { shared[index] = round &* index }
      }
      let sum = values.reduce(0, &+)
      #expect(sum == round * (255 * 256 / 2))
    }
  }

  @Test("callers at once and calls from inside a chunk")
  func severalCallers() {
    let pool = ThreadPool(threads: 3)
    let total = Counter()
    let group = DispatchGroup()
    for _ in 0..<4 {
      DispatchQueue.global().async(group: group) {
        for _ in 0..<300 {
          pool.parallelFor(count: 20, chunk: 3) { outer, _ in
            pool.parallelFor(count: outer.count, chunk: 1) { inner, _ in total.add(inner.count) }
          }
        }
      }
    }
    group.wait()
    #expect(total.value == 4 * 300 * 20)
  }

  @Test("pools come and go")
  func lifetime() {
    for round in 0..<200 {
      let pool = ThreadPool(threads: 1 + round % 5)
      let total = Counter()
      if round % 3 != 0 { pool.parallelFor(count: 10, chunk: 1) { range, _ in total.add(range.count) } }
      #expect(total.value == (round % 3 != 0 ? 10 : 0))
    }
    #expect(ThreadPool(threads: -3).size == 1)
  }
}

/// An atomic integer that can be kept in an array.
private final class Counter: Sendable {
  private let count = Atomic<Int>(0)
  func add(_ amount: Int) { count.add(amount, ordering: .relaxed) }
  var value: Int { count.load(ordering: .relaxed) }
}
