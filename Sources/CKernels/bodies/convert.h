// Conversions between element types. See include/fxk_convert.h.

static void f16_to_f32(const uint16_t *x, float *y, size_t n) {
  size_t i = 0;
#if FXK_F16C
  for (; i + 8 <= n; i += 8) {
    _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(x + i))));
  }
#endif
  FXK_LOOP
  for (size_t j = i; j < n; ++j) {
    const uint32_t h = x[j], sign = (h & 0x8000u) << 16, rest = h & 0x7FFFu;
    // Denormals by a product with 2^-24; the others by moving the exponent, infinity and NaN to the top of it.
    const float denormal = (float)(int32_t)rest * 5.9604644775390625e-8f;
    const uint32_t quiet = rest > 0x7C00u ? 0x00400000u : 0u;
    const uint32_t normal = (rest << 13) + (rest >= 0x7C00u ? 0x70000000u : 0x38000000u);
    y[j] = fx_float((rest < 0x0400u ? fx_bits(denormal) : normal | quiet) | sign);
  }
}

static void f32_to_f16(const float *x, uint16_t *y, size_t n) {
  size_t i = 0;
#if FXK_F16C
  for (; i + 8 <= n; i += 8) {
    _mm_storeu_si128((__m128i *)(y + i), _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
  }
#endif
  FXK_LOOP
  for (size_t j = i; j < n; ++j) {
    const uint32_t b = fx_bits(x[j]), sign = (b >> 16) & 0x8000u, a = b & 0x7FFFFFFFu;
    // Below 2^-14 the result is a count of 2^-24: adding 0.5 leaves it, rounded, in the low bits of the sum.
    const uint32_t denormal = fx_bits(fx_float(a < 0x38800000u ? a : 0u) + 0.5f) - 0x3F000000u;
    const uint32_t normal = (a - 0x38000000u + 0x0FFFu + ((a >> 13) & 1u)) >> 13;
    const uint32_t finite = a < 0x38800000u ? denormal : (a >= 0x477FF000u ? 0x7C00u : normal);
    const uint32_t nan = 0x7E00u | ((a >> 13) & 0x01FFu);
    y[j] = (uint16_t)(sign | (a > 0x7F800000u ? nan : finite));
  }
}

static void bf16_to_f32(const uint16_t *x, float *y, size_t n) {
  FXK_LOOP
  for (size_t i = 0; i < n; ++i) y[i] = fx_float((uint32_t)x[i] << 16);
}

static void f32_to_bf16(const float *x, uint16_t *y, size_t n) {
  FXK_LOOP
  for (size_t i = 0; i < n; ++i) {
    const uint32_t b = fx_bits(x[i]);
    const uint32_t rounded = (b + 0x7FFFu + ((b >> 16) & 1u)) >> 16;
    y[i] = (uint16_t)((b & 0x7FFFFFFFu) > 0x7F800000u ? (b >> 16) | 0x0040u : rounded);
  }
}

#define FXK_WIDEN(name, from, to)                           \
  static void name(const from *x, to *y, size_t n) {        \
    FXK_LOOP                                                \
    for (size_t i = 0; i < n; ++i) y[i] = (to)x[i];         \
  }

FXK_WIDEN(i8_to_f32, int8_t, float)
FXK_WIDEN(u8_to_f32, uint8_t, float)
FXK_WIDEN(i32_to_f32, int32_t, float)
FXK_WIDEN(i64_to_f32, int64_t, float)
FXK_WIDEN(f64_to_f32, double, float)
FXK_WIDEN(f32_to_f64, float, double)
FXK_WIDEN(i32_to_i64, int32_t, int64_t)

static void i64_to_i32(const int64_t *x, int32_t *y, size_t n) {
  FXK_LOOP
  for (size_t i = 0; i < n; ++i) y[i] = (int32_t)(uint32_t)(uint64_t)x[i];
}

static void f32_to_i32(const float *x, int32_t *y, size_t n) {
  FXK_LOOP
  for (size_t i = 0; i < n; ++i) {
    const float v = x[i];
    // 2147483520 is the largest float below 2^31.
    const float low = v < -2147483648.0f ? -2147483648.0f : v;
    const float bounded = low > 2147483520.0f ? 2147483520.0f : low;
    const int32_t whole = (int32_t)(v == v ? bounded : 0.0f);
    y[i] = v >= 2147483648.0f ? INT32_MAX : whole;
  }
}

static void f32_to_i64(const float *x, int64_t *y, size_t n) {
  FXK_LOOP
  for (size_t i = 0; i < n; ++i) {
    const float v = x[i];
    const float low = v < -9223372036854775808.0f ? -9223372036854775808.0f : v;
    const float bounded = low > 9223371487098961920.0f ? 9223371487098961920.0f : low;
    const int64_t whole = (int64_t)(v == v ? bounded : 0.0f);
    y[i] = v >= 9223372036854775808.0f ? INT64_MAX : whole;
  }
}

// Rounded x / scale plus the zero point, in [low, high]. The division stays one, as the definition rounds it.
FXK_INLINE int32_t quantize_one(float x, float scale, float zero_point, float low, float high) {
  const float v = fx_round(x / scale) + zero_point;
  const float w = v == v ? v : zero_point;
  const float bounded = w < low ? low : w;
  return (int32_t)(bounded > high ? high : bounded);
}

static void quantize_i8(const float *x, int8_t *y, size_t n, float scale, int32_t zero_point) {
  FXK_LOOP
  for (size_t i = 0; i < n; ++i) y[i] = (int8_t)quantize_one(x[i], scale, (float)zero_point, -128.0f, 127.0f);
}

static void quantize_u8(const float *x, uint8_t *y, size_t n, float scale, int32_t zero_point) {
  FXK_LOOP
  for (size_t i = 0; i < n; ++i) y[i] = (uint8_t)quantize_one(x[i], scale, (float)zero_point, 0.0f, 255.0f);
}

static void dequantize_i8(const int8_t *x, float *y, size_t n, float scale, int32_t zero_point) {
  FXK_LOOP
  for (size_t i = 0; i < n; ++i) y[i] = (float)((int32_t)x[i] - zero_point) * scale;
}

static void dequantize_u8(const uint8_t *x, float *y, size_t n, float scale, int32_t zero_point) {
  FXK_LOOP
  for (size_t i = 0; i < n; ++i) y[i] = (float)((int32_t)x[i] - zero_point) * scale;
}

static void dequantize_i32(const int32_t *x, float *y, size_t n, float scale, int32_t zero_point) {
  FXK_LOOP
  for (size_t i = 0; i < n; ++i) y[i] = (float)(int32_t)((uint32_t)x[i] - (uint32_t)zero_point) * scale;
}
