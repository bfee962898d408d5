// Convolutions of 3 by 3 taps, each channel by itself, 64 channels at a time: the three bytes of a column of taps lie in one lane,
// so that one instruction multiplies a column for 16 channels, and columns are shared by the pixels that read them.
//
// Interleaving leaves the channels of four vectors in groups of four: lane 4L + i of vector j has channel 16L + 4j + i. Packing
// 32-bit numbers to bytes puts them in order again.

// Bytes of the packed weights of 64 channels: three columns of four vectors.
#define FXI_COLUMNS_BYTES (3 * 4 * 64)

// Packs weights that are given as numbers of 16 bits, [9][padded]; false if one does not fit in a byte.
static bool fxi_pack_columns(const int32_t *values, size_t padded, size_t channels, int8_t *packed) {
  memset(packed, 0, (channels + 63) / 64 * FXI_COLUMNS_BYTES);
  for (size_t c = 0; c < channels; ++c) {
    const size_t at = c % 64, lane = at / 16 * 4 + at % 4, vector = at % 16 / 4;
    for (size_t t = 0; t < 9; ++t) {
      const int32_t value = (int16_t)values[t * padded + c];
      if (value < -128 || value > 127) return false;
      packed[c / 64 * FXI_COLUMNS_BYTES + (t % 3 * 4 + vector) * 64 + lane * 4 + t / 3] = (int8_t)value;
    }
  }
  return true;
}

typedef struct {
  __m512i v[4];
} fxi_quad;

// Four vectors of 16 numbers, those past `count` zero, in the order of the lanes.
FXK_INLINE fxi_quad fxi_quad_of(const void *numbers, __mmask64 mask) {
  const int32_t *x = numbers;
  __m512i a[4];
  FXK_UNROLL
  for (int j = 0; j < 4; ++j) a[j] = _mm512_maskz_loadu_epi32((__mmask16)(mask >> (16 * j)), x + j * 16);
  const __m512i even01 = _mm512_shuffle_i32x4(a[0], a[1], 0x88), odd01 = _mm512_shuffle_i32x4(a[0], a[1], 0xDD);
  const __m512i even23 = _mm512_shuffle_i32x4(a[2], a[3], 0x88), odd23 = _mm512_shuffle_i32x4(a[2], a[3], 0xDD);
  return (fxi_quad){{
    _mm512_shuffle_i32x4(even01, even23, 0x88), _mm512_shuffle_i32x4(odd01, odd23, 0x88),
    _mm512_shuffle_i32x4(even01, even23, 0xDD), _mm512_shuffle_i32x4(odd01, odd23, 0xDD)}};
}

// The three bytes of a column of taps and a zero in every lane.
FXK_INLINE fxi_quad fxi_column(const uint8_t *x, size_t x_row) {
  const __m512i r0 = _mm512_loadu_si512(x), r1 = _mm512_loadu_si512(x + x_row), r2 = _mm512_loadu_si512(x + 2 * x_row);
  const __m512i zero = _mm512_setzero_si512();
  const __m512i low = _mm512_unpacklo_epi8(r0, r1), high = _mm512_unpackhi_epi8(r0, r1);
  const __m512i low2 = _mm512_unpacklo_epi8(r2, zero), high2 = _mm512_unpackhi_epi8(r2, zero);
  return (fxi_quad){{
    _mm512_unpacklo_epi16(low, low2), _mm512_unpackhi_epi16(low, low2), _mm512_unpacklo_epi16(high, high2),
    _mm512_unpackhi_epi16(high, high2)}};
}

// One row of the result, `count` channels of at most 64, as bytes. x is the first tap of the first pixel.
FXK_INLINE void fxi_columns_row(
  const fxk_int_depthwise *conv, const int8_t *weights, const uint8_t *x, size_t x_row, size_t channel, size_t count,
  uint8_t *y, const size_t stride) {
  const fxk_int_window *w = &conv->window;
  const fxk_int_scaling *s = &conv->scaling;
  const __mmask64 mask = count >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << count) - 1;
  const fxi_quad offset = fxi_quad_of(s->offset + channel, mask), scale = fxi_quad_of(s->scale + channel, mask);
  const __m512 most = _mm512_set1_ps((float)(s->high - s->zero_point));
  const __m512i zero_point = _mm512_set1_epi16((short)s->zero_point), low = _mm512_set1_epi8((char)s->low);
  const __m512i flip = _mm512_set1_epi8((char)s->flip);
  fxi_quad first = fxi_column(x, x_row), second = first;
  if (stride == 1) second = fxi_column(x + w->channels, x_row);
  x += stride * w->channels;
  for (size_t ox = 0; ox < w->out[1]; ++ox, x += stride * w->channels, y += w->channels) {
    if (stride == 2) second = fxi_column(x - w->channels, x_row);
    const fxi_quad third = fxi_column(stride == 1 ? x + w->channels : x, x_row);
    __m512i v[4];
    FXK_UNROLL
    for (int j = 0; j < 4; ++j) {
      __m512i sum = _mm512_dpbusd_epi32(offset.v[j], first.v[j], _mm512_loadu_si512(weights + j * 64));
      sum = _mm512_dpbusd_epi32(sum, second.v[j], _mm512_loadu_si512(weights + (4 + j) * 64));
      sum = _mm512_dpbusd_epi32(sum, third.v[j], _mm512_loadu_si512(weights + (8 + j) * 64));
      const __m512 number = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), (__m512)scale.v[j]);
      v[j] = _mm512_cvtps_epi32(_mm512_min_ps(number, most));
    }
    const __m512i a = _mm512_adds_epi16(_mm512_packs_epi32(v[0], v[1]), zero_point);
    const __m512i b = _mm512_adds_epi16(_mm512_packs_epi32(v[2], v[3]), zero_point);
    const __m512i bytes = _mm512_xor_si512(_mm512_max_epu8(_mm512_packus_epi16(a, b), low), flip);
    if (count >= 64) _mm512_storeu_si512(y, bytes);
    else _mm512_mask_storeu_epi8(y, mask, bytes);
    if (stride == 1) {
      first = second;
      second = third;
    } else {
      first = third;
    }
  }
}
