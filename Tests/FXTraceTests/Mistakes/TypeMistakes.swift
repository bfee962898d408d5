import FXCore
import FXTrace

/// Elements of a type that an operator does not take.
extension Mistake {
  static var types: [Mistake] {
    [
      .tracing(
        "add(f32[2, 3], i64[2, 3]): operands hold f32 and i64, which must be one type; convert one with cast(to: "
          + ".float32)",
        at: #line + 2
      ) { t in
        relu(t.a) + t.ids[0..., ..<3]
      },
      .tracing(
        "sqrt(i64[2, 5]): operand 0 holds i64, allowed are f64, f32, f16, bf16; convert it with cast(to: "
          + ".float32)",
        at: #line + 2
      ) { t in
        sqrt(t.ids)
      },
      .tracing(
        "where(f32[2, 3], f32[2, 3], 0): operand 0 holds f32, allowed are bool; compare first, such as x .> 0",
        at: #line + 2
      ) { t in
        `where`(t.a, t.a, 0)
      },
      .tracing(
        "and(f32[2, 3], bool[2, 3]): operand 0 holds f32, allowed are bool; compare first, such as x .> 0",
        at: #line + 2
      ) { t in
        logicalAnd(t.a, t.mask)
      },
      .tracing(
        "relu(bool[2, 3]): operand 0 holds bool, allowed are f64, f32, f16, bf16, i64, i32, i16, i8; convert it "
          + "with cast(to: .float32)",
        at: #line + 2
      ) { t in
        relu(t.mask) + t.mask
      },
      .tracing(
        "gather(f32[2, 3], f32[]): operand 1 holds f32, allowed are i64, i32; convert it with cast(to: .int64)",
        at: #line + 2
      ) { t in
        gather(t.a, t.number)
      },
      .tracing(
        "matmul(f32[2, 3], i64[2, 3]): operands hold f32 and i64, which must be one type; convert one with "
          + "cast(to: .float32)",
        at: #line + 2
      ) { t in
        matmul(t.a, t.ids[..., ..<3])
      },
      .tracing(
        "gather(f32[2], f32[2, 3]): operand 1 holds f32, allowed are i64, i32; convert it with cast(to: .int64)",
        at: #line + 2
      ) { t in
        embedding(t.a, weight: Tensor(vector: [1, 2] as [Float]))
      },
      .tracing(
        "where(f32[2, 3], 0, f32[2, 3]): operand 0 holds f32, allowed are bool; compare first, such as x .> 0",
        at: #line + 2
      ) { t in
        maskedFill(t.a, t.a, 0)
      },
      .tracing(
        "softmax_cross_entropy_loss(f32[2, 3], bool[2]): operand 1 holds bool, allowed are i64, i32; convert it "
          + "with cast(to: .int64)",
        at: #line + 2
      ) { t in
        crossEntropy(t.a, t.mask[0..., 0])
      },
    ]
  }
}
