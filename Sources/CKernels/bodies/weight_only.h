// Products with weights of 4 or 8 bits that are decoded in registers.
//
// With 4 bits, vectors of 16 lanes hold 8 neighbours in each lane, and a table in a register turns the lowest 4 bits of every
// lane into numbers at once: X is split by position modulo 8 (weight_only_wide.h). Narrower vectors widen bytes, which hold
// two neighbours: X is split into its even and odd elements. Σ (code − zero) x = Σ code x − zero Σ x, whose second sum is one
// per block.

enum { FXI_WEIGHT_ROWS = 4 };

FXK_INLINE size_t fxi_blocks(const fxk_weight_only *p) { return (p->k + p->block - 1) / p->block; }

// Weights of a column that are decoded together, by which X is split.
FXK_INLINE size_t fxi_split_unit(const fxk_weight_only *p) { return p->bits == 4 ? (FXI_AVX512 ? 128 : 32) : 1; }

// Floats of X, split and padded to whole blocks and units, and of its sums, for each row.
FXK_INLINE size_t fxi_split_row(const fxk_weight_only *p) {
  const size_t unit = fxi_split_unit(p);
  return (fxi_blocks(p) * p->block + unit - 1) / unit * unit;
}

static size_t weight_only_scratch(const fxk_weight_only *p) {
  return (p->m < FXI_WEIGHT_ROWS ? p->m : FXI_WEIGHT_ROWS) * (fxi_split_row(p) + fxi_blocks(p)) + 2 * FXK_VW;
}

// The element of X that goes to place i.
FXK_INLINE size_t fxi_split_source(const fxk_weight_only *p, size_t i) {
  const size_t unit = fxi_split_unit(p), at = i % unit;
  if (unit == 1) return i;
  const size_t lanes = 16, each = unit / lanes;
  return i - at + at % lanes * each + at / lanes;
}

// X as it meets the codes, and the sums of its blocks.
static void fxi_split(const fxk_weight_only *p, const float *x, float *y, float *sums) {
  const size_t length = fxi_split_row(p);
  for (size_t i = 0; i < length; ++i) {
    const size_t source = fxi_split_source(p, i);
    y[i] = source < p->k ? x[source] : 0;
  }
  for (size_t block = 0; block < fxi_blocks(p); ++block) {
    const size_t first = block * p->block, count = p->k - first < p->block ? p->k - first : p->block;
    fxv sum = fxv_set(0);
    size_t i = 0;
    for (; i + FXK_VW <= count; i += FXK_VW) sum += fxv_load(x + first + i);
    float rest = 0;
    for (; i < count; ++i) rest += x[first + i];
    sums[block] = fxv_sum(sum) + rest;
  }
}

FXK_INLINE float fxi_zero(const fxk_weight_only *p, size_t column, size_t block) {
  if (p->zeros == NULL) return p->bits == 4 ? 8.0f : 128.0f;
  if (p->bits == 8) return p->zeros[column * fxi_blocks(p) + block];
  const uint8_t byte = p->zeros[column * ((fxi_blocks(p) + 1) / 2) + block / 2];
  return (float)(block % 2 == 0 ? byte & 15 : byte >> 4);
}

#if FXI_AVX512
#include "weight_only_wide.h"
#endif

// One column of `rows` rows.
FXK_INLINE void fxi_weight_column(
  const fxk_weight_only *p, size_t column, const float *x, const float *sums, float *y, const int rows, const int bits) {
#if FXI_AVX512
  if (bits == 4) {
    fxi_weight_column_wide(p, column, x, sums, y, rows);
    return;
  }
#endif
  const size_t blocks = fxi_blocks(p), bytes = p->block * (size_t)bits / 8, x_row = fxi_split_row(p);
  const uint8_t *codes = p->codes + column * blocks * bytes;
  const float *scales = p->scales + column * blocks;
  fxv total[FXI_WEIGHT_ROWS];
  float shifts[FXI_WEIGHT_ROWS];
  FXK_UNROLL
  for (int i = 0; i < rows; ++i) {
    total[i] = fxv_set(0);
    shifts[i] = 0;
  }
  for (size_t block = 0; block < blocks; ++block) {
    fxv sum[FXI_WEIGHT_ROWS];
    FXK_UNROLL
    for (int i = 0; i < rows; ++i) sum[i] = fxv_set(0);
    for (size_t chunk = 0; chunk < p->block; chunk += 32) {
      const float *xs = x + block * p->block + chunk;
      FXK_UNROLL
      for (size_t j = 0; j < 16 / FXK_VW * (size_t)(bits == 4 ? 1 : 2); ++j) {
        const fxi code = fxi_widen(fxi_load_bytes(codes + j * FXK_VW));
        const fxv low = fxi_float(bits == 4 ? code & 15 : code);
        FXK_UNROLL
        for (int i = 0; i < rows; ++i) sum[i] += low * fxv_load(xs + (size_t)i * x_row + j * FXK_VW);
        if (bits == 4) {
          const fxv high = fxi_float(code >> 4);
          FXK_UNROLL
          for (int i = 0; i < rows; ++i) sum[i] += high * fxv_load(xs + (size_t)i * x_row + 16 + j * FXK_VW);
        }
      }
      codes += 4 * bits;
    }
    const float scale = scales[block], zero = scale * fxi_zero(p, column, block);
    FXK_UNROLL
    for (int i = 0; i < rows; ++i) {
      total[i] += sum[i] * fxv_set(scale);
      shifts[i] += zero * sums[(size_t)i * blocks + block];
    }
  }
  FXK_UNROLL
  for (int i = 0; i < rows; ++i) {
    y[(size_t)i * p->n + column] = fxv_sum(total[i]) - shifts[i] + (p->bias != NULL ? p->bias[column] : 0);
  }
}

#define FXI_WEIGHT_COLUMNS(rows, bits)                                                                        \
  static void fxi_weight_columns_##rows##_##bits(                                                             \
    const fxk_weight_only *p, size_t column0, size_t column1, const float *x, const float *sums, float *y) {  \
    for (size_t j = column0; j < column1; ++j) fxi_weight_column(p, j, x, sums, y, rows, bits);                \
  }
FXI_WEIGHT_COLUMNS(1, 4)
FXI_WEIGHT_COLUMNS(2, 4)
FXI_WEIGHT_COLUMNS(3, 4)
FXI_WEIGHT_COLUMNS(4, 4)
FXI_WEIGHT_COLUMNS(1, 8)
FXI_WEIGHT_COLUMNS(2, 8)
FXI_WEIGHT_COLUMNS(3, 8)
FXI_WEIGHT_COLUMNS(4, 8)

static void weight_only_run(const fxk_weight_only *p, size_t column0, size_t column1, float *scratch) {
  for (size_t row = 0; row < p->m; row += FXI_WEIGHT_ROWS) {
    const size_t rows = p->m - row < FXI_WEIGHT_ROWS ? p->m - row : FXI_WEIGHT_ROWS;
    float *x = scratch, *sums = scratch + rows * fxi_split_row(p), *y = p->y + row * p->n;
    for (size_t i = 0; i < rows; ++i) {
      fxi_split(p, p->x + (row + i) * p->k, x + i * fxi_split_row(p), sums + i * fxi_blocks(p));
    }
    switch (rows * 10 + (size_t)p->bits) {
    case 14: fxi_weight_columns_1_4(p, column0, column1, x, sums, y); break;
    case 24: fxi_weight_columns_2_4(p, column0, column1, x, sums, y); break;
    case 34: fxi_weight_columns_3_4(p, column0, column1, x, sums, y); break;
    case 44: fxi_weight_columns_4_4(p, column0, column1, x, sums, y); break;
    case 18: fxi_weight_columns_1_8(p, column0, column1, x, sums, y); break;
    case 28: fxi_weight_columns_2_8(p, column0, column1, x, sums, y); break;
    case 38: fxi_weight_columns_3_8(p, column0, column1, x, sums, y); break;
    default: fxi_weight_columns_4_8(p, column0, column1, x, sums, y); break;
    }
  }
}

static void weight_only_numbers(const fxk_weight_only *p, size_t column0, size_t column1, float *y) {
  const size_t blocks = fxi_blocks(p), bytes = p->block * (size_t)p->bits / 8;
  for (size_t column = column0; column < column1; ++column, y += p->k) {
    for (size_t block = 0; block < blocks; ++block) {
      const uint8_t *codes = p->codes + (column * blocks + block) * bytes;
      const float scale = p->scales[column * blocks + block], zero = fxi_zero(p, column, block);
      const size_t first = block * p->block, count = p->k - first < p->block ? p->k - first : p->block;
      FXK_LOOP
      for (size_t i = 0; i < count; ++i) {
        const uint8_t code = p->bits == 4 ? (codes[i / 2] >> (i % 2 * 4)) & 15 : codes[i];
        y[first + i] = ((float)code - zero) * scale;
      }
    }
  }
}
