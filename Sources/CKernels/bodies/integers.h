// Every function on integers of one instruction set. The including file sets the target and defines
//   FXK_VW          32-bit numbers per vector,
//   FXI_GROUP       rows of B that one instruction multiplies: 4 bytes, or 2 numbers of 16 bits,
//   FXI_SIGNED_A    whether the instruction takes A's bytes with a sign: 128 is taken from them, and given back in sums,
//   FXI_AVX512      whether there are AVX-512's instructions,
//   FXI_WIDE_TILE   whether there are registers for tiles of 4 vectors by 6 rows,
//   FXI_TABLE       the table to fill.

#include "simd.h"
#include "int8_dot.h"
#include "int8_store.h"
#include "int8_gemm.h"
#include "int8_depthwise.h"
#include "int8_map.h"
#include "weight_only.h"

const fxk_integer_table FXI_TABLE = {
#define FXK_ENTRY(result, name, parameters, arguments) .name = name,
  FXK_INTEGER_FUNCTIONS(FXK_ENTRY)
#undef FXK_ENTRY
};
