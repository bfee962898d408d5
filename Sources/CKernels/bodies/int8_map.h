// Functions of bytes one by one, and pooling.

// Bytes [i, i + FXK_VW) of a row of `count`, or its one byte; what lies past the end is anything.
FXK_INLINE fxi fxi_bytes_at(const uint8_t *x, size_t stride, size_t i, size_t count, uint8_t flip) {
  if (stride == 0) return (fxi)((int32_t)(x[0] ^ flip));
  if (count - i >= FXK_VW) return fxi_widen(fxi_load_bytes(x + i) ^ (fxi_bytes)(flip));
  uint8_t lanes[FXK_VW] = {0};
  memcpy(lanes, x + i, count - i);
  return fxi_widen(fxi_load_bytes(lanes) ^ (fxi_bytes)(flip));
}

#if FXI_AVX512
// 64 sums by two multiplications each instead of a division; false, and nothing stored, if one may fall to another byte for
// that: if it is nearer to a tie than all roundings together can move it.
FXK_INLINE bool fxi_add_64(
  const fxk_int_binary *op, __m512 a_ratio, __m512 b_ratio, __m512 shift, __m512 nearest, const uint8_t *a, const uint8_t *b,
  uint8_t *y) {
  const __m128i a_flip = _mm_set1_epi8((char)op->a_flip), b_flip = _mm_set1_epi8((char)op->b_flip);
  __m512i v[4];
  __mmask16 near = 0;
  FXK_UNROLL
  for (int j = 0; j < 4; ++j) {
    const __m128i u = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)(a + 16 * j)), a_flip);
    const __m128i w = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)(b + 16 * j)), b_flip);
    __m512 sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(u)), a_ratio, shift);
    sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(w)), b_ratio, sum);
    near |= _mm512_cmp_ps_mask(_mm512_abs_ps(_mm512_reduce_ps(sum, 0)), nearest, _CMP_NLT_UQ);
    v[j] = _mm512_cvtps_epi32(sum);
  }
  if (near != 0) return false;
  __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __asm__("" : "+v"(order));
  const __m512i zero = _mm512_set1_epi16((short)op->y_zero);
  const __m512i p = _mm512_adds_epi16(_mm512_packs_epi32(v[0], v[1]), zero);
  const __m512i q = _mm512_adds_epi16(_mm512_packs_epi32(v[2], v[3]), zero);
  __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(p, q));
  bytes = _mm512_min_epu8(_mm512_max_epu8(bytes, _mm512_set1_epi8((char)op->low)), _mm512_set1_epi8((char)op->high));
  _mm512_storeu_si512(y, _mm512_xor_si512(bytes, _mm512_set1_epi8((char)op->y_flip)));
  return true;
}
#endif

static void int_binary_rows(
  const fxk_int_binary *op, const uint8_t *a, size_t a_row, size_t a_column, const uint8_t *b, size_t b_row, size_t b_column,
  uint8_t *y, size_t rows, size_t columns) {
  const fxi_rounding rounding = fxi_rounding_of(op->y_zero, op->low, op->high, op->y_flip);
  const fxv a_scale = fxv_set(op->a_scale), b_scale = fxv_set(op->b_scale), y_scale = fxv_set(op->y_scale);
  const fxi a_zero = (fxi)(op->a_zero), b_zero = (fxi)(op->b_zero);
#if FXI_AVX512
  const float a_ratio = op->a_scale / op->y_scale, b_ratio = op->b_scale / op->y_scale;
  const float shift = -(float)op->a_zero * a_ratio - (float)op->b_zero * b_ratio;
  const __m512 a_ratios = _mm512_set1_ps(a_ratio), b_ratios = _mm512_set1_ps(b_ratio), shifts = _mm512_set1_ps(shift);
  // Each of some roundings moves a result by 2^-24 of the largest number on the way.
  const float largest = 255 * (a_ratio + b_ratio) + 256 + (shift < 0 ? -shift : shift);
  const __m512 nearest = _mm512_set1_ps(0.5f - 5e-7f * largest);
  const bool is_plain = !op->multiplies && a_column == 1 && b_column == 1;
#endif
  for (size_t r = 0; r < rows; ++r, a += a_row, b += b_row, y += columns) {
    for (size_t i = 0; i < columns; i += FXK_VW) {
#if FXI_AVX512
      if (is_plain && i % 64 == 0 && columns - i >= 64
        && fxi_add_64(op, a_ratios, b_ratios, shifts, nearest, a + i, b + i, y + i)) {
        i += 64 - FXK_VW;
        continue;
      }
#endif
      const fxv u = fxi_float(fxi_bytes_at(a, a_column, i, columns, op->a_flip) - a_zero) * a_scale;
      const fxv v = fxi_float(fxi_bytes_at(b, b_column, i, columns, op->b_flip) - b_zero) * b_scale;
      // Kept from becoming one rounding, so that the bits are those of the operators one by one.
      fxv sum;
      {
#pragma clang fp contract(off)
        sum = op->multiplies ? u * v : u + v;
      }
      fxi_put_bytes(y + i, fxi_quantized(sum / y_scale, &rounding), columns - i);
    }
  }
}

static void int_lookup(const uint8_t *table, const uint8_t *x, uint8_t *y, size_t n) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    FXK_UNROLL
    for (int j = 0; j < 8; ++j) y[i + (size_t)j] = table[x[i + (size_t)j]];
  }
  for (; i < n; ++i) y[i] = table[x[i]];
}

// The taps of a window that lie inside of an image along one axis, for pixel `o` of the result.
FXK_INLINE void fxi_taps(const fxk_int_window *w, int axis, size_t o, size_t *first, size_t *last) {
  const ptrdiff_t start = (ptrdiff_t)(o * w->stride[axis]) - (ptrdiff_t)w->pad[axis];
  const ptrdiff_t step = (ptrdiff_t)w->dilation[axis], size = (ptrdiff_t)w->in[axis];
  const ptrdiff_t begin = start < 0 ? (-start + step - 1) / step : 0;
  ptrdiff_t end = start >= size ? 0 : (size - start + step - 1) / step;
  if (end > (ptrdiff_t)w->kernel[axis]) end = (ptrdiff_t)w->kernel[axis];
  *first = (size_t)begin;
  *last = (size_t)(end < begin ? begin : end);
}

static void int_max_pool(
  const fxk_int_window *w, uint8_t flip, const uint8_t *x, uint8_t *y, size_t row0, size_t row1) {
  const size_t channels = w->channels;
  for (size_t row = row0; row < row1; ++row) {
    const uint8_t *image = x + row / w->out[0] * w->in[0] * w->in[1] * channels;
    size_t y0, y1;
    fxi_taps(w, 0, row % w->out[0], &y0, &y1);
    for (size_t ox = 0; ox < w->out[1]; ++ox) {
      uint8_t *target = y + (row * w->out[1] + ox) * channels;
      size_t x0, x1;
      fxi_taps(w, 1, ox, &x0, &x1);
      memset(target, flip, channels);
      for (size_t ky = y0; ky < y1; ++ky) {
        const size_t iy = row % w->out[0] * w->stride[0] + ky * w->dilation[0] - w->pad[0];
        for (size_t kx = x0; kx < x1; ++kx) {
          const size_t ix = ox * w->stride[1] + kx * w->dilation[1] - w->pad[1];
          const uint8_t *source = image + (iy * w->in[1] + ix) * channels;
          if (flip == 0) {
            FXK_LOOP
            for (size_t c = 0; c < channels; ++c) target[c] = target[c] > source[c] ? target[c] : source[c];
          } else {
            int8_t *t = (int8_t *)target;
            const int8_t *s = (const int8_t *)source;
            FXK_LOOP
            for (size_t c = 0; c < channels; ++c) t[c] = t[c] > s[c] ? t[c] : s[c];
          }
        }
      }
    }
  }
}

static void int_average_pool(
  const fxk_int_window *w, const fxk_int_mean *mean, bool counts_padding, const uint8_t *x, uint8_t *y, size_t row0,
  size_t row1, int32_t *scratch) {
  const fxi_rounding rounding = fxi_rounding_of(mean->y_zero, mean->low, mean->high, mean->y_flip);
  const size_t channels = w->channels;
  for (size_t row = row0; row < row1; ++row) {
    const uint8_t *image = x + row / w->out[0] * w->in[0] * w->in[1] * channels;
    size_t y0, y1;
    fxi_taps(w, 0, row % w->out[0], &y0, &y1);
    for (size_t ox = 0; ox < w->out[1]; ++ox) {
      size_t x0, x1;
      fxi_taps(w, 1, ox, &x0, &x1);
      memset(scratch, 0, channels * sizeof(int32_t));
      for (size_t ky = y0; ky < y1; ++ky) {
        const size_t iy = row % w->out[0] * w->stride[0] + ky * w->dilation[0] - w->pad[0];
        for (size_t kx = x0; kx < x1; ++kx) {
          const size_t ix = ox * w->stride[1] + kx * w->dilation[1] - w->pad[1];
          const uint8_t *source = image + (iy * w->in[1] + ix) * channels;
          FXK_LOOP
          for (size_t c = 0; c < channels; ++c) scratch[c] += source[c] ^ mean->x_flip;
        }
      }
      const size_t taps = (y1 - y0) * (x1 - x0);
      const fxi zeros = (fxi)(mean->x_zero * (int32_t)taps);
      const fxv count = fxv_set((float)(counts_padding ? w->kernel[0] * w->kernel[1] : taps ? taps : 1));
      uint8_t *target = y + (row * w->out[1] + ox) * channels;
      for (size_t c = 0; c < channels; c += FXK_VW) {
        // scratch ends at a whole vector.
        const fxv v = fxi_float(fxi_load(scratch + c) - zeros) * fxv_set(mean->x_scale) / count / fxv_set(mean->y_scale);
        fxi_put_bytes(target + c, fxi_quantized(v, &rounding), channels - c);
      }
    }
  }
}

static void range_f32(const float *x, size_t n, float *low, float *high) {
  fxv least = fxv_set(0), most = fxv_set(0);
  size_t i = 0;
  for (; i + FXK_VW <= n; i += FXK_VW) {
    const fxv v = fxv_load(x + i);
    least = v < least ? v : least;
    most = v > most ? v : most;
  }
  float a[FXK_VW], b[FXK_VW];
  fxv_store(a, least);
  fxv_store(b, most);
  *low = 0;
  *high = 0;
  for (int j = 0; j < FXK_VW; ++j) {
    if (a[j] < *low) *low = a[j];
    if (b[j] > *high) *high = b[j];
  }
  for (; i < n; ++i) {
    if (x[i] < *low) *low = x[i];
    if (x[i] > *high) *high = x[i];
  }
}
