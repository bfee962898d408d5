extension FormatError: CustomStringConvertible {
  /// `binary graph, byte 1234: there is no value 7 among 3`
  public var description: String {
    "\(format.name) graph" + (place.isEmpty ? "" : ", \(place)") + ": \(fault)"
  }
}

extension GraphFormat {
  fileprivate var name: String { self == .json ? "JSON" : rawValue }
}

extension FormatError.Fault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notThisFormat: "this is something else, it does not begin as such a graph does"
    case .version(let found, _) where found < 1: "there is no version \(found)"
    case .version(let found, let supported): "this is version \(found); versions up to \(supported) can be read"
    case .truncated: "it ends too early: the file was cut or damaged"
    case .trailing: "more follows than it announces: the file was damaged"
    case .checksum(let part): "the \(part) do not have the checksum that was stored with them: the file was damaged"
    case .index(let kind, let index, let count): "there is no \(kind) \(index) among \(count)"
    case .expected(let what): "expected \(what)"
    case .tooDeep(let limit): "this is nested more than \(limit) levels deep"
    case .graph(let error): error.description
    case .tensor(let error): error.description
    case .text(let error): error.description
    }
  }
}
