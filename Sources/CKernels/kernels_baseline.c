// The kernels for what the compiler assumes of every processor: SSE2 on x86-64, NEON on arm64.
#include "table.h"

#include <math.h>
#include <string.h>

#define FXK_VW 4
#define FXK_THIN 1
#if defined(__aarch64__)
#define FXK_ROUND_INSTRUCTION 1
#define FXK_MR 12
#define FXK_MR_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#define FXK_DIRECT_ROWS 8
#define FXK_DIRECT_LIST(X) X(1, 4) X(2, 4) X(3, 2) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1)
#else
#define FXK_DIRECT_ROWS 6
#define FXK_DIRECT_LIST(X) X(1, 4) X(2, 2) X(3, 1) X(4, 1) X(5, 1) X(6, 1)
#define FXK_ROUND_INSTRUCTION 0
#define FXK_MR 6
#define FXK_MR_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif
#define FXK_TABLE fxk_table_baseline
#include "bodies/all.h"
