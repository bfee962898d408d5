// Convolutions on one thread at each instruction set: milliseconds and GFLOP/s, with the largest error of some outputs.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"
#include "measure.h"

typedef struct { const char *name; size_t channels, filters, size, kernel, stride, groups; } layer;
static const layer layers[] = {
  {"resnet stem 7x7/2", 3, 64, 224, 7, 2, 1}, {"3x3 64, 56", 64, 64, 56, 3, 1, 1}, {"3x3 128, 28", 128, 128, 28, 3, 1, 1},
  {"3x3 256, 14", 256, 256, 14, 3, 1, 1}, {"3x3 512, 7", 512, 512, 7, 3, 1, 1}, {"3x3/2 128, 56", 128, 128, 56, 3, 2, 1},
  {"1x1 64-256, 56", 64, 256, 56, 1, 1, 1}, {"1x1 256-64, 56", 256, 64, 56, 1, 1, 1},
  {"1x1/2 256-512, 56", 256, 512, 56, 1, 2, 1}, {"1x1 2048-512, 7", 2048, 512, 7, 1, 1, 1},
  {"mobilenet stem", 3, 32, 224, 3, 2, 1}, {"1x1 16-96, 112", 16, 96, 112, 1, 1, 1},
  {"1x1 144-24, 56", 144, 24, 56, 1, 1, 1}, {"1x1 320-1280, 7", 320, 1280, 7, 1, 1, 1},
  {"dw 3x3 32, 112", 32, 32, 112, 3, 1, 32}, {"dw 3x3/2 96, 112", 96, 96, 112, 3, 2, 96},
  {"dw 3x3 144, 56", 144, 144, 56, 3, 1, 144}, {"dw 3x3 384, 14", 384, 384, 14, 3, 1, 384},
  {"dw 3x3 960, 7", 960, 960, 7, 3, 1, 960}, {"dw 5x5 240, 28", 240, 240, 28, 5, 1, 240},
  {"dw 7x7 96, 56", 96, 96, 56, 7, 1, 96}, {"3x3 64, 256 (unet)", 64, 64, 256, 3, 1, 1},
};

static float *random_floats(size_t n) {
  float *p = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64 + 64);
  for (size_t i = 0; i < n; ++i) p[i] = (float)rand() / (float)RAND_MAX - 0.5f;
  return p;
}

static double reference(const fxk_conv *g, const float *x, const float *w, size_t o, size_t oy, size_t ox) {
  const size_t per = g->in_channels / g->groups, group = o / (g->out_channels / g->groups);
  double sum = 0;
  for (size_t c = 0; c < per; ++c) {
    for (size_t ky = 0; ky < g->kernel[1]; ++ky) {
      for (size_t kx = 0; kx < g->kernel[2]; ++kx) {
        const size_t iy = oy * g->stride[1] + ky * g->dilation[1] - g->pad[1];
        const size_t ix = ox * g->stride[2] + kx * g->dilation[2] - g->pad[2];
        if (iy >= g->in[1] || ix >= g->in[2]) continue;
        sum += (double)x[((group * per + c) * g->in[1] + iy) * g->in[2] + ix]
          * (double)w[((o * per + c) * g->kernel[1] + ky) * g->kernel[2] + kx];
      }
    }
  }
  return sum;
}

int main(int argc, char **argv) {
  const bool exact = argc > 1 && strcmp(argv[1], "exact") == 0;
  static const char *methods[] = {"gemm", "depthwise", "winograd"};
  for (int isa = FXK_ISA_COUNT - 1; isa >= 0; --isa) {
    if (!fxk_select_isa((fxk_isa)isa)) continue;
    printf("%s\n", fxk_isa_name((fxk_isa)isa));
    double total = 0;
    for (size_t s = 0; s < sizeof layers / sizeof *layers; ++s) {
      const layer *l = &layers[s];
      const size_t out = (l->size + 2 * (l->kernel / 2) - l->kernel) / l->stride + 1, pad = l->kernel / 2;
      fxk_conv g = {
        .batch = 1, .groups = l->groups, .in_channels = l->channels, .out_channels = l->filters,
        .in = {1, l->size, l->size}, .out = {1, out, out}, .kernel = {1, l->kernel, l->kernel},
        .stride = {1, l->stride, l->stride}, .dilation = {1, 1, 1}, .pad = {0, pad, pad}, .epilogue = fxk_epilogue_none()};
      const size_t weight_count = l->filters * l->channels / l->groups * l->kernel * l->kernel;
      float *x = random_floats(l->channels * l->size * l->size), *y = random_floats(l->filters * out * out);
      float *w = random_floats(weight_count);
      g.method = fxk_conv_choose(&g, exact);
      float *packed = random_floats(fxk_conv_packed_size(&g));
      fxk_conv_pack(&g, w, packed);
      g.x = x, g.y = y, g.packed = packed;
      const size_t tasks = fxk_conv_plan(&g, 1);
      float *scratch = random_floats(fxk_conv_scratch(&g));
      double t;
      MEASURE(t, fxk_conv_run(&g, 0, tasks, scratch));
      double worst = 0;
      for (int trial = 0; trial < 200; ++trial) {
        const size_t o = (size_t)rand() % l->filters, oy = (size_t)rand() % out, ox = (size_t)rand() % out;
        const double e = fabs(reference(&g, x, w, o, oy, ox) - (double)y[(o * out + oy) * out + ox]);
        if (!(e <= worst)) worst = e;
      }
      const double flops = 2.0 * (double)(weight_count * out * out);
      printf("  %-20s %-9s %8.3f ms %7.1f GFLOP/s   error %.1e\n", l->name, methods[g.method], t * 1e3, flops / t * 1e-9, worst);
      total += t;
      free(x), free(y), free(w), free(packed), free(scratch);
    }
    printf("  %-20s %18.3f ms\n", "all", total * 1e3);
  }
  return 0;
}
