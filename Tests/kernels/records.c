// kernels write FILE [avx2|avx512]: runs the kernels on inputs from a fixed seed; exit status 3 if this processor cannot.
// kernels compare EXPECTED FILE: compares what two builds wrote; exit status 1 if they differ.
#include "records.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

static FILE *out;
static uint64_t state;

void seed(uint64_t value) { state = value; }

// SplitMix64.
static uint64_t next(void) {
  uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

void *space(size_t size) {
  size_t whole = (size + 127) / 64 * 64;
  void *p = aligned_alloc(64, whole);
  if (p == NULL) exit(2);
  memset(p, 0xA5, whole);
  return p;
}

float *floats(size_t count, float low, float high) {
  float *x = space(count * sizeof(float));
  for (size_t i = 0; i < count; ++i) x[i] = (float)(low + ((double)high - low) * ((double)(next() >> 40) * 0x1p-24));
  return x;
}

uint8_t *bytes(size_t count) {
  uint8_t *x = space(count);
  for (size_t i = 0; i < count; ++i) x[i] = (uint8_t)(next() >> 32);
  return x;
}

int32_t *ints(size_t count, int32_t low, int32_t high) {
  int32_t *x = space(count * sizeof(int32_t));
  for (size_t i = 0; i < count; ++i) x[i] = low + (int32_t)(next() % (uint64_t)((int64_t)high - low + 1));
  return x;
}

static size_t size_of(kind kind) { return kind == BYTES ? 1 : kind == LONGS ? 8 : 4; }

typedef struct {
  char name[64];
  uint64_t kind, count;
  double tolerance;
} header;

void record(const char *name, kind kind, const void *data, size_t count, double tolerance) {
  header h = {.kind = kind, .count = count, .tolerance = tolerance};
  snprintf(h.name, sizeof h.name, "%s", name);
  if (fwrite(&h, sizeof h, 1, out) != 1 || fwrite(data, size_of(kind), count, out) != count) exit(2);
}

static const void *read_record(FILE *file, header *h) {
  if (fread(h, sizeof *h, 1, file) != 1) return NULL;
  void *data = space(h->count * size_of((kind)h->kind));
  return fread(data, size_of((kind)h->kind), h->count, file) == h->count ? data : NULL;
}

// The largest difference in units of the record's scale; infinite where one is NaN and the other is not.
static double distance(const header *h, const float *a, const float *b) {
  double largest = 1, worst = 0;
  for (size_t i = 0; i < h->count; ++i) {
    if (isfinite(a[i])) largest = fmax(largest, fabs(a[i]));
  }
  for (size_t i = 0; i < h->count; ++i) {
    if (a[i] == b[i] || (isnan(a[i]) && isnan(b[i]))) continue;
    const double off = fabs((double)a[i] - b[i]) / (fabs(a[i]) > 1 && h->tolerance < 1e-6 ? fabs(a[i]) : largest);
    if (!(off <= worst)) worst = isnan(off) ? INFINITY : off;
  }
  return worst;
}

static int compare(const char *expected, const char *actual) {
  FILE *a = fopen(expected, "rb"), *b = fopen(actual, "rb");
  if (a == NULL || b == NULL) return 2;
  size_t compared = 0, same = 0, wrong = 0;
  header x, y;
  const void *p, *q;
  while ((p = read_record(a, &x)) != NULL) {
    q = read_record(b, &y);
    if (q == NULL || strcmp(x.name, y.name) != 0 || x.count != y.count) {
      printf("%s is missing\n", x.name);
      return 1;
    }
    ++compared;
    if (memcmp(p, q, x.count * size_of((kind)x.kind)) == 0) {
      ++same;
      continue;
    }
    const double off = x.kind == FLOATS && x.tolerance > 0 ? distance(&x, p, q) : INFINITY;
    if (off <= x.tolerance) continue;
    printf("%s differs by %g\n", x.name, off);
    ++wrong;
  }
  printf("%zu results compared, %zu the same bits, %zu wrong\n", compared, same, wrong);
  return wrong > 0 || compared == 0;
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "compare") == 0) return compare(argv[2], argv[3]);
  if (argc < 3 || strcmp(argv[1], "write") != 0) return 2;
  fxk_isa isa = FXK_ISA_BASELINE;
  while (argc > 3 && isa < FXK_ISA_COUNT && strcmp(fxk_isa_name(isa), argv[3]) != 0) ++isa;
  if (!fxk_select_isa(isa)) return 3;
  out = fopen(argv[2], "wb");
  if (out == NULL) return 2;
  float_kernels();
  integer_kernels();
  return fclose(out) == 0 ? 0 : 2;
}
