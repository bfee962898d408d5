// Conversions between element types.
#ifndef FXK_CONVERT_H
#define FXK_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// IEEE binary16 and bfloat16 as bit patterns. Narrowing rounds to nearest even, overflows to infinity and keeps NaN.
void fxk_f16_to_f32(const uint16_t *x, float *y, size_t n);
void fxk_f32_to_f16(const float *x, uint16_t *y, size_t n);
void fxk_bf16_to_f32(const uint16_t *x, float *y, size_t n);
void fxk_f32_to_bf16(const float *x, uint16_t *y, size_t n);

void fxk_i8_to_f32(const int8_t *x, float *y, size_t n);
void fxk_u8_to_f32(const uint8_t *x, float *y, size_t n);
void fxk_i32_to_f32(const int32_t *x, float *y, size_t n);
void fxk_i64_to_f32(const int64_t *x, float *y, size_t n);
void fxk_f64_to_f32(const double *x, float *y, size_t n);
void fxk_f32_to_f64(const float *x, double *y, size_t n);
// Truncates toward zero; NaN gives 0 and values beyond the type its nearest end.
void fxk_f32_to_i32(const float *x, int32_t *y, size_t n);
void fxk_f32_to_i64(const float *x, int64_t *y, size_t n);
void fxk_i32_to_i64(const int32_t *x, int64_t *y, size_t n);
// Keeps the low 32 bits.
void fxk_i64_to_i32(const int64_t *x, int32_t *y, size_t n);

// y = saturate(round_half_even(x / scale) + zero_point); NaN gives the zero point.
void fxk_quantize_i8(const float *x, int8_t *y, size_t n, float scale, int32_t zero_point);
void fxk_quantize_u8(const float *x, uint8_t *y, size_t n, float scale, int32_t zero_point);
// y = (x - zero_point) scale.
void fxk_dequantize_i8(const int8_t *x, float *y, size_t n, float scale, int32_t zero_point);
void fxk_dequantize_u8(const uint8_t *x, float *y, size_t n, float scale, int32_t zero_point);
void fxk_dequantize_i32(const int32_t *x, float *y, size_t n, float scale, int32_t zero_point);

#endif
