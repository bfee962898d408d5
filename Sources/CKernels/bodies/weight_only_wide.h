// Products with weights of 4 bits, 128 weights at a time: 64 bytes of codes are 16 lanes of 8 weights, and each lane's lowest 4
// bits choose a number from a table in a register.

// The codes' numbers less `zero`.
FXK_INLINE __m512 fxi_code_table(float zero) {
  return _mm512_sub_ps(_mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_ps(zero));
}

// Σ over the blocks of scale × zero × the sum of X.
FXK_INLINE float fxi_zero_part(const fxk_weight_only *p, size_t column, const float *scales, const float *sums) {
  const size_t blocks = fxi_blocks(p);
  const uint8_t *zeros = p->zeros + column * ((blocks + 1) / 2);
  const __m512 table = fxi_code_table(0);
  const __m512i shifts = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  const __m512i words = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  __m512 total = _mm512_setzero_ps();
  for (size_t b = 0; b < blocks; b += 16) {
    const size_t left = blocks - b < 16 ? blocks - b : 16;
    const __mmask16 mask = (__mmask16)((1u << left) - 1);
    const __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, scales + b), _mm512_maskz_loadu_ps(mask, sums + b));
    const __m128i bytes = _mm_maskz_loadu_epi8((__mmask16)((1u << (left + 1) / 2) - 1), zeros + b / 2);
    const __m512i codes = _mm512_srlv_epi32(_mm512_permutexvar_epi32(words, _mm512_castsi128_si512(bytes)), shifts);
    total = _mm512_fmadd_ps(scaled, _mm512_permutexvar_ps(codes, table), total);
  }
  return fxv_sum((fxv)total);
}

// One column of `rows` rows.
FXK_INLINE void fxi_weight_column_wide(
  const fxk_weight_only *p, size_t column, const float *x, const float *sums, float *y, const int rows) {
  const size_t blocks = fxi_blocks(p), x_row = fxi_split_row(p), length = blocks * p->block / 2;
  const uint8_t *codes = p->codes + column * length;
  const float *scales = p->scales + column * blocks;
  // Without zero points all are 8, and the table has them.
  const __m512 table = fxi_code_table(p->zeros == NULL ? 8.0f : 0.0f);
  int32_t places[16];
  FXK_UNROLL
  for (int lane = 0; lane < 16; ++lane) places[lane] = (int32_t)((size_t)lane * 8 / p->block);
  const __m512i place = _mm512_loadu_si512(places);
  __m512 total[FXI_WEIGHT_ROWS];
  FXK_UNROLL
  for (int i = 0; i < rows; ++i) total[i] = _mm512_setzero_ps();
  size_t block = 0, end = p->block / 2;
  for (size_t byte = 0; byte < length; byte += 64, x += 128) {
    // The block of the first weight.
    for (; end <= byte; end += p->block / 2) ++block;
    // Past the last block X is zero, and so is the scale.
    const __mmask64 within = length - byte >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << (length - byte)) - 1;
    __m512i code = _mm512_maskz_loadu_epi8(within, codes + byte);
    const size_t left = blocks - block < 4 ? blocks - block : 4;
    const __m128 four = _mm_maskz_loadu_ps((__mmask8)((1u << left) - 1), scales + block);
    const __m512 scale = _mm512_permutexvar_ps(place, _mm512_castps128_ps512(four));
    __m512 sum[FXI_WEIGHT_ROWS];
    FXK_UNROLL
    for (int j = 0; j < 8; ++j) {
      const __m512 number = _mm512_permutexvar_ps(code, table);
      code = _mm512_srli_epi32(code, 4);
      FXK_UNROLL
      for (int i = 0; i < rows; ++i) {
        const __m512 v = _mm512_loadu_ps(x + (size_t)i * x_row + j * 16);
        sum[i] = j == 0 ? _mm512_mul_ps(number, v) : _mm512_fmadd_ps(number, v, sum[i]);
      }
    }
    FXK_UNROLL
    for (int i = 0; i < rows; ++i) total[i] = _mm512_fmadd_ps(sum[i], scale, total[i]);
  }
  FXK_UNROLL
  for (int i = 0; i < rows; ++i) {
    float result = fxv_sum((fxv)total[i]);
    if (p->zeros != NULL) result -= fxi_zero_part(p, column, scales, sums + (size_t)i * blocks);
    y[(size_t)i * p->n + column] = result + (p->bias != NULL ? p->bias[column] : 0);
  }
}
