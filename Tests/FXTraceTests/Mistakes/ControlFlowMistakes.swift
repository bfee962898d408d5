import FXCore
import FXTrace

/// Branches and loops.
extension Mistake {
  static var controlFlow: [Mistake] {
    [
      .tracing(
        "cond: the predicate is bool[2, 3], but must be one truth value: reduce it with any(…) or all(…), or "
          + "choose element by element with where(…)",
        at: #line + 2
      ) { t in
        cond(t.a .> 0, then: { t.a }, else: { -t.a })
      },
      .tracing(
        "cond: the predicate is f32[], but must be one truth value: compare first, such as x .> 0",
        at: #line + 2
      ) { t in
        cond(t.number, then: { t.a }, else: { -t.a })
      },
      .tracing(
        "cond(bool[]): result 0 is f32[2, 3] on one path and i64[2, 5] on another; every path must give the same "
          + "element type: convert with cast(to:)",
        at: #line + 2
      ) { t in
        cond(t.number .> 0, then: { t.a }, else: { t.ids })
      },
      .tracing(
        "cond(bool[]): then has 2 values and else has 1: they must be equally many",
        at: #line + 2
      ) { t in
        cond(t.number .> 0, then: { [t.a, t.b] }, else: { [t.a] })
      },
      .tracing(
        "while_loop: the predicate is bool[2, 3], but must be one truth value: reduce it with any(…) or all(…), "
          + "or choose element by element with where(…)",
        at: #line + 2
      ) { t in
        whileLoop(t.a, condition: { $0 .< 3 }, body: { $0 + 1 })
      },
      .tracing(
        "while_loop(f32[2, 3]): result 0 is f32[2, 3] on one path and i64[2, 3] on another; every path must give "
          + "the same element type: convert with cast(to:)",
        at: #line + 2
      ) { t in
        whileLoop(t.a, condition: { any($0 .< 3) }, body: { $0.cast(to: .int64) })
      },
      .tracing(
        "while_loop(f32[2, 3]): body has 2 values and state has 1: they must be equally many",
        at: #line + 2
      ) { t in
        whileLoop([t.a], condition: { any($0[0] .< 3) }, body: { [$0[0], $0[0]] })
      },
      .tracing(
        "scan(f32[]): there must be tensors to go over, with an axis to go along",
        at: #line + 2
      ) { t in
        scan(t.a, over: t.number) { ($0, $1) }.0
      },
      .tracing(
        "scan: the body's state has 0 values and the scan's has 1: they must be equally many",
        at: #line + 2
      ) { t in
        scan([t.a], over: t.a) { state, _ in ([], state[0]) }.1
      },
      .tracing(
        "'node_2' was made inside a branch or loop body and is seen only there: return it from there",
        at: #line + 9
      ) { t in
        var kept = t.a
        let y = cond(
          t.number .> 0,
          then: {
            kept = relu(t.a)
            return kept
          }, else: { t.a })
        return sigmoid(y) + relu(kept)
      },
    ]
  }
}
