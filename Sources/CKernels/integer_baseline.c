// The functions on integers for what the compiler assumes of every processor: SSE2 on x86-64, NEON on arm64.
#include "integer_table.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#define FXK_ROUND_INSTRUCTION 0
#else
#define FXK_ROUND_INSTRUCTION 1
#endif

#define FXK_VW 4
#define FXI_GROUP 2
#define FXI_AVX512 0
#define FXI_SIGNED_A 0
#define FXI_WIDE_TILE 0
#define FXI_TABLE fxk_integers_baseline
#include "bodies/integers.h"
