// The kernels for x86-64 processors with AVX2 and FMA (Haswell, Zen and newer).
#include "table.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define FXK_VW 8
#define FXK_MR 6
#define FXK_MR_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define FXK_THIN 2
#define FXK_DIRECT_ROWS 6
#define FXK_DIRECT_LIST(X) X(1, 4) X(2, 2) X(3, 1) X(4, 1) X(5, 1) X(6, 1)
#define FXK_ROUND_INSTRUCTION 1
#define FXK_F16C 1
#define FXK_TABLE fxk_table_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2,f16c"))), apply_to = function)
#include "bodies/all.h"
#pragma clang attribute pop
#endif
