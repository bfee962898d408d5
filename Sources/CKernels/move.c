// Data movement of include/fxk_move.h: one build, since it is bound by memory and not by arithmetic.
#include "CKernels.h"

#include <string.h>

typedef struct { uint64_t low, high; } bytes16;

// Tiles of the transposition, in elements: two cache lines of 4-byte elements each way.
enum { TILE = 32, PART_ROWS = 64 };

#define TRANSPOSE(name, type)                                                                                   \
  static void name(                                                                                             \
      const type *x, ptrdiff_t x_row, type *y, ptrdiff_t y_row, size_t row0, size_t row1, size_t columns) {     \
    for (size_t i0 = row0; i0 < row1; i0 += TILE) {                                                             \
      const size_t i1 = row1 - i0 < TILE ? row1 : i0 + TILE;                                                    \
      for (size_t j0 = 0; j0 < columns; j0 += TILE) {                                                           \
        const size_t j1 = columns - j0 < TILE ? columns : j0 + TILE;                                            \
        for (size_t j = j0; j < j1; ++j) {                                                                      \
          type *out = y + (ptrdiff_t)j * y_row;                                                                 \
          const type *in = x + j;                                                                               \
          for (size_t i = i0; i < i1; ++i) out[i] = in[(ptrdiff_t)i * x_row];                                   \
        }                                                                                                       \
      }                                                                                                         \
    }                                                                                                           \
  }

TRANSPOSE(transpose1, uint8_t)
TRANSPOSE(transpose2, uint16_t)
TRANSPOSE(transpose8, uint64_t)
TRANSPOSE(transpose16, bytes16)
TRANSPOSE(transpose4_scalar, uint32_t)

typedef uint32_t word4 __attribute__((ext_vector_type(4)));
typedef uint32_t word4_unaligned __attribute__((ext_vector_type(4), aligned(4), may_alias));

// Four by four in registers; the edges element by element.
static void transpose4(
    const uint32_t *x, ptrdiff_t x_row, uint32_t *y, ptrdiff_t y_row, size_t row0, size_t row1, size_t columns) {
  const size_t whole_columns = columns / 4 * 4, whole_end = row0 + (row1 - row0) / 4 * 4;
  for (size_t i0 = row0; i0 < whole_end; i0 += TILE) {
    const size_t i1 = whole_end - i0 < TILE ? whole_end : i0 + TILE;
    for (size_t j0 = 0; j0 < whole_columns; j0 += TILE) {
      const size_t j1 = whole_columns - j0 < TILE ? whole_columns : j0 + TILE;
      for (size_t j = j0; j < j1; j += 4) {
        for (size_t i = i0; i < i1; i += 4) {
          const uint32_t *in = x + (ptrdiff_t)i * x_row + (ptrdiff_t)j;
          uint32_t *out = y + (ptrdiff_t)j * y_row + (ptrdiff_t)i;
          const word4 a = *(const word4_unaligned *)in, b = *(const word4_unaligned *)(in + x_row);
          const word4 c = *(const word4_unaligned *)(in + 2 * x_row), d = *(const word4_unaligned *)(in + 3 * x_row);
          const word4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
          const word4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
          *(word4_unaligned *)out = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
          *(word4_unaligned *)(out + y_row) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
          *(word4_unaligned *)(out + 2 * y_row) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
          *(word4_unaligned *)(out + 3 * y_row) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
        }
      }
    }
  }
  if (whole_columns < columns) {
    transpose4_scalar(
      x + whole_columns, x_row, y + (ptrdiff_t)whole_columns * y_row, y_row, row0, whole_end, columns - whole_columns);
  }
  transpose4_scalar(x, x_row, y, y_row, whole_end, row1, columns);
}

void fxk_transpose2d(
    const void *x, ptrdiff_t x_row, void *y, ptrdiff_t y_row, size_t row0, size_t row1, size_t columns,
    size_t element_size) {
  switch (element_size) {
  case 1: transpose1(x, x_row, y, y_row, row0, row1, columns); break;
  case 2: transpose2(x, x_row, y, y_row, row0, row1, columns); break;
  case 4: transpose4(x, x_row, y, y_row, row0, row1, columns); break;
  case 8: transpose8(x, x_row, y, y_row, row0, row1, columns); break;
  case 16: transpose16(x, x_row, y, y_row, row0, row1, columns); break;
  default: break;
  }
}

bool fxk_copy_prepare(fxk_copy *copy, size_t rank, const size_t *sizes, const ptrdiff_t *strides, size_t element_size) {
  const bool known = element_size == 1 || element_size == 2 || element_size == 4 || element_size == 8 || element_size == 16;
  if (rank > FXK_MAX_RANK || !known) return false;
  copy->element_size = element_size;
  copy->rank = 0;
  // Axes of size 1 say nothing; an axis joins the one before it where the two are one run of the source.
  for (size_t axis = 0; axis < rank; ++axis) {
    if (sizes[axis] == 1) continue;
    const size_t last = copy->rank - 1;
    if (copy->rank > 0 && copy->strides[last] == strides[axis] * (ptrdiff_t)sizes[axis]) {
      copy->sizes[last] *= sizes[axis];
      copy->strides[last] = strides[axis];
    } else {
      copy->sizes[copy->rank] = sizes[axis];
      copy->strides[copy->rank] = strides[axis];
      copy->rank += 1;
    }
  }
  if (copy->rank == 0) {
    copy->sizes[0] = 1;
    copy->strides[0] = 1;
    copy->rank = 1;
  }
  // [..., i, j] with the source adjacent along i: a transposition of blocks.
  copy->transposes = copy->rank >= 2 && copy->strides[copy->rank - 2] == 1 && copy->strides[copy->rank - 1] > 1
    && copy->sizes[copy->rank - 2] >= 4 && copy->sizes[copy->rank - 1] >= 4;
  // A part is one innermost row, or PART_ROWS rows of one transposed block.
  const size_t inner = copy->transposes ? 2 : 1;
  copy->parts = copy->transposes ? (copy->sizes[copy->rank - 2] + PART_ROWS - 1) / PART_ROWS : 1;
  for (size_t axis = 0; axis + inner < copy->rank; ++axis) copy->parts *= copy->sizes[axis];
  return true;
}

#define COPY_STRIDED(type)                                                      \
  {                                                                             \
    const type *in = source;                                                    \
    type *out = destination;                                                    \
    if (stride == 0) {                                                          \
      const type value = in[0];                                                 \
      for (size_t i = 0; i < count; ++i) out[i] = value;                        \
    } else {                                                                    \
      for (size_t i = 0; i < count; ++i) out[i] = in[(ptrdiff_t)i * stride];    \
    }                                                                           \
    break;                                                                      \
  }

static void copy_row(const void *source, ptrdiff_t stride, void *destination, size_t count, size_t element_size) {
  if (stride == 1) {
    memcpy(destination, source, count * element_size);
    return;
  }
  switch (element_size) {
  case 1: COPY_STRIDED(uint8_t)
  case 2: COPY_STRIDED(uint16_t)
  case 4: COPY_STRIDED(uint32_t)
  case 8: COPY_STRIDED(uint64_t)
  case 16: COPY_STRIDED(bytes16)
  default: break;
  }
}

void fxk_copy_run(const fxk_copy *copy, const void *x, void *y, size_t part0, size_t part1) {
  if (part0 >= part1) return;
  const size_t inner = copy->transposes ? 2 : 1, outer = copy->rank - inner;
  // The result of one outer position is [i, j], or [j].
  const size_t j = copy->sizes[copy->rank - 1], i = copy->transposes ? copy->sizes[copy->rank - 2] : 1;
  const ptrdiff_t stride = copy->strides[copy->rank - 1];
  const size_t blocks = copy->transposes ? (i + PART_ROWS - 1) / PART_ROWS : 1, size = copy->element_size;
  size_t position[FXK_MAX_RANK] = {0};
  ptrdiff_t offset = 0;
  size_t rest = part0 / blocks, block = part0 % blocks;
  for (size_t axis = outer; axis-- > 0;) {
    position[axis] = rest % copy->sizes[axis];
    rest /= copy->sizes[axis];
    offset += (ptrdiff_t)position[axis] * copy->strides[axis];
  }
  char *out = (char *)y + part0 / blocks * i * j * size;
  for (size_t part = part0; part < part1; ++part) {
    const char *in = (const char *)x + offset * (ptrdiff_t)size;
    if (copy->transposes) {
      const size_t i0 = block * PART_ROWS, i1 = i - i0 < PART_ROWS ? i : i0 + PART_ROWS;
      fxk_transpose2d(in + i0 * size, stride, out + i0 * j * size, (ptrdiff_t)j, 0, j, i1 - i0, size);
    } else {
      copy_row(in, stride, out, j, size);
    }
    if (++block < blocks) continue;
    block = 0;
    out += i * j * size;
    for (size_t axis = outer; axis-- > 0;) {
      offset += copy->strides[axis];
      if (++position[axis] < copy->sizes[axis]) break;
      offset -= (ptrdiff_t)copy->sizes[axis] * copy->strides[axis];
      position[axis] = 0;
    }
  }
}

bool fxk_gather(
    const void *x, void *y, const int64_t *index, size_t index_count, size_t axis_size, size_t block, size_t outer0,
    size_t outer1) {
  for (size_t outer = outer0; outer < outer1; ++outer) {
    const char *in = (const char *)x + outer * axis_size * block;
    char *out = (char *)y + outer * index_count * block;
    for (size_t i = 0; i < index_count; ++i) {
      const int64_t at = index[i] < 0 ? index[i] + (int64_t)axis_size : index[i];
      if (at < 0 || at >= (int64_t)axis_size) return false;
      const char *source = in + (size_t)at * block;
      // Fixed sizes become single moves.
      if (block == 4) memcpy(out + i * 4, source, 4);
      else if (block == 8) memcpy(out + i * 8, source, 8);
      else memcpy(out + i * block, source, block);
    }
  }
  return true;
}
