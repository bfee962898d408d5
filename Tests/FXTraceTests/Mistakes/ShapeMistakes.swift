import FXCore
import FXTrace

/// Sizes and axes that do not fit.
extension Mistake {
  static var shapes: [Mistake] {
    [
      .tracing(
        "matmul(f32[2, 3], f32[2, 4]): the last dimension of the first operand is 3, the last but one of the "
          + "second is 2: they must be equal; transpose(a, -1, -2) of the first fits",
        at: #line + 2
      ) { t in
        matmul(t.a, t.b)
      },
      .tracing(
        "add(f32[2, 3], f32[2, 4]): shapes [2, 3] and [2, 4] do not broadcast; axis -1 is 3 and 4: sizes must be "
          + "equal, or one of them 1",
        at: #line + 2
      ) { t in
        relu(t.a) + t.b
      },
      .tracing(
        "softmax(f32[2, 3]): axis 2 is out of range for rank 2; axes go from -2 to 1",
        at: #line + 2
      ) { t in
        softmax(t.a, axis: 2)
      },
      .tracing(
        "reshape(f32[2, 3], i64[2]): the elements of [2, 3] do not fill [4, 2]; there are 6, 8 are needed",
        at: #line + 2
      ) { t in
        reshape(t.a, [4, 2])
      },
      .tracing(
        "reshape(f32[2, 3], i64[2]): the shape [-1, -1] has −1 twice",
        at: #line + 2
      ) { t in
        reshape(t.a, [-1, -1])
      },
      .tracing(
        "reshape(f32[2, 3]): the size rows in [rows, 2, -1] is that of no axis of the operand or of an input",
        at: #line + 2
      ) { t in
        reshape(t.a, ["rows", 2, -1])
      },
      .tracing(
        "concat(f32[2, 3], f32[2, 4]): dimension 1 is 3, that of operand 1 is 4: they must be equal; sizes may "
          + "differ along the axis that is joined only",
        at: #line + 2
      ) { t in
        concat(t.a, t.b, axis: 0)
      },
      .tracing(
        "concat(f32[2, 3], f32[batch, time, 8]): operand 1 has rank 3, expected 2; stack joins along a new axis, "
          + "unsqueeze adds one",
        at: #line + 2
      ) { t in
        concat(t.a, t.sequence, axis: 0)
      },
      .tracing(
        "squeeze(f32[2, 3], i64[1]): dimension 1 is 3, a squeezed one is 1: they must be equal",
        at: #line + 2
      ) { t in
        squeeze(t.a, axes: [1])
      },
      .tracing(
        "transpose(f32[2, 3]): attribute 'perm' [1] is no order of 2 axes",
        at: #line + 2
      ) { t in
        permute(t.a, 1)
      },
      .tracing(
        "transpose(f32[2, 3]): attribute 'perm' [0, 0] is no order of 2 axes",
        at: #line + 2
      ) { t in
        permute(t.a, 0, 0)
      },
      .tracing(
        "expand(f32[2, 3], i64[2]): shapes [2, 3] and [2, 6] do not broadcast; axis -1 is 3 and 6: only an axis "
          + "of size 1 is stretched, tile repeats others",
        at: #line + 2
      ) { t in
        expand(t.a, [2, 6])
      },
      .tracing(
        "reshape(f32[2, 3], i64[3]): the elements of [2, 3] do not fill [2, 2, 2]; there are 6, 8 are needed",
        at: #line + 2
      ) { t in
        unflatten(t.a, axis: 1, [2, 2])
      },
      .tracing(
        "concat(f32[1, 2, 3], f32[1, 2, 4]): dimension 2 is 3, that of operand 1 is 4: they must be equal; sizes "
          + "may differ along the axis that is joined only",
        at: #line + 2
      ) { t in
        stack(t.a, t.b)
      },
      .tracing(
        "split(f32[2, 3], i64[2]): the sum of the parts is 2, dimension 1 is 3: they must be equal",
        at: #line + 2
      ) { t in
        split(t.a, sizes: [1, 1], axis: 1)
      },
      .tracing(
        "chunk(f32[2, 3]): the number of parts is 0, it must be positive",
        at: #line + 2
      ) { t in
        chunk(t.a, 0)
      },
      .tracing(
        "unbind(f32[batch, time, 8]): axis 1 has size time, which must be a number; scan goes over any size",
        at: #line + 2
      ) { t in
        unbind(t.sequence, axis: 1)
      },
      .tracing(
        "pad(f32[2, 3]): there are 3 counts: two are needed for each axis, the last axis first",
        at: #line + 2
      ) { t in
        pad(t.a, [1, 1, 1])
      },
      .tracing(
        "einsum(f32[2, 3], f32[2, 4]): a subscript is 3, the same subscript of operand 1 is 2: they must be equal",
        at: #line + 2
      ) { t in
        einsum("ij,jk->ik", t.a, t.b)
      },
      .tracing(
        "einsum(f32[2, 3]): attribute 'equation' has a subscript in its result that no operand has",
        at: #line + 2
      ) { t in
        einsum("ij->ijk", t.a)
      },
      .tracing(
        "bmm(f32[2, 3], f32[2, 3]): both operands must have rank 3; matmul takes any",
        at: #line + 2
      ) { t in
        bmm(t.a, t.a)
      },
      .tracing(
        "dot(f32[2, 3], f32[2, 3]): both operands must be vectors; matmul takes any rank",
        at: #line + 2
      ) { t in
        dot(t.a, t.a)
      },
      .tracing(
        "reduce_sum(f32[2, 3], i64[1]): axis 3 is out of range for rank 2; axes go from -2 to 1",
        at: #line + 2
      ) { t in
        sum(t.a, axes: [3])
      },
      .tracing(
        "argmax(f32[2, 3]): axis -3 is out of range for rank 2; axes go from -2 to 1",
        at: #line + 2
      ) { t in
        argmax(t.a, axis: -3)
      },
      .tracing(
        "topk(f32[2, 3], i64[1]): the 5 largest of 3 elements",
        at: #line + 2
      ) { t in
        topK(t.a, 5).values
      },
      .tracing(
        "sort(f32[*]): the rank must be known",
        at: #line + 2
      ) { t in
        sort(t.open).values
      },
      .tracing(
        "sub(f32[2, 3], f32[2, 4]): shapes [2, 3] and [2, 4] do not broadcast; axis -1 is 3 and 4: sizes must be "
          + "equal, or one of them 1",
        at: #line + 2
      ) { t in
        mseLoss(t.a, t.b)
      },
      .tracing(
        "softmax_cross_entropy_loss(f32[2, 3], i64[2, 5]): the shape [2, 5] should be [2]; targets are class "
          + "numbers, of the scores' shape without its axis 1",
        at: #line + 2
      ) { t in
        crossEntropy(t.a, t.ids)
      },
      .tracing(
        "attention(f32[n, 3, 32, 32], f32[n, 3, 32, 32], f32[n, 3, 7, 32]): the number of keys is 32, the number "
          + "of values is 7: they must be equal",
        at: #line + 2
      ) { t in
        scaledDotProductAttention(t.image, t.image, t.image[0..., 0..., ..<7])
      },
      .tracing(
        "interpolate(f32[batch, time, 8]): there are sizes for 2 spatial axes, the tensor has 1",
        at: #line + 2
      ) { t in
        interpolate(t.sequence, size: [8, 8])
      },
      .tracing(
        "adaptiveAveragePool1d(f32[batch, 8, time]): the spatial sizes must be known for a result of [4]: only a "
          + "size of 1 adapts to any",
        at: #line + 2
      ) { t in
        adaptiveAveragePool1d(permute(t.sequence, 0, 2, 1), 4)
      },
      .tracing(
        "interpolate(f32[*]): the rank must be known",
        at: #line + 2
      ) { t in
        interpolate(t.open, size: [8, 8])
      },
      .tracing(
        "interpolate(f32[*]): the rank must be known",
        at: #line + 2
      ) { t in
        interpolate(t.open, scale: [2])
      },
      .tracing(
        "glu(f32[2, 3]): axis -1 has size 3, which must be even",
        at: #line + 2
      ) { t in
        glu(t.a)
      },
      .tracing(
        "prelu(f32[*], f32[2]): the rank must be known for a weight of each channel",
        at: #line + 2
      ) { t in
        prelu(t.open, weight: Tensor(vector: [1, 2] as [Float]))
      },
    ]
  }
}
