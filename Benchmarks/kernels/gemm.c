// Matrix products on one thread at each instruction set, beside the system's BLAS (build with BLAS=1).
// Columns: GFLOP/s with nothing packed, with B packed, with A packed, and of the BLAS; the peak is that of independent
// multiply-adds in registers.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CBlasShim.h"
#include "CKernels.h"
#include "measure.h"

static const size_t shapes[][3] = {
  {64, 64, 64}, {128, 128, 128}, {256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024}, {64, 3136, 576},
  {256, 196, 2304}, {512, 49, 4608}, {24, 3136, 144}, {96, 3136, 24}, {1, 1000, 2048}, {1, 4096, 1024}, {4, 768, 768},
  {8, 1024, 1024}, {16, 768, 768}, {128, 768, 768}, {128, 3072, 768}, {128, 64, 128}, {512, 1, 512}, {197, 197, 64},
};

static float *random_floats(size_t n) {
  float *p = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64 + 64);
  for (size_t i = 0; i < n; ++i) p[i] = (float)rand() / (float)RAND_MAX - 0.5f;
  return p;
}

// GFLOP/s of one product.
static double rate(fxk_gemm *g) {
  fxk_gemm_plan(g, 1);
  float *scratch = random_floats(fxk_gemm_scratch(g));
  double t;
  MEASURE(t, fxk_gemm_run(g, 0, g->row_tasks * g->column_tasks, scratch));
  free(scratch);
  return 2.0 * (double)g->m * (double)g->n * (double)g->k / t * 1e-9;
}

#if defined(__x86_64__)
#define PEAK(name, width, features)                                                                        \
  __attribute__((target(features), noinline)) static double name(void) {                                   \
    typedef float vector __attribute__((ext_vector_type(width)));                                          \
    vector sum[12], x = (vector)(1.0f + (float)rand() * 1e-20f), y = (vector)(1e-9f);                      \
    for (int i = 0; i < 12; ++i) sum[i] = (vector)(float)i;                                                \
    double t;                                                                                              \
    MEASURE(t, for (int n = 0; n < 1000; ++n) {                                                            \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < 12; ++i) sum[i] = sum[i] * x + y;             \
      __asm__ volatile("" ::: "memory");                                                                   \
    });                                                                                                    \
    vector total = sum[0];                                                                                 \
    for (int i = 1; i < 12; ++i) total += sum[i];                                                          \
    return total[0] == 0.125f ? 0 : 2.0 * 12 * (width) * 1000 / t * 1e-9;                                  \
  }
PEAK(peak_avx512, 16, "avx512f")
PEAK(peak_avx2, 8, "avx2,fma")
#endif

static double peak(fxk_isa isa) {
#if defined(__x86_64__)
  if (isa == FXK_ISA_AVX512) return peak_avx512();
  if (isa == FXK_ISA_AVX2) return peak_avx2();
#endif
  (void)isa;
  return 0;
}

static double largest_error(const float *c, const float *a, const float *b, size_t m, size_t n, size_t k) {
  double worst = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const size_t i = (size_t)rand() % m, j = (size_t)rand() % n;
    double sum = 0;
    for (size_t p = 0; p < k; ++p) sum += (double)a[i * k + p] * (double)b[p * n + j];
    const double e = fabs(sum - (double)c[i * n + j]) / sqrt((double)k);
    if (!(e <= worst)) worst = e;
  }
  return worst;
}

int main(void) {
  fxblas_set_threads(1);
  for (int isa = FXK_ISA_COUNT - 1; isa >= 0; --isa) {
    if (!fxk_select_isa((fxk_isa)isa)) continue;
    printf("%s, peak %.1f GFLOP/s\n", fxk_isa_name((fxk_isa)isa), peak((fxk_isa)isa));
    printf("%-9s      m     n     k      plain  packed B  packed A      BLAS   error\n", "");
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; ++s) {
      const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
      float *a = random_floats(m * k), *b = random_floats(k * n), *c = random_floats(m * n);
      float *pa = random_floats(fxk_gemm_packed_a_size(m, k)), *pb = random_floats(fxk_gemm_packed_b_size(k, n));
      fxk_gemm_pack_a(a, (ptrdiff_t)k, 1, m, k, pa, 0, fxk_gemm_packed_a_panels(m, k));
      fxk_gemm_pack_b(b, (ptrdiff_t)n, 1, k, n, pb, 0, fxk_gemm_packed_b_panels(k, n));
      fxk_gemm g = {.m = m, .n = n, .k = k, .a = a, .a_row = (ptrdiff_t)k, .a_column = 1, .b = b, .b_row = (ptrdiff_t)n,
                    .b_column = 1, .c = c, .c_row = (ptrdiff_t)n, .epilogue = fxk_epilogue_none()};
            const double plain = rate(&g);
      double error = largest_error(c, a, b, m, n, k);
      g.packed_b = pb;
      const double packed_b = rate(&g);
      error = fmax(error, largest_error(c, a, b, m, n, k));
      g.packed_b = NULL;
      g.packed_a = pa;
      const double packed_a = rate(&g);
      error = fmax(error, largest_error(c, a, b, m, n, k));
      double blas = 0;
      if (fxblas_available()) {
        double t;
        MEASURE(t, fxblas_sgemm(false, false, m, n, k, 1.0f, a, k, b, n, 0.0f, c, n));
        blas = 2.0 * (double)m * (double)n * (double)k / t * 1e-9;
      }
      printf("%15zu %5zu %5zu %10.1f %9.1f %9.1f %9.1f   %.1e\n", m, n, k, plain, packed_b, packed_a, blas, error);
      free(a), free(b), free(c), free(pa), free(pb);
    }
  }
  return 0;
}
