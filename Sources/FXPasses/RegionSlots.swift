import FXCore

/// How the operands, region arguments, region results and results of a node that owns regions belong together.
///
/// A slot is what can be removed as one: a capture of a conditional, a result of its branches, a state of a loop with its
/// initial value, arguments and result. What is in no slot belongs to the node as such.
struct RegionSlots {
  struct Place: Hashable {
    let region: Int
    let index: Int
  }

  struct Slot {
    var operand: Int?
    var arguments: [Place] = []
    var regionResults: [Place] = []
    var result: Int?
    /// Whether the node's `state_count` counts the slot.
    var isState = false
  }

  private(set) var slots: [Slot] = []
  /// Operands that the node needs whatever its slots do.
  private(set) var fixedOperands: [Int] = []
  /// Region results that the node needs whatever its slots do.
  private(set) var fixedResults: [Place] = []
  private var byArgument: [Place: Int] = [:]
  private var byResult: [Int: Int] = [:]

  /// The slots of `node`; `nil` for operators that are not known here, and for nodes whose counts do not fit.
  init?(_ node: Node, in graph: Graph) {
    let arguments = node.regions.map { (try? graph.arguments(of: $0))?.count ?? 0 }
    let results = node.regions.map { graph.results(of: $0).count }
    let fits =
      switch node.op.description {
      case "cond": addCond(node, arguments, results)
      case "while_loop": addWhileLoop(node, arguments, results)
      case "loop": addLoop(node, arguments, results)
      case "scan": addScan(node, arguments, results)
      case "call": addCall(node, arguments, results)
      default: false
      }
    guard fits else { return nil }
    for (index, slot) in slots.enumerated() {
      for place in slot.arguments { byArgument[place] = index }
      if let result = slot.result { byResult[result] = index }
    }
  }

  func slot(ofArgument place: Place) -> Slot? { byArgument[place].map { slots[$0] } }
  func slot(ofResult index: Int) -> Slot? { byResult[index].map { slots[$0] } }

  /// Corrects the node's attributes after `removed` were taken off it.
  static func didRemove(_ removed: [Slot], from node: Node, in graph: inout Graph) throws {
    let states = removed.count { $0.isState }
    guard states > 0, case .int(let count)? = node.attributes["state_count"] else { return }
    var attributes = node.attributes
    attributes["state_count"] = .int(count - states)
    try graph.setAttributes(of: node.id, to: attributes)
  }

  // MARK: Operators

  private mutating func addCond(_ node: Node, _ arguments: [Int], _ results: [Int]) -> Bool {
    let captures = node.operands.count - 1
    guard captures >= 0, arguments == [captures, captures], results == [node.results.count, node.results.count] else {
      return false
    }
    fixedOperands = [0]
    for index in 0..<captures {
      slots.append(Slot(operand: 1 + index, arguments: [Place(region: 0, index: index), Place(region: 1, index: index)]))
    }
    for index in node.results.indices {
      slots.append(Slot(regionResults: [Place(region: 0, index: index), Place(region: 1, index: index)], result: index))
    }
    return true
  }

  private mutating func addWhileLoop(_ node: Node, _ arguments: [Int], _ results: [Int]) -> Bool {
    let states = node.results.count
    let count = node.operands.count
    guard count >= states, arguments == [count, count], results == [1, states] else { return false }
    fixedResults = [Place(region: 0, index: 0)]
    for index in 0..<count {
      var slot = Slot(operand: index, arguments: [Place(region: 0, index: index), Place(region: 1, index: index)])
      if index < states {
        slot.regionResults = [Place(region: 1, index: index)]
        slot.result = index
      }
      slots.append(slot)
    }
    return true
  }

  private mutating func addLoop(_ node: Node, _ arguments: [Int], _ results: [Int]) -> Bool {
    guard case .int(let states)? = node.attributes["state_count"], states >= 0, node.operands.count >= 2 + states,
      arguments == [node.operands.count], results == [1 + node.results.count], node.results.count >= states
    else { return false }
    fixedOperands = [0, 1]
    fixedResults = [Place(region: 0, index: 0)]
    for index in 2..<node.operands.count { addBodySlot(index, isState: index < 2 + states, resultOffset: 1, operandOffset: 2) }
    for index in states..<node.results.count {
      slots.append(Slot(regionResults: [Place(region: 0, index: 1 + index)], result: index))
    }
    return true
  }

  private mutating func addScan(_ node: Node, _ arguments: [Int], _ results: [Int]) -> Bool {
    guard case .int(let states)? = node.attributes["state_count"], states >= 0,
      case .int(let inputs)? = node.attributes["num_scan_inputs"], inputs >= 0, node.operands.count >= states + inputs,
      arguments == [node.operands.count], results == [node.results.count], node.results.count >= states
    else { return false }
    fixedOperands = Array(states..<states + inputs)
    for index in node.operands.indices where !fixedOperands.contains(index) {
      addBodySlot(index, isState: index < states, resultOffset: 0, operandOffset: 0)
    }
    // Axes and directions are listed per scan output, so that outputs stay where there are such lists.
    for index in states..<node.results.count { fixedResults.append(Place(region: 0, index: index)) }
    return true
  }

  private mutating func addCall(_ node: Node, _ arguments: [Int], _ results: [Int]) -> Bool {
    guard arguments == [node.operands.count], results == [node.results.count] else { return false }
    for index in node.operands.indices { slots.append(Slot(operand: index, arguments: [Place(region: 0, index: index)])) }
    for index in node.results.indices {
      slots.append(Slot(regionResults: [Place(region: 0, index: index)], result: index))
    }
    return true
  }

  /// The slot of an operand that the one body gets under the same index: a state, or a capture.
  private mutating func addBodySlot(_ operand: Int, isState: Bool, resultOffset: Int, operandOffset: Int) {
    var slot = Slot(operand: operand, arguments: [Place(region: 0, index: operand)])
    if isState {
      let state = operand - operandOffset
      slot.regionResults = [Place(region: 0, index: state + resultOffset)]
      slot.result = state
      slot.isState = true
    }
    slots.append(slot)
  }
}
