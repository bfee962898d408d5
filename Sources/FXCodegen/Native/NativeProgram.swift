import FXCore

/// A graph as the native targets print it: buffers, and steps that launch kernels on them.
///
/// Sizes are fixed. What is printed differs between targets in how a kernel's axes are run over and in the library of
/// larger kernels (`Step.library`), nothing else.
struct NativeProgram {
  var name: String
  var inputs: [Port] = []
  var outputs: [Port] = []
  var buffers: [Buffer] = []
  var weights: [Weight] = []
  var kernels: [Kernel] = []
  var steps: [Step] = []

  /// An input or output.
  struct Port {
    let name: String
    let elementType: ElementType
    let shape: [Int]
  }

  /// Memory that a value is in.
  struct Buffer {
    let name: String
    let elementType: ElementType
    let shape: [Int]
    var place: Place
    var byteCount: Int { shape.reduce(elementType.bitWidth / 8, *) }
  }

  enum Place: Equatable {
    case input(Int)
    case output(Int)
    case weight(Int)
    /// In the arena, from an offset that the plan gives.
    case arena(offset: Int)
  }

  /// Numbers that are read and never written.
  struct Weight {
    let name: String
    let tensor: Tensor
    var offset = 0
  }

  /// Where the parameters of a call are.
  typealias BufferIndex = Int

  /// A loop nest whose iterations do not depend on each other, around statements that C++ and CUDA read alike.
  struct Kernel: Equatable {
    struct Parameter: Equatable {
      let name: String
      let elementType: ElementType
      let isWritten: Bool
    }
    struct Axis: Equatable {
      let name: String
      let size: Int
      init(_ name: String, _ size: Int) { (self.name, self.size) = (name, size) }
    }
    var name: String
    var summary: String
    var parameters: [Parameter]
    var axes: [Axis]
    var body: [String]
    /// Whether the body reports what it finds wrong to `status`.
    var usesStatus = false
    /// Whether the innermost axis may be run over in any order with vectors.
    var isVectorizable = false
  }

  indirect enum Step {
    case launch(kernel: Int, [BufferIndex], comment: String)
    /// A function of the target's library: `fx::name<types>(buffers…, numbers…)`.
    case library(String, types: [String], reads: [BufferIndex], writes: [BufferIndex], numbers: [String], comment: String)
    case copy(from: BufferIndex, to: BufferIndex)
    /// One of several parts of equal size that lie one after another in `to` (or `from`); `part` is an expression.
    case copyPart(from: BufferIndex, fromPart: String?, to: BufferIndex, toPart: String?, byteCount: Int)
    /// A number written into a buffer of one element.
    case set(BufferIndex, String)
    case branch(condition: BufferIndex, [Step], [Step])
    /// Runs as long as the counter is below the limit and the condition holds; both may be absent.
    case loop(counter: String, limit: Limit, condition: BufferIndex?, [Step], comment: String)
    /// Stops the run if what the sizes of results rest on, such as the number of turns of a loop, does not hold.
    case expect(String)
  }

  enum Limit {
    case none
    case fixed(Int)
    /// An `int64` in a buffer.
    case buffer(BufferIndex)
  }
}

/// Why a call cannot be written with fixed sizes in C++ or CUDA.
struct NativeRefusal: Error {
  let reason: String
}

extension NativeProgram.Step {
  /// The buffers that the step itself reads and writes, those of nested steps left out.
  var buffers: [NativeProgram.BufferIndex] {
    switch self {
    case .launch(_, let buffers, _): buffers
    case .library(_, _, let reads, let writes, _, _): reads + writes
    case .copy(let from, let to): [from, to]
    case .copyPart(let from, _, let to, _, _): [from, to]
    case .set(let buffer, _): [buffer]
    case .branch(let condition, _, _): [condition]
    case .loop(_, let limit, let condition, _, _):
      (condition.map { [$0] } ?? []) + { if case .buffer(let buffer) = limit { [buffer] } else { [] } }()
    case .expect: []
    }
  }
}
