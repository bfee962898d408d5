// The functions on integers for arm64 processors with the dot product instructions (ARMv8.4, and most since 2018).
#include "integer_table.h"

#include <math.h>
#include <string.h>

#if defined(__aarch64__)
#include <arm_neon.h>

#define FXK_VW 4
#define FXK_ROUND_INSTRUCTION 1
#define FXI_GROUP 4
#define FXI_AVX512 0
#define FXI_SIGNED_A 1
#define FXI_WIDE_TILE 1
#define FXI_TABLE fxk_integers_neon
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#include "bodies/integers.h"
#pragma clang attribute pop
#endif
