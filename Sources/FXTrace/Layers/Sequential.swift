/// Modules of one tensor, each applied to what the one before gives. Its members are called `0`, `1`, ….
public final class Sequential: Module {
  /// In the order in which they are applied.
  public let layers: [any TensorModule]
  private let file: String
  private let line: Int

  /// A sequence of the modules given; without any it gives what it is given. Calls inside report this line.
  public init(_ layers: (any TensorModule)..., fileID: String = #fileID, line: Int = #line) {
    self.layers = layers
    file = fileID
    self.line = line
  }

  /// A sequence of an array's modules; without any it gives what it is given. Calls inside report this line.
  public init(_ layers: [any TensorModule], fileID: String = #fileID, line: Int = #line) {
    self.layers = layers
    file = fileID
    self.line = line
  }

  public var parts: [ModulePart] { layers.enumerated().map { ModulePart(String($0), $1) } }

  /// What members report is the line that made the sequence.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    let (session, site) = (x.session, TraceSession.CallSite(file: file, line: line))
    // A member that is a value would have to be looked through to find where it is, which its number says.
    guard let path = session.paths.path(of: self) else { return layers.reduce(x) { session.call($1, $0, at: site) } }
    let prefix = path.isEmpty ? "" : path + "."
    return layers.enumerated().reduce(x) { session.call($1.element, $0, path: "\(prefix)\($1.offset)", at: site) }
  }
}
