// Time per element of the elementwise and row kernels, on one thread, at each instruction set.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "CKernels.h"
#include "measure.h"

enum { N = 16384, ROWS = 16, COLUMNS = 1024 };

static float x[N], y[N], z[N], gamma_[COLUMNS], beta_[COLUMNS];

typedef struct { const char *name; fxk_unary op; } unary_case;
static const unary_case unary_cases[] = {
  {"relu", FXK_UNARY_RELU}, {"clip", FXK_UNARY_CLIP}, {"sqrt", FXK_UNARY_SQRT}, {"exp", FXK_UNARY_EXP},
  {"log", FXK_UNARY_LOG}, {"sigmoid", FXK_UNARY_SIGMOID}, {"silu", FXK_UNARY_SILU}, {"tanh", FXK_UNARY_TANH},
  {"erf", FXK_UNARY_ERF}, {"gelu", FXK_UNARY_GELU}, {"gelu_tanh", FXK_UNARY_GELU_TANH},
  {"softplus", FXK_UNARY_SOFTPLUS}, {"elu", FXK_UNARY_ELU}, {"mish", FXK_UNARY_MISH},
  {"hard_swish", FXK_UNARY_HARD_SWISH}, {"round", FXK_UNARY_ROUND}, {"floor", FXK_UNARY_FLOOR},
  {"sin", FXK_UNARY_SIN}, {"tan (libm)", FXK_UNARY_TAN},
};

static void row(const char *name, double seconds, double elements) {
  printf("  %-16s %7.3f ns\n", name, seconds * 1e9 / elements);
}

int main(void) {
  for (int i = 0; i < N; ++i) {
    x[i] = (float)rand() / (float)RAND_MAX * 8.0f - 4.0f;
    z[i] = (float)rand() / (float)RAND_MAX + 0.5f;
  }
  for (int i = 0; i < COLUMNS; ++i) { gamma_[i] = 1; beta_[i] = 0; }
  for (int isa = 0; isa < FXK_ISA_COUNT; ++isa) {
    if (!fxk_select_isa((fxk_isa)isa)) continue;
    printf("%s, %d elements\n", fxk_isa_name((fxk_isa)isa), N);
    for (size_t c = 0; c < sizeof unary_cases / sizeof *unary_cases; ++c) {
      const float *in = unary_cases[c].op == FXK_UNARY_LOG || unary_cases[c].op == FXK_UNARY_SQRT ? z : x;
      double t;
      MEASURE(t, fxk_unary_f32(unary_cases[c].op, in, y, N, 1.0f, 6.0f));
      row(unary_cases[c].name, t, N);
    }
    double t;
    MEASURE(t, fxk_binary_f32(FXK_BINARY_ADD, x, 1, z, 1, y, N));
    row("add", t, N);
    MEASURE(t, fxk_binary_f32(FXK_BINARY_DIV, x, 1, z, 1, y, N));
    row("div", t, N);
    MEASURE(t, fxk_binary_f32(FXK_BINARY_POW, z, 1, x, 1, y, N));
    row("pow", t, N);
    MEASURE(t, fxk_softmax_f32(x, y, ROWS, COLUMNS, 1.0f, NULL, 0));
    row("softmax", t, N);
    MEASURE(t, fxk_log_softmax_f32(x, y, ROWS, COLUMNS));
    row("log_softmax", t, N);
    MEASURE(t, fxk_layer_norm_f32(x, y, ROWS, COLUMNS, gamma_, beta_, 1e-5f, NULL, NULL));
    row("layer_norm", t, N);
    MEASURE(t, fxk_rms_norm_f32(x, y, ROWS, COLUMNS, gamma_, 1e-5f));
    row("rms_norm", t, N);
    MEASURE(t, fxk_reduce_rows_f32(FXK_REDUCE_SUM, x, y, ROWS, COLUMNS));
    row("row sum", t, N);
    MEASURE(t, fxk_reduce_rows_f32(FXK_REDUCE_MAX, x, y, ROWS, COLUMNS));
    row("row max", t, N);
  }
  return 0;
}
