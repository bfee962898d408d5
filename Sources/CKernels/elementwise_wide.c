// Elementwise maps of double and of integers: one build, since graphs compute little in them.
#include "CKernels.h"

#include <math.h>
#include <string.h>

static double sigmoid_f64(double x) {
  const double e = exp(-fabs(x));
  return x < 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e);
}

static double softplus_f64(double x) { return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x))) + (x != x ? x : 0.0); }

static double clip_f64(double x, double low, double high) {
  const double v = x < low ? low : x;
  return v > high ? high : v;
}

static double unary_one_f64(fxk_unary op, double x, double alpha, double beta) {
  switch (op) {
  case FXK_UNARY_IDENTITY: return x;
  case FXK_UNARY_ABS: return fabs(x);
  case FXK_UNARY_NEG: return -x;
  case FXK_UNARY_SIGN: return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : (x == 0.0 ? 0.0 : x));
  case FXK_UNARY_RECIPROCAL: return 1.0 / x;
  case FXK_UNARY_SQUARE: return x * x;
  case FXK_UNARY_SQRT: return sqrt(x);
  case FXK_UNARY_RSQRT: return 1.0 / sqrt(x);
  case FXK_UNARY_EXP: return exp(x);
  case FXK_UNARY_EXPM1: return expm1(x);
  case FXK_UNARY_LOG: return log(x);
  case FXK_UNARY_LOG1P: return log1p(x);
  case FXK_UNARY_SIN: return sin(x);
  case FXK_UNARY_COS: return cos(x);
  case FXK_UNARY_TAN: return tan(x);
  case FXK_UNARY_ASIN: return asin(x);
  case FXK_UNARY_ACOS: return acos(x);
  case FXK_UNARY_ATAN: return atan(x);
  case FXK_UNARY_SINH: return sinh(x);
  case FXK_UNARY_COSH: return cosh(x);
  case FXK_UNARY_ASINH: return asinh(x);
  case FXK_UNARY_ACOSH: return acosh(x);
  case FXK_UNARY_ATANH: return atanh(x);
  case FXK_UNARY_ERF: return erf(x);
  case FXK_UNARY_FLOOR: return floor(x);
  case FXK_UNARY_CEIL: return ceil(x);
  case FXK_UNARY_ROUND: return __builtin_elementwise_roundeven(x);
  case FXK_UNARY_TRUNC: return trunc(x);
  case FXK_UNARY_RELU: return x < 0.0 ? 0.0 : x;
  case FXK_UNARY_LEAKY_RELU: return x < 0.0 ? alpha * x : x;
  case FXK_UNARY_ELU: return x < 0.0 ? alpha * expm1(x) : x;
  case FXK_UNARY_SELU: return beta * (x < 0.0 ? alpha * expm1(x) : x);
  case FXK_UNARY_CELU: return x < 0.0 ? alpha * expm1(x / alpha) : x;
  case FXK_UNARY_THRESHOLDED_RELU: return x <= alpha ? 0.0 : x;
  case FXK_UNARY_CLIP: return clip_f64(x, alpha, beta);
  case FXK_UNARY_SIGMOID: return sigmoid_f64(x);
  case FXK_UNARY_HARD_SIGMOID: return clip_f64(alpha * x + beta, 0.0, 1.0);
  case FXK_UNARY_HARD_SWISH: return x * clip_f64(x / 6.0 + 0.5, 0.0, 1.0);
  case FXK_UNARY_SILU: return x * sigmoid_f64(alpha * x);
  case FXK_UNARY_TANH: return tanh(x);
  case FXK_UNARY_SOFTPLUS: return softplus_f64(x);
  case FXK_UNARY_SOFTSIGN: return x / (1.0 + fabs(x));
  case FXK_UNARY_MISH: return x * tanh(softplus_f64(x));
  case FXK_UNARY_GELU: return 0.5 * x * erfc(x * -0.70710678118654752440);
  case FXK_UNARY_GELU_TANH: return x * sigmoid_f64(1.59576912160573071176 * (x + 0.044715 * x * x * x));
  case FXK_UNARY_AFFINE: return alpha * x + beta;
  case FXK_UNARY_COUNT: break;
  }
  return x;
}

void fxk_unary_f64(fxk_unary op, const double *x, double *y, size_t n, double alpha, double beta) {
  for (size_t i = 0; i < n; ++i) y[i] = unary_one_f64(op, x[i], alpha, beta);
}

// Signed overflow wraps: the arithmetic is done on the unsigned type of the same width.
#define WRAP(type, unsigned_type, expression) ((type)(unsigned_type)(expression))

#define INTEGER_BODY(name, type, unsigned_type)                                                                     \
  static type name##_divide(type u, type v) {                                                                       \
    if (v == 0) return 0;                                                                                           \
    return v == -1 ? WRAP(type, unsigned_type, 0 - (unsigned_type)u) : (type)(u / v);                               \
  }                                                                                                                 \
  static type name##_remainder(type u, type v) { return v == 0 || v == -1 ? 0 : (type)(u % v); }                    \
  static type name##_modulo(type u, type v) {                                                                       \
    const type r = name##_remainder(u, v);                                                                          \
    return r != 0 && (r < 0) != (v < 0) ? (type)(r + v) : r;                                                        \
  }                                                                                                                 \
  static type name##_power(type u, type v) {                                                                        \
    if (v < 0) return u == 1 ? 1 : (u == -1 ? (type)((v & 1) != 0 ? -1 : 1) : 0);                                   \
    unsigned_type result = 1, base = (unsigned_type)u;                                                              \
    for (type e = v; e > 0; e >>= 1) {                                                                              \
      if ((e & 1) != 0) result *= base;                                                                             \
      base *= base;                                                                                                 \
    }                                                                                                               \
    return (type)result;                                                                                            \
  }                                                                                                                 \
  void name(fxk_binary op, const type *a, size_t stride_a, const type *b, size_t stride_b, type *y, size_t n) {     \
    switch (op) {                                                                                                   \
    case FXK_BINARY_ADD: LOOPS(type, WRAP(type, unsigned_type, (unsigned_type)u + (unsigned_type)v))                \
    case FXK_BINARY_SUB: LOOPS(type, WRAP(type, unsigned_type, (unsigned_type)u - (unsigned_type)v))                \
    case FXK_BINARY_SILU_MUL:                                                                                       \
    case FXK_BINARY_MUL: LOOPS(type, WRAP(type, unsigned_type, (unsigned_type)u * (unsigned_type)v))                \
    case FXK_BINARY_DIV: LOOPS(type, name##_divide(u, v))                                                           \
    case FXK_BINARY_MIN: LOOPS(type, u < v ? u : v)                                                                 \
    case FXK_BINARY_MAX: LOOPS(type, u > v ? u : v)                                                                 \
    case FXK_BINARY_POW: LOOPS(type, name##_power(u, v))                                                            \
    case FXK_BINARY_FMOD: LOOPS(type, name##_remainder(u, v))                                                       \
    case FXK_BINARY_MOD: LOOPS(type, name##_modulo(u, v))                                                           \
    case FXK_BINARY_PRELU: LOOPS(type, u < 0 ? WRAP(type, unsigned_type, (unsigned_type)u * (unsigned_type)v) : u)  \
    case FXK_BINARY_ADD_RELU: {                                                                                     \
      for (size_t i = 0; i < n; ++i) {                                                                              \
        const type s = (type)((unsigned_type)a[i * stride_a] + (unsigned_type)b[i * stride_b]);                     \
        y[i] = s < 0 ? 0 : s;                                                                                       \
      }                                                                                                             \
      break;                                                                                                        \
    }                                                                                                               \
    case FXK_BINARY_SQUARED_DIFFERENCE: {                                                                           \
      for (size_t i = 0; i < n; ++i) {                                                                              \
        const unsigned_type d = (unsigned_type)a[i * stride_a] - (unsigned_type)b[i * stride_b];                    \
        y[i] = (type)(d * d);                                                                                       \
      }                                                                                                             \
      break;                                                                                                        \
    }                                                                                                               \
    case FXK_BINARY_COUNT: break;                                                                                   \
    }                                                                                                               \
  }

#define LOOPS(type, expression)                                               \
  for (size_t i = 0; i < n; ++i) {                                            \
    const type u = a[i * stride_a], v = b[i * stride_b];                      \
    y[i] = (expression);                                                      \
  }                                                                           \
  break;

INTEGER_BODY(fxk_binary_i32, int32_t, uint32_t)
INTEGER_BODY(fxk_binary_i64, int64_t, uint64_t)

static double mod_f64(double u, double v) {
  const double r = fmod(u, v);
  return r != 0.0 && (r < 0.0) != (v < 0.0) ? r + v : r;
}

void fxk_binary_f64(
    fxk_binary op, const double *a, size_t stride_a, const double *b, size_t stride_b, double *y, size_t n) {
  switch (op) {
  case FXK_BINARY_ADD: LOOPS(double, u + v)
  case FXK_BINARY_SUB: LOOPS(double, u - v)
  case FXK_BINARY_MUL: LOOPS(double, u * v)
  case FXK_BINARY_DIV: LOOPS(double, u / v)
  case FXK_BINARY_MIN: LOOPS(double, (u < v || u != u) ? u : v)
  case FXK_BINARY_MAX: LOOPS(double, (u > v || u != u) ? u : v)
  case FXK_BINARY_POW: LOOPS(double, pow(u, v))
  case FXK_BINARY_FMOD: LOOPS(double, fmod(u, v))
  case FXK_BINARY_MOD: LOOPS(double, mod_f64(u, v))
  case FXK_BINARY_PRELU: LOOPS(double, u < 0.0 ? u * v : u)
  case FXK_BINARY_ADD_RELU: LOOPS(double, u + v < 0.0 ? 0.0 : u + v)
  case FXK_BINARY_SQUARED_DIFFERENCE: LOOPS(double, (u - v) * (u - v))
  case FXK_BINARY_SILU_MUL: LOOPS(double, u * sigmoid_f64(u) * v)
  case FXK_BINARY_COUNT: break;
  }
}
