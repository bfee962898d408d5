// The system's BLAS as Swift sees it: plain functions, no macros, no enums of the library's own.
//
// Built without it, every product is left undone and fxblas_available says so: callers ask that first.
#ifndef CBLASSHIM_H
#define CBLASSHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whether this build calls a BLAS.
bool fxblas_available(void);

// The library's own threads. The runtime sets 1 and splits products itself: two callers at once share one lock inside
// the library otherwise. Process-wide.
void fxblas_set_threads(int threads);

// The library's configuration string and the processor core it chose; empty without a BLAS.
const char *fxblas_description(void);

// C = alpha op(A) op(B) + beta C on row-major matrices: op(A) is [m, k], op(B) is [k, n], C is [m, n]. The leading
// dimensions are the distances of rows as stored. Returns false, with C unwritten, without a BLAS or when a size is
// beyond the library's integers.
bool fxblas_sgemm(
  bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda,
  const float *b, size_t ldb, float beta, float *c, size_t ldc);
bool fxblas_dgemm(
  bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha, const double *a, size_t lda,
  const double *b, size_t ldb, double beta, double *c, size_t ldc);

// y = alpha op(A) x + beta y with A stored [m, n] row-major; adjacent x and y.
bool fxblas_sgemv(
  bool transpose, size_t m, size_t n, float alpha, const float *a, size_t lda, const float *x, float beta, float *y);

#endif
