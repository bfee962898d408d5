/// Names are labels. Values have the name that a user or a file gave them; the rest are called by number in the order
/// in which they were made: `node_0`, `node_1`, and `node_1.1` for a second result. Names are unique within a region.
extension Graph {
  /// What the value is called.
  public func name(of value: ValueID) -> String {
    guard let record = values.find(value) else { return value.description }
    if let name = record.name { return name }
    switch record.definition {
    case .result(let node, let index):
      let base = "node_\(nodes[node].serial)"
      return index == 0 ? base : "\(base).\(index)"
    case .argument(_, let index): return "arg_\(index)"
    }
  }

  /// What the node is called: its label, else the name of its first result, else its number.
  public func name(of node: NodeID) -> String {
    guard let record = nodes.find(node) else { return node.description }
    if let name = record.name { return name }
    if let first = record.results.first { return name(of: first) }
    return "node_\(record.serial)"
  }

  /// The label that was given to the value, if any.
  public func label(of value: ValueID) -> String? { values.find(value)?.name }

  /// The value called `name` in a region, by label or number. O(1) for labels, else O(values of the region).
  public func value(named name: String, in region: RegionID? = nil) -> ValueID? {
    guard let record = regions.find(region ?? body) else { return nil }
    if let value = record.labels[name] { return value }
    if name.hasPrefix("arg_") { return record.arguments.first { values[$0].name == nil && self.name(of: $0) == name } }
    guard let serial = Graph.serial(in: name), serial < nextSerial else { return nil }
    var next = record.last
    while let id = next {
      // Two nodes may have one number, where one of them shows it and the other's results have labels.
      if nodes[id].serial == serial, let value = nodes[id].results.first(where: { self.name(of: $0) == name }) { return value }
      next = nodes[id].previous
    }
    return nil
  }

  /// The names of all values of a region, for suggestions. O(values).
  public func valueNames(in region: RegionID? = nil) -> [String] {
    guard let record = regions.find(region ?? body) else { return [] }
    var names = record.arguments.map { name(of: $0) }
    var next = record.first
    while let id = next {
      names += nodes[id].results.map { name(of: $0) }
      next = nodes[id].next
    }
    return names
  }

  /// Labels a value.
  /// - Throws: `GraphError.stale`; `GraphError.duplicateName` if another value of the region is called so.
  public mutating func setName(_ name: String, of value: ValueID) throws(GraphError) {
    let region = try region(of: value)
    guard self.name(of: value) != name else { return }
    if let other = self.value(named: name, in: region), other != value { throw .duplicateName(name) }
    relabel(value, name, in: region)
  }

  /// Labels a value, with a number appended if the name is taken. Returns the label.
  /// - Throws: `GraphError.stale`.
  @discardableResult
  public mutating func setUniqueName(_ name: String, of value: ValueID) throws(GraphError) -> String {
    let region = try region(of: value)
    func isTaken(_ candidate: String) -> Bool { self.value(named: candidate, in: region).map { $0 != value } ?? false }
    let free = isTaken(name) ? "\(name)_\(Graph.freeSuffix { isTaken("\(name)_\($0)") })" : name
    relabel(value, free, in: region)
    return free
  }

  /// A number that is not taken, and that follows one that is unless it is 1: the first that is free if those that are
  /// taken have no gaps. O(log n), so that a million values with one name do not take a million steps each.
  static func freeSuffix(_ isTaken: (Int) -> Bool) -> Int {
    guard isTaken(1) else { return 1 }
    var (taken, step) = (1, 1)
    while isTaken(taken + step) { (taken, step) = (taken + step, 2 * step) }
    var free = taken + step
    while free - taken > 1 {
      let middle = taken + (free - taken) / 2
      if isTaken(middle) { taken = middle } else { free = middle }
    }
    return free
  }

  /// Labels a node. Node labels need not be unique: they are for people.
  /// - Throws: `GraphError.stale`.
  public mutating func setName(_ name: String?, of node: NodeID) throws(GraphError) {
    guard nodes.contains(node) else { throw .stale(node) }
    nodes[node].name = name
  }

  /// Labels a value whose name the caller has checked.
  mutating func relabel(_ value: ValueID, _ name: String?, in region: RegionID) {
    if let old = values[value].name, regions[region].labels[old] == value { regions[region].labels[old] = nil }
    values[value].name = name
    guard let name else { return }
    regions[region].labels[name] = value
    // Numbers given out later must not collide with a label that looks like one.
    if let serial = Graph.serial(in: name), serial >= nextSerial { nextSerial = serial + 1 }
  }

  /// Numbers of nodes stay below this one, so that counting on never runs out.
  static let serialLimit: UInt32 = 1 << 31

  /// The number in `node_12` and `node_12.1`; `nil` for other names, and for numbers that would leave too few to count on from.
  static func serial(in name: String) -> UInt32? {
    guard name.hasPrefix("node_") else { return nil }
    let digits = name.utf8.dropFirst(5).prefix { $0 != UInt8(ascii: ".") }
    guard !digits.isEmpty, digits.allSatisfy(\.isDigit) else { return nil }
    return UInt32(String(decoding: digits, as: UTF8.self)).flatMap { $0 < serialLimit ? $0 : nil }
  }
}
