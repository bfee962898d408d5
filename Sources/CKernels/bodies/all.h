// Every kernel of one instruction set. The including file sets the target and defines
//   FXK_VW                 floats per vector,
//   FXK_MR, FXK_MR_LIST    rows of a register tile of a matrix product, and X(1) ... X(FXK_MR); tiles are FXK_NRV
//                          vectors wide,
//   FXK_DIRECT_ROWS, FXK_DIRECT_LIST  most rows that are multiplied without packing A, and X(rows, sums side by side),
//   FXK_THIN               most columns of a thin panel of a packed B (gemm.h),
//   FXK_ROUND_INSTRUCTION  whether rounding is one instruction,
//   FXK_TABLE              the table to fill.

#define FXK_NRV 2

#include "simd.h"
#include "math.h"
#include "elementwise.h"
#include "rows.h"
#include "gemm_tile.h"
#include "gemm.h"
#include "depthwise.h"
#include "winograd.h"
#include "conv.h"
#include "spatial.h"
#include "blocked.h"
#include "blocked_depthwise.h"
#include "blocked_winograd.h"
#include "convert.h"

const fxk_table FXK_TABLE = {
#define FXK_ENTRY(result, name, parameters, arguments) .name = name,
  FXK_FUNCTIONS(FXK_ENTRY)
#undef FXK_ENTRY
};
