// Operations on rows of a dense [rows, columns] float32 matrix; ranges of rows are independent.
//
// Sums are taken in a fixed order that depends on `columns` (or the reduced size) alone.
#ifndef FXK_ROWS_H
#define FXK_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// y[r, :] = e^(scale x[r, :] - max) / sum; `mask`, where not null, is added after scaling, its row r at
// mask + r mask_row (0 repeats one row). y may be x. A row whose maximum is -inf gives NaN, as the formula does.
void fxk_softmax_f32(
  const float *x, float *y, size_t rows, size_t columns, float scale, const float *mask, size_t mask_row);

// y[r, :] = x - max - log(sum(e^(x - max))). y may be x.
void fxk_log_softmax_f32(const float *x, float *y, size_t rows, size_t columns);

// The same over the middle axis of [outer, columns, inner]: strided, vectorized over `inner`.
// Only inner positions [inner0, inner1) of each outer block are computed. Scratch: 2 inner floats.
void fxk_softmax_inner_f32(
  const float *x, float *y, size_t outer, size_t columns, size_t inner, size_t inner0, size_t inner1, bool log,
  float *scratch);

// y = (x - mean) / sqrt(variance + epsilon) gamma + beta per row; gamma, beta: [columns] or null.
// mean_out and rstd_out receive the row statistics where not null. y may be x.
void fxk_layer_norm_f32(
  const float *x, float *y, size_t rows, size_t columns, const float *gamma, const float *beta, float epsilon,
  float *mean_out, float *rstd_out);

// s = x + skip + bias, y = layer_norm(s): the residual form of transformers. skip: [rows, columns], bias: [columns] or
// null; sum_out receives s where not null (it may be x or skip). beta null and rms true give RMS norm.
void fxk_skip_layer_norm_f32(
  const float *x, const float *skip, const float *bias, float *y, float *sum_out, size_t rows, size_t columns,
  const float *gamma, const float *beta, float epsilon, bool rms);

// y = x / sqrt(mean(x^2) + epsilon) gamma per row; gamma: [columns] or null. y may be x.
void fxk_rms_norm_f32(const float *x, float *y, size_t rows, size_t columns, const float *gamma, float epsilon);

typedef enum fxk_reduce {
  FXK_REDUCE_SUM = 0,
  FXK_REDUCE_MEAN,
  FXK_REDUCE_MAX,  // NaN if there is one; -inf of nothing
  FXK_REDUCE_MIN,  // NaN if there is one; +inf of nothing
  FXK_REDUCE_SUM_SQUARE,
  FXK_REDUCE_L1,
  FXK_REDUCE_L2,
  FXK_REDUCE_PROD,
  FXK_REDUCE_LOG_SUM,
  FXK_REDUCE_LOG_SUM_EXP,
  FXK_REDUCE_COUNT,
} fxk_reduce;

// y[r] = op over x[r, 0 ..< columns].
void fxk_reduce_rows_f32(fxk_reduce op, const float *x, float *y, size_t rows, size_t columns);

// y[o, i] = op over c of x[o, c, i], for outer blocks of [columns, inner] and i in [inner0, inner1).
// x and y point to the first block; y is dense [outer, inner].
void fxk_reduce_inner_f32(
  fxk_reduce op, const float *x, float *y, size_t outer, size_t columns, size_t inner, size_t inner0, size_t inner1);

// index[r] = the position of the row's largest (or smallest) element; ties go to the first, or the last if `last`.
// NaN counts as the largest and as the smallest.
void fxk_arg_rows_f32(const float *x, int64_t *index, size_t rows, size_t columns, bool smallest, bool last);

#endif
