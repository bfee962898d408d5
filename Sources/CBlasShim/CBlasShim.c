#include "include/CBlasShim.h"

#if defined(FX_HAVE_OPENBLAS)

#include <cblas.h>
#include <limits.h>

// openblas_* are extensions that other providers of cblas.h lack; weak references let those link too.
extern void openblas_set_num_threads(int threads) __attribute__((weak));
extern char *openblas_get_config(void) __attribute__((weak));

static bool fits(size_t value) { return value <= (size_t)INT_MAX; }

bool fxblas_available(void) { return true; }

void fxblas_set_threads(int threads) {
  if (openblas_set_num_threads != NULL && threads > 0) openblas_set_num_threads(threads);
}

const char *fxblas_description(void) { return openblas_get_config != NULL ? openblas_get_config() : "CBLAS"; }

static enum CBLAS_TRANSPOSE op(bool transpose) { return transpose ? CblasTrans : CblasNoTrans; }

bool fxblas_sgemm(
    bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda,
    const float *b, size_t ldb, float beta, float *c, size_t ldc) {
  if (!fits(m) || !fits(n) || !fits(k) || !fits(lda) || !fits(ldb) || !fits(ldc)) return false;
  cblas_sgemm(
    CblasRowMajor, op(transpose_a), op(transpose_b), (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c,
    (int)ldc);
  return true;
}

bool fxblas_dgemm(
    bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha, const double *a, size_t lda,
    const double *b, size_t ldb, double beta, double *c, size_t ldc) {
  if (!fits(m) || !fits(n) || !fits(k) || !fits(lda) || !fits(ldb) || !fits(ldc)) return false;
  cblas_dgemm(
    CblasRowMajor, op(transpose_a), op(transpose_b), (int)m, (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c,
    (int)ldc);
  return true;
}

bool fxblas_sgemv(
    bool transpose, size_t m, size_t n, float alpha, const float *a, size_t lda, const float *x, float beta, float *y) {
  if (!fits(m) || !fits(n) || !fits(lda)) return false;
  cblas_sgemv(CblasRowMajor, op(transpose), (int)m, (int)n, alpha, a, (int)lda, x, 1, beta, y, 1);
  return true;
}

#else

bool fxblas_available(void) { return false; }

void fxblas_set_threads(int threads) { (void)threads; }

const char *fxblas_description(void) { return ""; }

#define UNUSED_PRODUCT (void)m, (void)n, (void)alpha, (void)a, (void)lda, (void)beta

bool fxblas_sgemm(
    bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda,
    const float *b, size_t ldb, float beta, float *c, size_t ldc) {
  UNUSED_PRODUCT, (void)transpose_a, (void)transpose_b, (void)k, (void)b, (void)ldb, (void)c, (void)ldc;
  return false;
}

bool fxblas_dgemm(
    bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha, const double *a, size_t lda,
    const double *b, size_t ldb, double beta, double *c, size_t ldc) {
  UNUSED_PRODUCT, (void)transpose_a, (void)transpose_b, (void)k, (void)b, (void)ldb, (void)c, (void)ldc;
  return false;
}

bool fxblas_sgemv(
    bool transpose, size_t m, size_t n, float alpha, const float *a, size_t lda, const float *x, float beta, float *y) {
  UNUSED_PRODUCT, (void)transpose, (void)x, (void)y;
  return false;
}

#endif
