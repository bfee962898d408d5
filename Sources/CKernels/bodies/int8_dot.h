// Vectors of integers and the multiplications that integer products are made of.

typedef int32_t fxi __attribute__((ext_vector_type(FXK_VW)));
typedef int32_t fxi_unaligned __attribute__((ext_vector_type(FXK_VW), aligned(4), may_alias));
typedef uint8_t fxi_bytes __attribute__((ext_vector_type(FXK_VW)));
typedef uint8_t fxi_bytes_unaligned __attribute__((ext_vector_type(FXK_VW), aligned(1), may_alias));

// An element of A and of B as they are multiplied.
#if FXI_SIGNED_A
typedef int8_t fxi_a;
typedef int8_t fxi_b;
#elif FXI_GROUP == 4
typedef uint8_t fxi_a;
typedef int8_t fxi_b;
#else
typedef int16_t fxi_a;
typedef int16_t fxi_b;
#endif

FXK_INLINE fxi fxi_load(const int32_t *p) { return *(const fxi_unaligned *)p; }
FXK_INLINE void fxi_store(int32_t *p, fxi v) { *(fxi_unaligned *)p = v; }
FXK_INLINE fxi_bytes fxi_load_bytes(const uint8_t *p) { return *(const fxi_bytes_unaligned *)p; }
FXK_INLINE void fxi_store_bytes(uint8_t *p, fxi_bytes v) { *(fxi_bytes_unaligned *)p = v; }

// Bytes as numbers without sign.
FXK_INLINE fxi fxi_widen(fxi_bytes v) { return __builtin_convertvector(v, fxi); }

// The low bytes.
FXK_INLINE fxi_bytes fxi_narrow(fxi v) { return __builtin_convertvector(v, fxi_bytes); }

// FXI_GROUP elements of A in every lane.
FXK_INLINE fxi fxi_repeat(const fxi_a *p) {
  int32_t bits;
  memcpy(&bits, p, sizeof bits);
  return (fxi)(bits);
}

// sum + the products of numbers of 16 bits with a sign, two to a lane.
FXK_INLINE fxi fxi_dot16(fxi sum, fxi a, fxi b) {
#if FXI_AVX512
  return (fxi)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif defined(__x86_64__) && FXK_VW == 8
  return sum + (fxi)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
  return sum + (fxi)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
  // Shifts by 16 leave the halves with their signs.
  return sum + ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
#endif
}

// sum + the products of a group.
FXK_INLINE fxi fxi_dot(fxi sum, fxi a, fxi b) {
#if FXI_SIGNED_A
  return (fxi)vdotq_s32((int32x4_t)sum, (int8x16_t)a, (int8x16_t)b);
#elif FXI_GROUP == 4
  return (fxi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#else
  return fxi_dot16(sum, a, b);
#endif
}
