/// What a module or a traced function takes or gives: a tensor, or a structure of tensors.
///
/// Tensors, arrays, dictionaries with `String` keys, optionals, `Tuple` and any nesting of them are groups. A type of the
/// user's says what its tensors are, and how they make one:
///
/// ```swift
/// struct Detection: TensorGroup {
///   var boxes, scores: SymbolicTensor
///   var tensors: [SymbolicTensor] { [boxes, scores] }
///   init?(tensors: [SymbolicTensor]) {
///     guard tensors.count == 2 else { return nil }
///     (boxes, scores) = (tensors[0], tensors[1])
///   }
/// }
/// ```
public protocol TensorGroup {
  /// All tensors of the group, in an order of its own.
  var tensors: [SymbolicTensor] { get }
  /// A group of exactly these tensors; `nil` if they are too few or too many, or if their number does not say where each
  /// belongs.
  init?(tensors: [SymbolicTensor])
  /// A group of tensors that have names, such as `state.0.hidden`: what dictionaries need.
  init?(tensors: [SymbolicTensor], paths: [String])

  /// What the tensors are called within the group, in order: `hidden`, `layers.0`, and empty for the group itself. By
  /// default the names of the properties that hold them.
  var tensorPaths: [String] { get }
  /// A group of the same structure with other tensors; `nil` if there are too few or too many.
  func replacingTensors(_ tensors: [SymbolicTensor]) -> Self?
  /// How many tensors every group of the type has; `nil` if that varies.
  static var tensorCount: Int? { get }
}

extension TensorGroup {
  public init?(tensors: [SymbolicTensor], paths: [String]) { self.init(tensors: tensors) }
  public var tensorPaths: [String] {
    let found = TensorPaths.found(in: self)
    return found.count == tensors.count ? found : tensors.indices.map(String.init)
  }
  public func replacingTensors(_ tensors: [SymbolicTensor]) -> Self? {
    tensors.count == self.tensors.count ? Self(tensors: tensors) : nil
  }
  public static var tensorCount: Int? { nil }
}

extension SymbolicTensor: TensorGroup {
  public var tensors: [SymbolicTensor] { [self] }
  public init?(tensors: [SymbolicTensor]) {
    guard tensors.count == 1 else { return nil }
    self = tensors[0]
  }
  public var tensorPaths: [String] { [""] }
  public static var tensorCount: Int? { 1 }
}

extension Array: TensorGroup where Element: TensorGroup {
  public var tensors: [SymbolicTensor] { flatMap(\.tensors) }

  public init?(tensors: [SymbolicTensor]) {
    guard let count = Element.tensorCount, count > 0, tensors.count % count == 0 else {
      guard tensors.isEmpty else { return nil }
      self = []
      return
    }
    self = []
    for start in stride(from: 0, to: tensors.count, by: count) {
      guard let element = Element(tensors: Array<SymbolicTensor>(tensors[start..<start + count])) else { return nil }
      append(element)
    }
  }

  public init?(tensors: [SymbolicTensor], paths: [String]) {
    if let group = Self(tensors: tensors) {
      self = group
      return
    }
    self = []
    for member in TensorPaths.members(tensors, paths) {
      guard let element = Element(tensors: member.tensors, paths: member.paths) else { return nil }
      append(element)
    }
  }

  public var tensorPaths: [String] {
    enumerated().flatMap { index, element in element.tensorPaths.map { TensorPaths.join(String(index), $0) } }
  }

  public func replacingTensors(_ tensors: [SymbolicTensor]) -> Self? {
    var parts = TensorParts(tensors)
    var group = Self()
    for element in self {
      guard let replaced = parts.take(for: element) else { return nil }
      group.append(replaced)
    }
    return parts.isEmpty ? group : nil
  }
}

/// By keys in alphabetical order.
extension Dictionary: TensorGroup where Key == String, Value: TensorGroup {
  private var ordered: [(key: String, value: Value)] { sorted { $0.key < $1.key } }

  public var tensors: [SymbolicTensor] { ordered.flatMap(\.value.tensors) }

  /// Keys are not known from tensors alone: only an empty dictionary can be made.
  public init?(tensors: [SymbolicTensor]) {
    guard tensors.isEmpty else { return nil }
    self = [:]
  }

  public init?(tensors: [SymbolicTensor], paths: [String]) {
    self = [:]
    for member in TensorPaths.members(tensors, paths) {
      guard let value = Value(tensors: member.tensors, paths: member.paths) else { return nil }
      self[member.name] = value
    }
  }

  public var tensorPaths: [String] {
    ordered.flatMap { key, value in value.tensorPaths.map { TensorPaths.join(key, $0) } }
  }

  public func replacingTensors(_ tensors: [SymbolicTensor]) -> Self? {
    var parts = TensorParts(tensors)
    var group = Self()
    for (key, value) in ordered {
      guard let replaced = parts.take(for: value) else { return nil }
      group[key] = replaced
    }
    return parts.isEmpty ? group : nil
  }
}

/// `nil` has no tensors.
extension Optional: TensorGroup where Wrapped: TensorGroup {
  public var tensors: [SymbolicTensor] { self?.tensors ?? [] }

  public init?(tensors: [SymbolicTensor]) { self.init(tensors: tensors, paths: tensors.map { _ in "" }) }

  public init?(tensors: [SymbolicTensor], paths: [String]) {
    if tensors.isEmpty {
      self = .some(nil) ?? nil
    } else {
      guard let wrapped = Wrapped(tensors: tensors, paths: paths) else { return nil }
      self = wrapped
    }
  }

  public var tensorPaths: [String] { self?.tensorPaths ?? [] }

  public func replacingTensors(_ tensors: [SymbolicTensor]) -> Self? {
    guard let wrapped = self else { return tensors.isEmpty ? .some(nil) : nil }
    return wrapped.replacingTensors(tensors).map { .some($0) }
  }
}

/// Several groups in order, since Swift's own tuples cannot be groups: `Tuple(x, state)`, `let (x, state) = input.members`.
public struct Tuple<each Member: TensorGroup>: TensorGroup {
  /// The groups as one of Swift's tuples, to take them apart.
  public let members: (repeat each Member)

  /// A group whose tensors are those of the members, one member after another.
  public init(_ member: repeat each Member) { members = (repeat each member) }

  public var tensors: [SymbolicTensor] {
    var all: [SymbolicTensor] = []
    for member in repeat each members { all += member.tensors }
    return all
  }

  public static var tensorCount: Int? {
    var total = 0
    for member in repeat (each Member).self {
      guard let count = member.tensorCount else { return nil }
      total += count
    }
    return total
  }

  public init?(tensors: [SymbolicTensor]) { self.init(tensors: tensors, paths: tensors.indices.map(String.init)) }

  /// One member may be of open size: it takes what the others leave.
  public init?(tensors: [SymbolicTensor], paths: [String]) {
    guard let made = try? Self.made(tensors, paths) else { return nil }
    self = made
  }

  private static func made(_ tensors: [SymbolicTensor], _ paths: [String]) throws -> Self {
    var fixed = 0
    for member in repeat (each Member).self { fixed += member.tensorCount ?? 0 }
    let open = tensors.count - fixed
    guard open >= 0 else { throw TensorParts.Mismatch() }
    var parts = TensorParts(tensors, paths)
    let group = Tuple(repeat try parts.take((each Member).self, open: open))
    guard parts.isEmpty else { throw TensorParts.Mismatch() }
    return group
  }

  public var tensorPaths: [String] {
    var paths: [String] = []
    var index = 0
    for member in repeat each members {
      paths += member.tensorPaths.map { TensorPaths.join(String(index), $0) }
      index += 1
    }
    return paths
  }

  public func replacingTensors(_ tensors: [SymbolicTensor]) -> Self? {
    var parts = TensorParts(tensors)
    guard let replaced = try? Tuple(repeat parts.replaced(each members)), parts.isEmpty else { return nil }
    return replaced
  }
}

/// Tensors handed out from the first on.
private struct TensorParts {
  struct Mismatch: Error {}
  private var tensors: ArraySlice<SymbolicTensor>
  private var paths: ArraySlice<String>

  init(_ tensors: [SymbolicTensor], _ paths: [String] = []) {
    self.tensors = tensors[...]
    self.paths = paths[...]
  }

  var isEmpty: Bool { tensors.isEmpty }

  mutating func take<Group: TensorGroup>(for group: Group) -> Group? {
    let count = group.tensors.count
    guard count <= tensors.count else { return nil }
    defer { tensors = tensors.dropFirst(count) }
    return group.replacingTensors(Array(tensors.prefix(count)))
  }

  mutating func replaced<Group: TensorGroup>(_ group: Group) throws -> Group {
    guard let replaced = take(for: group) else { throw Mismatch() }
    return replaced
  }

  mutating func take<Group: TensorGroup>(_: Group.Type, open: Int) throws -> Group {
    let count = Group.tensorCount ?? open
    guard count <= tensors.count else { throw Mismatch() }
    defer {
      tensors = tensors.dropFirst(count)
      paths = paths.dropFirst(count)
    }
    guard let group = Group(tensors: Array(tensors.prefix(count)), paths: Array(paths.prefix(count))) else { throw Mismatch() }
    return group
  }
}

/// Names of tensors in structures.
enum TensorPaths {
  static func join(_ outer: String, _ inner: String) -> String { inner.isEmpty ? outer : "\(outer).\(inner)" }

  /// The paths of the groups among the stored properties of a value.
  static func found(in group: Any) -> [String] {
    Mirror(reflecting: group).children.flatMap { child -> [String] in
      guard let label = child.label, let member = child.value as? any TensorGroup else { return [] }
      return member.tensorPaths.map { join(label, $0) }
    }
  }

  /// What stands under each first name of a path, in the order of first occurrence.
  static func members(
    _ tensors: [SymbolicTensor], _ paths: [String]
  ) -> [(name: String, tensors: [SymbolicTensor], paths: [String])] {
    var members: [(name: String, tensors: [SymbolicTensor], paths: [String])] = []
    for (tensor, path) in zip(tensors, paths) {
      let parts = path.split(separator: ".", maxSplits: 1)
      let (name, rest) = (parts.first.map(String.init) ?? "", parts.count == 2 ? String(parts[1]) : "")
      if let index = members.firstIndex(where: { $0.name == name }) {
        members[index].tensors.append(tensor)
        members[index].paths.append(rest)
      } else {
        members.append((name, [tensor], [rest]))
      }
    }
    return members
  }
}
