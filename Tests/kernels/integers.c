// The kernels on integers, on operands of both signs and sizes that fill no vector.
#include <stdio.h>
#include <string.h>

#include "CKernels.h"
#include "records.h"

static char name[64];

typedef struct {
  int32_t *offset, *b_zero;
  float *scale, *shift;
} arrays;

static arrays arrays_of(size_t n) {
  const size_t count = (n + 15) / 16 * 16 + 16;
  return (arrays){space(4 * count), space(4 * count), space(4 * count), space(4 * count)};
}

// Prepares scaling for a product of n columns and depth k, with zero points and a bias.
static fxk_int_scaling scaling_of(
  size_t n, size_t k, const int32_t *sums, fxk_int_output output, uint8_t flip, bool has_zeros, bool has_addend) {
  const uint8_t *zeros = bytes(n);
  fxk_int_parameters p = {
    .n = n, .k = k, .sums = sums, .a_zero = 37 ^ flip, .b_zero = has_zeros ? zeros : NULL, .b_zeros = has_zeros ? n : 0,
    .bias = ints(n, -5000, 5000), .addend = has_addend ? floats(n, -3, 3) : NULL, .a_scale = 0.03f,
    .b_scale = floats(n, 0.001f, 0.02f), .b_scales = n, .y_scale = output == FXK_INT_BYTES ? 0.7f : 0};
  if (has_addend) p.bias = NULL;
  const arrays a = arrays_of(n);
  fxk_int_scaling scaling = {0};
  fxk_int_prepare(&p, a.offset, a.b_zero, a.scale, a.shift, &scaling);
  scaling.output = output;
  scaling.zero_point = 100;
  scaling.low = 3;
  scaling.high = 250;
  scaling.flip = flip;
  return scaling;
}

static size_t output_size(fxk_int_output output) { return output == FXK_INT_BYTES ? 1 : 4; }
static kind output_kind(fxk_int_output output) {
  return output == FXK_INT_BYTES ? BYTES : output == FXK_INT_FLOATS ? FLOATS : INTS;
}

static void product(size_t m, size_t k, size_t n, uint8_t flip, bool has_zeros, fxk_int_output output, const fxk_int_window *w) {
  const size_t a_size = w == NULL ? m * k : w->in[0] * w->in[1] * w->channels;
  const uint8_t *a = bytes(a_size), *b = bytes(k * n);
  void *packed = space(fxk_int_packed_size(k, n));
  int32_t *sums = space(4 * (n + 16));
  fxk_int_pack(b, 1, 0, k, (ptrdiff_t)n, 1, n, 0, packed, sums);
  void *c = space(m * n * output_size(output));
  fxk_int_product p = {
    .m = m, .n = n, .k = k, .a = a, .a_row = (ptrdiff_t)k, .a_flip = flip, .window = w, .b = packed, .c = c,
    .c_row = (ptrdiff_t)n};
  p.scaling = scaling_of(n, k, sums, output, flip, has_zeros, output != FXK_INT_SUMS && n % 2 == 1);
  void *scratch = space(fxk_int_scratch(&p));
  fxk_int_run(&p, 0, m, 0, n, scratch);
  snprintf(name, sizeof name, "product %zux%zux%zu %d %d %d %d", m, k, n, flip, has_zeros, output, w != NULL);
  record(name, INTS, sums, n, 0);
  record(name, output_kind(output), c, m * n, 3e-7);
}

static void depthwise(size_t channels, size_t size, size_t kernel, size_t stride, uint8_t flip, fxk_int_output output) {
  const size_t out = (size + 2 - kernel) / stride + 1, taps = kernel * kernel;
  int32_t *packed = space(4 * fxk_int_depthwise_packed_size(channels, taps)), *sums = space(4 * (channels + 16));
  fxk_int_pack_depthwise(bytes(channels * taps), channels, taps, 0, NULL, 0, packed, sums);
  fxk_int_depthwise conv = {
    .window = {
      .channels = channels, .group_channels = 1, .in = {size, size}, .out = {out, out}, .kernel = {kernel, kernel},
      .stride = {stride, stride}, .dilation = {1, 1}, .pad = {1, 1}, .padding = 37},
    .x = bytes(2 * size * size * channels), .x_flip = flip, .weights = packed};
  conv.scaling = scaling_of(channels, taps, sums, output, flip, false, false);
  const size_t count = 2 * out * out * channels;
  conv.y = space(count * output_size(output));
  fxk_int_depthwise_run(&conv, 0, 2 * out, space(fxk_int_depthwise_scratch(&conv)));
  snprintf(name, sizeof name, "depthwise %zu %zu %zu %zu %d %d", channels, size, kernel, stride, flip, output);
  record(name, output_kind(output), conv.y, count, 3e-7);
}

static void weight_only(size_t m, size_t k, size_t n, int bits, size_t block, bool has_zeros) {
  const size_t blocks = (k + block - 1) / block;
  fxk_weight_only p = {
    .m = m, .n = n, .k = k, .bits = bits, .block = block, .x = floats(m * k, -1, 1),
    .codes = bytes(n * blocks * block * (size_t)bits / 8), .scales = floats(n * blocks, 0.01f, 0.1f),
    .zeros = has_zeros ? bytes(n * blocks) : NULL, .bias = floats(n, -1, 1), .y = space(4 * m * n)};
  fxk_weight_only_run(&p, 0, n, space(4 * fxk_weight_only_scratch(&p)));
  snprintf(name, sizeof name, "weight only %zu %zu %zu %d %zu %d", m, k, n, bits, block, has_zeros);
  record(name, FLOATS, p.y, m * n, 2e-6);
  float *numbers = space(4 * n * k);
  fxk_weight_only_numbers(&p, 0, n, numbers);
  record(name, FLOATS, numbers, n * k, 3e-7);
}

static void maps(uint8_t flip) {
  const size_t rows = 3, columns = 201, count = rows * columns;
  const uint8_t *a = bytes(count), *b = bytes(count);
  uint8_t *y = space(count);
  for (int multiplies = 0; multiplies < 2; ++multiplies) {
    const fxk_int_binary op = {
      .multiplies = multiplies != 0, .a_zero = 3, .b_zero = 200, .y_zero = 90, .a_scale = 0.02f, .b_scale = 0.03f,
      .y_scale = multiplies ? 0.11f : 0.05f, .a_flip = flip, .b_flip = 0, .y_flip = flip, .low = 0, .high = 240};
    fxk_int_binary_rows(&op, a, columns, 1, b, 0, 1, y, rows, columns);
    record("sums and products", BYTES, y, count, 0);
    fxk_int_binary_rows(&op, a, columns, 1, b, 1, 0, y, rows, columns);
    record("sums and products with a column", BYTES, y, count, 0);
  }
  fxk_int_lookup(bytes(256), a, y, count);
  record("lookup", BYTES, y, count, 0);
  const fxk_int_window w = {
    .channels = 21, .in = {9, 7}, .out = {5, 4}, .kernel = {3, 3}, .stride = {2, 2}, .dilation = {1, 1}, .pad = {1, 1}};
  const uint8_t *image = bytes(2 * 9 * 7 * 21);
  uint8_t *pooled = space(2 * 5 * 4 * 21);
  fxk_int_max_pool(&w, flip, image, pooled, 0, 10);
  record("max pool", BYTES, pooled, 2 * 5 * 4 * 21, 0);
  const fxk_int_mean mean = {
    .x_zero = 10, .y_zero = 20, .low = 0, .high = 255, .x_scale = 0.1f, .y_scale = 0.07f, .x_flip = flip, .y_flip = flip};
  for (int padding = 0; padding < 2; ++padding) {
    fxk_int_average_pool(&w, &mean, padding != 0, image, pooled, 0, 10, space(4 * 64));
    record("average pool", BYTES, pooled, 2 * 5 * 4 * 21, 0);
  }
}

void integer_kernels(void) {
  seed(2);
  const size_t shapes[][3] = {{1, 1, 1}, {1, 300, 70}, {7, 5, 9}, {29, 67, 130}, {13, 64, 33}, {250, 31, 20}};
  const fxk_int_window window = {
    .channels = 5, .group_channels = 5, .in = {11, 9}, .out = {6, 5}, .kernel = {3, 3}, .stride = {2, 2}, .dilation = {1, 1},
    .pad = {1, 1}, .padding = 37};
  for (int flip = 0; flip < 2; ++flip) {
    const uint8_t f = flip ? 0x80 : 0;
    for (fxk_int_output output = FXK_INT_SUMS; output <= FXK_INT_BYTES; ++output) {
      for (size_t s = 0; s < sizeof shapes / sizeof *shapes; ++s) {
        for (int zeros = 0; zeros < 2; ++zeros) product(shapes[s][0], shapes[s][1], shapes[s][2], f, zeros != 0, output, NULL);
      }
      product(30, 45, 19, f, false, output, &window);
      product(30, 45, 70, f, true, output, &window);
      depthwise(5, 9, 3, 1, f, output);
      depthwise(70, 12, 3, 2, f, output);
      depthwise(24, 9, 5, 1, f, output);
    }
    maps(f);
  }
  for (int bits = 4; bits <= 8; bits += 4) {
    for (int zeros = 0; zeros < 2; ++zeros) {
      for (size_t m = 1; m < 6; ++m) {
        weight_only(m, 100, 33, bits, 32, zeros != 0);
        weight_only(m, 256, 7, bits, 64, zeros != 0);
      }
    }
  }
  float range[2];
  const float *x = floats(1003, -5, 7);
  fxk_range_f32(x, 1003, &range[0], &range[1]);
  record("range", FLOATS, range, 2, 0);
}
