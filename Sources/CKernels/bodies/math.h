// Branch-free float32 functions that the compiler vectorizes inside loops.
//
// Polynomial coefficients are minimax fits (weighted least squares iterated to equal ripple) on the stated interval;
// the comment gives the error of the fit in exact arithmetic. Products and sums inside one expression may fuse.

#define FX_LOG2E 1.44269504088896341f
// ln 2 in two parts; the first has few bits, so that its product with a small integer is exact.
#define FX_LN2_HIGH 0.693359375f
#define FX_LN2_LOW -2.12194440e-4f

// e^r - 1 - r for |r| <= ln 2 / 2, relative to e^r 3.2e-9.
FXK_INLINE float fx_exp_tail(float r) {
  float p = 1.395047875e-03f;
  p = p * r + 8.368884213e-03f;
  p = p * r + 4.166620597e-02f;
  p = p * r + 1.666651815e-01f;
  p = p * r + 5.000000000e-01f;
  return p * (r * r);
}

FXK_INLINE float fx_exp(float x) {
  // Beyond these bounds the result is infinite or zero anyway; NaN fails both comparisons and passes.
  float c = x > 89.0f ? 89.0f : x;
  c = c < -104.0f ? -104.0f : c;
  // Adding 1.5 2^23 leaves the rounded integer in the low bits: no conversion that NaN would make undefined.
  float t = c * FX_LOG2E + 12582912.0f;
  int32_t n = (int32_t)(fx_bits(t) - 0x4B400000u);
  float nf = t - 12582912.0f;
  float r = c - nf * FX_LN2_HIGH;
  r = r - nf * FX_LN2_LOW;
  float p = 1.0f + (r + fx_exp_tail(r));
  // Two half-scales, each a normal number, so that denormal results and the last octave are right.
  int32_t n1 = n >> 1;
  int32_t n2 = n - n1;
  return p * fx_float((uint32_t)(n1 + 127) << 23) * fx_float((uint32_t)(n2 + 127) << 23);
}

FXK_INLINE float fx_expm1(float x) {
  float small = x + fx_exp_tail(x);
  float large = fx_exp(x) - 1.0f;
  return fx_abs(x) < 0.34f ? small : large;
}

// log(1 + f) for f in [1/sqrt 2 - 1, sqrt 2 - 1] without its first two terms, over f^3: error f^2 5.9e-9.
FXK_INLINE float fx_log_tail(float f) {
  float p = -7.859545946e-02f;
  p = p * f + 1.288162172e-01f;
  p = p * f + -1.312876791e-01f;
  p = p * f + 1.418119669e-01f;
  p = p * f + -1.662455350e-01f;
  p = p * f + 2.000228614e-01f;
  p = p * f + -2.500081062e-01f;
  p = p * f + 3.333331645e-01f;
  return p;
}

// log x for x >= 0 and NaN; negative arguments give anything.
FXK_INLINE float fx_log_positive(float x) {
  float denormal = x < 1.17549435e-38f ? 1.0f : 0.0f;
  float d = denormal != 0.0f ? x * 8388608.0f : x;
  uint32_t b = fx_bits(d);
  int32_t e = (int32_t)(b - 0x3F3504F3u) >> 23;
  float f = fx_float(b - ((uint32_t)e << 23)) - 1.0f;
  float ef = (float)e - denormal * 23.0f;
  float f2 = f * f;
  float low = fx_log_tail(f) * f * f2 + ef * FX_LN2_LOW;
  float r = (f + (low - 0.5f * f2)) + ef * FX_LN2_HIGH;
  r = x == __builtin_inff() ? x : r;
  r = x == 0.0f ? -__builtin_inff() : r;
  return x != x ? x : r;
}

FXK_INLINE float fx_log(float x) {
  float r = fx_log_positive(x);
  return x < 0.0f ? __builtin_nanf("") : r;
}

FXK_INLINE float fx_log1p(float x) {
  float u = 1.0f + x;
  // The rounding error of u, carried through the derivative 1 / u.
  float r = fx_log(u) + (x - (u - 1.0f)) / u;
  r = u == 1.0f ? x : r;
  r = x == -1.0f ? -__builtin_inff() : r;
  return x == __builtin_inff() ? x : r;
}

FXK_INLINE float fx_sigmoid(float x) {
  float e = fx_exp(-fx_abs(x));
  float s = 1.0f / (1.0f + e);
  return x < 0.0f ? e * s : s;
}

// tanh: an odd polynomial (4.1e-9) up to 0.625, 1 - 2 / (e^2|x| + 1) beyond.
FXK_INLINE float fx_tanh(float x) {
  float a = fx_abs(x);
  float z = a * a;
  float p = -5.717036780e-03f;
  p = p * z + 2.065057866e-02f;
  p = p * z + -5.374349654e-02f;
  p = p * z + 1.333149076e-01f;
  p = p * z + -3.333328366e-01f;
  float small = a + a * z * p;
  float large = 1.0f - 2.0f / (fx_exp(a + a) + 1.0f);
  return fx_copysign(a < 0.625f ? small : large, x);
}

// erf(a) / a in powers of z = a^2 on [0, 1]: 1.2e-9.
FXK_INLINE float fx_erf_small(float z) {
  float p = 7.853857824e-05f;
  p = p * z + -8.010192541e-04f;
  p = p * z + 5.188327748e-03f;
  p = p * z + -2.685381100e-02f;
  p = p * z + 1.128358543e-01f;
  p = p * z + -3.761262596e-01f;
  p = p * z + 1.128379107e+00f;
  return p;
}

// 1 - erf(a) on [0.98, 4] as 2 to a polynomial: 3e-11 absolute. NaN passes.
FXK_INLINE float fx_erfc_large(float a) {
  float c = a > 4.0f ? 4.0f : a;
  float t = -3.128745811e-05f;
  t = t * c + 6.367131136e-04f;
  t = t * c + -6.065896712e-03f;
  t = t * c + 3.636781499e-02f;
  t = t * c + -1.564149261e-01f;
  t = t * c + -9.135432243e-01f;
  t = t * c + -1.629637122e+00f;
  t = t * c + 2.712817513e-04f;
  float magic = t + 12582912.0f;
  float nf = magic - 12582912.0f;
  float r = (t - nf) * 0.693147180559945f;
  float p = 1.0f + (r + fx_exp_tail(r));
  uint32_t n = fx_bits(magic) - 0x4B400000u;
  return p * fx_float((n + 127u) << 23);
}

FXK_INLINE float fx_erf(float x) {
  float a = fx_abs(x);
  float small = a * fx_erf_small(a * a);
  float large = 1.0f - fx_erfc_large(a);
  return fx_copysign(a < 1.0f ? small : large, x);
}

// x (1 + erf(x / sqrt 2)) / 2. The negative side uses erfc itself, not 1 - erf: no cancellation.
FXK_INLINE float fx_gelu(float x) {
  float s = x * 0.707106781186547524f;
  float a = fx_abs(s);
  float small = 1.0f + s * fx_erf_small(s * s);
  float q = fx_erfc_large(a);
  q = a > 4.0f ? 0.0f : q;
  float large = s < 0.0f ? q : 2.0f - q;
  return 0.5f * x * (a < 1.0f ? small : large);
}

FXK_INLINE float fx_gelu_tanh(float x) {
  // x (1 + tanh u) / 2 = x sigmoid(2u), which keeps its precision on the negative side.
  float u = 1.59576912160573f * (x + 0.044715f * x * x * x);
  return x * fx_sigmoid(u);
}

FXK_INLINE float fx_softplus(float x) {
  float z = fx_exp(-fx_abs(x));
  float u = 1.0f + z;
  float l = fx_log_positive(u) + (z - (u - 1.0f)) / u;
  return (x > 0.0f ? x : 0.0f) + (x != x ? x : l);
}

FXK_INLINE float fx_mish(float x) {
  // tanh(log(1 + e)) = e (e + 2) / (e (e + 2) + 2); from 20 on it is 1 in float32.
  float e = fx_exp(x > 20.0f ? 20.0f : x);
  float n = e * (e + 2.0f);
  return x > 20.0f ? x : x * (n / (n + 2.0f));
}

// sin and cos of x for |x| <= 1e6: the quadrant is found and taken off in double, where pi / 2 has bits enough.
FXK_INLINE float fx_sin_quadrant(float x, uint32_t quadrant_offset) {
  double d = (double)x;
  double t = d * 0.636619772367581343 + 6755399441055744.0;
  uint32_t q = (uint32_t)fx_bits64(t) + quadrant_offset;
  double nf = t - 6755399441055744.0;
  float r = (float)((d - nf * 1.57079632679489656) - nf * 6.12323399573676604e-17);
  float z = r * r;
  // sin: 3.6e-9, cos: 9.6e-11 on [-pi/4, pi/4].
  float s = r + r * z * (-1.666665524e-01f + z * (8.332176134e-03f + z * -1.951695886e-04f));
  float c = 1.0f + (z * -0.5f + z * z * (4.166664556e-02f + z * (-1.388736418e-03f + z * 2.443806989e-05f)));
  float v = (q & 1u) != 0u ? c : s;
  return fx_float(fx_bits(v) ^ ((q & 2u) << 30));
}

// x^y for finite positive normal x and finite y: 2^(y log2 x) in double, rounded once.
FXK_INLINE float fx_pow_regular(float x, float y) {
  uint32_t b = fx_bits(x);
  int32_t e = (int32_t)(b - 0x3F3504F3u) >> 23;
  double m = (double)fx_float(b - ((uint32_t)e << 23));
  double s = (m - 1.0) / (m + 1.0);
  double z = s * s;
  // log2((1 + s) / (1 - s)) / s on the octave around 1: 2.6e-14.
  double p = 2.82909376398999657e-01;
  p = p * z + 3.19905007908924344e-01;
  p = p * z + 4.12209270413004591e-01;
  p = p * z + 5.77077942171928759e-01;
  p = p * z + 9.61796694114070760e-01;
  p = p * z + 2.88539008177784950e+00;
  double t = (double)y * ((double)e + s * p);
  t = t > 200.0 ? 200.0 : t;
  t = t < -200.0 ? -200.0 : t;
  double magic = t + 6755399441055744.0;
  double f = t - (magic - 6755399441055744.0);
  // 2^f on [-1/2, 1/2]: 4.1e-11.
  double r = 1.53164585474602365e-05;
  r = r * f + 1.54697316570747372e-04;
  r = r * f + 1.33334226586880522e-03;
  r = r * f + 9.61802560415015405e-03;
  r = r * f + 5.55041097609339507e-02;
  r = r * f + 2.40226512135840342e-01;
  r = r * f + 6.93147180535030216e-01;
  r = r * f + 9.99999999959550023e-01;
  uint64_t n = fx_bits64(magic) - fx_bits64(6755399441055744.0);
  return (float)(r * fx_double((n + 1023u) << 52));
}
