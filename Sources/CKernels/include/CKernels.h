// The arithmetic loops of the CPU backend, in plain C with one build per instruction set.
//
// Rules that hold for every function here:
// - the caller owns all memory; nothing allocates, and scratch sizes are asked for beforehand;
// - pointers need the alignment of their element only;
// - what a function computes for one output never depends on the range it was asked for, so a
//   caller may split work over threads in any way and get the same bits;
// - there is no global state but the choice of the instruction set (fxk_isa.h).
#ifndef CKERNELS_H
#define CKERNELS_H

#include "fxk_isa.h"
#include "fxk_elementwise.h"
#include "fxk_rows.h"
#include "fxk_gemm.h"
#include "fxk_conv.h"
#include "fxk_spatial.h"
#include "fxk_blocked.h"
#include "fxk_move.h"
#include "fxk_convert.h"
#include "fxk_integer.h"
#include "fxk_weight_only.h"
#include "fxk_threads.h"

#endif
