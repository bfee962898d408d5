import FXCore

/// Names of a model under construction. ONNX has one space of names for values and weights, in which inner graphs may
/// not repeat outer names; a graph has one for each region and one for parameters.
struct NameTable {
  private var used: Set<String> = []
  private var values: [ValueID: String] = [:]
  private var parameters: [ParameterID: String] = [:]
  private var counters: [String: Int] = [:]

  /// Takes `name`, or a name derived from it if that is taken.
  mutating func unique(_ name: String) -> String {
    let base = name.isEmpty ? "value" : name
    if used.insert(base).inserted { return base }
    var count = counters[base] ?? 0
    var candidate: String
    repeat {
      count += 1
      candidate = "\(base)_\(count)"
    } while !used.insert(candidate).inserted
    counters[base] = count
    return candidate
  }

  /// Gives the value this name, which may be another value's: a captured value has the name it has outside.
  mutating func set(_ name: String, of value: ValueID) {
    used.insert(name)
    values[value] = name
  }

  mutating func set(_ name: String, of parameter: ParameterID) { parameters[parameter] = name }

  /// Leaves the name taken, and the value without one.
  mutating func forget(_ value: ValueID) { values[value] = nil }

  func contains(_ name: String) -> Bool { used.contains(name) }

  mutating func reserve(_ name: String) { used.insert(name) }

  subscript(value: ValueID) -> String? { values[value] }
  subscript(parameter: ParameterID) -> String? { parameters[parameter] }
}
