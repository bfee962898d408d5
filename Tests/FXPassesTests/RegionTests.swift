import FXCore
import FXPasses
import FXRuntime
import Testing

/// Passes inside conditionals and loops, and on what their owners carry.
struct RegionTests {
  static let deadCode = [
    PassCase(
      "a result, what computes it in both branches, and the capture that only it needs",
      """
      graph @main(%p: bool[], %x: f32[2], %y: f32[2]) {
        %e = exp(%y)
        %a: f32[2], %b: f32[2] = cond(%p, %x, %e) then(%s: f32[2], %t: f32[2]) {
          %u = neg(%s)
          %v = sin(%t)
          return %u, %v
        } else(%s: f32[2], %t: f32[2]) {
          %v = cos(%t)
          return %s, %v
        }
        return %a
      }
      """,
      """
      graph @main(%p: bool[], %x: f32[2], %y: f32[2]) {
        %a: f32[2] = cond(%p, %x) then(%s: f32[2]) {
          %u = neg(%s)
          return %u
        } else(%s: f32[2]) {
          return %s
        }
        return %a
      }
      """),
    PassCase(
      "loop state that only feeds itself",
      """
      graph @main(%n: i64[], %x: f32[2], %y: f32[2]) {
        parameter @ten: i64[] constant = [10]
        %c: i64[], %a: f32[2], %b: f32[2] = while_loop(%n, %x, %y) condition(%i: i64[], %s: f32[2], %t: f32[2]) {
          %go = less(%i, @ten)
          return %go
        } body(%i: i64[], %s: f32[2], %t: f32[2]) {
          %j = add(%i, 1)
          %u = add(%s, 1)
          %v = add(%t, %s)
          return %j, %u, %v
        }
        return %a
      }
      """,
      """
      graph @main(%n: i64[], %x: f32[2], %y: f32[2]) {
        parameter @ten: i64[] constant = [10]
        %c: i64[], %a: f32[2] = while_loop(%n, %x) condition(%i: i64[], %s: f32[2]) {
          %go = less(%i, @ten)
          return %go
        } body(%i: i64[], %s: f32[2]) {
          %j = add(%i, 1)
          %u = add(%s, 1)
          return %j, %u
        }
        return %a
      }
      """),
    PassCase(
      "ONNX's loop: a state, stacked elements and a capture; later results keep their names",
      """
      graph @main(%x: f32[2], %y: f32[2]) {
        parameter @n: i64[] constant = [3]
        %node_0: f32[2], %node_0.1: f32[2], %node_0.2, %node_0.3 = loop(@n, none, %x, %y, %y) {state_count = 2}
            body(%i: i64[], %c: bool[], %s: f32[2], %t: f32[2], %k: f32[2]) {
          %u = add(%s, 1)
          %v = mul(%t, %k)
          %w = neg(%u)
          return %c, %u, %v, %v, %w
        }
        return %node_0, %node_0.3
      }
      """,
      """
      graph @main(%x: f32[2], %y: f32[2]) {
        parameter @n: i64[] constant = [3]
        %node_0: f32[2], %node_0.1 = loop(@n, none, %x) {state_count = 1} body(%i: i64[], %c: bool[], %s: f32[2]) {
          %u = add(%s, 1)
          %w = neg(%u)
          return %c, %u, %w
        }
        return %node_0, %node_0.1 as "node_0.3"
      }
      """),
    PassCase(
      "a whole loop, with what is inside",
      """
      graph @main(%x: f32[2]) {
        parameter @n: i64[] constant = [3]
        %a = loop(@n, none, %x) {state_count = 1} body(%i: i64[], %c: bool[], %s: f32[2]) {
          %u = add(%s, 1)
          return %c, %u
        }
        return %x
      }
      """,
      """
      graph @main(%x: f32[2]) {
        return %x
      }
      """),
    PassCase(
      "effects keep what they are in",
      """
      graph @main(%p: bool[], %x: f32[2]) {
        %a = cond(%p, %x) then(%s: f32[2]) {
          %u = ?vendor::write(%s)
          return %s
        } else(%s: f32[2]) {
          return %s
        }
        return %x
      }
      """,
      """
      graph @main(%p: bool[], %x: f32[2]) {
        node_0 = cond(%p, %x) then(%s: f32[2]) {
          %u = ?vendor::write(%s)
          return
        } else(%s: f32[2]) {
          return
        }
        return %x
      }
      """, runs: false),
  ]

  @Test(arguments: deadCode) func removes(_ test: PassCase) throws { try expect(DeadCodeEliminationPass(), test) }

  static let folding = [
    PassCase(
      "constants that a branch captures are constants inside",
      """
      graph @main(%p: bool[], %x: f32[2]) {
        parameter @c: f32[2] constant = [1, 4]
        %d: f32[2] = neg(@c)
        %a: f32[2] = cond(%p, %x, %d) then(%s: f32[2], %t: f32[2]) {
          %u: f32[2] = abs(%t)
          %v: f32[2] = add(%s, %u)
          return %v
        } else(%s: f32[2], %t: f32[2]) {
          return %s
        }
        return %a
      }
      """,
      """
      graph @main(%p: bool[], %x: f32[2]) {
        parameter @c: f32[2] constant = [1, 4]
        parameter @d: f32[2] constant = [-1, -4]
        parameter @u: f32[2] constant = [1, 4]
        %a: f32[2] = cond(%p, %x, @d) then(%s: f32[2], %t: f32[2]) {
          %v: f32[2] = add(%s, @u)
          return %v
        } else(%s: f32[2], %t: f32[2]) {
          return %s
        }
        return %a
      }
      """),
    PassCase(
      "the initial value of a state is no constant",
      """
      graph @main(%x: f32[2]) {
        parameter @n: i64[] constant = [3]
        parameter @c: f32[2] constant = [1, 4]
        %a: f32[2] = loop(@n, none, @c) {state_count = 1} body(%i: i64[], %k: bool[], %s: f32[2]) {
          %u: f32[2] = neg(%s)
          return %k, %u
        }
        %b: f32[2] = add(%a, %x)
        return %b
      }
      """),
    PassCase(
      "sizes that are fixed, and what is computed of them",
      """
      graph @main(%x: f32[2, 3, n]) {
        parameter @zero: i64[] constant = [0]
        parameter @one: i64[] constant = [1]
        parameter @axes: i64[1] constant = [0]
        parameter @rest: i64[1] constant = [-1]
        %s: i64[3] = shape(%x)
        %a: i64[] = gather(%s, @zero)
        %b: i64[] = gather(%s, @one)
        %c: i64[] = mul(%a, %b)
        %d: i64[1] = unsqueeze(%c, @axes)
        %e: i64[2] = concat(%d, @rest) {axis = 0}
        %y: f32[6, n] = reshape(%x, %e)
        return %y
      }
      """,
      """
      graph @main(%x: f32[2, 3, n]) {
        parameter @zero: i64[] constant = [0]
        parameter @one: i64[] constant = [1]
        parameter @axes: i64[1] constant = [0]
        parameter @rest: i64[1] constant = [-1]
        parameter @e: i64[2] constant = [6, -1]
        %s: i64[3] = shape(%x)
        %y: f32[6, n] = reshape(%x, @e)
        return %y
      }
      """),
  ]

  @Test(arguments: folding) func folds(_ test: PassCase) throws {
    try expect(ConstantFoldingPass(executor: ReferenceExecutor()), test)
  }

  static let common = [
    PassCase(
      "each region by itself",
      """
      graph @main(%p: bool[], %x: f32[2]) {
        %e = exp(%x)
        %a = cond(%p, %x) then(%s: f32[2]) {
          %u = exp(%s)
          %v = exp(%s)
          %w = add(%u, %v)
          return %w
        } else(%s: f32[2]) {
          %u = exp(%s)
          return %u
        }
        return %a, %e
      }
      """,
      """
      graph @main(%p: bool[], %x: f32[2]) {
        %e = exp(%x)
        %a = cond(%p, %x) then(%s: f32[2]) {
          %u = exp(%s)
          %w = add(%u, %u)
          return %w
        } else(%s: f32[2]) {
          %u = exp(%s)
          return %u
        }
        return %a, %e
      }
      """)
  ]

  @Test(arguments: common) func merges(_ test: PassCase) throws {
    try expect(CommonSubexpressionEliminationPass(), test)
  }

  /// Random numbers: unused ones may go, equal ones stay apart, none is folded.
  @Test func randomNumbersStayApart() throws {
    let before = try graph(
      """
      graph @main(%x: f32[2]) {
        %a: f32[2] = random_normal() {shape = [2]}
        %b: f32[2] = random_normal() {shape = [2]}
        %c: f32[2] = random_normal() {shape = [2]}
        %d: f32[2] = sub(%a, %b)
        return %d
      }
      """)
    var graph = before
    #expect(try CommonSubexpressionEliminationPass().apply(to: &graph).changes == 0)
    #expect(try ConstantFoldingPass(executor: ReferenceExecutor()).apply(to: &graph).changes == 0)
    #expect(try DeadCodeEliminationPass().apply(to: &graph)["nodes removed"] == 1)
  }
}
