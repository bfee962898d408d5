// The functions that exist once per instruction set: X(result, name, (parameters), (arguments)).
#ifndef FXK_TABLE_H
#define FXK_TABLE_H

#include "CKernels.h"

#define FXK_FUNCTIONS(X)                                                                                            \
  X(void, unary_f32, (fxk_unary op, const float *x, float *y, size_t n, float alpha, float beta),                   \
    (op, x, y, n, alpha, beta))                                                                                     \
  X(void, binary_f32,                                                                                               \
    (fxk_binary op, const float *a, size_t stride_a, const float *b, size_t stride_b, float *y, size_t n),          \
    (op, a, stride_a, b, stride_b, y, n))                                                                           \
  X(void, binary_rows_f32,                                                                                          \
    (fxk_binary op, const float *a, size_t row_a, size_t stride_a, const float *b, size_t row_b, size_t stride_b,   \
     float *y, size_t rows, size_t columns),                                                                        \
    (op, a, row_a, stride_a, b, row_b, stride_b, y, rows, columns))                                                 \
  X(void, compare_f32,                                                                                              \
    (fxk_compare op, const float *a, size_t stride_a, const float *b, size_t stride_b, uint8_t *y, size_t n),       \
    (op, a, stride_a, b, stride_b, y, n))                                                                           \
  X(void, compare_i32,                                                                                              \
    (fxk_compare op, const int32_t *a, size_t stride_a, const int32_t *b, size_t stride_b, uint8_t *y, size_t n),   \
    (op, a, stride_a, b, stride_b, y, n))                                                                           \
  X(void, compare_i64,                                                                                              \
    (fxk_compare op, const int64_t *a, size_t stride_a, const int64_t *b, size_t stride_b, uint8_t *y, size_t n),   \
    (op, a, stride_a, b, stride_b, y, n))                                                                           \
  X(void, select_f32,                                                                                               \
    (const uint8_t *mask, size_t stride_m, const float *a, size_t stride_a, const float *b, size_t stride_b,        \
     float *y, size_t n),                                                                                           \
    (mask, stride_m, a, stride_a, b, stride_b, y, n))                                                               \
  X(void, softmax_f32,                                                                                              \
    (const float *x, float *y, size_t rows, size_t columns, float scale, const float *mask, size_t mask_row),       \
    (x, y, rows, columns, scale, mask, mask_row))                                                                   \
  X(void, log_softmax_f32, (const float *x, float *y, size_t rows, size_t columns), (x, y, rows, columns))          \
  X(void, softmax_inner_f32,                                                                                        \
    (const float *x, float *y, size_t outer, size_t columns, size_t inner, size_t inner0, size_t inner1, bool log,  \
     float *scratch),                                                                                               \
    (x, y, outer, columns, inner, inner0, inner1, log, scratch))                                                    \
  X(void, layer_norm_f32,                                                                                           \
    (const float *x, float *y, size_t rows, size_t columns, const float *gamma, const float *beta, float epsilon,   \
     float *mean_out, float *rstd_out),                                                                             \
    (x, y, rows, columns, gamma, beta, epsilon, mean_out, rstd_out))                                                \
  X(void, skip_layer_norm_f32,                                                                                      \
    (const float *x, const float *skip, const float *bias, float *y, float *sum_out, size_t rows, size_t columns,   \
     const float *gamma, const float *beta, float epsilon, bool rms),                                               \
    (x, skip, bias, y, sum_out, rows, columns, gamma, beta, epsilon, rms))                                          \
  X(void, rms_norm_f32,                                                                                             \
    (const float *x, float *y, size_t rows, size_t columns, const float *gamma, float epsilon),                     \
    (x, y, rows, columns, gamma, epsilon))                                                                          \
  X(void, reduce_rows_f32, (fxk_reduce op, const float *x, float *y, size_t rows, size_t columns),                  \
    (op, x, y, rows, columns))                                                                                      \
  X(void, reduce_inner_f32,                                                                                         \
    (fxk_reduce op, const float *x, float *y, size_t outer, size_t columns, size_t inner, size_t inner0,            \
     size_t inner1),                                                                                                \
    (op, x, y, outer, columns, inner, inner0, inner1))                                                              \
  X(void, arg_rows_f32, (const float *x, int64_t *index, size_t rows, size_t columns, bool smallest, bool last),    \
    (x, index, rows, columns, smallest, last))                                                                      \
  X(size_t, gemm_plan, (fxk_gemm * gemm, size_t threads), (gemm, threads))                                          \
  X(size_t, gemm_scratch, (const fxk_gemm *gemm), (gemm))                                                           \
  X(void, gemm_run, (const fxk_gemm *gemm, size_t task0, size_t task1, float *scratch),                             \
    (gemm, task0, task1, scratch))                                                                                  \
  X(size_t, gemm_packed_b_size, (size_t k, size_t n), (k, n))                                                       \
  X(size_t, gemm_packed_a_size, (size_t m, size_t k), (m, k))                                                       \
  X(size_t, gemm_packed_b_panels, (size_t k, size_t n), (k, n))                                                     \
  X(size_t, gemm_packed_a_panels, (size_t m, size_t k), (m, k))                                                     \
  X(void, gemm_pack_b,                                                                                              \
    (const float *b, ptrdiff_t b_row, ptrdiff_t b_column, size_t k, size_t n, float *packed, size_t panel0,         \
     size_t panel1),                                                                                                \
    (b, b_row, b_column, k, n, packed, panel0, panel1))                                                             \
  X(void, gemm_pack_a,                                                                                              \
    (const float *a, ptrdiff_t a_row, ptrdiff_t a_column, size_t m, size_t k, float *packed, size_t panel0,         \
     size_t panel1),                                                                                                \
    (a, a_row, a_column, m, k, packed, panel0, panel1))                                                             \
  X(fxk_conv_method, conv_choose, (const fxk_conv *conv, bool exact), (conv, exact))                                \
  X(size_t, conv_packed_size, (const fxk_conv *conv), (conv))                                                       \
  X(void, conv_pack, (const fxk_conv *conv, const float *weights, float *packed), (conv, weights, packed))          \
  X(size_t, conv_plan, (fxk_conv * conv, size_t threads), (conv, threads))                                          \
  X(size_t, conv_scratch, (const fxk_conv *conv), (conv))                                                           \
  X(void, conv_run, (const fxk_conv *conv, size_t task0, size_t task1, float *scratch),                             \
    (conv, task0, task1, scratch))

typedef struct fxk_table {
#define FXK_FIELD(result, name, parameters, arguments) result(*name) parameters;
  FXK_FUNCTIONS(FXK_FIELD)
#undef FXK_FIELD
} fxk_table;

extern const fxk_table fxk_table_baseline;
#if defined(__x86_64__)
extern const fxk_table fxk_table_avx2;
extern const fxk_table fxk_table_avx512;
#endif

#endif
