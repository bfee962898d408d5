// The kernels on floats, on sizes that fill no vector and with what is not finite.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "CKernels.h"
#include "records.h"

static char name[64];

static void maps(void) {
  const size_t n = 1003;
  float *wide = floats(n, -20, 20), *small = floats(n, -0.99f, 0.99f), *y = space(4 * n);
  const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-40f, -1e-40f, 88.7f, -87.5f, 1e30f, -1e30f, 0.5f, 2.5f};
  memcpy(wide, special, sizeof special);
  for (int op = 0; op < FXK_UNARY_COUNT; ++op) {
    snprintf(name, sizeof name, "unary %d", op);
    fxk_unary_f32((fxk_unary)op, wide, y, n, 0.7f, 1.3f);
    record(name, FLOATS, y, n, 3e-6);
    fxk_unary_f32((fxk_unary)op, small, y, n, 1.0f, 0.5f);
    record(name, FLOATS, y, n, 3e-6);
  }
  const float *b = floats(n, 0.1f, 3);
  for (int op = 0; op < FXK_BINARY_COUNT; ++op) {
    snprintf(name, sizeof name, "binary %d", op);
    fxk_binary_f32((fxk_binary)op, op == FXK_BINARY_POW ? b : wide, 1, b, 1, y, n);
    record(name, FLOATS, y, n, 3e-6);
    fxk_binary_rows_f32((fxk_binary)op, b, 17, 1, small, 0, 1, y, 59, 17);
    record(name, FLOATS, y, n, 3e-6);
    int32_t *sums = space(4 * n);
    fxk_binary_i32((fxk_binary)op, ints(n, -100, 100), 1, ints(n, -9, 9), 1, sums, n);
    record(name, INTS, sums, n, 0);
  }
  uint8_t *mask = space(n);
  for (int op = 0; op < FXK_COMPARE_COUNT; ++op) {
    fxk_compare_f32((fxk_compare)op, wide, 1, small, 1, mask, n);
    record("compare", BYTES, mask, n, 0);
  }
  fxk_select_f32(mask, 1, wide, 1, small, 1, y, n);
  record("select", FLOATS, y, n, 0);
}

static void conversions(void) {
  const size_t n = 1003;
  float *x = floats(n, -300, 300), *y = space(4 * n);
  const float special[] = {INFINITY, -INFINITY, NAN, 65519.0f, 65520.0f, 1e-8f, 6e-8f, -0.0f, 0.5f, 1.5f, 2.5f, -2.5f};
  memcpy(x, special, sizeof special);
  uint16_t *half = space(2 * n);
  fxk_f32_to_f16(x, half, n);
  record("to float16", BYTES, half, 2 * n, 0);
  fxk_f16_to_f32(half, y, n);
  record("from float16", FLOATS, y, n, 1e-9);
  fxk_f32_to_bf16(x, half, n);
  record("to bfloat16", BYTES, half, 2 * n, 0);
  fxk_bf16_to_f32(half, y, n);
  record("from bfloat16", FLOATS, y, n, 1e-9);
  int32_t *integers = space(4 * n);
  fxk_f32_to_i32(x, integers, n);
  record("to int32", INTS, integers, n, 0);
  int64_t *longs = space(8 * n);
  fxk_f32_to_i64(x, longs, n);
  record("to int64", LONGS, longs, n, 0);
  uint8_t *q = space(n);
  fxk_quantize_u8(x, q, n, 1.7f, 120);
  record("quantize u8", BYTES, q, n, 0);
  fxk_dequantize_u8(q, y, n, 0.3f, 7);
  record("dequantize u8", FLOATS, y, n, 3e-7);
  fxk_quantize_i8(x, (int8_t *)q, n, 2.0f, -3);
  record("quantize i8", BYTES, q, n, 0);
  fxk_dequantize_i8((const int8_t *)q, y, n, 0.3f, 7);
  record("dequantize i8", FLOATS, y, n, 3e-7);
}

static void rows(size_t columns) {
  const size_t count = 7, n = count * columns;
  const float *x = floats(n, -4, 4), *gamma = floats(columns, 0.5f, 2), *beta = floats(columns, -1, 1), *skip = floats(n, -1, 1);
  float *y = space(4 * n);
  fxk_softmax_f32(x, y, count, columns, 0.7f, beta, 0);
  record("softmax", FLOATS, y, n, 3e-6);
  fxk_log_softmax_f32(x, y, count, columns);
  record("log softmax", FLOATS, y, n, 3e-6);
  fxk_softmax_inner_f32(x, y, 1, count, columns, 0, columns, false, space(8 * columns + 256));
  record("softmax over an inner axis", FLOATS, y, n, 3e-6);
  fxk_layer_norm_f32(x, y, count, columns, gamma, beta, 1e-5f, NULL, NULL);
  record("layer norm", FLOATS, y, n, 3e-6);
  fxk_skip_layer_norm_f32(x, skip, beta, y, NULL, count, columns, gamma, beta, 1e-5f, false);
  record("skip layer norm", FLOATS, y, n, 3e-6);
  fxk_rms_norm_f32(x, y, count, columns, gamma, 1e-5f);
  record("rms norm", FLOATS, y, n, 3e-6);
  for (int op = 0; op < FXK_REDUCE_COUNT; ++op) {
    const float *z = op == FXK_REDUCE_LOG_SUM ? gamma : x;
    const size_t height = op == FXK_REDUCE_LOG_SUM ? 1 : count;
    snprintf(name, sizeof name, "reduce %d of %zu", op, columns);
    fxk_reduce_rows_f32((fxk_reduce)op, z, y, height, columns);
    record(name, FLOATS, y, height, 1e-5);
    fxk_reduce_inner_f32((fxk_reduce)op, z, y, 1, height, columns, 0, columns);
    record(name, FLOATS, y, columns, 1e-5);
  }
  int64_t index[7];
  fxk_arg_rows_f32(x, index, count, columns, false, false);
  record("place of the largest", LONGS, index, count, 0);
  const size_t hidden = columns;
  const float *gates = floats(3 * 4 * hidden, -2, 2), *h_gates = floats(3 * 3 * hidden, -2, 2);
  float *cell = space(12 * hidden), *out = space(12 * hidden);
  fxk_lstm_step_f32(gates, floats(3 * hidden, -1, 1), NULL, cell, out, 3, hidden);
  record("lstm", FLOATS, out, 3 * hidden, 3e-6);
  fxk_gru_step_f32(gates, h_gates, floats(3 * hidden, -1, 1), out, 3, hidden);
  record("gru", FLOATS, out, 3 * hidden, 3e-6);
}

static void product(size_t m, size_t n, size_t k, bool packs_a, bool packs_b) {
  float *c = space(4 * m * n);
  fxk_gemm g = {
    .m = m, .n = n, .k = k, .a = floats(m * k, -1, 1), .a_row = (ptrdiff_t)k, .a_column = 1, .b = floats(k * n, -1, 1),
    .b_row = (ptrdiff_t)n, .b_column = 1, .c = c, .c_row = (ptrdiff_t)n, .epilogue = fxk_epilogue_none()};
  g.epilogue.bias_column = floats(n, -1, 1);
  g.epilogue.activation = n % 2 ? FXK_UNARY_RELU : FXK_UNARY_IDENTITY;
  if (packs_a) {
    float *packed = space(4 * fxk_gemm_packed_a_size(m, k));
    fxk_gemm_pack_a(g.a, (ptrdiff_t)k, 1, m, k, packed, 0, fxk_gemm_packed_a_panels(m, k));
    g.packed_a = packed;
  }
  if (packs_b) {
    float *packed = space(4 * fxk_gemm_packed_b_size(k, n));
    fxk_gemm_pack_b(g.b, (ptrdiff_t)n, 1, k, n, packed, 0, fxk_gemm_packed_b_panels(k, n));
    g.packed_b = packed;
  }
  const size_t tasks = fxk_gemm_plan(&g, 3);
  fxk_gemm_run(&g, 0, tasks, space(4 * fxk_gemm_scratch(&g)));
  snprintf(name, sizeof name, "gemm %zux%zux%zu %d %d", m, n, k, packs_a, packs_b);
  record(name, FLOATS, c, m * n, 1e-6);
}

static void convolution(size_t channels, size_t kernels, size_t size, size_t kernel, size_t stride, size_t groups) {
  const size_t pad = kernel / 2, out = (size + 2 * pad - kernel) / stride + 1, each = channels / groups;
  const float *weights = floats(kernels * each * kernel * kernel, -1, 1), *x = floats(2 * channels * size * size, -1, 1);
  const size_t count = 2 * kernels * out * out;
  float *y = space(4 * count), *bias = floats(kernels + 16, -1, 1);
  for (int exact = 0; exact < 2; ++exact) {
    fxk_conv conv = {
      .batch = 2, .groups = groups, .in_channels = channels, .out_channels = kernels, .in = {1, size, size},
      .out = {1, out, out}, .kernel = {1, kernel, kernel}, .stride = {1, stride, stride}, .dilation = {1, 1, 1},
      .pad = {0, pad, pad}, .x = x, .y = y, .epilogue = fxk_epilogue_none()};
    conv.epilogue.bias_row = bias;
    conv.method = fxk_conv_choose(&conv, exact != 0);
    float *packed = space(4 * fxk_conv_packed_size(&conv));
    fxk_conv_pack(&conv, weights, packed);
    conv.packed = packed;
    const size_t tasks = fxk_conv_plan(&conv, 2);
    fxk_conv_run(&conv, 0, tasks, space(4 * fxk_conv_scratch(&conv)));
    snprintf(name, sizeof name, "conv %zu %zu %zu %zu %zu %zu %d", channels, kernels, size, kernel, stride, groups, exact);
    record(name, FLOATS, y, count, 1e-5);
  }
  if (groups != 1 && groups != channels) return;
  // In blocks of channels; the blocks are of one size in every build that is compared.
  const size_t block = fxk_channel_block(), in_blocks = (channels + block - 1) / block, blocks = (kernels + block - 1) / block;
  float *x_blocks = space(4 * 2 * in_blocks * block * size * size), *y_blocks = space(4 * 2 * blocks * block * out * out);
  fxk_to_blocks(x, channels, size * size, x_blocks, 0, 2 * in_blocks);
  for (size_t i = kernels; i < kernels + 16; ++i) bias[i] = 0;
  fxk_blocked_conv conv = {
    .batch = 2, .in_channels = channels, .out_channels = kernels, .depthwise = groups != 1, .in = {size, size},
    .out = {out, out}, .kernel = {kernel, kernel}, .stride = {stride, stride}, .dilation = {1, 1}, .pad = {pad, pad},
    .x = x_blocks, .y = y_blocks, .epilogue = fxk_epilogue_none()};
  conv.epilogue.bias_row = bias;
  conv.method = fxk_blocked_choose(&conv);
  float *packed = space(4 * fxk_blocked_packed_size(&conv));
  fxk_blocked_pack(&conv, weights, packed);
  conv.packed = packed;
  const size_t tasks = fxk_blocked_plan(&conv, 2);
  fxk_blocked_run(&conv, 0, tasks, space(4 * fxk_blocked_scratch(&conv)));
  fxk_from_blocks(y_blocks, kernels, out * out, y, 0, 2 * blocks);
  snprintf(name, sizeof name, "blocked conv %zu %zu %zu %zu %zu %zu", channels, kernels, size, kernel, stride, groups);
  record(name, FLOATS, y, count, 1e-5);
}

static void images(void) {
  const fxk_pool2d pool = {
    .in_h = 13, .in_w = 11, .out_h = 7, .out_w = 6, .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2,
    .dilation_h = 1, .dilation_w = 1, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
  const float *x = floats(5 * 13 * 11, -1, 1);
  float *y = space(4 * 5 * 9 * 42), *image = space(4 * 5 * 13 * 11);
  int64_t *indices = space(8 * 5 * 42);
  fxk_max_pool2d_f32(&pool, x, y, indices, 143, 0, 5);
  record("max pool", FLOATS, y, 5 * 42, 0);
  record("max pool's places", LONGS, indices, 5 * 42, 0);
  fxk_average_pool2d_f32(&pool, x, y, true, 0, 5);
  record("average pool", FLOATS, y, 5 * 42, 3e-6);
  fxk_channel_affine_f32(x, image, 143, 5, floats(5, 0.5f, 2), floats(5, -1, 1), true, 0, 5);
  record("channel affine", FLOATS, image, 5 * 143, 3e-6);
  fxk_im2col_f32(&pool, x, y, 0, 45);
  record("im2col", FLOATS, y, 45 * 42, 0);
  fxk_col2im_f32(&pool, y, image, 0, 5);
  record("col2im", FLOATS, image, 5 * 143, 3e-6);
  fxk_transpose2d(x, 65, y, 11, 0, 11, 65, 4);
  record("transpose", FLOATS, y, 65 * 11, 0);
}

void float_kernels(void) {
  seed(1);
  maps();
  conversions();
  rows(5);
  rows(133);
  const size_t shapes[][3] = {{1, 70, 300}, {7, 9, 5}, {29, 130, 67}, {64, 33, 400}, {3, 1, 17}, {200, 48, 96}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; ++s) {
    for (int packs = 0; packs < 4; ++packs) product(shapes[s][0], shapes[s][1], shapes[s][2], packs & 1, packs & 2);
  }
  convolution(3, 10, 15, 3, 2, 1);
  convolution(8, 12, 17, 3, 1, 1);
  convolution(32, 32, 16, 3, 1, 1);
  convolution(16, 8, 9, 1, 1, 1);
  convolution(12, 12, 14, 3, 1, 12);
  convolution(12, 12, 14, 5, 2, 12);
  convolution(12, 8, 9, 3, 1, 4);
  images();
}
