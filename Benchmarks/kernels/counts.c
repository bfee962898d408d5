// Runs one kernel of fixed sizes as often as asked, with AVX2: for counting its instructions.
//
//   counts product|winograd|depthwise|softmax|gelu TIMES
//
// Exit status 3 where the machine has no AVX2.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

static float *floats(size_t count) {
  float *values = aligned_alloc(64, (count * sizeof(float) + 127) / 64 * 64);
  if (!values) exit(1);
  for (size_t i = 0; i < count; ++i) values[i] = (float)(i % 251) / 251.0f - 0.5f;
  return values;
}

// [64, 768] times packed [768, 768].
static void product(int times) {
  const size_t m = 64, n = 768, k = 768;
  float *a = floats(m * k), *b = floats(k * n), *c = floats(m * n), *packed = floats(fxk_gemm_packed_b_size(k, n));
  fxk_gemm_pack_b(b, (ptrdiff_t)n, 1, k, n, packed, 0, fxk_gemm_packed_b_panels(k, n));
  fxk_gemm g = {
    .m = m, .n = n, .k = k, .a = a, .a_row = (ptrdiff_t)k, .a_column = 1, .b_row = (ptrdiff_t)n, .b_column = 1,
    .packed_b = packed, .c = c, .c_row = (ptrdiff_t)n, .epilogue = fxk_epilogue_none()};
  const size_t tasks = fxk_gemm_plan(&g, 1);
  float *scratch = floats(fxk_gemm_scratch(&g));
  while (times-- > 0) fxk_gemm_run(&g, 0, tasks, scratch);
}

// 3x3, stride 1, images of [channels, size, size].
static void convolution(int times, size_t channels, size_t size, bool depthwise) {
  const size_t block = fxk_channel_block(), padded = (channels + block - 1) / block * block;
  fxk_blocked_conv g = {
    .batch = 1, .in_channels = channels, .out_channels = channels, .depthwise = depthwise, .in = {size, size},
    .out = {size, size}, .kernel = {3, 3}, .stride = {1, 1}, .dilation = {1, 1}, .pad = {1, 1},
    .epilogue = fxk_epilogue_none()};
  g.method = fxk_blocked_choose(&g);
  if (g.method != (depthwise ? FXK_BLOCKED_DEPTHWISE : FXK_BLOCKED_WINOGRAD)) exit(1);
  float *weights = floats(channels * (depthwise ? 1 : channels) * 9), *packed = floats(fxk_blocked_packed_size(&g));
  fxk_blocked_pack(&g, weights, packed);
  g.x = floats(padded * size * size), g.y = floats(padded * size * size), g.packed = packed;
  g.epilogue.bias_row = floats(padded);
  const size_t tasks = fxk_blocked_plan(&g, 1);
  float *scratch = floats(fxk_blocked_scratch(&g));
  while (times-- > 0) fxk_blocked_run(&g, 0, tasks, scratch);
}

static void softmax(int times) {
  float *x = floats(128 * 512), *y = floats(128 * 512);
  while (times-- > 0) fxk_softmax_f32(x, y, 128, 512, 1, NULL, 0);
}

static void gelu(int times) {
  float *x = floats(65536), *y = floats(65536);
  while (times-- > 0) fxk_unary_f32(FXK_UNARY_GELU, x, y, 65536, 0, 0);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  if (!fxk_select_isa(FXK_ISA_AVX2)) return 3;
  const char *kernel = argv[1];
  const int times = atoi(argv[2]);
  if (strcmp(kernel, "product") == 0) product(times);
  else if (strcmp(kernel, "winograd") == 0) convolution(times, 64, 56, false);
  else if (strcmp(kernel, "depthwise") == 0) convolution(times, 128, 28, true);
  else if (strcmp(kernel, "softmax") == 0) softmax(times);
  else if (strcmp(kernel, "gelu") == 0) gelu(times);
  else return 2;
  return 0;
}
