import FXCore
import FXPasses

/// A stack that graphs are written for as source code, such as NumPy or CUDA.
///
/// A target is given graphs whose types are known and in which every call is one that it does not refuse: `CodeGenerator`
/// decomposes composite operators that a target refuses, and stops, naming every call that is left.
public protocol CodeTarget: Sendable {
  /// What the command line calls the target, such as `std_cpp`.
  var name: String { get }
  /// One line for lists of targets.
  var summary: String { get }
  /// Whether the inputs' sizes must be numbers.
  var needsFixedSizes: Bool { get }
  /// Why the target cannot write a call; `nil` if it can. Asked of calls in regions too.
  func refusal(of node: Node, in graph: Graph) -> String?
  /// Writes a program.
  /// - Parameter graph: typed; no call in it is refused.
  /// - Throws: `CodegenError`.
  func emit(_ graph: Graph, _ options: CodegenOptions) throws -> GeneratedProgram
}

extension CodeTarget {
  public var needsFixedSizes: Bool { false }
}

/// What a user may ask of every target.
public struct CodegenOptions: Sendable {
  /// The base name of files, and what classes and functions are called after; the graph's name if `nil`.
  public var name: String?

  /// Names by the graph, unless a name is given.
  public init(name: String? = nil) { self.name = name }
}
