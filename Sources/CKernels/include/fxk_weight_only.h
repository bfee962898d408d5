// Products of floats with weights that are integers of 4 or 8 bits, scaled block by block, read as they are.
#ifndef FXK_WEIGHT_ONLY_H
#define FXK_WEIGHT_ONLY_H

#include <stddef.h>
#include <stdint.h>

// Y = X W + bias: weight p of column j is (code − zero point) × scale of its block.
typedef struct fxk_weight_only {
  size_t m, n, k;
  int bits;              // 4 or 8
  size_t block;          // weights that share a scale: 32, 64, 128 and so on
  const float *x;        // [m, k]
  const uint8_t *codes;  // [n, ceil(k / block), block bits / 8], lower bits first
  const float *scales;   // [n, ceil(k / block)]
  const uint8_t *zeros;  // codes, each column's from a byte on; null for 2^(bits − 1)
  const float *bias;     // [n] or null
  float *y;              // [m, n]
} fxk_weight_only;

// Floats of scratch that each thread needs.
size_t fxk_weight_only_scratch(const fxk_weight_only *product);

// Computes columns [column0, column1) of all rows, each weight decoded once for up to 4 rows.
void fxk_weight_only_run(const fxk_weight_only *product, size_t column0, size_t column1, float *scratch);

// The weights of columns [column0, column1) as numbers, column by column, k to each.
void fxk_weight_only_numbers(const fxk_weight_only *product, size_t column0, size_t column1, float *y);

#endif
