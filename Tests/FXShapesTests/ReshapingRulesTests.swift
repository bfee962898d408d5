import FXCore
import FXShapes
import Testing

@Suite struct ReshapingRulesTests {
  static let reshapes: [RuleCase] = [
    .init("what is left of symbols", .reshape, [.f32("b", "s", 768), .ints(0, 0, 12, -1)], [:], ["f32[b, s, 12, 64]"]),
    .init("symbols to symbols", .reshape, [.f32("b", 12, "s", 64), .sizes(["b", "s", 768])], [:], ["f32[b, s, 768]"]),
    .init("a product of symbols", .reshape, [.f32("b", "s", 3), .ints(-1, 3)], [:], ["f32[b*s, 3]"]),
    .init("a quotient", .reshape, [.f32("n", 4), .ints(-1, 8)], [:], ["f32[floordiv(4*n, 8), 8]"]),
    .init("an unknown target", .reshape, [.f32(2, 3), .open(2)], [:], ["f32[u0, u1]"]),
    .init("a target of unknown rank", .reshape, [.f32(2, 3), .open("r")], [:], ["f32[*]"]),
    .init("too few elements", .reshape, [.f32("b", 6), .ints(0, 4)], [:], nil),
    .init("no whole quotient", .reshape, [.f32(5), .ints(-1, 2)], [:], nil),
    .init("two wildcards", .reshape, [.f32(4), .ints(-1, -1)], [:], nil),
    .init("a negative size", .reshape, [.f32(4), .ints(-4)], [:], nil),
    .init("a zero that copies nothing", .reshape, [.f32(4), .ints(4, 0)], [:], nil),
    .init("a huge target", .reshape, [.f32("b"), .ints(.max, .max)], [:], ["f32[\(Int.max), \(Int.max)]"]),
    .init("transpose", .transpose, [.f32("a", "b", 3)], ["perm": .ints([2, 0, 1])], ["f32[3, a, b]"]),
    .init("transpose by no order", .transpose, [.f32("a", "b")], ["perm": .ints([0, 0])], nil),
    .init("squeeze", .squeeze, [.f32("a", 1, 1), .ints(-1)], [:], ["f32[a, 1]"]),
    .init("squeeze all of symbols", .squeeze, [.f32("a", 1)], [:], ["f32[*]"]),
    .init("squeeze of a larger size", .squeeze, [.f32("a", 2), .ints(1)], [:], nil),
    .init("unsqueeze", .unsqueeze, [.f32("a"), .ints(0, -1)], [:], ["f32[1, a, 1]"]),
    .init("unsqueeze twice at one place", .unsqueeze, [.f32("a"), .ints(0, -3)], [:], nil),
    .init("flatten", .flatten, [.f32("a", "b", 3, 4)], ["axis": 2], ["f32[a*b, 12]"]),
    .init("expand", .expand, [.f32("a", 1), .sizes(["b", 1, 4])], [:], ["f32[b, a, 4]"]),
    .init("tile", .tile, [.f32("a", 2), .ints(3, 2)], [:], ["f32[3*a, 4]"]),
    .init("shape", .shape, [.f32("a", 2, 3)], ["start": -2], ["i64[2]"]),
    .init("depth to space", .depthToSpace, [.f32("n", 12, "h", 5)], ["blocksize": 2], ["f32[n, 3, 2*h, 10]"]),
    .init(
      "a block beyond Int", .depthToSpace, [.f32("n", 12, "h", 5)], ["blocksize": .int(.max)], ["f32[n, ?, \(Int.max)*h, ?]"]),
    .init("space to depth", .spaceToDepth, [.f32("n", 3, "h", 4)], ["blocksize": 2], ["f32[n, 12, floordiv(h, 2), 2]"]),
  ]

  static let joins: [RuleCase] = [
    .init("concat of symbols", .concat, [.f32("b", "past", 64), .f32("b", "s", 64)], ["axis": 1], ["f32[b, past + s, 64]"]),
    .init("concat of sizes that differ", .concat, [.f32(2, 3), .f32(3, 3)], ["axis": 1], nil),
    .init("concat of element types that differ", .concat, [.f32(2), .ints(3)], ["axis": 0], nil),
    .init("split", .split, [.f32("b", 2304)], ["axis": 1, "num_outputs": 3], ["f32[b, 768]", "f32[b, 768]", "f32[b, 768]"]),
    .init(
      "split of a symbol", .split, [.f32("n")], ["num_outputs": 2], ["f32[floordiv(n + 1, 2)]", "f32[-floordiv(n + 1, 2) + n]"]),
    .init("split by sizes", .split, [.f32(4, "b"), .ints(1, 3)], [:], ["f32[1, b]", "f32[3, b]"]),
    .init("split by sizes that do not add up", .split, [.f32(4, "b"), .ints(1, .max)], [:], nil),
    .init("slice of a number", .slice, [.f32(10), .ints(1), .ints(-1), .none, .ints(3)], [:], ["f32[3]"]),
    .init(
      "slice to the end", .slice, [.f32("n", "m"), .ints(0, 1), .ints(.max, Int(Int32.max))], [:], ["f32[n, max(0, m - 1)]"]),
    .init("slice from the end", .slice, [.f32("n"), .ints(-1), .ints(.max)], [:], ["f32[min(1, n)]"]),
    .init("slice by a size", .slice, [.f32(1, 512), .ints(0), .sizes(["s"]), .ints(1)], [:], ["f32[1, min(512, s)]"]),
    .init("slice by a size it has", .slice, [.f32("n", "s"), .ints(0), .sizes(["s"]), .ints(1)], [:], ["f32[n, s]"]),
    .init(
      "slice between sizes", .slice, [.f32(Dimension("p") + "s"), .sizes(["p"]), .sizes([Dimension("p") + "s"])], [:], ["f32[s]"]),
    .init("slice by steps", .slice, [.f32("n"), .ints(0), .ints(.max), .ints(0), .ints(2)], [:], ["f32[floordiv(n + 1, 2)]"]),
    .init("reversed", .slice, [.f32("n"), .ints(-1), .ints(.min), .ints(0), .ints(-1)], [:], ["f32[n]"]),
    .init("slice between unknown bounds", .slice, [.f32("n", 4), .open(1), .open(1), .ints(1)], [:], ["f32[n, u0]"]),
    .init("slice along an axis that is not there", .slice, [.f32("n"), .ints(0), .ints(1), .ints(1)], [:], nil),
    .init("slice with step 0", .slice, [.f32("n"), .ints(0), .ints(1), .ints(0), .ints(0)], [:], nil),
    .init("pad", .pad, [.f32("n", 4), .ints(1, -1, 2, 0)], [:], ["f32[n + 3, 3]"]),
    .init("pad below nothing", .pad, [.f32(2), .ints(-2, -1)], [:], nil),
    .init("pad with too few numbers", .pad, [.f32(2, 2), .ints(1, 1)], [:], nil),
  ]

  @Test(arguments: reshapes + joins) func infers(_ example: RuleCase) throws { try example.check() }

  /// Sizes that a program computes from a shape, as exporters write `x.view(b, s * 2, -1)`.
  @Test func followsSizes() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, ["b", "s", 4]))
    let shape = try graph.call(.shape, [.value(x)])
    let head = try graph.call(
      .slice, [.value(shape)] + [0, 1, 0].map { .parameter(graph.addConstant(Tensor(vector: [$0]))) })
    let rest = try graph.append(.split, [.value(shape)], attributes: ["num_outputs": 3], results: [.unknown, .unknown, .unknown])
    let doubled = try graph.call(.mul, [.value(graph[rest].results[1]), .literal(2)])
    let wildcard = graph.addConstant(Tensor(vector: [-1]))
    let target = try graph.call(.concat, [.value(head), .value(doubled), .parameter(wildcard)], attributes: ["axis": 0])
    let y = try graph.call(.reshape, [.value(x), .value(target)])
    try ShapeInference().run(&graph)
    #expect(try graph.type(of: y).description == "f32[b, 2*s, 2]")
  }
}
