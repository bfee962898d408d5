// What every body header leans on: inlining, loop pragmas, bit casts and the vector type of the instruction set.
// Included once per instruction set, after FXK_VW (floats per vector) is defined.

#define FXK_INLINE static inline __attribute__((always_inline))

// The arrays of an elementwise loop are disjoint or identical (in place), so iterations are independent.
#define FXK_LOOP _Pragma("clang loop vectorize(assume_safety) interleave(enable)")
#define FXK_UNROLL _Pragma("clang loop unroll(full)")

typedef float fxv __attribute__((ext_vector_type(FXK_VW)));
typedef int32_t fxv_mask __attribute__((ext_vector_type(FXK_VW)));
typedef float fxv_unaligned __attribute__((ext_vector_type(FXK_VW), aligned(4), may_alias));

FXK_INLINE fxv fxv_load(const float *p) { return *(const fxv_unaligned *)p; }
FXK_INLINE void fxv_store(float *p, fxv v) { *(fxv_unaligned *)p = v; }
FXK_INLINE fxv fxv_set(float x) { return (fxv)(x); }

// Elements 0, 2, 4, ... of two adjacent vectors.
FXK_INLINE fxv fxv_even(fxv a, fxv b) {
#if FXK_VW == 4
  return __builtin_shufflevector(a, b, 0, 2, 4, 6);
#elif FXK_VW == 8
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
#else
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#endif
}

// The sum of the lanes, always halving in the same order.
FXK_INLINE float fxv_sum(fxv v) {
  float lanes[FXK_VW];
  fxv_store(lanes, v);
  FXK_UNROLL
  for (int width = FXK_VW / 2; width > 0; width /= 2) {
    FXK_UNROLL
    for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

FXK_INLINE uint32_t fx_bits(float x) {
  union { float f; uint32_t u; } c = {.f = x};
  return c.u;
}

FXK_INLINE float fx_float(uint32_t u) {
  union { uint32_t u; float f; } c = {.u = u};
  return c.f;
}

FXK_INLINE uint64_t fx_bits64(double x) {
  union { double f; uint64_t u; } c = {.f = x};
  return c.u;
}

FXK_INLINE double fx_double(uint64_t u) {
  union { uint64_t u; double f; } c = {.u = u};
  return c.f;
}

FXK_INLINE float fx_sqrt(float x) { return __builtin_elementwise_sqrt(x); }
FXK_INLINE float fx_abs(float x) { return fx_float(fx_bits(x) & 0x7FFFFFFFu); }
FXK_INLINE float fx_copysign(float x, float s) {
  return fx_float((fx_bits(x) & 0x7FFFFFFFu) | (fx_bits(s) & 0x80000000u));
}

// Round half to even. Without a rounding instruction the compiler would call libm for each element: adding and
// subtracting 2^23 rounds every magnitude below it, and those above are integers already.
FXK_INLINE float fx_round(float x) {
#if FXK_ROUND_INSTRUCTION
  return __builtin_elementwise_roundeven(x);
#else
  float a = fx_abs(x);
  float r = (a + 8388608.0f) - 8388608.0f;
  return a < 8388608.0f ? fx_copysign(r, x) : x;
#endif
}

FXK_INLINE float fx_floor(float x) {
#if FXK_ROUND_INSTRUCTION
  return __builtin_elementwise_floor(x);
#else
  float r = fx_round(x);
  return r > x ? fx_copysign(r - 1.0f, x) : r;
#endif
}

FXK_INLINE float fx_ceil(float x) { return -fx_floor(-x); }
FXK_INLINE float fx_trunc(float x) { return fx_copysign(fx_floor(fx_abs(x)), x); }
