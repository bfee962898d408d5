// Softmax, normalisations and reductions over rows. See include/fxk_rows.h.
//
// A sum runs over four vectors of partial sums, whatever the caller's split: its order depends on the length alone.

#define FXK_FOLD(name, identity, step_expression, join_expression)                                                 \
  FXK_INLINE float name(const float *x, size_t n, float center) {                                                  \
    (void)center;                                                                                                  \
    fxv acc[4];                                                                                                    \
    FXK_UNROLL                                                                                                     \
    for (int j = 0; j < 4; ++j) acc[j] = fxv_set(identity);                                                        \
    size_t i = 0;                                                                                                  \
    for (; i + 4 * FXK_VW <= n; i += 4 * FXK_VW) {                                                                 \
      FXK_UNROLL                                                                                                   \
      for (int j = 0; j < 4; ++j) {                                                                                \
        const fxv s = acc[j], v = fxv_load(x + i + j * FXK_VW);                                                    \
        acc[j] = (step_expression);                                                                                \
      }                                                                                                            \
    }                                                                                                              \
    for (; i + FXK_VW <= n; i += FXK_VW) {                                                                         \
      const fxv s = acc[0], v = fxv_load(x + i);                                                                   \
      acc[0] = (step_expression);                                                                                  \
    }                                                                                                              \
    float lanes[4 * FXK_VW];                                                                                       \
    FXK_UNROLL                                                                                                     \
    for (int j = 0; j < 4; ++j) fxv_store(lanes + j * FXK_VW, acc[j]);                                             \
    for (size_t j = 0; i + j < n; ++j) {                                                                           \
      const float s = lanes[j], v = x[i + j];                                                                      \
      lanes[j] = (step_expression);                                                                                \
    }                                                                                                              \
    for (int width = 2 * FXK_VW; width > 0; width /= 2) {                                                          \
      for (int j = 0; j < width; ++j) {                                                                            \
        const float s = lanes[j], v = lanes[j + width];                                                            \
        lanes[j] = (join_expression);                                                                              \
      }                                                                                                            \
    }                                                                                                              \
    return lanes[0];                                                                                               \
  }

FXK_FOLD(fold_sum, 0.0f, s + v, s + v)
FXK_FOLD(fold_square, 0.0f, s + v * v, s + v)
FXK_FOLD(fold_variance, 0.0f, s + (v - center) * (v - center), s + v)
FXK_FOLD(fold_l1, 0.0f, s + __builtin_elementwise_abs(v), s + v)
FXK_FOLD(fold_product, 1.0f, s * v, s * v)
FXK_FOLD(fold_max, -__builtin_inff(), ((v > s) | (v != v)) ? v : s, ((v > s) | (v != v)) ? v : s)
FXK_FOLD(fold_min, __builtin_inff(), ((v < s) | (v != v)) ? v : s, ((v < s) | (v != v)) ? v : s)

static void softmax_f32(
    const float *x, float *y, size_t rows, size_t columns, float scale, const float *mask, size_t mask_row) {
  for (size_t r = 0; r < rows; ++r) {
    const float *in = x + r * columns;
    float *out = y + r * columns;
    if (mask != NULL) {
      const float *row_mask = mask + r * mask_row;
      FXK_LOOP
      for (size_t i = 0; i < columns; ++i) out[i] = in[i] * scale + row_mask[i];
      in = out;
    } else if (scale != 1.0f) {
      FXK_LOOP
      for (size_t i = 0; i < columns; ++i) out[i] = in[i] * scale;
      in = out;
    }
    const float largest = fold_max(in, columns, 0);
    FXK_LOOP
    for (size_t i = 0; i < columns; ++i) out[i] = fx_exp(in[i] - largest);
    const float factor = 1.0f / fold_sum(out, columns, 0);
    FXK_LOOP
    for (size_t i = 0; i < columns; ++i) out[i] *= factor;
  }
}

// log(sum(e^(x - largest))), the exponentials going through a small buffer so that x stays unwritten.
FXK_INLINE float log_sum_exp(const float *x, size_t n, float largest) {
  enum { block = 256 };
  float sum = 0.0f;
  for (size_t start = 0; start < n; start += block) {
    const size_t count = n - start < block ? n - start : block;
    float buffer[block];
    FXK_LOOP
    for (size_t i = 0; i < count; ++i) buffer[i] = fx_exp(x[start + i] - largest);
    sum += fold_sum(buffer, count, 0);
  }
  return fx_log(sum);
}

static void log_softmax_f32(const float *x, float *y, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; ++r) {
    const float *in = x + r * columns;
    float *out = y + r * columns;
    const float largest = fold_max(in, columns, 0);
    const float rest = log_sum_exp(in, columns, largest);
    FXK_LOOP
    for (size_t i = 0; i < columns; ++i) out[i] = (in[i] - largest) - rest;
  }
}

static void softmax_inner_f32(
    const float *x, float *y, size_t outer, size_t columns, size_t inner, size_t inner0, size_t inner1, bool log,
    float *scratch) {
  float *largest = scratch, *sum = scratch + inner;
  const size_t n = inner1 - inner0;
  for (size_t o = 0; o < outer; ++o) {
    const float *in = x + o * columns * inner + inner0;
    float *out = y + o * columns * inner + inner0;
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) { largest[i] = -__builtin_inff(); sum[i] = 0.0f; }
    for (size_t c = 0; c < columns; ++c) {
      const float *row = in + c * inner;
      FXK_LOOP
      for (size_t i = 0; i < n; ++i) largest[i] = ((row[i] > largest[i]) | (row[i] != row[i])) ? row[i] : largest[i];
    }
    for (size_t c = 0; c < columns; ++c) {
      const float *row = in + c * inner;
      float *result = out + c * inner;
      if (log) {
        FXK_LOOP
        for (size_t i = 0; i < n; ++i) sum[i] += fx_exp(row[i] - largest[i]);
      } else {
        FXK_LOOP
        for (size_t i = 0; i < n; ++i) {
          const float e = fx_exp(row[i] - largest[i]);
          result[i] = e;
          sum[i] += e;
        }
      }
    }
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) sum[i] = log ? fx_log(sum[i]) : 1.0f / sum[i];
    for (size_t c = 0; c < columns; ++c) {
      const float *row = in + c * inner;
      float *result = out + c * inner;
      if (log) {
        FXK_LOOP
        for (size_t i = 0; i < n; ++i) result[i] = (row[i] - largest[i]) - sum[i];
      } else {
        FXK_LOOP
        for (size_t i = 0; i < n; ++i) result[i] *= sum[i];
      }
    }
  }
}

// y = (x - mean) rstd gamma + beta; gamma and beta may be null.
FXK_INLINE void normalize_row(
    const float *in, float *out, size_t n, float mean, float rstd, const float *gamma, const float *beta) {
  if (gamma != NULL && beta != NULL) {
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) out[i] = (in[i] - mean) * rstd * gamma[i] + beta[i];
  } else if (gamma != NULL) {
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) out[i] = (in[i] - mean) * rstd * gamma[i];
  } else {
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) out[i] = (in[i] - mean) * rstd + (beta != NULL ? beta[i] : 0.0f);
  }
}

static void layer_norm_f32(
    const float *x, float *y, size_t rows, size_t columns, const float *gamma, const float *beta, float epsilon,
    float *mean_out, float *rstd_out) {
  for (size_t r = 0; r < rows; ++r) {
    const float *in = x + r * columns;
    const float mean = fold_sum(in, columns, 0) / (float)columns;
    const float variance = fold_variance(in, columns, mean) / (float)columns;
    const float rstd = 1.0f / fx_sqrt(variance + epsilon);
    if (mean_out != NULL) mean_out[r] = mean;
    if (rstd_out != NULL) rstd_out[r] = rstd;
    normalize_row(in, y + r * columns, columns, mean, rstd, gamma, beta);
  }
}

static void skip_layer_norm_f32(
    const float *x, const float *skip, const float *bias, float *y, float *sum_out, size_t rows, size_t columns,
    const float *gamma, const float *beta, float epsilon, bool rms) {
  for (size_t r = 0; r < rows; ++r) {
    const float *in = x + r * columns, *add = skip + r * columns;
    float *sum = (sum_out != NULL ? sum_out : y) + r * columns;
    if (bias != NULL) {
      FXK_LOOP
      for (size_t i = 0; i < columns; ++i) sum[i] = in[i] + add[i] + bias[i];
    } else {
      FXK_LOOP
      for (size_t i = 0; i < columns; ++i) sum[i] = in[i] + add[i];
    }
    const float mean = rms ? 0.0f : fold_sum(sum, columns, 0) / (float)columns;
    const float variance = fold_variance(sum, columns, mean) / (float)columns;
    normalize_row(sum, y + r * columns, columns, mean, 1.0f / fx_sqrt(variance + epsilon), gamma, beta);
  }
}

static void rms_norm_f32(const float *x, float *y, size_t rows, size_t columns, const float *gamma, float epsilon) {
  for (size_t r = 0; r < rows; ++r) {
    const float *in = x + r * columns;
    const float square = fold_square(in, columns, 0) / (float)columns;
    normalize_row(in, y + r * columns, columns, 0.0f, 1.0f / fx_sqrt(square + epsilon), gamma, NULL);
  }
}

FXK_INLINE float reduce_row(fxk_reduce op, const float *x, size_t n) {
  switch (op) {
  case FXK_REDUCE_SUM: return fold_sum(x, n, 0);
  case FXK_REDUCE_MEAN: return fold_sum(x, n, 0) / (float)n;
  case FXK_REDUCE_MAX: return fold_max(x, n, 0);
  case FXK_REDUCE_MIN: return fold_min(x, n, 0);
  case FXK_REDUCE_SUM_SQUARE: return fold_square(x, n, 0);
  case FXK_REDUCE_L1: return fold_l1(x, n, 0);
  case FXK_REDUCE_L2: return fx_sqrt(fold_square(x, n, 0));
  case FXK_REDUCE_PROD: return fold_product(x, n, 0);
  case FXK_REDUCE_LOG_SUM: return fx_log(fold_sum(x, n, 0));
  case FXK_REDUCE_LOG_SUM_EXP: {
    const float largest = fold_max(x, n, 0);
    // An infinite maximum is the answer; subtracting it would give NaN.
    return fx_abs(largest) == __builtin_inff() ? largest : log_sum_exp(x, n, largest) + largest;
  }
  case FXK_REDUCE_COUNT: break;
  }
  return 0.0f;
}

static void reduce_rows_f32(fxk_reduce op, const float *x, float *y, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; ++r) y[r] = reduce_row(op, x + r * columns, columns);
}

#define FXK_INNER_STEP(expression)                                            \
  for (size_t c = 0; c < columns; ++c) {                                      \
    const float *row = in + c * inner;                                        \
    FXK_LOOP                                                                  \
    for (size_t i = 0; i < n; ++i) {                                          \
      const float s = out[i], v = row[i];                                     \
      out[i] = (expression);                                                  \
    }                                                                         \
  }                                                                           \
  break;

static void reduce_inner_f32(
    fxk_reduce op, const float *x, float *y, size_t outer, size_t columns, size_t inner, size_t inner0, size_t inner1) {
  const size_t n = inner1 - inner0;
  for (size_t o = 0; o < outer; ++o) {
    const float *in = x + o * columns * inner + inner0;
    float *out = y + o * inner + inner0;
    const bool maximum = op == FXK_REDUCE_MAX || op == FXK_REDUCE_LOG_SUM_EXP;
    const float start = maximum ? -__builtin_inff()
      : (op == FXK_REDUCE_MIN ? __builtin_inff() : (op == FXK_REDUCE_PROD ? 1.0f : 0.0f));
    for (size_t i = 0; i < n; ++i) out[i] = start;
    switch (op) {
    case FXK_REDUCE_SUM:
    case FXK_REDUCE_MEAN:
    case FXK_REDUCE_LOG_SUM: FXK_INNER_STEP(s + v)
    case FXK_REDUCE_MAX: FXK_INNER_STEP(((v > s) | (v != v)) ? v : s)
    case FXK_REDUCE_MIN: FXK_INNER_STEP(((v < s) | (v != v)) ? v : s)
    case FXK_REDUCE_SUM_SQUARE:
    case FXK_REDUCE_L2: FXK_INNER_STEP(s + v * v)
    case FXK_REDUCE_L1: FXK_INNER_STEP(s + fx_abs(v))
    case FXK_REDUCE_PROD: FXK_INNER_STEP(s * v)
    case FXK_REDUCE_LOG_SUM_EXP:
      // Rare: column by column.
      for (size_t i = 0; i < n; ++i) {
        float largest = -__builtin_inff(), sum = 0.0f;
        for (size_t c = 0; c < columns; ++c) {
          const float v = in[c * inner + i];
          largest = ((v > largest) | (v != v)) ? v : largest;
        }
        for (size_t c = 0; c < columns; ++c) sum += fx_exp(in[c * inner + i] - largest);
        out[i] = fx_abs(largest) == __builtin_inff() ? largest : largest + fx_log(sum);
      }
      break;
    case FXK_REDUCE_COUNT: break;
    }
    if (op == FXK_REDUCE_MEAN) {
      for (size_t i = 0; i < n; ++i) out[i] = out[i] / (float)columns;
    } else if (op == FXK_REDUCE_L2) {
      for (size_t i = 0; i < n; ++i) out[i] = fx_sqrt(out[i]);
    } else if (op == FXK_REDUCE_LOG_SUM) {
      for (size_t i = 0; i < n; ++i) out[i] = fx_log(out[i]);
    }
  }
}

static void arg_rows_f32(const float *x, int64_t *index, size_t rows, size_t columns, bool smallest, bool last) {
  for (size_t r = 0; r < rows; ++r) {
    const float *in = x + r * columns;
    // First the value, vectorized, then its place.
    const float best = smallest ? fold_min(in, columns, 0) : fold_max(in, columns, 0);
    size_t found = 0;
    for (size_t i = 0; i < columns; ++i) {
      const size_t at = last ? columns - 1 - i : i;
      if (in[at] == best || (best != best && in[at] != in[at])) {
        found = at;
        break;
      }
    }
    index[r] = (int64_t)found;
  }
}
