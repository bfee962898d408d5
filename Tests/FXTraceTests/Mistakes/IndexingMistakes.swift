import FXCore
import FXTrace

/// Positions that are not there.
extension Mistake {
  static var indexing: [Mistake] {
    [
      .tracing(
        "subscript(f32[2, 3]): position 2 is out of range for axis 0 of size 2",
        at: #line + 2
      ) { t in
        t.a[2]
      },
      .tracing(
        "subscript(f32[2, 3]): there are 3 indices, the tensor has 2 axes",
        at: #line + 2
      ) { t in
        t.a[0, 0, 0]
      },
      .tracing(
        "subscript(f32[*]): the rank must be known where axes follow '...'",
        at: #line + 2
      ) { t in
        t.open[..., 0]
      },
      .tracing(
        "subscript(f32[2, 3]): the step is 0",
        at: #line + 2
      ) { t in
        t.a[..., strided(by: 0)]
      },
      .tracing(
        "subscript(f32[n, 3, 32, 32]): one tensor of positions is taken, there are 2: use gatherND",
        at: #line + 2
      ) { t in
        t.image[[0], [1]]
      },
      .tracing(
        "subscript(f32[n, 3, 32, 32]): a mask stands alone and has the tensor's shape: x[mask], or use "
          + "where(mask, x, …)",
        at: #line + 2
      ) { t in
        t.image[0..., t.mask]
      },
      .tracing(
        "maskedSelect(f32[2, 3], bool[2, 5]): the mask must have the tensor's shape",
        at: #line + 2
      ) { t in
        t.a[t.ids .> 0]
      },
      .tracing(
        "gather_elements(f32[2, 3], i64[5]): operand 1 has rank 1, expected 2; indices have an axis for each of "
          + "the tensor; gather takes indices of any rank",
        at: #line + 2
      ) { t in
        gatherElements(t.a, t.ids[0], axis: 1)
      },
    ]
  }
}
