// What becomes of sums: offset, scale, rounding, storing.

// A number between low and high, at most some thousands, rounded to nearest even: adding 1.5 × 2^23 leaves the integer in
// the low bits.
#define FXI_ROUNDER 12582912.0f
#define FXI_ROUNDER_BITS 0x4B400000

FXK_INLINE fxv fxi_float(fxi v) { return __builtin_convertvector(v, fxv); }

// Low where v is NaN.
FXK_INLINE fxv fxi_clamp(fxv v, fxv low, fxv high) {
  v = v > low ? v : low;
  return v < high ? v : high;
}

// How a vector of sums is stored, with everything that does not depend on the column made ready.
typedef struct {
  fxv low, high;
  fxi zero_point;  // less what the rounding leaves above the integer
  fxi_bytes flip;
} fxi_rounding;

FXK_INLINE fxi_rounding fxi_rounding_of(int32_t zero_point, int32_t low, int32_t high, uint8_t flip) {
  return (fxi_rounding){
    fxv_set((float)(low - zero_point)), fxv_set((float)(high - zero_point)), (fxi)(zero_point - FXI_ROUNDER_BITS),
    (fxi_bytes)(flip)};
}

// A number in units of the result's scale as a byte.
FXK_INLINE fxi_bytes fxi_quantized(fxv v, const fxi_rounding *r) {
  return fxi_narrow((fxi)(fxi_clamp(v, r->low, r->high) + FXI_ROUNDER) + r->zero_point) ^ r->flip;
}

FXK_INLINE void fxi_put_bytes(uint8_t *y, fxi_bytes v, size_t count) {
  if (count >= FXK_VW) {
    fxi_store_bytes(y, v);
  } else {
    uint8_t lanes[FXK_VW];
    fxi_store_bytes(lanes, v);
    memcpy(y, lanes, count);
  }
}

FXK_INLINE void fxi_put(void *y, fxi v, size_t count) {
  if (count >= FXK_VW) {
    fxi_store((int32_t *)y, v);
  } else {
    int32_t lanes[FXK_VW];
    fxi_store(lanes, v);
    memcpy(y, lanes, count * sizeof(int32_t));
  }
}

// Stores a vector of sums, offsets included, of the columns from `column` on, `count` of them.
FXK_INLINE void fxi_finish_vector(
  fxk_int_output output, const fxk_int_scaling *s, const fxi_rounding *rounding, fxi v, size_t column, size_t count, void *c) {
  if (output == FXK_INT_SUMS) {
    fxi_put(c, v, count);
    return;
  }
  fxv f = fxi_float(v) * fxv_load(s->scale + column);
  if (s->shift != NULL) f += fxv_load(s->shift + column);
  if (output == FXK_INT_FLOATS) fxi_put(c, (fxi)f, count);
  else fxi_put_bytes((uint8_t *)c, fxi_quantized(f, rounding), count);
}

// Stores `count` sums of a row; row_sum is the sum of A's row.
FXK_INLINE void fxi_finish_row(
  fxk_int_output output, const fxk_int_scaling *s, const fxi_rounding *rounding, const int32_t *sums, size_t column,
  size_t count, int32_t row_sum, void *c) {
  const size_t size = output == FXK_INT_BYTES ? 1 : 4;
  for (size_t j = 0; j < count; j += FXK_VW) {
    fxi v = fxi_load(sums + j);
    if (s->b_zero != NULL) v -= fxi_load(s->b_zero + column + j) * (fxi)(row_sum);
    fxi_finish_vector(output, s, rounding, v, column + j, count - j, (char *)c + j * size);
  }
}

FXK_INLINE size_t fxi_output_size(fxk_int_output output) { return output == FXK_INT_BYTES ? 1 : 4; }

#if FXI_AVX512
// Rows of up to 64 bytes: numbers are rounded as they are converted and saturate as they are packed, 16 bits and then 8.
// Scales below 1 keep numbers where the conversion does not overflow (`is_small`); a result without a sign whose zero is 0 and
// least (`is_plain`), as behind a relu, needs nothing but packing.
FXK_INLINE void fxi_finish_packed(
  const fxk_int_scaling *s, const bool is_small, const bool is_plain, const int32_t *sums, size_t sums_row, size_t rows, size_t column, size_t count, uint8_t *c,
  ptrdiff_t c_row, const int vectors) {
  const __m512 high = _mm512_set1_ps((float)(s->high - s->zero_point));
  const __m512i zero_point = _mm512_set1_epi16((short)s->zero_point), low = _mm512_set1_epi8((char)s->low);
  const __m512i flip = _mm512_set1_epi8((char)s->flip), most = _mm512_set1_epi8((char)s->high);
  // Packing leaves groups of four in the order of the lanes they come from.
  __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  // Hidden from the compiler, which makes three instructions of one that it knows the order of.
  __asm__("" : "+v"(order));
  const __mmask64 mask = count >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << count) - 1;
  __m512 scale[4];
  FXK_UNROLL
  for (int j = 0; j < vectors; ++j) scale[j] = _mm512_loadu_ps(s->scale + column + (size_t)j * 16);
  for (size_t i = 0; i < rows; ++i, sums += sums_row, c += c_row) {
    __m512i v[4];
    FXK_UNROLL
    for (int j = 0; j < 4; ++j) {
      if (j < vectors) {
        const __m512 number = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_loadu_si512(sums + j * 16)), scale[j]);
        v[j] = _mm512_cvtps_epi32(is_small ? number : _mm512_min_ps(number, high));
      } else {
        v[j] = _mm512_setzero_si512();
      }
    }
    __m512i a = _mm512_packs_epi32(v[0], v[1]), b = _mm512_packs_epi32(v[2], v[3]);
    if (!is_plain) {
      a = _mm512_adds_epi16(a, zero_point);
      b = _mm512_adds_epi16(b, zero_point);
    }
    __m512i bytes = _mm512_packus_epi16(a, b);
    if (is_small) bytes = _mm512_min_epu8(bytes, most);
    if (!is_plain) bytes = _mm512_xor_si512(_mm512_max_epu8(bytes, low), flip);
    _mm512_mask_storeu_epi8(c, mask, _mm512_permutexvar_epi32(order, bytes));
  }
}
#endif

// Whether no sum of some columns leaves the range of 32 bits when it is scaled.
static bool fxi_has_small_scales(const fxk_int_scaling *s, size_t column0, size_t column1) {
  if (s->output == FXK_INT_SUMS) return true;
  float largest = 0;
  for (size_t j = column0; j < column1; ++j) largest = fx_abs(s->scale[j]) <= largest ? largest : fx_abs(s->scale[j]);
  return largest < 0.5f;
}

// Stores rows of sums, offsets included, `sums_row` apart; c points to the first element.
static void fxi_finish(
  const fxk_int_scaling *s, bool is_small, const int32_t *sums, size_t sums_row, size_t rows, size_t column, size_t count,
  const int32_t *row_sums, void *c, ptrdiff_t c_row) {
  const fxi_rounding rounding = fxi_rounding_of(s->zero_point, s->low, s->high, s->flip);
  const ptrdiff_t step = c_row * (ptrdiff_t)fxi_output_size(s->output);
  if (s->output == FXK_INT_BYTES && s->b_zero == NULL && s->shift == NULL) {
#if FXI_AVX512
    const bool is_plain = is_small && s->zero_point == 0 && s->low == 0 && s->flip == 0;
    if (count >= 64 && is_plain) {
      fxi_finish_packed(s, true, true, sums, sums_row, rows, column, count, c, c_row, 4);
      return;
    }
    if (count >= 64 && is_small) {
      fxi_finish_packed(s, true, false, sums, sums_row, rows, column, count, c, c_row, 4);
      return;
    }
    switch ((count + 15) / 16) {
    case 1: fxi_finish_packed(s, false, false, sums, sums_row, rows, column, count, c, c_row, 1); return;
    case 2: fxi_finish_packed(s, false, false, sums, sums_row, rows, column, count, c, c_row, 2); return;
    case 3: fxi_finish_packed(s, false, false, sums, sums_row, rows, column, count, c, c_row, 3); return;
    default: fxi_finish_packed(s, false, false, sums, sums_row, rows, column, count, c, c_row, 4); return;
    }
#else
    (void)is_small;
#endif
    // The usual case: a vector of columns down the rows, so that what belongs to the columns stays in registers.
    for (size_t j = 0; j < count; j += FXK_VW) {
      const fxv scale = fxv_load(s->scale + column + j);
      const size_t left = count - j;
      uint8_t *target = (uint8_t *)c + j;
      for (size_t i = 0; i < rows; ++i, target += c_row) {
        const fxi_bytes v = fxi_quantized(fxi_float(fxi_load(sums + i * sums_row + j)) * scale, &rounding);
        if (left >= FXK_VW) fxi_store_bytes(target, v);
        else fxi_put_bytes(target, v, left);
      }
    }
    return;
  }
  for (size_t i = 0; i < rows; ++i) {
    const int32_t *row = sums + i * sums_row;
    void *target = (char *)c + (ptrdiff_t)i * step;
    switch (s->output) {
    case FXK_INT_BYTES: fxi_finish_row(FXK_INT_BYTES, s, &rounding, row, column, count, row_sums[i], target); break;
    case FXK_INT_FLOATS: fxi_finish_row(FXK_INT_FLOATS, s, &rounding, row, column, count, row_sums[i], target); break;
    case FXK_INT_SUMS: fxi_finish_row(FXK_INT_SUMS, s, &rounding, row, column, count, row_sums[i], target); break;
    }
  }
}
