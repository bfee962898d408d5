import FXCore
import FXPasses
import FXRuntime
import FXTrace
import Testing

@Suite struct RewriteRuleTests {
  static let doubled = RewriteRule("doubled", replace: { x in x + x }, with: { x in x * 2.0 })
  static let factored = RewriteRule(
    "factored", replace: { a, b, c in matmul(a, b) + matmul(a, c) }, with: { a, b, c in matmul(a, b + c) })

  static func graph(_ text: String) throws -> Graph { try Graph(text: "fx 1\n" + text) }

  @Test func replacesAndReports() throws {
    var graph = try Self.graph(
      """
      graph @main(%x: f32[4]) {
        %y: f32[4] = add(%x, %x)
        %z: f32[4] = exp(%y)
        return %z
      }
      """)
    let outcome = try RewritePass([Self.doubled]).apply(to: &graph)
    #expect(outcome["doubled"] == 1)
    let expected = """
      graph @main(%x: f32[4]) {
        %y: f32[4] = mul(%x, 2.0)
        %z: f32[4] = exp(%y)
        return %z
      }

      """
    #expect(graph.text() == "fx 1\n" + expected)
    #expect(try RewritePass([Self.doubled]).apply(to: &graph).changes == 0)
  }

  /// Operands in either order, numbers as literals and as constants, a part that is used twice.
  @Test(arguments: [
    "%n: f32[4] = mul(%x, %s)", "%n: f32[4] = mul(%s, %x)",
  ]) func shapesOfMatches(line: String) throws {
    let silu = RewriteRule("silu", replace: { x in x * x.calling(.sigmoid) }, with: { x in x.calling(.silu) })
    var graph = try Self.graph(
      """
      graph @main(%x: f32[4]) {
        %s: f32[4] = sigmoid(%x)
        \(line)
        return %n
      }
      """)
    #expect(try silu.matches(in: graph).map(\.name) == ["n"])
    try RewritePass([silu]).apply(to: &graph)
    #expect(graph.nodes(calling: .silu).count == 1 && graph.nodes(calling: .sigmoid).isEmpty)
  }

  @Test func sharedPartsAreOneValue() throws {
    let rule = RewriteRule(
      "square",
      replace: { x in
        let e = exp(x); return e * e
      }, with: { x in exp(x * 2.0) })
    let same = try Self.graph(
      "graph @main(%x: f32[4]) {\n  %e: f32[4] = exp(%x)\n  %y: f32[4] = mul(%e, %e)\n  return %y\n}\n")
    #expect(try rule.matches(in: same).count == 1)
    let apart = try Self.graph(
      "graph @main(%x: f32[4]) {\n  %e: f32[4] = exp(%x)\n  %f: f32[4] = exp(%x)\n  %y: f32[4] = mul(%e, %f)\n  return %y\n}\n")
    #expect(try rule.matches(in: apart).isEmpty)
  }

  @Test func usedElsewhereIsDeclined() throws {
    var graph = try Self.graph(
      """
      graph @main(%a: f32[2, 2], %b: f32[2, 2], %c: f32[2, 2]) {
        %p: f32[2, 2] = matmul(%a, %b)
        %q: f32[2, 2] = matmul(%a, %c)
        %s: f32[2, 2] = add(%p, %q)
        return %s, %q
      }
      """)
    let outcome = try RewritePass([Self.factored]).apply(to: &graph)
    #expect(outcome.changes == 0)
    #expect(outcome.declined.map(\.description) == ["'s' (add): factored: what is computed on the way is used elsewhere"])
  }

  @Test func conditionsAndConstants() throws {
    let rule = RewriteRule(
      "power", replace: { x, p in pow(x, p) }, where: { $0.numbers[1] == 2 }, with: { x, _ in x * x })
    var graph = try Self.graph(
      """
      graph @main(%x: f32[4]) {
        %a: f32[4] = pow(%x, 2.0)
        %b: f32[4] = pow(%a, 3.0)
        return %b
      }
      """)
    let outcome = try RewritePass([rule]).apply(to: &graph)
    #expect(outcome["power"] == 1)
    #expect(outcome.declined.map(\.reason) == ["power: its condition does not hold"])
    #expect(graph.nodes(calling: .pow).count == 1)
  }

  /// A number is met up to what its type rounds off, and no further.
  @Test(arguments: [("f16", 1.4140625, 1), ("f32", 1.4142135381698608, 1), ("f64", 1.4142135381698608, 0)])
  func numbersAreThoseOfTheirType(type: String, number: Double, matches: Int) throws {
    let rule = RewriteRule("root", replace: { x in x * 2.0.squareRoot() }, with: { x in x.calling(.neg) })
    func count(_ number: Double) throws -> Int {
      let graph = try Self.graph(
        """
        graph @main(%x: \(type)[4]) {
          parameter @c: \(type)[] constant = [\(number)]
          %y: \(type)[4] = mul(%x, @c)
          return %y
        }
        """)
      return try rule.matches(in: graph).count
    }
    #expect(try count(number) == matches)
    #expect(try count(2.0.squareRoot()) == 1)
  }

  /// What a rewrite makes can be rewritten in turn, also by what uses it.
  @Test func rewritesFollowEachOther() throws {
    var graph = try trace([.tensor(.float32, [2, 2], name: "x")]) { x in
      var y = x[0]
      for _ in 0..<50 { y = y.calling(.neg).calling(.neg) }
      return [y + y]
    }
    let negations = RewriteRule("negations", replace: { x in x.calling(.neg).calling(.neg) }, with: { x in x })
    try RewritePass([negations, Self.doubled]).apply(to: &graph)
    #expect(graph.operatorCounts.map { "\($0.op) \($0.count)" } == ["mul 1"])
  }

  /// A call of several results is replaced if only the first is used.
  @Test(arguments: [("%v", 1), ("%v, %i", 0)]) func severalResults(returned: String, count: Int) throws {
    let text = """
      graph @main(%x: f32[4], %s: f32[4]) {
        %v: f32[4], %i: f32[1] = layer_normalization(%x, %s)
        return \(returned)
      }
      """
    let rule = RewriteRule(
      "first", replace: { x, scale in x.calling(.layerNormalization, scale) }, with: { x, scale in x * scale })
    var graph = try Self.graph(text)
    let outcome = try RewritePass([rule]).apply(to: &graph)
    #expect(outcome.changes == count)
    #expect(outcome.declined.map(\.reason) == (count == 1 ? [] : ["first: more than its first result is used"]))
    try graph.verify(.typed)
  }

  @Test func matchesInRegions() throws {
    var graph = try trace([.tensor(.float32, [2], name: "x"), .tensor(.bool, [], name: "c")]) { x in
      [
        cond(x[1]) {
          x[0] + x[0]
        } else: {
          x[0]
        }
      ]
    }
    #expect(try RewritePass([Self.doubled]).apply(to: &graph)["doubled"] == 1)
    try graph.verify(.typed)
    let x = try Tensor([2], [1, 2] as [Float])
    #expect(try ReferenceExecutor().run(graph, x, Tensor(true))[0] == Tensor([2], [2, 4] as [Float]))
  }

  @Test func mistakes() throws {
    func message(_ rule: RewriteRule) -> String {
      var graph = Graph()
      do {
        let x = try graph.addInput("x", .tensor(.float32, [2, 3]))
        try graph.addOutput(graph.call(.relu, [.value(x)], type: .tensor(.float32, [2, 3])))
        try RewritePass([rule]).apply(to: &graph)
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    #expect(
      message(RewriteRule("nothing", replace: { x in x }, with: { x in x }))
        == "rewrite rule 'nothing': the pattern makes no call")
    #expect(
      message(RewriteRule("unused", replace: { x, y in relu(x) }, with: { x, y in x }))
        == "rewrite rule 'unused': the pattern does not use its operand 1")
    #expect(
      message(RewriteRule("endless", replace: { x in relu(x) }, with: { x in relu(x) }))
        == "rewrite rule 'endless': it is applied again and again")
    #expect(
      message(RewriteRule("wrong", replace: { x in relu(x) }, with: { x in matmul(x, x) }))
        .hasPrefix("rewrite rule 'wrong': the replacement at 'node_0': "))
  }

  /// Twice the graph takes about twice the time, not four times; counted in rewrites, not seconds.
  @Test func longChains() throws {
    var graph = try trace([.tensor(.float32, [2], name: "x")]) { x in
      var y = x[0]
      for _ in 0..<20_000 { y = y + y }
      return [y]
    }
    #expect(try RewritePass([Self.doubled]).apply(to: &graph)["doubled"] == 20_000)
    try graph.verify(.typed)
  }
}
