/// Where a node comes from: the user's source line and the path of the module that made the call.
public struct Location: Sendable, Hashable {
  /// As `#fileID` gives it, or the source a converter names.
  public let file: String
  /// The line in the file, from 1; 0 where a converter knows the module path only.
  public let line: Int
  /// Property names from the traced module down, such as `layers.0.attention`; empty at the top.
  public let modulePath: String

  /// A line of a file, at the top of a model unless `modulePath` says otherwise.
  public init(file: String, line: Int, modulePath: String = "") {
    self.file = file
    self.line = line
    self.modulePath = modulePath
  }
}

extension Location: CustomStringConvertible {
  /// `Model.swift:12` or `Model.swift:12 in layers.0`
  public var description: String { "\(file):\(line)" + (modulePath.isEmpty ? "" : " in \(modulePath)") }
}
