// What a run of the kernels writes, and what is compared: named arrays in one file.
#ifndef RECORDS_H
#define RECORDS_H

#include <stddef.h>
#include <stdint.h>

typedef enum kind { BYTES, INTS, LONGS, FLOATS } kind;

// Inputs that every run draws alike.
void seed(uint64_t value);
float *floats(size_t count, float low, float high);
uint8_t *bytes(size_t count);
int32_t *ints(size_t count, int32_t low, int32_t high);
// Memory at a multiple of 64 bytes, filled with a pattern; it is never freed, as the program is short.
void *space(size_t size);

// Notes a result. Numbers are compared to `tolerance` × max(1, |expected|, largest of the array); 0 asks for the same bits.
void record(const char *name, kind kind, const void *data, size_t count, double tolerance);

void float_kernels(void);
void integer_kernels(void);

#endif
