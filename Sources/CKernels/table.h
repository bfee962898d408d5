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
    (const fxk_loose_float *b, ptrdiff_t b_row, ptrdiff_t b_column, size_t k, size_t n, float *packed, size_t panel0, \
     size_t panel1),                                                                                                \
    (b, b_row, b_column, k, n, packed, panel0, panel1))                                                             \
  X(void, gemm_pack_a,                                                                                              \
    (const fxk_loose_float *a, ptrdiff_t a_row, ptrdiff_t a_column, size_t m, size_t k, float *packed, size_t panel0, \
     size_t panel1),                                                                                                \
    (a, a_row, a_column, m, k, packed, panel0, panel1))                                                             \
  X(fxk_conv_method, conv_choose, (const fxk_conv *conv, bool exact), (conv, exact))                                \
  X(size_t, conv_packed_size, (const fxk_conv *conv), (conv))                                                       \
  X(void, conv_pack, (const fxk_conv *conv, const fxk_loose_float *weights, float *packed), (conv, weights, packed)) \
  X(size_t, conv_plan, (fxk_conv * conv, size_t threads), (conv, threads))                                          \
  X(size_t, conv_scratch, (const fxk_conv *conv), (conv))                                                           \
  X(void, conv_run, (const fxk_conv *conv, size_t task0, size_t task1, float *scratch),                             \
    (conv, task0, task1, scratch))                                                                                  \
  X(size_t, channel_block, (void), ())                                                                               \
  X(void, to_blocks, (const float *x, size_t channels, size_t pixels, float *y, size_t block0, size_t block1),       \
    (x, channels, pixels, y, block0, block1))                                                                        \
  X(void, from_blocks, (const float *x, size_t channels, size_t pixels, float *y, size_t block0, size_t block1),     \
    (x, channels, pixels, y, block0, block1))                                                                        \
  X(fxk_blocked_method, blocked_choose, (const fxk_blocked_conv *conv), (conv))                                      \
  X(bool, blocked_in_place, (const fxk_blocked_conv *conv), (conv))                                                  \
  X(size_t, blocked_packed_size, (const fxk_blocked_conv *conv), (conv))                                             \
  X(void, blocked_pack, (const fxk_blocked_conv *conv, const fxk_loose_float *weights, float *packed),      \
    (conv, weights, packed))                                                                                   \
  X(size_t, blocked_plan, (fxk_blocked_conv * conv, size_t threads), (conv, threads))                                \
  X(size_t, blocked_scratch, (const fxk_blocked_conv *conv), (conv))                                                 \
  X(void, blocked_run, (const fxk_blocked_conv *conv, size_t task0, size_t task1, float *scratch),                   \
    (conv, task0, task1, scratch))                                                                                   \
  X(void, blocked_max_pool, (const fxk_pool2d *pool, const float *x, float *y, size_t plane0, size_t plane1),        \
    (pool, x, y, plane0, plane1))                                                                                    \
  X(void, blocked_average_pool,                                                                                      \
    (const fxk_pool2d *pool, const float *x, float *y, bool count_padding, size_t plane0, size_t plane1),            \
    (pool, x, y, count_padding, plane0, plane1))                                                                     \
  X(void, max_pool2d_f32,                                                                                           \
    (const fxk_pool2d *pool, const float *x, float *y, int64_t *indices, int64_t plane_index_step,                  \
     size_t plane0, size_t plane1),                                                                                 \
    (pool, x, y, indices, plane_index_step, plane0, plane1))                                                        \
  X(void, average_pool2d_f32,                                                                                       \
    (const fxk_pool2d *pool, const float *x, float *y, bool count_include_pad, size_t plane0,                       \
     size_t plane1),                                                                                                \
    (pool, x, y, count_include_pad, plane0, plane1))                                                                \
  X(void, channel_affine_f32,                                                                                       \
    (const float *x, float *y, size_t size, size_t channels, const float *scale, const float *shift,                \
     bool relu, size_t plane0, size_t plane1),                                                                      \
    (x, y, size, channels, scale, shift, relu, plane0, plane1))                                                     \
  X(void, resize_linear2d_f32,                                                                                      \
    (const float *x, float *y, size_t in_h, size_t in_w, size_t out_h, size_t out_w, const int32_t *y0,             \
     const int32_t *y1, const float *yw, const int32_t *x0, const int32_t *x1, const float *xw,                     \
     size_t plane0, size_t plane1, float *scratch),                                                                 \
    (x, y, in_h, in_w, out_h, out_w, y0, y1, yw, x0, x1, xw, plane0, plane1, scratch))                              \
  X(void, resize_nearest2d_f32,                                                                                     \
    (const float *x, float *y, size_t in_h, size_t in_w, size_t out_h, size_t out_w, const int32_t *rows,           \
     const int32_t *columns, size_t plane0, size_t plane1),                                                         \
    (x, y, in_h, in_w, out_h, out_w, rows, columns, plane0, plane1))                                                \
  X(void, im2col_f32,                                                                                               \
    (const fxk_pool2d *window, const float *image, float *columns, size_t row0, size_t row1),                       \
    (window, image, columns, row0, row1))                                                                           \
  X(void, col2im_f32,                                                                                               \
    (const fxk_pool2d *window, const float *columns, float *image, size_t channel0, size_t channel1),               \
    (window, columns, image, channel0, channel1))                                                                   \
  X(void, lstm_step_f32,                                                                                            \
    (const float *gates, const float *cell, const float *peephole, float *cell_out, float *hidden_out,              \
     size_t rows, size_t hidden),                                                                                   \
    (gates, cell, peephole, cell_out, hidden_out, rows, hidden))                                                    \
  X(void, gru_step_f32,                                                                                             \
    (const float *x_gates, const float *h_gates, const float *hidden_in, float *hidden_out, size_t rows,            \
     size_t hidden),                                                                                                \
    (x_gates, h_gates, hidden_in, hidden_out, rows, hidden))                                                        \
  X(void, f16_to_f32,                                                                                               \
    (const uint16_t *x, float *y, size_t n),                                                                        \
    (x, y, n))                                                                                                      \
  X(void, f32_to_f16,                                                                                               \
    (const float *x, uint16_t *y, size_t n),                                                                        \
    (x, y, n))                                                                                                      \
  X(void, bf16_to_f32,                                                                                              \
    (const uint16_t *x, float *y, size_t n),                                                                        \
    (x, y, n))                                                                                                      \
  X(void, f32_to_bf16,                                                                                              \
    (const float *x, uint16_t *y, size_t n),                                                                        \
    (x, y, n))                                                                                                      \
  X(void, i8_to_f32,                                                                                                \
    (const int8_t *x, float *y, size_t n),                                                                          \
    (x, y, n))                                                                                                      \
  X(void, u8_to_f32,                                                                                                \
    (const uint8_t *x, float *y, size_t n),                                                                         \
    (x, y, n))                                                                                                      \
  X(void, i32_to_f32,                                                                                               \
    (const int32_t *x, float *y, size_t n),                                                                         \
    (x, y, n))                                                                                                      \
  X(void, i64_to_f32,                                                                                               \
    (const int64_t *x, float *y, size_t n),                                                                         \
    (x, y, n))                                                                                                      \
  X(void, f64_to_f32,                                                                                               \
    (const double *x, float *y, size_t n),                                                                          \
    (x, y, n))                                                                                                      \
  X(void, f32_to_f64,                                                                                               \
    (const float *x, double *y, size_t n),                                                                          \
    (x, y, n))                                                                                                      \
  X(void, f32_to_i32,                                                                                               \
    (const float *x, int32_t *y, size_t n),                                                                         \
    (x, y, n))                                                                                                      \
  X(void, f32_to_i64,                                                                                               \
    (const float *x, int64_t *y, size_t n),                                                                         \
    (x, y, n))                                                                                                      \
  X(void, i32_to_i64,                                                                                               \
    (const int32_t *x, int64_t *y, size_t n),                                                                       \
    (x, y, n))                                                                                                      \
  X(void, i64_to_i32,                                                                                               \
    (const int64_t *x, int32_t *y, size_t n),                                                                       \
    (x, y, n))                                                                                                      \
  X(void, quantize_i8,                                                                                              \
    (const float *x, int8_t *y, size_t n, float scale, int32_t zero_point),                                         \
    (x, y, n, scale, zero_point))                                                                                   \
  X(void, quantize_u8,                                                                                              \
    (const float *x, uint8_t *y, size_t n, float scale, int32_t zero_point),                                        \
    (x, y, n, scale, zero_point))                                                                                   \
  X(void, dequantize_i8,                                                                                            \
    (const int8_t *x, float *y, size_t n, float scale, int32_t zero_point),                                         \
    (x, y, n, scale, zero_point))                                                                                   \
  X(void, dequantize_u8,                                                                                            \
    (const uint8_t *x, float *y, size_t n, float scale, int32_t zero_point),                                        \
    (x, y, n, scale, zero_point))                                                                                   \
  X(void, dequantize_i32,                                                                                           \
    (const int32_t *x, float *y, size_t n, float scale, int32_t zero_point),                                        \
    (x, y, n, scale, zero_point))

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
