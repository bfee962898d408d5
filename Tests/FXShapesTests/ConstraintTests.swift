import FXCore
import FXShapes
import FXTestSupport
import Testing

private let (a, b, c, n): (Dimension, Dimension, Dimension, Dimension) = ("a", "b", "c", "n")
private let (batch, batch2, seq): (Dimension, Dimension, Dimension) = ("batch", "batch2", "seq")

/// Satisfiability, conflicts, proofs, scopes.
@Suite struct ConstraintTests {
  /// A system and the positions of its minimal conflict; empty if sizes satisfy it.
  struct System: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let constraints: [ShapeConstraint]
    let conflict: [Int]
    init(_ name: String, _ constraints: [ShapeConstraint], conflict: [Int] = []) {
      (testDescription, self.constraints, self.conflict) = (name, constraints, conflict)
    }
  }

  static let systems: [System] = [
    // The cases that the tutorial's acceptance names.
    .init(
      "equal sizes of ranges apart", [.range(batch, min: 1, max: 4), .equal(batch, batch2), .range(batch2, min: 8, max: 16)],
      conflict: [0, 1, 2]),
    .init("a multiple of 8 below 8", [.divisible(seq, by: 8), .range(seq, min: 1, max: 7)], conflict: [0, 1]),
    .init("the tutorial's", [.equal("batch", "batch2"), .divisible("seq_len", by: 8)]),
    .init("0 is a multiple of 8", [.divisible(seq, by: 8), .range(seq, min: 0, max: 7)]),
    .init(
      "what has no part in it is left out",
      [.lessOrEqual(n, 9), .range(batch, min: 1, max: 4), .divisible(n, by: 3), .equal(batch, batch2), .less(5, batch2)],
      conflict: [1, 3, 4]),
    // Equalities.
    .init("a chain of equalities", [.equal(a, b), .equal(b, c), .equal(c, a + 1)], conflict: [0, 1, 2]),
    .init("parity", [.equal(2 * a, 2 * b + 1)], conflict: [0]),
    .init("parity across two", [.equal(a + b, 2 * c), .equal(a - b, 2 * n + 1)], conflict: [0, 1]),
    .init("two unknowns of two equations", [.equal(a + b, 10), .equal(a - b, 4)]),
    // Inequalities.
    .init("a cycle without bounds", [.less(a, b), .less(b, c), .less(c, a)], conflict: [0, 1, 2]),
    .init("a cycle that may be equal", [.lessOrEqual(a, b), .lessOrEqual(b, c), .lessOrEqual(c, a)]),
    .init("sizes are not negative", [.less(a, 0)], conflict: [0]),
    .init("at least and at most", [.greaterOrEqual(a, 5), .lessOrEqual(a, 4)], conflict: [0, 1]),
    .init("rationals would do", [.range(3 * a - 2 * b, min: 0, max: 1), .range(a + b, min: 1, max: 1)], conflict: [0, 1]),
    // Congruences.
    .init("remainders that agree", [.equal(a % 3, 1), .equal(a % 5, 2), .range(a, min: 1, max: 10)]),
    .init(
      "remainders that agree out of range", [.equal(a % 3, 1), .equal(a % 5, 2), .range(a, min: 0, max: 6)],
      conflict: [0, 1, 2]),
    .init("remainders that exclude each other", [.equal(a % 4, 1), .equal(a % 6, 2)], conflict: [0, 1]),
    .init(
      "multiples of multiples", [.divisible(a, by: b), .divisible(b, by: 8), .range(a, min: 1, max: 7)], conflict: [0, 1, 2]),
    // Quotients, minima, products, broadcasting.
    .init("a patch grid", [.equal(a / 16, 14), .divisible(a, by: 16), .less(a, 224)], conflict: [0, 2]),
    .init("a stride", [.equal((a + 2 - 3) / 2 + 1, 112), .range(a, min: 224, max: 224)]),
    .init("a minimum above its parts", [.less(a, .minimum(b, c)), .equal(b, 0)], conflict: [0, 1]),
    .init("a maximum", [.equal(.maximum(a, b), 3), .less(b, a), .range(a, min: 4, max: nil)], conflict: [0, 2]),
    .init("heads", [.equal(a * b, 768), .range(a, min: 12, max: 12)]),
    .init("a prime", [.equal(a * b, 7), .range(a, min: 2, max: 6)], conflict: [0, 1]),
    .init("a square", [.equal(a * a, 50)], conflict: [0]),
    .init(
      "sizes that do not broadcast", [.broadcastable(a, b), .range(a, min: 2, max: 3), .range(b, min: 4, max: 8)],
      conflict: [0, 1, 2]),
    .init("sizes that broadcast by 1", [.broadcastable(a, b), .range(a, min: 1, max: 3), .range(b, min: 4, max: 8)]),
    .init("numbers", [.equal(4, 5)], conflict: [0]),
    .init("no bounds", [.range(a, min: nil, max: nil)]),
    .init("an empty range", [.range(a, min: 5, max: 4)], conflict: [0]),
  ]

  @Test(arguments: systems) func satisfiability(system: System) throws {
    let validation = DynamicShapeInferenceContext(system.constraints).validateConstraints()
    #expect(validation.isValid == system.conflict.isEmpty)
    if let witness = validation.witness {
      for constraint in system.constraints { #expect(constraint.holds(for: witness) == true) }
    }
    #expect((validation.conflict?.constraints ?? []).map(\.constraint) == system.conflict.map { system.constraints[$0] })
    // Added one by one, the last of a conflict is refused and the context stays as it was.
    var context = DynamicShapeInferenceContext()
    do {
      for constraint in system.constraints { try context.addConstraint(constraint) }
      #expect(system.conflict.isEmpty)
    } catch {
      #expect(!system.conflict.isEmpty && context.validateConstraints().isValid)
    }
  }

  @Test func contradictionsNameTheirOrigins() throws {
    var context = DynamicShapeInferenceContext()
    try context.addDimension(DynamicDim("batch", min: 1, max: 4), fileID: "App/Model.swift", line: 7)
    try context.addConstraint(.equal("batch", "batch2"), fileID: "App/Model.swift", line: 8)
    #expect {
      try context.addConstraint(.range("batch2", min: 8, max: 16), origin: "the second input")
    } throws: {
      "\($0)"
        == "no sizes satisfy batch in 1...4 (App/Model.swift:7), batch == batch2 (App/Model.swift:8), "
        + "batch2 in 8...16 (the second input)"
    }
    #expect(context.constraints.count == 2 && context.validateConstraints().isValid)
    #expect(throws: ShapeConstraintError.unknownDimension(.equal("a", .unknown))) {
      try context.addConstraint(.equal("a", .unknown))
    }
  }

  @Test func rangesTighten() throws {
    let validation = DynamicShapeInferenceContext([
      .range(batch, min: 1, max: 64), .range(seq, min: 1, max: 512), .divisible(seq, by: 8), .lessOrEqual(batch * seq, 1024),
      .equal(n, 2 * seq + 1),
    ]).validateConstraints()
    #expect(validation.ranges["batch"]?.description == "1...64")
    #expect(validation.ranges["seq"]?.description == "8...512, a multiple of 8")
    #expect(validation.ranges["n"]?.description == "17...1025, 16·n + 1")
    #expect(SizeSet(minimum: 1).description == "at least 1" && SizeSet(minimum: 3, maximum: 3).description == "3")
    #expect(SizeSet(minimum: 1, maximum: 9, divisor: 4, remainder: 1).contains(5))
    #expect(SizeSet(divisor: 4, remainder: 9) == SizeSet(divisor: 4, remainder: 1))
    #expect(SizeSet(divisor: 4, remainder: -1).contains(3) && SizeSet(divisor: 0, remainder: 5).contains(7))
  }

  static let verdicts: [(known: [ShapeConstraint], asked: ShapeConstraint, verdict: String)] = [
    ([.equal(a, b), .equal(b, c)], .equal(a, c), "proved"),
    ([.equal(a, b)], .broadcastable(a, b), "proved"),
    ([.divisible(a, by: 8)], .divisible(a, by: 4), "proved"),
    ([.divisible(a, by: 4)], .divisible(a, by: 8), "unknown"),
    ([.divisible(a, by: 12)], .equal(a / 4 * 4, a), "proved"),
    ([.range(a, min: 1, max: 4)], .less(a, 5), "proved"),
    ([.range(a, min: 1, max: 4)], .equal(a, 5), "refuted"),
    ([.less(a, b)], .lessOrEqual(b, a), "refuted"),
    ([], .lessOrEqual(.minimum(a, b), .maximum(a, b)), "proved"),
    ([], .equal(a + b, .minimum(a, b) + .maximum(a, b)), "proved"),
    ([.range(a, min: 1, max: nil)], .lessOrEqual(b, a * b), "proved"),
    ([], .lessOrEqual(b, a * b), "unknown"),
    ([.equal(n, 2 * a)], .equal(n * b, 2 * (a * b)), "proved"),
    ([.equal(a, 12), .equal(b, 64)], .equal(a * b, 768), "proved"),
    ([.range(a, min: 2, max: nil), .range(b, min: 2, max: nil), .equal(a, b + 1)], .broadcastable(a, b), "refuted"),
    ([], .equal(.unknown, a), "unknown"),
  ]

  @Test(arguments: verdicts.indices) func decisions(index: Int) throws {
    let (known, asked, expected) = ConstraintTests.verdicts[index]
    var context = DynamicShapeInferenceContext()
    for constraint in known { try context.addConstraint(constraint) }
    switch context.decide(asked) {
    case .proved: #expect(expected == "proved")
    case .refuted(let conflict):
      #expect(expected == "refuted" && conflict.constraints.last?.origin == "asked")
      #expect(conflict.constraints.count <= known.count + 1)
    case .unknown: #expect(expected == "unknown")
    }
  }

  @Test func scopesForget() throws {
    var context = DynamicShapeInferenceContext()
    try context.addConstraint(.range(a, min: 1, max: 8))
    let verdict = try context.withScope(assuming: [.greaterOrEqual(a, 5)]) { context in
      try context.addConstraint(.divisible(a, by: 4))
      return context.decide(.equal(a, 8))
    }
    #expect(verdict == .proved)
    #expect(context.decide(.equal(a, 8)) == .unknown && context.constraints.count == 1)
    // A branch that can never be taken.
    #expect(throws: ShapeConstraintError.self) { try context.withScope(assuming: [.less(8, a)]) { _ in } }
    context.push()
    try context.addConstraint(.less(a, 2))
    context.push()
    let counts = (0..<3).map { _ in (context.pop(), context.constraints.count) }
    #expect(counts.map(\.0) == [true, true, false] && counts.map(\.1) == [2, 1, 1])
    // A conflict that a scope brought is gone with it.
    try context.addConstraint(.equal(a, 8))
  }

  @Test func sizesAtHand() throws {
    var context = DynamicShapeInferenceContext()
    try context.addConstraint(.lessOrEqual(batch, 2 * seq), origin: "the mask")
    try context.validate(["batch": 6, "seq": 3])
    #expect { try context.validate(["batch": 7, "seq": 3]) } throws: {
      "\($0)" == "batch <= 2*seq (the mask) does not hold for batch = 7, seq = 3"
    }
    #expect { try context.validate(["batch": 7]) } throws: {
      "\($0)" == "no size is given for 'seq', which batch <= 2*seq (the mask) needs"
    }
    #expect(ShapeConstraint.divisible(a, by: b).holds(for: ["a": 0, "b": 0]) == true)
    #expect(ShapeConstraint.divisible(a, by: b).holds(for: ["a": .max, "b": 0]) == false)
    #expect(ShapeConstraint.equal(a * a, b).holds(for: ["a": .max, "b": 0]) == nil)
  }

  @Test func simplification() throws {
    var context = DynamicShapeInferenceContext()
    try context.addConstraint(.equal(batch, batch2))
    try context.addConstraint(.equal("hidden", 64 * ("heads" as Dimension)))
    try context.addConstraint(.equal("heads", 12))
    #expect(context.simplified(batch2 + 1) == batch + 1)
    #expect(context.simplified("hidden") == 768)
    #expect(context.simplified("other") == "other")
    #expect(context.sizes(of: "hidden").size == 768)
  }

  /// Sums, products and quotients of the largest numbers neither trap nor give wrong answers.
  @Test func hostileNumbers() throws {
    let numbers: [Dimension] = [
      Dimension(.max), Dimension(.min), Dimension(-1), 0, a, Dimension(.max) * a, Dimension(.min) * b, a * a * b * c,
      a / Dimension(.min), b % Dimension(-3), a / b, a % b, .maximum(Dimension(.max) * a, b),
    ]
    var answers = 0
    for x in numbers {
      for y in numbers {
        for constraint in [
          ShapeConstraint.equal(x, y), .less(x, y), .divisible(x, by: y), .broadcastable(x, y),
          .range(x, min: y.size, max: .max), .range(x, min: .min, max: y.size),
        ] {
          var context = DynamicShapeInferenceContext([.range(a, min: 1, max: nil), constraint])
          context.budget = 8
          let validation = context.validateConstraints()
          if let witness = validation.witness { #expect(constraint.holds(for: witness) == true) }
          if validation.conflict != nil {
            // No small size may contradict that.
            for sizes in [["a": 1, "b": 1, "c": 1], ["a": 2, "b": 0, "c": 3], ["a": .max, "b": .max, "c": 0]] {
              #expect(constraint.holds(for: sizes) != true, "\(constraint)")
            }
          }
          _ = context.decide(.lessOrEqual(y, x))
          _ = context.sizes(of: x + y)
          _ = constraint.dimensionConstraints.map(ShapeConstraint.init)
          answers += 1
        }
      }
    }
    #expect(answers == 6 * numbers.count * numbers.count)
  }

  /// What shares no symbol costs nothing, and what sizes at hand satisfy is not solved again.
  @Test func manyConstraints() throws {
    var context = DynamicShapeInferenceContext()
    for index in 0..<1000 {
      try context.addConstraint(.divisible(Dimension(symbol: "s\(index)"), by: 8))
      if index > 0, index % 4 != 0 {
        try context.addConstraint(.equal(Dimension(symbol: "s\(index)"), Dimension(symbol: "s\(index - 1)")))
      }
    }
    #expect(context.decide(.equal("s9", "s11")) == .proved && context.decide(.equal("s9", "s12")) == .unknown)
    #expect(throws: ShapeConstraintError.self) { try context.addConstraint(.range("s999", min: 1, max: 7)) }
    #expect(context.validateConstraints().isValid)
  }

  /// Pigeons that fit no holes: answers come within the budget, and are never wrong.
  @Test func hardSystemsEndInTime() throws {
    let pigeons = (0..<9).map { Dimension(symbol: "p\($0)") }
    var constraints: [ShapeConstraint] = pigeons.map { .range($0, min: 0, max: 7) }
    for (index, pigeon) in pigeons.enumerated() {
      for other in pigeons[..<index] {
        constraints.append(.equal(.maximum(pigeon, other), .minimum(pigeon, other) + 1))
      }
    }
    #expect(!DynamicShapeInferenceContext(constraints).validateConstraints().isValid)
    let cubes = DynamicShapeInferenceContext([
      .equal(a * a * a + b * b * b, c * c * c), .range(a, min: 1, max: nil), .range(b, min: 1, max: nil),
    ])
    #expect(!cubes.validateConstraints().isValid)
  }
}
