// Moving data without arithmetic. Element sizes are in bytes: 1, 2, 4, 8 or 16.
#ifndef FXK_MOVE_H
#define FXK_MOVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// y[j, i] = x[i, j] for i in [row0, row1) of a matrix of `columns` columns; x_row and y_row are the distances of rows in
// elements. x and y point to element (0, 0).
void fxk_transpose2d(
  const void *x, ptrdiff_t x_row, void *y, ptrdiff_t y_row, size_t row0, size_t row1, size_t columns,
  size_t element_size);

enum { FXK_MAX_RANK = 8 };

// A copy of a strided view to a dense tensor, prepared once and run in parts.
typedef struct fxk_copy {
  size_t rank;                     // after merging axes that are adjacent in both
  size_t sizes[FXK_MAX_RANK];
  ptrdiff_t strides[FXK_MAX_RANK]; // of the source, in elements; 0 repeats
  size_t element_size;
  size_t parts;                    // pieces that can be copied independently
  bool transposes;                 // the innermost two axes are moved as blocks
} fxk_copy;

// Prepares y[i...] = x[sum i strides]: a permutation, a broadcast, a slice (point x at its first element; strides may
// be negative). Returns false if rank > FXK_MAX_RANK or the element size is not one of those above.
bool fxk_copy_prepare(fxk_copy *copy, size_t rank, const size_t *sizes, const ptrdiff_t *strides, size_t element_size);

// Copies parts [part0, part1) of copy->parts. y points to the first element of the whole dense result.
void fxk_copy_run(const fxk_copy *copy, const void *x, void *y, size_t part0, size_t part1);

// y[o, i, :] = x[o, index[i], :] for blocks of `block` bytes, `axis_size` of them in each outer slice. Negative indices
// count from the end. Returns false at the first index that is out of range; the rest is then unwritten.
bool fxk_gather(
  const void *x, void *y, const int64_t *index, size_t index_count, size_t axis_size, size_t block, size_t outer0,
  size_t outer1);

#endif
