internal import CKernels
import FXCore

/// A strided view of operand 0 as a dense tensor: permutations, broadcasts, slices.
struct CopyKernel: Kernel {
  private let copy: fxk_copy
  /// Bytes from the operand's start to the view's first element.
  private let offset: Int
  private let division: WorkDivision

  /// `nil` if the view has more axes than `fxk_copy` takes, or elements of another size than it moves.
  /// - Parameters:
  ///   - strides: in elements of the operand; 0 repeats, negative ones go backward.
  ///   - offset: the view's first element.
  init?(sizes: [Int], strides: [Int], offset: Int = 0, elementSize: Int, threads: Int) {
    var copy = fxk_copy()
    guard sizes.allSatisfy({ $0 >= 0 }), fxk_copy_prepare(&copy, sizes.count, sizes, strides, elementSize) else { return nil }
    self.copy = copy
    self.offset = offset * elementSize
    let bytes = Double(sizes.reduce(elementSize, *))
    let cost = (copy.transposes ? 0.25 : 0.1) * bytes / Double(max(copy.parts, 1)) + 2
    division = WorkDivision(copy.parts, nanosecondsEach: cost, threads: threads)
  }

  /// The permutation of axes `order` of a dense operand of `shape`.
  init?(_ shape: [Int], order: [Int], elementSize: Int, threads: Int) {
    let strides = CopyKernel.strides(shape)
    self.init(
      sizes: order.map { shape[$0] }, strides: order.map { strides[$0] }, elementSize: elementSize, threads: threads)
  }

  func run(_ arguments: borrowing KernelArguments) {
    run(
      UnsafeRawPointer(arguments.operand(0, as: UInt8.self)), UnsafeMutableRawPointer(arguments.result(as: UInt8.self)),
      on: arguments.pool)
  }

  func run(_ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, on pool: ThreadPool) {
    division.run(on: pool) { range, _ in
      withUnsafePointer(to: copy) { fxk_copy_run($0, x + offset, y, range.lowerBound, range.upperBound) }
    }
  }

  /// Elements between neighbours along each axis of a dense tensor.
  static func strides(_ shape: [Int]) -> [Int] {
    var strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    return strides
  }
}
