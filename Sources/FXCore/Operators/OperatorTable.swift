/// The operators that names resolve to. A value: users extend a copy of `.standard`, and nothing is registered behind
/// anyone's back.
public struct OperatorTable: Sendable {
  private var byName: [String: Operator] = [:]
  /// In the order of registration, aliases excluded.
  public private(set) var operators: [Operator] = []

  /// A table that knows no operator; `.standard` knows all of this framework.
  public init() {}

  /// A table of these operators, each under its name and aliases. Of two with one name the last counts.
  public init(_ operators: [Operator]) {
    for op in operators { register(op) }
  }

  /// Adds an operator under its name and aliases, replacing one of the same name, whose aliases go.
  public mutating func register(_ op: Operator) {
    if let old = byName[op.description], old.description == op.description, let index = operators.firstIndex(of: old) {
      operators[index] = op
      for alias in old.schema?.aliases ?? [] where byName[alias] == old { byName[alias] = nil }
    } else {
      operators.append(op)
    }
    byName[op.description] = op
    for alias in op.schema?.aliases ?? [] where byName[alias] == nil { byName[alias] = op }
  }

  /// The operator called `name`: a name, an alias, or `domain::name`. `nil` if there is none.
  public subscript(name: String) -> Operator? { byName[name] }

  /// The operator called `name`.
  /// - Throws: `GraphError.unknownOperator` with names that look alike.
  public func find(_ name: String) throws(GraphError) -> Operator {
    guard let op = byName[name] else { throw .unknownOperator(name, suggestions: suggestions(for: name)) }
    return op
  }

  /// Names at a small edit distance from `name`, the nearest first, at most three. O(table).
  public func suggestions(for name: String) -> [String] { byName.keys.nearest(to: name) }
}

extension Sequence<String> {
  /// The members at an edit distance of at most a third of `name`'s length, the nearest first, at most three.
  package func nearest(to name: String) -> [String] {
    let limit = Swift.max(1, name.utf8.count / 3)
    return map { (distance: editDistance($0, name), name: $0) }
      .filter { $0.distance <= limit }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
      .prefix(3).map(\.name)
  }
}

/// Levenshtein's distance between two strings' bytes.
private func editDistance(_ a: String, _ b: String) -> Int {
  let a = Array(a.utf8)
  let b = Array(b.utf8)
  guard a.count <= 64, b.count <= 64 else { return Int.max }
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let substituted = diagonal + (x == y ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = Swift.min(substituted, row[j] + 1, diagonal + 1)
    }
  }
  return row[b.count]
}
