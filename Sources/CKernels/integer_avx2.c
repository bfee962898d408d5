// The functions on integers for x86-64 processors with AVX2: bytes are widened, since products of bytes saturate there.
#include "integer_table.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define FXK_VW 8
#define FXK_ROUND_INSTRUCTION 1
#define FXI_GROUP 2
#define FXI_AVX512 0
#define FXI_SIGNED_A 0
#define FXI_WIDE_TILE 0
#define FXI_TABLE fxk_integers_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2,f16c"))), apply_to = function)
#include "bodies/integers.h"
#pragma clang attribute pop
#endif
