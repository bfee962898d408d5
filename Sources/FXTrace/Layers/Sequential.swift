/// Modules of one tensor, each applied to what the one before gives. Its members are called `0`, `1`, ….
public final class Sequential: Module {
  public let layers: [any TensorModule]
  private let file: String
  private let line: Int

  public init(_ layers: (any TensorModule)..., fileID: String = #fileID, line: Int = #line) {
    self.layers = layers
    file = fileID
    self.line = line
  }

  public init(_ layers: [any TensorModule], fileID: String = #fileID, line: Int = #line) {
    self.layers = layers
    file = fileID
    self.line = line
  }

  public var parts: [ModulePart] { layers.enumerated().map { ModulePart(String($0), $1) } }

  /// What members report is the line that made the sequence.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    layers.reduce(x) { $1.callAsFunction($0, fileID: file, line: line) }
  }
}
