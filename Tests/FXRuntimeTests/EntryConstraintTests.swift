import FXCore
import FXRuntime
import FXShapes
import Testing

/// What a compiled graph refuses on entry, word for word, and that it runs at any size that is allowed.
@Suite struct EntryConstraintTests {
  private func compiled(_ text: String) throws -> CompiledGraph { try CPUBackend().compiled(Graph(text: "fx 1\n" + text)) }

  private func ones(_ shape: Int...) throws -> RuntimeValue {
    .tensor(try Tensor(shape, [Float](repeating: 1, count: shape.reduce(1, *))))
  }

  @Test(arguments: [1, 7, 1024]) func oneGraphRunsEveryBatch(rows: Int) throws {
    let graph = try compiled(
      """
      graph @main(%x: f32[batch, 3], %y: f32[batch, 3]) {
        symbol batch in 1...1024
        %a = add(%x, %y)
        %b = exp(%a)
        return %b
      }
      """)
    // 1 first: it must not become the only size.
    for size in [1, rows, 2] {
      let result = try graph.run([ones(size, 3), ones(size, 3)])[0]
      #expect(result.type.shape == [Dimension(size), 3])
    }
  }

  static let text = """
    graph @main(%ids: f32[batch, seq], %mask: f32[rows, 2*seq + 1], %other: f32[m, n]) {
      symbol batch in 1...64
      symbol m in 1...8
      constraint seq multiple_of 8
      constraint rows <= 2*batch
      constraint m broadcasts_with batch
      constraint n == min(seq, 100)
      return %ids, %mask, %other
    }
    """

  static let violations: [(sizes: [[Int]], message: String)] = [
    (
      [[65, 8], [1, 17], [1, 8]], "input 'ids' has size 65 in dimension 0, but 'batch' is 1...64"
    ),
    (
      [[4, 12], [1, 25], [1, 12]],
      "input 'ids' has size 12 in dimension 1, but 'seq' must be at least 0, a multiple of 8: "
        + "seq multiple_of 8 (a constraint of the graph)"
    ),
    ([[4, 16], [1, 32], [1, 16]], "input 'mask' has size 32 in dimension 1, which is 2*seq + 1 = 33"),
    (
      [[3, 16], [7, 33], [1, 16]],
      "input 'mask' has size 7 in dimension 0, but 'rows' must be 0...6 for batch = 3: "
        + "rows <= 2*batch (a constraint of the graph)"
    ),
    (
      [[3, 16], [6, 33], [2, 16]],
      "input 'other' has size 2 in dimension 0, but 'm' must be 3 or 1 for batch = 3: "
        + "m broadcasts_with batch (a constraint of the graph)"
    ),
    (
      [[3, 16], [6, 33], [3, 17]],
      "input 'other' has size 17 in dimension 1, but 'n' must be 16 for seq = 16: "
        + "n == min(100, seq) (a constraint of the graph)"
    ),
  ]

  @Test(arguments: violations.indices) func violationsNameInputDimensionSymbolAndAllowedSizes(index: Int) throws {
    let (sizes, message) = EntryConstraintTests.violations[index]
    let graph = try compiled(EntryConstraintTests.text)
    let values = try sizes.map { try ones($0[0], $0[1]) }
    #expect { try graph.run(values) } throws: { "\($0)" == message }
    #expect { try ReferenceExecutor().run(Graph(text: "fx 1\n" + EntryConstraintTests.text), inputs: values) } throws: {
      "\($0)" == message
    }
    _ = try graph.run([ones(3, 16), ones(6, 33), ones(1, 16)])
    _ = try graph.run([ones(64, 0), ones(1, 1), ones(1, 0)])
  }

  /// What the nodes ask is checked before they run.
  @Test func nodesAsk() throws {
    let graph = try compiled(
      """
      graph @main(%x: f32[a, k], %y: f32[l, c], %z: f32[d, c]) {
        %p = matmul(%x, %y)
        %s = add(%p, %z) at "Model.swift":12
        return %s
      }
      """)
    _ = try graph.run([ones(2, 3), ones(3, 4), ones(2, 4)])
    _ = try graph.run([ones(2, 3), ones(3, 4), ones(1, 4)])
    #expect { try graph.run([ones(2, 3), ones(5, 4), ones(2, 4)]) } throws: {
      "\($0)"
        == "input 'y' has size 5 in dimension 0, but 'l' must be 3 for k = 3: k == l (node 'p' (matmul))"
    }
    #expect { try graph.run([ones(2, 3), ones(3, 4), ones(7, 4)]) } throws: {
      "\($0)"
        == "input 'z' has size 7 in dimension 0, but 'd' must be 2 or 1 for a = 2: "
        + "a broadcasts_with d (node 's' (add, Model.swift:12))"
    }
  }

  static let channels: [(text: String, good: [[Int]], bad: [[Int]], message: String)] = [
    (
      """
      graph @conv(%x: f32[n, c, h, w], %k: f32[o, d, 1, 1]) {
        %y = conv(%x, %k) {group = 2}
        return %y
      }
      """, [[1, 4, 2, 3], [6, 2, 1, 1]], [[1, 5, 2, 3], [6, 2, 1, 1]],
      "input 'k' has size 2 in dimension 1, but 'd' has no size that would do for c = 5: c == 2*d (node 'y' (conv))"
    ),
    (
      """
      graph @concat(%x: f32[n, c], %k: f32[m, d]) {
        %y = concat(%x, %k) {axis = -1}
        return %y
      }
      """, [[2, 3], [2, 5]], [[2, 3], [1, 3]],
      "input 'k' has size 1 in dimension 0, but 'm' must be 2 for n = 2: n == m (node 'y' (concat))"
    ),
    (
      """
      graph @norm(%x: f32[n, c, h], %s: f32[d], %b: f32[d]) {
        %y = instance_normalization(%x, %s, %b)
        return %y
      }
      """, [[2, 3, 4], [3], [3]], [[2, 3, 4], [4], [4]],
      "input 's' has size 4 in dimension 0, but 'd' must be 3 for c = 3: c == d (node 'y' (instance_normalization))"
    ),
  ]

  @Test(arguments: channels.indices) func channelsAndJoinsAsk(_ index: Int) throws {
    let (text, good, bad, message) = Self.channels[index]
    let graph = try compiled(text)
    func values(_ shapes: [[Int]]) throws -> [RuntimeValue] {
      try shapes.map { .tensor(try Tensor($0, [Float](repeating: 1, count: $0.reduce(1, *)))) }
    }
    _ = try graph.run(values(good))
    #expect { try graph.run(values(bad)) } throws: { "\($0)" == message }
  }

  /// A symbol that stands in no dimension alone is found from an expression.
  @Test func symbolsAreSolvedFor() throws {
    let graph = try compiled(
      """
      graph @main(%x: f32[2*s + 1, 4*t]) {
        symbol s in 1...4
        constraint s <= t
        return %x
      }
      """)
    _ = try graph.run([ones(5, 8)])
    let failures: [([Int], String)] = [
      ([4, 8], "input 'x' has size 4 in dimension 0, which is 2*s + 1 and cannot be that"),
      ([11, 8], "input 'x' has size 11 in dimension 0, but 's' is 1...4"),
      ([0, 8], "input 'x' has size 0 in dimension 0, which is 2*s + 1 and cannot be that"),
      (
        [7, 8],
        "input 'x' has size 8 in dimension 1, but 't' must be at least 3 for s = 3: s <= t (a constraint of the graph)"
      ),
    ]
    for (sizes, message) in failures {
      #expect { try graph.run([ones(sizes[0], sizes[1])]) } throws: { "\($0)" == message }
    }
  }

  @Test func contradictionsDoNotCompile() throws {
    #expect {
      try compiled(
        """
        graph @main(%x: f32[batch, 8], %y: f32[s, 8]) {
          symbol batch in 2...4
          symbol s multiple_of 8
          constraint s <= 100
          %a = add(%x, %y)
          return %a
        }
        """)
    } throws: {
      "\($0)"
        == "no sizes satisfy batch in 2...4 (the bounds of 'batch'), s multiple_of 8 (the bounds of 's'), "
        + "batch broadcasts_with s (node 'a' (add))"
    }
  }

  /// Sizes near the largest number neither trap nor pass.
  @Test func hostileSizes() throws {
    let graph = try compiled(
      """
      graph @main(%x: f32[0, n], %y: f32[0, 2*m]) {
        constraint n <= 4*m
        constraint n*n == m
        return %x, %y
      }
      """)
    let values: [RuntimeValue] = [
      .tensor(try Tensor([0, Int.max], [Float]())), .tensor(try Tensor([0, Int.max - 1], [Float]())),
    ]
    #expect { try graph.run(values) } throws: {
      "\($0)".hasPrefix("input 'y' has size 9223372036854775806 in dimension 1, but 'm' ")
    }
  }
}
