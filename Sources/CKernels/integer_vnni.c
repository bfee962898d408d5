// The functions on integers for x86-64 processors with AVX-512 VNNI (Ice Lake, Zen 4 and newer).
#include "integer_table.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define FXK_VW 16
#define FXK_ROUND_INSTRUCTION 1
#define FXI_GROUP 4
#define FXI_AVX512 1
#define FXI_SIGNED_A 0
#define FXI_WIDE_TILE 1
#define FXI_TABLE fxk_integers_vnni
#pragma clang attribute push(                                                                                      \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,bmi,bmi2,f16c"))),                 \
  apply_to = function)
#include "bodies/integers.h"
#pragma clang attribute pop
#endif
