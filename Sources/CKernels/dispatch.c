// Chooses the table of an instruction set and forwards the public functions to it.
#include "table.h"

#include <stdatomic.h>

// Null until the first call; then one of the constant tables. Two threads may both fill it, with the same value.
static _Atomic(const fxk_table *) current_table;

// What fxk_select_thread_isa chose for this thread, or null.
static _Thread_local const fxk_table *thread_table;

static const fxk_table *table_of(fxk_isa isa) {
  switch (isa) {
  case FXK_ISA_BASELINE: return &fxk_table_baseline;
#if defined(__x86_64__)
  case FXK_ISA_AVX2: return &fxk_table_avx2;
  case FXK_ISA_AVX512: return &fxk_table_avx512;
#endif
  default: return NULL;
  }
}

bool fxk_isa_available(fxk_isa isa) {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi")
    && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c");
  if (isa == FXK_ISA_AVX2) return avx2;
  if (isa == FXK_ISA_AVX512) {
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  }
#endif
  return isa == FXK_ISA_BASELINE;
}

static const fxk_table *table(void) {
  if (thread_table != NULL) return thread_table;
  const fxk_table *t = atomic_load_explicit(&current_table, memory_order_relaxed);
  if (t != NULL) return t;
  fxk_isa best = FXK_ISA_BASELINE;
  if (fxk_isa_available(FXK_ISA_AVX2)) best = FXK_ISA_AVX2;
  if (fxk_isa_available(FXK_ISA_AVX512)) best = FXK_ISA_AVX512;
  t = table_of(best);
  atomic_store_explicit(&current_table, t, memory_order_relaxed);
  return t;
}

fxk_isa fxk_current_isa(void) {
  const fxk_table *t = table();
  for (int isa = 0; isa < FXK_ISA_COUNT; ++isa) {
    if (table_of((fxk_isa)isa) == t) return (fxk_isa)isa;
  }
  return FXK_ISA_BASELINE;
}

const char *fxk_isa_name(fxk_isa isa) {
  switch (isa) {
  case FXK_ISA_BASELINE: return "baseline";
  case FXK_ISA_AVX2: return "avx2";
  case FXK_ISA_AVX512: return "avx512";
  default: return "unknown";
  }
}

bool fxk_select_isa(fxk_isa isa) {
  if (!fxk_isa_available(isa)) return false;
  atomic_store_explicit(&current_table, table_of(isa), memory_order_relaxed);
  return true;
}

bool fxk_select_thread_isa(fxk_isa isa) {
  if (isa == FXK_ISA_COUNT) {
    thread_table = NULL;
    return true;
  }
  if (!fxk_isa_available(isa)) return false;
  thread_table = table_of(isa);
  return true;
}

#define FXK_FORWARD(result, name, parameters, arguments) \
  result fxk_##name parameters { return table()->name arguments; }
FXK_FUNCTIONS(FXK_FORWARD)

fxk_epilogue fxk_epilogue_none(void) { return (fxk_epilogue){.alpha = 1.0f, .activation = FXK_UNARY_IDENTITY}; }
