// Pooling, resizing and per-channel maps of NCHW float32 tensors. "Planes" are [height, width] images, one per
// (batch, channel); ranges of planes are independent.
#ifndef FXK_SPATIAL_H
#define FXK_SPATIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fxk_pool2d {
  size_t in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  size_t pad_bottom, pad_right;  // count_include_pad counts these cells, and none beyond them
} fxk_pool2d;

// Largest element under each window; NaN if there is one. `indices`, where not null, receives the flat position in
// the plane, plus plane_index_step times the plane's number. x, y, indices point to plane 0.
void fxk_max_pool2d_f32(
  const fxk_pool2d *pool, const float *x, float *y, int64_t *indices, int64_t plane_index_step, size_t plane0,
  size_t plane1);

void fxk_average_pool2d_f32(
  const fxk_pool2d *pool, const float *x, float *y, bool count_include_pad, size_t plane0, size_t plane1);

// y = act(x scale[plane % channels] + shift[plane % channels]) on planes of `size` elements; y may be x.
// `shift` may be null.
void fxk_channel_affine_f32(
  const float *x, float *y, size_t size, size_t channels, const float *scale, const float *shift, bool relu,
  size_t plane0, size_t plane1);

// Resizes planes along both axes by linear interpolation. For output row i the two source rows are y0[i], y1[i] with
// weight of the second yw[i]; columns alike. Scratch: 2 out_w floats.
void fxk_resize_linear2d_f32(
  const float *x, float *y, size_t in_h, size_t in_w, size_t out_h, size_t out_w, const int32_t *y0, const int32_t *y1,
  const float *yw, const int32_t *x0, const int32_t *x1, const float *xw, size_t plane0, size_t plane1, float *scratch);

// y[i, j] = x[rows[i], columns[j]] on planes.
void fxk_resize_nearest2d_f32(
  const float *x, float *y, size_t in_h, size_t in_w, size_t out_h, size_t out_w, const int32_t *rows,
  const int32_t *columns, size_t plane0, size_t plane1);

// Rows [row0, row1) of the im2col matrix of one image [channels, in_h, in_w]: row (c kernel_h + ky) kernel_w + kx,
// column oy out_w + ox, zeros outside the image. `columns` points to row 0 of [rows, out_h out_w].
void fxk_im2col_f32(const fxk_pool2d *window, const float *image, float *columns, size_t row0, size_t row1);

// The transpose: adds the columns of channels [channel0, channel1) into `image`, which is set to zero first.
// With it a transposed convolution is one matrix product. Here in_* is the image and out_* the column grid.
void fxk_col2im_f32(const fxk_pool2d *window, const float *columns, float *image, size_t channel0, size_t channel1);

// One step of an LSTM for `rows` sequences: gates [rows, 4 hidden] in ONNX order (i, o, f, c) hold the summed
// projections; cell and hidden are [rows, hidden]; peephole [3 hidden] in order (i, o, f) or null; cell_out may be cell.
void fxk_lstm_step_f32(
  const float *gates, const float *cell, const float *peephole, float *cell_out, float *hidden_out, size_t rows,
  size_t hidden);

// One step of a GRU: x_gates and h_gates [rows, 3 hidden] in ONNX order (z, r, h), biases already added; the candidate
// is tanh(x_h + r h_h) (linear_before_reset = 1). hidden_out may be hidden.
void fxk_gru_step_f32(
  const float *x_gates, const float *h_gates, const float *hidden_in, float *hidden_out, size_t rows, size_t hidden);

#endif
