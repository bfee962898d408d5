import FXTestSupport
import Testing

@testable import FXCore

@Suite struct VerifierTests {
  /// A graph's body, the level, and the fault that is found; empty for none.
  static let cases: [(String, VerificationLevel, String)] = [
    ("%y = add(%x, 1) return %y", .executable, ""),
    ("%y = add(%z, 1) %z = neg(%x) return %y", .structural, "node 'y' (add): operand 0, 'z', is used before it is defined"),
    ("%y = neg(%y) return %y", .structural, "node 'y' (neg): operand 0, 'y', is used before it is defined"),
    ("return none", .structural, "result 0 of the region is none"),
    ("%y = add(%x, none) return %y", .structural, ""),
    ("%y = add(%x, none) return %y", .typed, "node 'y' (add): operand 'b' is missing"),
    ("%y: i32[2] = add(%x, 1) return %y", .typed, "node 'y' (add): operands and results of type T hold f32 and i32"),
    ("%y = ?v::w(%x) return %y", .typed, ""),
    (
      "%y = ?v::w(%x) return %y", .executable,
      "node 'y' (v::w): nobody registered the operator: it can be kept and exported, not run"
    ),
    ("parameter @p: f32[2] weight %y = add(%x, @p) return %y", .typed, ""),
    (
      "parameter @p: f32[2] weight %y = add(%x, @p) return %y", .executable,
      "node 'y' (add): nothing is bound to the parameter 'p'"
    ),
    ("%y = neg(%x) at \"A.swift\":7 %s: str[2] = neg(%y) at \"A.swift\":8 return %s", .typed, "node 's' (neg, A.swift:8): "),
    (
      "%y = test::loop() body() { %z = neg(%w) %w = neg(1) return } return", .structural,
      "node 'z' (neg): operand 0, 'w', is used before it is defined"
    ),
    ("symbol s in 1...4 constraint s <= 2*t constraint 8 multiple_of 4 return %x", .typed, ""),
    ("symbol s in 5...4 return %x", .structural, ""),
    ("symbol s in 5...4 return %x", .typed, "no size of 's' is 5...4"),
    ("symbol s in 5...7 multiple_of 4 return %x", .typed, "no size of 's' is 5...7, a multiple of 4"),
    ("symbol s in 5...8 multiple_of 4 return %x", .typed, ""),
    ("symbol s in 0...3 multiple_of 4 return %x", .typed, ""),
    ("constraint s == ? return %x", .typed, "a constraint has an unknown side: s == ?"),
    ("constraint 4 broadcasts_with 5 return %x", .typed, "a constraint of the graph cannot hold: 4 broadcasts_with 5"),
    ("constraint 9 multiple_of 0 return %x", .typed, "a constraint of the graph cannot hold: 9 multiple_of 0"),
  ]

  @Test(arguments: cases.indices) func faultsAreNamed(index: Int) throws {
    let (body, level, expected) = VerifierTests.cases[index]
    let graph = try Graph(text: "fx 1 graph @g(%x: f32[2]) { \(body) }", operators: VerifierTests.operators)
    do {
      try graph.verify(level)
      #expect(expected == "")
    } catch {
      #expect(expected != "" && error.description.hasPrefix(expected), "\(error)")
    }
  }

  /// Bounds that only a program can set: files with such do not read.
  @Test(arguments: [
    (SymbolBounds(minimum: -1, maximum: 4), "the least size must not be negative, nor the divisor below 1"),
    (SymbolBounds(divisor: 0), "the least size must not be negative, nor the divisor below 1"),
    (SymbolBounds(minimum: .max, divisor: 2), "no size of 's' is at least 9223372036854775807, a multiple of 2"),
  ])
  func boundsThatNoSizeKeeps(bounds: SymbolBounds, reason: String) {
    var graph = Graph()
    graph.symbols["s"] = bounds
    let error = #expect(throws: VerificationError.self) { try graph.verify(.typed) }
    #expect(error?.description.hasSuffix(reason) == true)
  }

  @Test func countsSayTheirRange() {
    #expect(VerificationFault.operandCount(expected: 1...2, actual: 3).description == "3 operands, expected 1 to 2")
    #expect(VerificationFault.resultCount(expected: 1...Int.max, actual: 0).description == "0 results, expected at least 1")
  }

  private static let operators: OperatorTable = {
    var table = RandomGraph.operators
    table.register(
      Operator("loop", domain: "test", .controlFlow, "", operands: ["inputs..."], results: ["outputs..."], regions: ["body"]))
    return table
  }()

  /// A graph that only its interface touched has no fault in its bookkeeping.
  @Test func randomGraphsAreConsistent() throws {
    for seed in 0..<200 {
      var random = RandomGraph(seed: UInt64(seed))
      let graph = try random.make()
      do {
        try graph.verify(.structural)
      } catch {
        switch error.fault {
        case .usedBeforeDefinition, .absentResult: break
        default: Issue.record("seed \(seed): \(error)")
        }
      }
    }
  }

  /// Damage that no edit can do is found all the same.
  @Test func damageIsFound() throws {
    let sound = try Graph(text: "fx 1 graph @g(%x) { %a = neg(%x) %b = add(%a, %x) %c = neg(%b) return %c }")
    try sound.verify(.typed)
    let ids = sound.bodyNodes
    let damages: [(inout Graph) -> Void] = [
      { $0.nodes[ids[0]].next = ids[2] },
      { $0.nodes[ids[1]].previous = nil },
      { $0.regions[$0.body].last = ids[0] },
      { $0.values[$0.inputs[0]].uses.removeLast() },
      { $0.values[$0.inputs[0]].uses.append(Use(node: ids[2], operand: 0)) },
      { $0.nodes[ids[1]].operands[0] = .value($0.inputs[0]) },
      { $0.nodes[ids[1]].usePositions = [] },
      { $0.operatorIndex[.neg] = [] },
      { $0.nodes[ids[0]].operatorPosition = 9 },
      { $0.callCount += 1 },
      { $0.nodes.remove(ids[1]) },
      { $0.regions[$0.body].labels["ghost"] = $0.inputs[0] },
      { $0.nodes[ids[2]].parent = RegionID(index: 5, generation: 5) },
      { $0.nodes[ids[2]].next = ids[0] },
    ]
    for (index, damage) in damages.enumerated() {
      var graph = sound
      damage(&graph)
      #expect(throws: VerificationError.self, "damage \(index)") { try graph.verify(.structural) }
    }
  }
}
