// Unary and binary maps, comparisons, selection. See include/fxk_elementwise.h.

enum { FXK_CHUNK = 128 };

#define FXK_MAP(expression)             \
  {                                     \
    FXK_LOOP                            \
    for (size_t i = 0; i < n; ++i) {    \
      const float v = x[i];             \
      y[i] = (expression);              \
    }                                   \
    break;                              \
  }

#define FXK_MAP_LIBM(call)                              \
  {                                                     \
    for (size_t i = 0; i < n; ++i) y[i] = call(x[i]);   \
    break;                                              \
  }

// Polynomial for the whole chunk, libm for the elements whose argument is too large for it: which of the two an element
// gets depends on that element alone.
static void sin_cos_f32(const float *x, float *y, size_t n, uint32_t offset) {
  for (size_t start = 0; start < n; start += FXK_CHUNK) {
    const size_t count = n - start < FXK_CHUNK ? n - start : FXK_CHUNK;
    const float *in = x + start;
    float out[FXK_CHUNK];
    uint32_t largest = 0;
    FXK_LOOP
    for (size_t i = 0; i < count; ++i) {
      const uint32_t magnitude = fx_bits(in[i]) & 0x7FFFFFFFu;
      largest = magnitude > largest ? magnitude : largest;
    }
    FXK_LOOP
    for (size_t i = 0; i < count; ++i) out[i] = fx_sin_quadrant(in[i], offset);
    if (largest > 0x49742400u) {  // 1e6
      for (size_t i = 0; i < count; ++i) {
        if (!(fx_abs(in[i]) <= 1e6f)) out[i] = offset == 0 ? sinf(in[i]) : cosf(in[i]);
      }
    }
    memcpy(y + start, out, count * sizeof(float));
  }
}

static void unary_f32(fxk_unary op, const float *x, float *y, size_t n, float alpha, float beta) {
  switch (op) {
  case FXK_UNARY_IDENTITY:
    if (x != y) memcpy(y, x, n * sizeof(float));
    break;
  case FXK_UNARY_ABS: FXK_MAP(fx_abs(v))
  case FXK_UNARY_NEG: FXK_MAP(-v)
  case FXK_UNARY_SIGN: FXK_MAP(v > 0.0f ? 1.0f : (v < 0.0f ? -1.0f : (v == 0.0f ? 0.0f : v)))
  case FXK_UNARY_RECIPROCAL: FXK_MAP(1.0f / v)
  case FXK_UNARY_SQUARE: FXK_MAP(v * v)
  case FXK_UNARY_SQRT: FXK_MAP(fx_sqrt(v))
  case FXK_UNARY_RSQRT: FXK_MAP(1.0f / fx_sqrt(v))
  case FXK_UNARY_EXP: FXK_MAP(fx_exp(v))
  case FXK_UNARY_EXPM1: FXK_MAP(fx_expm1(v))
  case FXK_UNARY_LOG: FXK_MAP(fx_log(v))
  case FXK_UNARY_LOG1P: FXK_MAP(fx_log1p(v))
  case FXK_UNARY_SIN: sin_cos_f32(x, y, n, 0); break;
  case FXK_UNARY_COS: sin_cos_f32(x, y, n, 1); break;
  case FXK_UNARY_TAN: FXK_MAP_LIBM(tanf)
  case FXK_UNARY_ASIN: FXK_MAP_LIBM(asinf)
  case FXK_UNARY_ACOS: FXK_MAP_LIBM(acosf)
  case FXK_UNARY_ATAN: FXK_MAP_LIBM(atanf)
  case FXK_UNARY_SINH: FXK_MAP_LIBM(sinhf)
  case FXK_UNARY_COSH: FXK_MAP_LIBM(coshf)
  case FXK_UNARY_ASINH: FXK_MAP_LIBM(asinhf)
  case FXK_UNARY_ACOSH: FXK_MAP_LIBM(acoshf)
  case FXK_UNARY_ATANH: FXK_MAP_LIBM(atanhf)
  case FXK_UNARY_ERF: FXK_MAP(fx_erf(v))
  case FXK_UNARY_FLOOR: FXK_MAP(fx_floor(v))
  case FXK_UNARY_CEIL: FXK_MAP(fx_ceil(v))
  case FXK_UNARY_ROUND: FXK_MAP(fx_round(v))
  case FXK_UNARY_TRUNC: FXK_MAP(fx_trunc(v))
  case FXK_UNARY_RELU: FXK_MAP(v < 0.0f ? 0.0f : v)
  case FXK_UNARY_LEAKY_RELU: FXK_MAP(v < 0.0f ? alpha * v : v)
  case FXK_UNARY_ELU: FXK_MAP(v < 0.0f ? alpha * fx_expm1(v) : v)
  case FXK_UNARY_SELU: FXK_MAP(beta * (v < 0.0f ? alpha * fx_expm1(v) : v))
  case FXK_UNARY_CELU: FXK_MAP((v < 0.0f ? 0.0f : v) + (v < 0.0f ? alpha * fx_expm1(v / alpha) : 0.0f))
  case FXK_UNARY_THRESHOLDED_RELU: FXK_MAP(v <= alpha ? 0.0f : v)
  case FXK_UNARY_CLIP: {
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) {
      const float v = x[i] < alpha ? alpha : x[i];
      y[i] = v > beta ? beta : v;
    }
    break;
  }
  case FXK_UNARY_SIGMOID: FXK_MAP(fx_sigmoid(v))
  case FXK_UNARY_HARD_SIGMOID: {
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) {
      const float v = alpha * x[i] + beta;
      const float w = v < 0.0f ? 0.0f : v;
      y[i] = w > 1.0f ? 1.0f : w;
    }
    break;
  }
  case FXK_UNARY_HARD_SWISH: {
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) {
      const float v = x[i] * (1.0f / 6.0f) + 0.5f;
      const float w = v < 0.0f ? 0.0f : v;
      y[i] = x[i] * (w > 1.0f ? 1.0f : w);
    }
    break;
  }
  case FXK_UNARY_SILU: FXK_MAP(v * fx_sigmoid(alpha * v))
  case FXK_UNARY_TANH: FXK_MAP(fx_tanh(v))
  case FXK_UNARY_SOFTPLUS: FXK_MAP(fx_softplus(v))
  case FXK_UNARY_SOFTSIGN: FXK_MAP(v / (1.0f + fx_abs(v)))
  case FXK_UNARY_MISH: FXK_MAP(fx_mish(v))
  case FXK_UNARY_GELU: FXK_MAP(fx_gelu(v))
  case FXK_UNARY_GELU_TANH: FXK_MAP(fx_gelu_tanh(v))
  case FXK_UNARY_AFFINE: FXK_MAP(alpha * v + beta)
  case FXK_UNARY_COUNT: break;
  }
}

// One loop per combination of scalar and array operands: the compiler hoists the scalars.
#define FXK_BINARY_LOOPS(type, expression)                                                                         \
  if (stride_a == 1 && stride_b == 1) {                                                                            \
    FXK_LOOP                                                                                                       \
    for (size_t i = 0; i < n; ++i) { const type u = a[i], v = b[i]; y[i] = (expression); }                         \
  } else if (stride_a == 1) {                                                                                      \
    const type v = b[0];                                                                                           \
    FXK_LOOP                                                                                                       \
    for (size_t i = 0; i < n; ++i) { const type u = a[i]; y[i] = (expression); }                                   \
  } else if (stride_b == 1) {                                                                                      \
    const type u = a[0];                                                                                           \
    FXK_LOOP                                                                                                       \
    for (size_t i = 0; i < n; ++i) { const type v = b[i]; y[i] = (expression); }                                   \
  } else {                                                                                                         \
    const type u = a[0], v = b[0];                                                                                 \
    FXK_LOOP                                                                                                       \
    for (size_t i = 0; i < n; ++i) y[i] = (expression);                                                            \
  }                                                                                                                \
  break;

static void pow_f32(const float *a, size_t stride_a, const float *b, size_t stride_b, float *y, size_t n) {
  if (stride_b == 0 && n > 0) {
    // Exponents that one or two multiplications serve, exactly as pow defines them.
    const float exponent = b[0];
    if (exponent == 2.0f || exponent == 1.0f || exponent == -1.0f || exponent == 3.0f) {
      FXK_LOOP
      for (size_t i = 0; i < n; ++i) {
        const float u = a[i * stride_a];
        y[i] = exponent == 2.0f ? u * u : (exponent == 1.0f ? u : (exponent == 3.0f ? u * u * u : 1.0f / u));
      }
      return;
    }
  }
  for (size_t start = 0; start < n; start += FXK_CHUNK) {
    const size_t count = n - start < FXK_CHUNK ? n - start : FXK_CHUNK;
    float u[FXK_CHUNK], v[FXK_CHUNK];
    uint32_t irregular = 0;
    for (size_t i = 0; i < count; ++i) {
      u[i] = a[(start + i) * stride_a];
      v[i] = b[(start + i) * stride_b];
    }
    FXK_LOOP
    for (size_t i = 0; i < count; ++i) {
      // Positive and normal: bits in [0x00800000, 0x7F800000); a finite exponent alike.
      irregular |= (uint32_t)(fx_bits(u[i]) - 0x00800000u >= 0x7F000000u);
      irregular |= (uint32_t)((fx_bits(v[i]) & 0x7FFFFFFFu) >= 0x7F800000u);
    }
    float *out = y + start;
    FXK_LOOP
    for (size_t i = 0; i < count; ++i) out[i] = fx_pow_regular(u[i], v[i]);
    if (irregular != 0) {
      for (size_t i = 0; i < count; ++i) {
        const bool bad = fx_bits(u[i]) - 0x00800000u >= 0x7F000000u || (fx_bits(v[i]) & 0x7FFFFFFFu) >= 0x7F800000u;
        if (bad) out[i] = powf(u[i], v[i]);
      }
    }
  }
}

FXK_INLINE float mod_f32(float u, float v) {
  float r = fmodf(u, v);
  return r != 0.0f && (r < 0.0f) != (v < 0.0f) ? r + v : r;
}

static void binary_f32(
    fxk_binary op, const float *a, size_t stride_a, const float *b, size_t stride_b, float *y, size_t n) {
  switch (op) {
  case FXK_BINARY_ADD: FXK_BINARY_LOOPS(float, u + v)
  case FXK_BINARY_SUB: FXK_BINARY_LOOPS(float, u - v)
  case FXK_BINARY_MUL: FXK_BINARY_LOOPS(float, u * v)
  case FXK_BINARY_DIV: FXK_BINARY_LOOPS(float, u / v)
  case FXK_BINARY_MIN: FXK_BINARY_LOOPS(float, ((u < v) | (u != u)) ? u : v)
  case FXK_BINARY_MAX: FXK_BINARY_LOOPS(float, ((u > v) | (u != u)) ? u : v)
  case FXK_BINARY_POW: pow_f32(a, stride_a, b, stride_b, y, n); break;
  case FXK_BINARY_FMOD:
    for (size_t i = 0; i < n; ++i) y[i] = fmodf(a[i * stride_a], b[i * stride_b]);
    break;
  case FXK_BINARY_MOD:
    for (size_t i = 0; i < n; ++i) y[i] = mod_f32(a[i * stride_a], b[i * stride_b]);
    break;
  case FXK_BINARY_PRELU: FXK_BINARY_LOOPS(float, u < 0.0f ? u * v : u)
  case FXK_BINARY_ADD_RELU: FXK_BINARY_LOOPS(float, u + v < 0.0f ? 0.0f : u + v)
  case FXK_BINARY_SQUARED_DIFFERENCE: FXK_BINARY_LOOPS(float, (u - v) * (u - v))
  case FXK_BINARY_SILU_MUL: FXK_BINARY_LOOPS(float, u * fx_sigmoid(u) * v)
  case FXK_BINARY_COUNT: break;
  }
}

enum { REPEATED_FLOATS = 512 };

// Short rows, all with the same b: several at a time, with b repeated as often.
static void binary_repeated_f32(fxk_binary op, const float *a, const float *b, float *y, size_t rows, size_t columns) {
  float repeated[REPEATED_FLOATS];
  const size_t most = REPEATED_FLOATS / columns;
  for (size_t r = 0; r < (most < rows ? most : rows); ++r) memcpy(repeated + r * columns, b, columns * sizeof(float));
  for (size_t r = 0; r < rows; r += most) {
    const size_t count = (rows - r < most ? rows - r : most) * columns;
    binary_f32(op, a + r * columns, 1, repeated, 1, y + r * columns, count);
  }
}

static void binary_rows_f32(
    fxk_binary op, const float *a, size_t row_a, size_t stride_a, const float *b, size_t row_b, size_t stride_b, float *y,
    size_t rows, size_t columns) {
  if (rows > 1 && columns > 0 && columns <= REPEATED_FLOATS / 8 && stride_a == 1 && stride_b == 1 && row_a == columns && row_b == 0) {
    binary_repeated_f32(op, a, b, y, rows, columns);
    return;
  }
  for (size_t r = 0; r < rows; ++r) {
    binary_f32(op, a + r * row_a, stride_a, b + r * row_b, stride_b, y + r * columns, columns);
  }
}

#define FXK_COMPARE_BODY(name, type)                                                                               \
  static void name(                                                                                                \
      fxk_compare op, const type *a, size_t stride_a, const type *b, size_t stride_b, uint8_t *y, size_t n) {      \
    switch (op) {                                                                                                  \
    case FXK_COMPARE_EQ: FXK_BINARY_LOOPS(type, u == v)                                                            \
    case FXK_COMPARE_NE: FXK_BINARY_LOOPS(type, u != v)                                                            \
    case FXK_COMPARE_LT: FXK_BINARY_LOOPS(type, u < v)                                                             \
    case FXK_COMPARE_LE: FXK_BINARY_LOOPS(type, u <= v)                                                            \
    case FXK_COMPARE_GT: FXK_BINARY_LOOPS(type, u > v)                                                             \
    case FXK_COMPARE_GE: FXK_BINARY_LOOPS(type, u >= v)                                                            \
    case FXK_COMPARE_COUNT: break;                                                                                 \
    }                                                                                                              \
  }

FXK_COMPARE_BODY(compare_f32, float)
FXK_COMPARE_BODY(compare_i32, int32_t)
FXK_COMPARE_BODY(compare_i64, int64_t)

static void select_f32(
    const uint8_t *mask, size_t stride_m, const float *a, size_t stride_a, const float *b, size_t stride_b, float *y,
    size_t n) {
  if (n == 0) return;
  if (stride_m == 0) {
    const float *source = mask[0] != 0 ? a : b;
    const size_t stride = mask[0] != 0 ? stride_a : stride_b;
    for (size_t i = 0; i < n; ++i) y[i] = source[i * stride];
  } else if (stride_a == 1 && stride_b == 1) {
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) y[i] = mask[i] != 0 ? a[i] : b[i];
  } else if (stride_a == 1) {
    const float other = b[0];
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) y[i] = mask[i] != 0 ? a[i] : other;
  } else if (stride_b == 1) {
    const float one = a[0];
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) y[i] = mask[i] != 0 ? one : b[i];
  } else {
    const float one = a[0], other = b[0];
    FXK_LOOP
    for (size_t i = 0; i < n; ++i) y[i] = mask[i] != 0 ? one : other;
  }
}
