// Products and convolutions of bytes with 32-bit sums, and maps of bytes.
//
// Inside, activations are unsigned and weights signed: a tensor of the other kind is read through `flip`, 0x80, which is
// xored to each byte and moves its numbers by 128, and its zero point moves with it. Sums are exact modulo 2^32; nothing
// saturates but the result.
#ifndef FXK_INTEGER_H
#define FXK_INTEGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What is made of a sum.
typedef enum fxk_int_output {
  FXK_INT_SUMS,    // int32: sum + offset
  FXK_INT_FLOATS,  // float: (sum + offset) scale + shift
  FXK_INT_BYTES,   // that rounded to nearest even, plus the zero point, between low and high
} fxk_int_output;

typedef struct fxk_int_scaling {
  fxk_int_output output;
  const int32_t *offset;  // [n] readable to the next multiple of 16, as all that follow; not null
  const int32_t *b_zero;  // [n] or null: zero points of the columns of B, as signed bytes
  const float *scale;     // [n]; unread for sums
  const float *shift;     // [n] or null
  int32_t zero_point;     // of the result, as an unsigned byte; so are low and high
  int32_t low, high;
  uint8_t flip;           // of the result
} fxk_int_scaling;

// How rows of A are found in images [batch, height, width, channels]: row i is the window of output pixel i.
typedef struct fxk_int_window {
  size_t channels;        // of the image
  size_t group_channels;  // of them, those that are multiplied
  size_t in[2], out[2], kernel[2], stride[2], dilation[2], pad[2];
  uint8_t padding;        // the byte outside of the image, before the flip
} fxk_int_window;

// C = scaling(A B): A [m, k] bytes, B [k, n] packed.
typedef struct fxk_int_product {
  size_t m, n, k;
  const uint8_t *a;
  ptrdiff_t a_row;  // rows a_row bytes apart, columns adjacent
  uint8_t a_flip;
  const fxk_int_window *window;  // null if A is a matrix; then k = kernel × group_channels, channels innermost
  const void *b;                 // from fxk_int_pack
  void *c;                       // [m, n]: rows c_row elements apart
  ptrdiff_t c_row;
  fxk_int_scaling scaling;
} fxk_int_product;

// Bytes of a packed B; the layout depends on the instruction set in use.
size_t fxk_int_packed_size(size_t k, size_t n);

// Packs B. Row (o, i) of B, o of `outer` and i of `inner`, is row o inner + i; its element in column j is
// b[o outer_stride + i inner_stride + j column_stride] ^ flip, taken as signed. sums[j] is the sum of column j.
void fxk_int_pack(
  const uint8_t *b, size_t outer, ptrdiff_t outer_stride, size_t inner, ptrdiff_t inner_stride, ptrdiff_t column_stride,
  size_t n, uint8_t flip, void *packed, int32_t *sums);

// Columns that are computed together: ranges of columns start at multiples.
size_t fxk_int_columns(void);

// Bytes of scratch that each thread needs.
size_t fxk_int_scratch(const fxk_int_product *product);

// Computes rows [row0, row1) in columns [column0, column1).
void fxk_int_run(
  const fxk_int_product *product, size_t row0, size_t row1, size_t column0, size_t column1, void *scratch);

// What the results' scales and zero points make of a product's sums.
typedef struct fxk_int_parameters {
  size_t n, k;
  const int32_t *sums;      // of the columns, from packing
  int32_t a_zero;           // as an unsigned byte
  const uint8_t *b_zero;    // [b_zeros] or null
  size_t b_zeros;           // 1 or n
  uint8_t b_flip;
  const int32_t *bias;      // [n] or null, in units of a_scale × b_scale
  const float *addend;      // [n] or null, in units of 1
  float a_scale;
  const float *b_scale;     // [b_scales] or null for 1
  size_t b_scales;          // 1 or n
  float y_scale;            // 0 for results that are not quantized
} fxk_int_parameters;

// Fills offset, scale, b_zero and shift, arrays of n elements rounded up to a multiple of 16, and points `scaling` to them.
void fxk_int_prepare(
  const fxk_int_parameters *parameters, int32_t *offset, int32_t *b_zero, float *scale, float *shift,
  fxk_int_scaling *scaling);

// A convolution of each channel by itself: images [batch, height, width, channels], one result per channel.
typedef struct fxk_int_depthwise {
  fxk_int_window window;  // group_channels is unused
  const uint8_t *x;
  uint8_t x_flip;
  const int32_t *weights;  // from fxk_int_pack_depthwise
  void *y;
  fxk_int_scaling scaling;
} fxk_int_depthwise;

// Elements of packed weights, and the packing of weights [channels, taps] less their zero points: bytes as the weights,
// `zero_count` of them, 0 for none. `sums` as above; with them, results have no zero points of weights any more.
size_t fxk_int_depthwise_packed_size(size_t channels, size_t taps);
void fxk_int_pack_depthwise(
  const uint8_t *weights, size_t channels, size_t taps, uint8_t flip, const uint8_t *zeros, size_t zero_count,
  int32_t *packed, int32_t *sums);

// Bytes of scratch that each thread needs.
size_t fxk_int_depthwise_scratch(const fxk_int_depthwise *conv);

// Computes rows [row0, row1) of pixels, counted through all images.
void fxk_int_depthwise_run(const fxk_int_depthwise *conv, size_t row0, size_t row1, void *scratch);

// A sum or product of numbers of two quantized tensors, quantized again: rounded as the operators one by one would.
typedef struct fxk_int_binary {
  bool multiplies;
  int32_t a_zero, b_zero, y_zero;  // as unsigned bytes
  float a_scale, b_scale, y_scale;
  uint8_t a_flip, b_flip, y_flip;
  int32_t low, high;               // as unsigned bytes
} fxk_int_binary;

// Element c of row r of an operand is at r row + c column; the result is dense.
void fxk_int_binary_rows(
  const fxk_int_binary *op, const uint8_t *a, size_t a_row, size_t a_column, const uint8_t *b, size_t b_row, size_t b_column,
  uint8_t *y, size_t rows, size_t columns);

// y[i] = table[x[i]]
void fxk_int_lookup(const uint8_t *table, const uint8_t *x, uint8_t *y, size_t n);

// Pooling of images [batch, height, width, channels], rows of pixels [row0, row1) counted through all images. The largest
// byte, or the mean rounded to the result's scale; `counts_padding` takes padding for zeros.
void fxk_int_max_pool(const fxk_int_window *window, uint8_t flip, const uint8_t *x, uint8_t *y, size_t row0, size_t row1);

typedef struct fxk_int_mean {
  int32_t x_zero, y_zero, low, high;  // as unsigned bytes
  float x_scale, y_scale;
  uint8_t x_flip, y_flip;
} fxk_int_mean;

void fxk_int_average_pool(
  const fxk_int_window *window, const fxk_int_mean *mean, bool counts_padding, const uint8_t *x, uint8_t *y, size_t row0,
  size_t row1, int32_t *scratch);

// The smallest and largest of n numbers and 0.
void fxk_range_f32(const float *x, size_t n, float *low, float *high);

#endif
