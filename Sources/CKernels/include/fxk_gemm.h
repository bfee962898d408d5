// Matrix products C = act(alpha A B + bias + residual) in float32.
//
// Use: fill an fxk_gemm, call fxk_gemm_plan once, then run its tasks in any order on any threads.
// Constant operands can be packed once (fxk_gemm_pack_b / _a) and are then read in order, without a copy. Packed
// operands and scratch are fastest at multiples of 64 bytes.
#ifndef FXK_GEMM_H
#define FXK_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fxk_elementwise.h"

// Elements that may begin at any byte, as weights in mapped files do: what the functions that pack read.
typedef float fxk_loose_float __attribute__((aligned(1)));

// Sums of up to this many products are stored once. Deeper ones may be stored in parts, each over the one before.
enum { FXK_UNDIVIDED_DEPTH = 384 };

// What happens to a sum before it is stored:
//   v = alpha sum + bias_row[i] + bias_column[j]
//   y = act(v + residual)        or, with residual_last,        y = act(v) + residual
typedef struct fxk_epilogue {
  float alpha;
  const float *bias_row;     // [m] or null: one value per row (a convolution's output channels)
  const float *bias_column;  // [n] or null
  const float *residual;     // [m, n] or null; may be C itself up to FXK_UNDIVIDED_DEPTH
  ptrdiff_t residual_row;    // elements from one row of `residual` to the next; 0 repeats one row
  bool residual_last;
  fxk_unary activation;  // FXK_UNARY_IDENTITY for none
  float act_alpha;       // the parameters of fxk_unary_f32
  float act_beta;
} fxk_epilogue;

// alpha 1, nothing else.
fxk_epilogue fxk_epilogue_none(void);

typedef struct fxk_gemm {
  size_t m, n, k;
  const float *a;  // [m, k]: element (i, p) at a[i a_row + p a_column]; unread where packed_a is set
  ptrdiff_t a_row, a_column;
  const float *b;  // [k, n]: element (p, j) at b[p b_row + j b_column]; unread where packed_b is set
  ptrdiff_t b_row, b_column;
  const float *packed_a;  // from fxk_gemm_pack_a with the same m and k, or null
  const float *packed_b;  // from fxk_gemm_pack_b with the same k and n, or null
  float *c;               // [m, n]: rows c_row elements apart, columns adjacent
  ptrdiff_t c_row;
  fxk_epilogue epilogue;
  // Filled by fxk_gemm_plan.
  size_t row_tasks, column_tasks;
} fxk_gemm;

// Chooses how the product is cut for about `threads` threads and returns the number of tasks. The result does not
// depend on the cut. Pointers may still be null here; sizes, strides and which operands are packed must be set.
size_t fxk_gemm_plan(fxk_gemm *gemm, size_t threads);

// Floats of scratch that each thread running tasks of this product needs.
size_t fxk_gemm_scratch(const fxk_gemm *gemm);

// Computes tasks [task0, task1). `scratch` belongs to this call alone. k = 0 gives the epilogue of 0.
void fxk_gemm_run(const fxk_gemm *gemm, size_t task0, size_t task1, float *scratch);

// Floats of a packed B [k, n] or A [m, k]; the layout depends on the instruction set in use.
size_t fxk_gemm_packed_b_size(size_t k, size_t n);
size_t fxk_gemm_packed_a_size(size_t m, size_t k);

// Panels that can be packed independently, and the packing of panels [panel0, panel1).
size_t fxk_gemm_packed_b_panels(size_t k, size_t n);
size_t fxk_gemm_packed_a_panels(size_t m, size_t k);
void fxk_gemm_pack_b(
  const fxk_loose_float *b, ptrdiff_t b_row, ptrdiff_t b_column, size_t k, size_t n, float *packed, size_t panel0, size_t panel1);
void fxk_gemm_pack_a(
  const fxk_loose_float *a, ptrdiff_t a_row, ptrdiff_t a_column, size_t m, size_t k, float *packed, size_t panel0, size_t panel1);

#endif
