// Elementwise maps: one value out per value in.
//
// `y` may be the same pointer as an input (in place); otherwise the arrays must not overlap.
// Errors are in units in the last place of the exact result, over the whole range; where none is given, the result is
// within 2e-7 max(1, |y|).
#ifndef FXK_ELEMENTWISE_H
#define FXK_ELEMENTWISE_H

#include <stddef.h>
#include <stdint.h>

typedef enum fxk_unary {
  FXK_UNARY_IDENTITY = 0,
  FXK_UNARY_ABS,
  FXK_UNARY_NEG,
  FXK_UNARY_SIGN,        // -1, 0, 1; NaN stays NaN
  FXK_UNARY_RECIPROCAL,  // 1 / x
  FXK_UNARY_SQUARE,
  FXK_UNARY_SQRT,
  FXK_UNARY_RSQRT,   // 1 / sqrt(x), 1.5 ulp
  FXK_UNARY_EXP,     // 1.5 ulp, denormal results included
  FXK_UNARY_EXPM1,   // 4 ulp
  FXK_UNARY_LOG,     // 1.5 ulp, denormal arguments included
  FXK_UNARY_LOG1P,   // 2 ulp
  FXK_UNARY_SIN,     // 1.5 ulp up to |x| = 1e6, libm beyond
  FXK_UNARY_COS,     // 3 ulp up to |x| = 1e6, libm beyond
  FXK_UNARY_TAN,     // libm
  FXK_UNARY_ASIN,    // libm
  FXK_UNARY_ACOS,    // libm
  FXK_UNARY_ATAN,    // libm
  FXK_UNARY_SINH,    // libm
  FXK_UNARY_COSH,    // libm
  FXK_UNARY_ASINH,   // libm
  FXK_UNARY_ACOSH,   // libm
  FXK_UNARY_ATANH,   // libm
  FXK_UNARY_ERF,     // 3 ulp
  FXK_UNARY_FLOOR,
  FXK_UNARY_CEIL,
  FXK_UNARY_ROUND,       // half to even
  FXK_UNARY_TRUNC,
  FXK_UNARY_RELU,        // max(x, 0)
  FXK_UNARY_LEAKY_RELU,  // x < 0 ? alpha x : x
  FXK_UNARY_ELU,         // x < 0 ? alpha (e^x - 1) : x
  FXK_UNARY_SELU,        // beta (x < 0 ? alpha (e^x - 1) : x)
  FXK_UNARY_CELU,        // max(0, x) + min(0, alpha (e^(x/alpha) - 1))
  FXK_UNARY_THRESHOLDED_RELU,  // x > alpha ? x : 0
  FXK_UNARY_CLIP,          // min(max(x, alpha), beta)
  FXK_UNARY_SIGMOID,       // 3 ulp
  FXK_UNARY_HARD_SIGMOID,  // clip(alpha x + beta, 0, 1)
  FXK_UNARY_HARD_SWISH,    // x clip(x / 6 + 0.5, 0, 1)
  FXK_UNARY_SILU,          // x sigmoid(alpha x); alpha = 1 is SiLU, 1.702 the quick GELU
  FXK_UNARY_TANH,          // 1.5 ulp
  FXK_UNARY_SOFTPLUS,      // log(1 + e^x), 2 ulp
  FXK_UNARY_SOFTSIGN,      // x / (1 + |x|)
  FXK_UNARY_MISH,          // x tanh(softplus(x))
  FXK_UNARY_GELU,          // x (1 + erf(x / sqrt 2)) / 2; below x = -5.6 the result is 0, an error of 5e-8
  FXK_UNARY_GELU_TANH,     // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  FXK_UNARY_AFFINE,        // alpha x + beta
  FXK_UNARY_COUNT,
} fxk_unary;

// y[i] = op(x[i]) for i < n. `alpha` and `beta` are read by the operations that name them above.
// NaN gives NaN and infinities give the limits in every operation.
void fxk_unary_f32(fxk_unary op, const float *x, float *y, size_t n, float alpha, float beta);

// The same for double: libm where float32 has a polynomial.
void fxk_unary_f64(fxk_unary op, const double *x, double *y, size_t n, double alpha, double beta);

typedef enum fxk_binary {
  FXK_BINARY_ADD = 0,
  FXK_BINARY_SUB,
  FXK_BINARY_MUL,
  FXK_BINARY_DIV,  // integers: truncated; 0 where b is 0, and the wrapped value for MIN / -1
  FXK_BINARY_MIN,  // NaN if either is NaN
  FXK_BINARY_MAX,  // NaN if either is NaN
  FXK_BINARY_POW,  // 1 ulp; integers: wrapped product, 0 for negative exponents of |a| > 1
  FXK_BINARY_FMOD,       // remainder with the sign of a; integers: 0 where b is 0
  FXK_BINARY_MOD,        // remainder with the sign of b; integers: 0 where b is 0
  FXK_BINARY_PRELU,      // a < 0 ? a b : a
  FXK_BINARY_ADD_RELU,   // max(a + b, 0)
  FXK_BINARY_SQUARED_DIFFERENCE,
  FXK_BINARY_SILU_MUL,   // silu(a) b, the gate of SwiGLU; as multiplication for integers
  FXK_BINARY_COUNT,
} fxk_binary;

// y[i] = op(a[i stride_a], b[i stride_b]) for i < n, with strides 0 (a scalar) or 1.
// A row-broadcast operand is this function once per row.
void fxk_binary_f32(fxk_binary op, const float *a, size_t stride_a, const float *b, size_t stride_b, float *y, size_t n);
void fxk_binary_f64(fxk_binary op, const double *a, size_t stride_a, const double *b, size_t stride_b, double *y, size_t n);
void fxk_binary_i32(fxk_binary op, const int32_t *a, size_t stride_a, const int32_t *b, size_t stride_b, int32_t *y, size_t n);
void fxk_binary_i64(fxk_binary op, const int64_t *a, size_t stride_a, const int64_t *b, size_t stride_b, int64_t *y, size_t n);

// `rows` rows of `columns`: y[r, c] = op(a[r row_a + c stride_a], b[r row_b + c stride_b]).
// Row strides are in elements (0 repeats the row); column strides are 0 or 1; y is dense.
void fxk_binary_rows_f32(
  fxk_binary op, const float *a, size_t row_a, size_t stride_a, const float *b, size_t row_b, size_t stride_b, float *y,
  size_t rows, size_t columns);

typedef enum fxk_compare {
  FXK_COMPARE_EQ = 0,
  FXK_COMPARE_NE,
  FXK_COMPARE_LT,
  FXK_COMPARE_LE,
  FXK_COMPARE_GT,
  FXK_COMPARE_GE,
  FXK_COMPARE_COUNT,
} fxk_compare;

// y[i] = op(a[i stride_a], b[i stride_b]) as 0 or 1, with strides 0 or 1. Any comparison with NaN but NE is 0.
void fxk_compare_f32(fxk_compare op, const float *a, size_t stride_a, const float *b, size_t stride_b, uint8_t *y, size_t n);
void fxk_compare_i32(fxk_compare op, const int32_t *a, size_t stride_a, const int32_t *b, size_t stride_b, uint8_t *y, size_t n);
void fxk_compare_i64(fxk_compare op, const int64_t *a, size_t stride_a, const int64_t *b, size_t stride_b, uint8_t *y, size_t n);

// y[i] = mask[i stride_m] ? a[i stride_a] : b[i stride_b], with strides 0 or 1.
void fxk_select_f32(
  const uint8_t *mask, size_t stride_m, const float *a, size_t stride_a, const float *b, size_t stride_b, float *y, size_t n);

#endif
