// Every kernel of one instruction set. The including file defines FXK_VW (floats per vector), FXK_ROUND_INSTRUCTION
// (whether rounding is one instruction) and FXK_TABLE (the table to fill), and sets the target.

#include "simd.h"
#include "math.h"
#include "elementwise.h"
#include "rows.h"

const fxk_table FXK_TABLE = {
#define FXK_ENTRY(result, name, parameters, arguments) .name = name,
  FXK_FUNCTIONS(FXK_ENTRY)
#undef FXK_ENTRY
};
