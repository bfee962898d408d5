// The kernels for what the compiler assumes of every processor: SSE2 on x86-64, NEON on arm64.
#include "table.h"

#include <math.h>
#include <string.h>

#define FXK_VW 4
#define FXK_MR 6
#define FXK_NRV 2
#if defined(__aarch64__)
#define FXK_ROUND_INSTRUCTION 1
#undef FXK_MR
#define FXK_MR 12
#else
#define FXK_ROUND_INSTRUCTION 0
#endif
#define FXK_TABLE fxk_table_baseline
#include "bodies/all.h"
