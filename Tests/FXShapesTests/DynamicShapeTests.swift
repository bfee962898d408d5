import FXCore
import FXShapes
import Testing

/// The tutorial's types, and whole graphs.
@Suite struct DynamicShapeTests {
  @Test func dimensions() throws {
    let batch = try DynamicDim("batch", min: 1, max: 1024)
    #expect(batch.dimension == "batch" && !batch.isStatic && "\(batch)" == "batch in 1...1024")
    let hidden = try DynamicDim("hidden", min: 768, max: 768)
    #expect(hidden.isStatic && hidden.dimension == 768 && "\(hidden)" == "hidden = 768")
    #expect(throws: ShapeConstraintError.badRange("x", min: 2, max: 1)) { try DynamicDim("x", min: 2, max: 1) }
    #expect { try DynamicDim("x", min: 2, max: 1) } throws: { "\($0)" == "the sizes of 'x' are from 2 to 1: there are none" }
    #expect { try DynamicDim("x", min: -1) } throws: { "\($0)" == "the least size of 'x' is -1, sizes are not negative" }
    #expect(try "\(DynamicDim("n"))" == "n in at least 0")

    let s = try DynamicDim("s", min: 8, max: 512)
    #expect((2 * s + 1).dimension == Dimension(2) * "s" + 1 && (2 * s + 1).min == 17 && (2 * s + 1).max == 1025)
    #expect("\(2 * s + 1)" == "2*s + 1 in 17...1025, 2·n + 1")
    #expect((s / 8).max == 64 && (s / 8).min == 1 && (s % 8).max == 7)
    #expect((s - s).isStatic && (s * hidden).max == 512 * 768)
    #expect(DynamicDim.minimum(s, 64).max == 64 && DynamicDim.maximum(s, 64).min == 64)
    #expect((s / 0).dimension.isUnknown)
    #expect((s * DynamicDim(.max) * DynamicDim(.max)).dimension.isUnknown)
  }

  @Test func shapes() throws {
    let shape = try DynamicShape([
      DynamicDim("batch", min: 1, max: 1024), DynamicDim("seq_len", min: 1, max: 512), DynamicDim("hidden", min: 768, max: 768),
    ])
    #expect(shape.rank == 3 && !shape.isStatic && shape.shape == ["batch", "seq_len", 768])
    var info = DynamicShapeInfo(shape)
    info.addConstraint(.divisible("seq_len", by: 8), origin: "the kernel")
    #expect("\(info)" == "[batch in 1...1024, seq_len in 1...512, hidden = 768] where seq_len multiple_of 8")
    #expect(try info.check([2, 16, 768]) == ["batch": 2, "seq_len": 16])
    let failures: [([Int], String)] = [
      ([2, 16], "the shape has rank 3, 2 sizes were given"),
      ([0, 16, 768], "size 0 in dimension 0, but 'batch' is 1...1024"),
      ([2, 16, 767], "size 767 in dimension 2, which is 768 = 768"),
      ([2, 15, 768], "seq_len multiple_of 8 (the kernel) does not hold for seq_len = 15"),
    ]
    for (sizes, message) in failures { #expect { try info.check(sizes) } throws: { "\($0)" == message } }

    var context = DynamicShapeInferenceContext()
    try context.addShape(info)
    #expect(context.validateConstraints().ranges["seq_len"]?.description == "8...512, a multiple of 8")
    // Two dimensions of one name have one size.
    let s = try DynamicDim("s", min: 2, max: 9)
    let square = DynamicShapeInfo(try DynamicShape([s, s, 2 * s]))
    #expect(try square.check([3, 3, 6]) == ["s": 3])
    #expect(throws: ShapeConstraintError.self) { try square.check([3, 4, 6]) }
    #expect { try square.check([3, 3, 7]) } throws: { "\($0)" == "size 7 in dimension 2, which is 2*s = 6" }
    #expect(throws: ShapeConstraintError.badRange("s", min: 20, max: 9)) {
      try DynamicShape([s, DynamicDim("s", min: 20, max: 30)])
    }
  }

  /// Symbols that are no dimension of their own follow from expressions.
  @Test func expressionsAreSolved() throws {
    let seq = try DynamicDim("seq", min: 1, max: 512)
    var info = DynamicShapeInfo(try DynamicShape([2 * seq, 3 * seq]))
    #expect(try info.check([6, 9]) == ["seq": 3])
    let failures: [([Int], String)] = [
      ([5, 9], "no sizes satisfy 2*seq == 5 (dimension 0)"),
      ([4, 9], "no sizes satisfy 2*seq == 4 (dimension 0), 3*seq == 9 (dimension 1)"),
      ([2048, 3072], "no sizes satisfy seq in 1...512 (the bounds of 'seq'), "),
    ]
    for (sizes, message) in failures { #expect { try info.check(sizes) } throws: { "\($0)".hasPrefix(message) } }
    info.addConstraint(.divisible("seq", by: 4), origin: "the kernel")
    #expect { try info.check([6, 9]) } throws: { "\($0)" == "seq multiple_of 4 (the kernel) does not hold for seq = 3" }
    // Not all that is known in part has one solution.
    let n = try DynamicDim("n", min: 1)
    #expect(try DynamicShapeInfo(DynamicShape([seq, seq + n * n])).check([5, 9])["seq"] == 5)
    #expect(throws: ShapeConstraintError.self) { try DynamicShapeInfo(DynamicShape([seq, seq + n])).check([5, 5]) }
  }

  private func graph(_ text: String) throws -> Graph { try Graph(text: "fx 1\n" + text) }

  /// Symbols known to be equal become one, so that sums of them have a size.
  @Test func inferenceKnowsTheConstraints() throws {
    var graph = try graph(
      """
      graph @main(%x: f32[batch, 8], %y: f32[batch2, 8], %z: f32[n, 8]) {
        constraint batch == batch2
        %a = add(%x, %y)
        %b = add(%a, %z)
        return %b
      }
      """)
    var context = DynamicShapeInferenceContext()
    let checks = try context.infer(&graph)
    #expect(try graph.type(of: graph.outputs[0].value ?? graph.inputs[0]).description == "f32[?, 8]")
    #expect(try graph[graph.bodyNodes[0]].results.map { try graph.type(of: $0).description } == ["f32[batch, 8]"])
    #expect(checks.map(\.description) == ["batch broadcasts_with n (node 'b' (add))"])
    #expect(context.decide(.broadcastable("batch2", "n")) == .proved)
  }

  @Test func whatCannotFitIsRefusedWithItsNodes() throws {
    var graph = try graph(
      """
      graph @main(%x: f32[batch, 8], %y: f32[s, 8]) {
        symbol batch in 2...4
        symbol s in 8...16
        %a = add(%x, %y)
        return %a
      }
      """)
    var context = DynamicShapeInferenceContext()
    #expect { try context.infer(&graph) } throws: {
      "\($0)"
        == "no sizes satisfy batch in 2...4 (the bounds of 'batch'), s in 8...16 (the bounds of 's'), "
        + "batch broadcasts_with s (node 'a' (add))"
    }
    #expect(context.constraints.isEmpty)
  }

  /// Sizes that depend on data have bounds.
  @Test(arguments: [
    ("%r = nonzero(%x)", 1, 60), ("%r = compress(%x, %mask) {axis = 1}", 1, 5),
    ("%r = compress(%x, %mask)", 0, 7), ("%r, %i, %j, %k = unique(%x) {axis = 1}", 1, 10),
    ("%r, %i, %j, %k = unique(%x)", 0, 60), ("%r = non_max_suppression(%boxes, %scores, %most)", 0, 24),
  ]) func boundsOfDataDependentSizes(call: String, axis: Int, bound: Int) throws {
    let length = call.contains("axis = 1") ? 5 : 7
    var graph = try graph(
      """
      graph @main(%x: f32[b, 10], %mask: bool[\(length)], %boxes: f32[2, 100, 4], %scores: f32[2, 4, 100]) {
        symbol b in 1...6
        parameter @most: i64[] constant = [3]
        \(call.replacing("%most", with: "@most"))
        return %r
      }
      """)
    var context = DynamicShapeInferenceContext()
    try context.infer(&graph)
    let size = try #require(graph.outputs[0].value.map { try graph.type(of: $0) }?.shape?[axis])
    #expect(size.symbol == "u0")
    #expect(context.sizes(of: size).maximum == bound)
    #expect(context.decide(.lessOrEqual(size, Dimension(bound))) == .proved)
  }

  /// A symbol that inputs use is not given out again.
  @Test func dataDependentSizesHaveNamesOfTheirOwn() throws {
    var graph = try graph("graph @main(%x: f32[u0]) {\n%r = nonzero(%x)\nreturn %r\n}")
    try ShapeInference().run(&graph)
    #expect(try graph[graph.bodyNodes[0]].results.map { try graph.type(of: $0).description } == ["i64[1, u1]"])
  }
}
