// Forwards the functions on integers to the table of the instruction set in use, and what needs no table.
#include "integer_table.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
// HWCAP_ASIMDDP of <asm/hwcap.h>.
static bool has_dot_products(void) { return (getauxval(AT_HWCAP) >> 20 & 1) != 0; }
#elif defined(__aarch64__)
// Apple's processors for Macs all have them.
static bool has_dot_products(void) { return true; }
#endif

static const fxk_integer_table *integers(void) {
#if defined(__x86_64__)
  switch (fxk_current_isa()) {
  case FXK_ISA_AVX512:
    return __builtin_cpu_supports("avx512vnni") ? &fxk_integers_vnni : &fxk_integers_avx2;
  case FXK_ISA_AVX2: return &fxk_integers_avx2;
  default: break;
  }
#elif defined(__aarch64__)
  if (has_dot_products()) return &fxk_integers_neon;
#endif
  return &fxk_integers_baseline;
}

#define FXK_FORWARD(result, name, parameters, arguments) \
  result fxk_##name parameters { return integers()->name arguments; }
FXK_INTEGER_FUNCTIONS(FXK_FORWARD)

// A's numbers are a − a_zero and B's b − b_zero, so that with sums over k
//   Σ (a − a_zero)(b − b_zero) = Σ a b − a_zero Σ b − b_zero Σ a + k a_zero b_zero.
// What does not depend on the row is the offset.
void fxk_int_prepare(
  const fxk_int_parameters *p, int32_t *offset, int32_t *b_zero, float *scale, float *shift, fxk_int_scaling *scaling) {
  bool has_b_zero = false;
  for (size_t j = 0; j < p->n; ++j) {
    const int8_t zero = p->b_zero == NULL ? (int8_t)p->b_flip : (int8_t)(p->b_zero[p->b_zeros == 1 ? 0 : j] ^ p->b_flip);
    has_b_zero |= zero != 0;
    b_zero[j] = zero;
    uint32_t sum = p->bias != NULL ? (uint32_t)p->bias[j] : 0;
    sum -= (uint32_t)p->a_zero * (uint32_t)p->sums[j];
    sum += (uint32_t)p->k * (uint32_t)p->a_zero * (uint32_t)b_zero[j];
    offset[j] = (int32_t)sum;
    float factor = p->a_scale * (p->b_scale == NULL ? 1.0f : p->b_scale[p->b_scales == 1 ? 0 : j]);
    if (p->y_scale != 0) factor /= p->y_scale;
    scale[j] = factor;
    shift[j] = p->addend == NULL ? 0.0f : p->y_scale != 0 ? p->addend[j] / p->y_scale : p->addend[j];
  }
  for (size_t j = p->n; j < (p->n + 15) / 16 * 16; ++j) {
    offset[j] = 0;
    b_zero[j] = 0;
    scale[j] = 0;
    shift[j] = 0;
  }
  scaling->offset = offset;
  scaling->b_zero = has_b_zero ? b_zero : NULL;
  scaling->scale = scale;
  scaling->shift = p->addend == NULL ? NULL : shift;
}
