// Which instruction set the kernels use.
#ifndef FXK_ISA_H
#define FXK_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum fxk_isa {
  FXK_ISA_BASELINE = 0,  // what the compiler assumes: SSE2 on x86-64, NEON on arm64
  FXK_ISA_AVX2 = 1,      // AVX2, FMA, BMI, F16C
  FXK_ISA_AVX512 = 2,    // AVX-512 F, BW, DQ, VL on top of AVX2
  FXK_ISA_COUNT = 3,
} fxk_isa;

// Whether this processor (and this build) can run `isa`.
bool fxk_isa_available(fxk_isa isa);

// The instruction set in use: the best available one unless fxk_select_isa chose another.
fxk_isa fxk_current_isa(void);

// "baseline", "avx2" or "avx512"; "unknown" for any other value.
const char *fxk_isa_name(fxk_isa isa);

// Forces an instruction set in the whole process, for measurements. Returns false, and changes nothing, when it is not
// available. Packed operands (fxk_gemm.h, fxk_conv.h) are laid out for one instruction set: pack again after this.
bool fxk_select_isa(fxk_isa isa);

// The same for the calling thread alone, so that tests may run side by side; FXK_ISA_COUNT ends it.
bool fxk_select_thread_isa(fxk_isa isa);

#endif
