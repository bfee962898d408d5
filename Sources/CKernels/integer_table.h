// The functions on integers that exist once per instruction set: X(result, name, (parameters), (arguments)).
//
// They have a table of their own, since products of bytes need an instruction set (VNNI) that products of floats do not.
#ifndef FXK_INTEGER_TABLE_H
#define FXK_INTEGER_TABLE_H

#include "CKernels.h"

#define FXK_INTEGER_FUNCTIONS(X)                                                                                    \
  X(size_t, int_packed_size, (size_t k, size_t n), (k, n))                                                          \
  X(void, int_pack,                                                                                                 \
    (const uint8_t *b, size_t outer, ptrdiff_t outer_stride, size_t inner, ptrdiff_t inner_stride,                  \
     ptrdiff_t column_stride, size_t n, uint8_t flip, void *packed, int32_t *sums),                                 \
    (b, outer, outer_stride, inner, inner_stride, column_stride, n, flip, packed, sums))                            \
  X(size_t, int_columns, (void), ())                                                                                \
  X(size_t, int_scratch, (const fxk_int_product *product), (product))                                               \
  X(void, int_run,                                                                                                  \
    (const fxk_int_product *product, size_t row0, size_t row1, size_t column0, size_t column1, void *scratch),      \
    (product, row0, row1, column0, column1, scratch))                                                               \
  X(size_t, int_depthwise_packed_size, (size_t channels, size_t taps), (channels, taps))                            \
  X(void, int_pack_depthwise,                                                                                       \
    (const uint8_t *weights, size_t channels, size_t taps, uint8_t flip, const uint8_t *zeros, size_t zero_count,   \
     int32_t *packed, int32_t *sums),                                                                               \
    (weights, channels, taps, flip, zeros, zero_count, packed, sums))                                                                 \
  X(size_t, int_depthwise_scratch, (const fxk_int_depthwise *conv), (conv))                     \
  X(void, int_depthwise_run, (const fxk_int_depthwise *conv, size_t row0, size_t row1, void *scratch),              \
    (conv, row0, row1, scratch))                                                                                    \
  X(void, int_binary_rows,                                                                                          \
    (const fxk_int_binary *op, const uint8_t *a, size_t a_row, size_t a_column, const uint8_t *b, size_t b_row,     \
     size_t b_column, uint8_t *y, size_t rows, size_t columns),                                                     \
    (op, a, a_row, a_column, b, b_row, b_column, y, rows, columns))                                                 \
  X(void, int_lookup, (const uint8_t *table, const uint8_t *x, uint8_t *y, size_t n), (table, x, y, n))             \
  X(void, int_max_pool,                                                                                             \
    (const fxk_int_window *window, uint8_t flip, const uint8_t *x, uint8_t *y, size_t row0, size_t row1),           \
    (window, flip, x, y, row0, row1))                                                                               \
  X(void, int_average_pool,                                                                                         \
    (const fxk_int_window *window, const fxk_int_mean *mean, bool counts_padding, const uint8_t *x, uint8_t *y,     \
     size_t row0, size_t row1, int32_t *scratch),                                                                   \
    (window, mean, counts_padding, x, y, row0, row1, scratch))                                                      \
  X(void, range_f32, (const float *x, size_t n, float *low, float *high), (x, n, low, high))                        \
  X(void, weight_only_numbers,                                                                                      \
    (const fxk_weight_only *product, size_t column0, size_t column1, float *y), (product, column0, column1, y))     \
  X(size_t, weight_only_scratch, (const fxk_weight_only *product), (product))                                       \
  X(void, weight_only_run,                                                                                          \
    (const fxk_weight_only *product, size_t column0, size_t column1, float *scratch),                               \
    (product, column0, column1, scratch))

typedef struct fxk_integer_table {
#define FXK_MEMBER(result, name, parameters, arguments) result(*name) parameters;
  FXK_INTEGER_FUNCTIONS(FXK_MEMBER)
#undef FXK_MEMBER
} fxk_integer_table;

extern const fxk_integer_table fxk_integers_baseline;
#if defined(__x86_64__)
extern const fxk_integer_table fxk_integers_avx2;
extern const fxk_integer_table fxk_integers_vnni;
#elif defined(__aarch64__)
extern const fxk_integer_table fxk_integers_neon;
#endif

#endif
