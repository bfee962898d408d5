// The kernels for x86-64 processors with AVX-512 F, BW, DQ and VL (Skylake-SP, Zen 4 and newer).
#include "table.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define FXK_VW 16
#define FXK_MR 14
#define FXK_MR_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define FXK_THIN 4
#define FXK_DIRECT_ROWS 8
#define FXK_DIRECT_LIST(X) X(1, 4) X(2, 4) X(3, 2) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1)
#define FXK_ROUND_INSTRUCTION 1
#define FXK_F16C 1
#define FXK_TABLE fxk_table_avx512
#pragma clang attribute push(                                                                                      \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi,bmi2,f16c"))), apply_to = function)
#include "bodies/all.h"
#pragma clang attribute pop
#endif
