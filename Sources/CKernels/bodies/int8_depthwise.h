// Convolutions of each channel by itself, vectors along the channels.
//
// The rows of the image that some rows of the result need are copied with their padding first, so that no tap asks where it
// is. Weights are 16-bit numbers, one to a lane, less their zero points.

FXK_INLINE size_t fxi_padded_channels(size_t channels) { return (channels + FXK_VW - 1) / FXK_VW * FXK_VW; }

#if FXI_AVX512
#include "int8_depthwise_wide.h"
#endif

// Behind the weights lie a number that says whether they are packed by columns of taps too (int8_depthwise_wide.h), and those.
FXK_INLINE size_t fxi_columns_size(size_t channels, size_t taps) {
#if FXI_AVX512
  if (taps == 9) return (channels + 63) / 64 * FXI_COLUMNS_BYTES / sizeof(int32_t);
#endif
  (void)channels;
  (void)taps;
  return 0;
}

static size_t int_depthwise_packed_size(size_t channels, size_t taps) {
  return fxi_padded_channels(channels) * taps + fxi_columns_size(channels, taps) + 1;
}

static void int_pack_depthwise(
  const uint8_t *weights, size_t channels, size_t taps, uint8_t flip, const uint8_t *zeros, size_t zero_count,
  int32_t *packed, int32_t *sums) {
  const size_t padded = fxi_padded_channels(channels);
  memset(packed, 0, padded * taps * sizeof(int32_t));
  for (size_t c = 0; c < channels; ++c) {
    const int8_t zero = zero_count == 0 ? (int8_t)flip : (int8_t)(zeros[zero_count == 1 ? 0 : c] ^ flip);
    sums[c] = 0;
    for (size_t t = 0; t < taps; ++t) {
      const int32_t value = (int8_t)(weights[c * taps + t] ^ flip) - zero;
      // The upper half meets the zeros of a widened byte.
      packed[t * padded + c] = value & 0xFFFF;
      sums[c] += value;
    }
  }
  packed[padded * taps] = 0;
#if FXI_AVX512
  if (taps == 9) packed[padded * taps] = fxi_pack_columns(packed, padded, channels, (int8_t *)(packed + padded * taps + 1));
#endif
}

// Columns of the image that a row of the result reads, padding included.
FXK_INLINE size_t fxi_span(const fxk_int_window *w, int axis, size_t count) {
  return (count - 1) * w->stride[axis] + (w->kernel[axis] - 1) * w->dilation[axis] + 1;
}

// Rows of the result that are computed from one copy.
static size_t fxi_depthwise_block(const fxk_int_window *w) {
  const size_t row = fxi_span(w, 1, w->out[1]) * w->channels;
  size_t rows = 16;
  while (rows > 1 && fxi_span(w, 0, rows) * row > ((size_t)256 << 10)) rows /= 2;
  return rows;
}

static size_t int_depthwise_scratch(const fxk_int_depthwise *conv) {
  const fxk_int_window *w = &conv->window;
  return fxi_span(w, 0, fxi_depthwise_block(w)) * fxi_span(w, 1, w->out[1]) * w->channels + 2 * 64;
}

// Copies rows [top, top + rows) of an image, `columns` columns from -pad on.
static void fxi_copy_padded(
  const fxk_int_window *w, const uint8_t *image, ptrdiff_t top, size_t rows, size_t columns, uint8_t flip, uint8_t *y) {
  const size_t left = w->pad[1] < columns ? w->pad[1] : columns;
  const size_t middle = columns - left < w->in[1] ? columns - left : w->in[1], length = columns * w->channels;
  for (size_t r = 0; r < rows; ++r, y += length) {
    const ptrdiff_t iy = top + (ptrdiff_t)r;
    if (iy < 0 || iy >= (ptrdiff_t)w->in[0]) {
      memset(y, w->padding, length);
    } else {
      memset(y, w->padding, left * w->channels);
      memcpy(y + left * w->channels, image + (size_t)iy * w->in[1] * w->channels, middle * w->channels);
      memset(y + (left + middle) * w->channels, w->padding, (columns - left - middle) * w->channels);
    }
    if (flip != 0) {
      FXK_LOOP
      for (size_t i = 0; i < length; ++i) y[i] ^= flip;
    }
  }
}

// One row of the result for the channels of a vector. x is the first tap of the first pixel.
FXK_INLINE void fxi_depthwise_row(
  const fxk_int_depthwise *conv, const fxi_rounding *rounding, const uint8_t *x, size_t x_row, size_t channel, size_t count,
  void *y, const size_t kernel0, const size_t kernel1, fxk_int_output output) {
  const fxk_int_window *w = &conv->window;
  const size_t padded = fxi_padded_channels(w->channels), size = output == FXK_INT_BYTES ? 1 : 4;
  const int32_t *weights = conv->weights + channel;
  const size_t step_y = w->dilation[0] * x_row, step_x = w->dilation[1] * w->channels;
  const fxi offset = fxi_load(conv->scaling.offset + channel);
  for (size_t ox = 0; ox < w->out[1]; ++ox) {
    fxi sum = offset;
    const uint8_t *pixel = x + ox * w->stride[1] * w->channels;
    for (size_t ky = 0; ky < kernel0; ++ky) {
      for (size_t kx = 0; kx < kernel1; ++kx) {
        sum = fxi_dot16(
          sum, fxi_widen(fxi_load_bytes(pixel + ky * step_y + kx * step_x)), fxi_load(weights + (ky * kernel1 + kx) * padded));
      }
    }
    fxi_finish_vector(output, &conv->scaling, rounding, sum, channel, count, (char *)y + ox * w->channels * size);
  }
}

static void fxi_depthwise_rows(
  const fxk_int_depthwise *conv, const fxi_rounding *rounding, const uint8_t *x, size_t x_row, size_t channel, size_t count,
  void *y) {
  const fxk_int_window *w = &conv->window;
  const size_t kernel0 = w->kernel[0], kernel1 = w->kernel[1];
  switch (conv->scaling.output) {
  case FXK_INT_BYTES:
    if (kernel0 == 3 && kernel1 == 3) {
      fxi_depthwise_row(conv, rounding, x, x_row, channel, count, y, 3, 3, FXK_INT_BYTES);
    } else {
      fxi_depthwise_row(conv, rounding, x, x_row, channel, count, y, kernel0, kernel1, FXK_INT_BYTES);
    }
    break;
  case FXK_INT_FLOATS:
    fxi_depthwise_row(conv, rounding, x, x_row, channel, count, y, kernel0, kernel1, FXK_INT_FLOATS);
    break;
  case FXK_INT_SUMS:
    fxi_depthwise_row(conv, rounding, x, x_row, channel, count, y, kernel0, kernel1, FXK_INT_SUMS);
    break;
  }
}

#if FXI_AVX512
// Whether columns of taps are multiplied at once.
static bool fxi_has_columns(const fxk_int_depthwise *conv) {
  const fxk_int_window *w = &conv->window;
  return w->kernel[0] == 3 && w->kernel[1] == 3 && w->dilation[0] == 1 && w->dilation[1] == 1 && w->stride[1] <= 2
    && conv->scaling.output == FXK_INT_BYTES && conv->scaling.shift == NULL
    && conv->weights[fxi_padded_channels(w->channels) * 9] != 0;
}

// Rows [row, row + rows) of the result from their copy of the image.
static void fxi_columns_rows(
  const fxk_int_depthwise *conv, const uint8_t *x, size_t x_row, size_t row, size_t rows, uint8_t *y) {
  const fxk_int_window *w = &conv->window;
  const int8_t *weights = (const int8_t *)(conv->weights + fxi_padded_channels(w->channels) * 9 + 1);
  for (size_t channel = 0; channel < w->channels; channel += 64, weights += FXI_COLUMNS_BYTES) {
    for (size_t r = 0; r < rows; ++r) {
      const uint8_t *source = x + r * w->stride[0] * x_row + channel;
      uint8_t *target = y + (row + r) * w->out[1] * w->channels + channel;
      if (w->stride[1] == 1) fxi_columns_row(conv, weights, source, x_row, channel, w->channels - channel, target, 1);
      else fxi_columns_row(conv, weights, source, x_row, channel, w->channels - channel, target, 2);
    }
  }
}
#endif

static void int_depthwise_run(const fxk_int_depthwise *conv, size_t row0, size_t row1, void *scratch) {
  const fxk_int_window *w = &conv->window;
  const fxk_int_scaling *s = &conv->scaling;
  const fxi_rounding rounding = fxi_rounding_of(s->zero_point, s->low, s->high, s->flip);
  const size_t columns = fxi_span(w, 1, w->out[1]), x_row = columns * w->channels, block = fxi_depthwise_block(w);
  const size_t y_row = w->out[1] * w->channels * fxi_output_size(s->output);
  for (size_t row = row0; row < row1;) {
    const size_t image = row / w->out[0], oy = row % w->out[0];
    size_t rows = w->out[0] - oy;
    if (rows > row1 - row) rows = row1 - row;
    if (rows > block) rows = block;
    const ptrdiff_t top = (ptrdiff_t)(oy * w->stride[0]) - (ptrdiff_t)w->pad[0];
    fxi_copy_padded(
      w, conv->x + image * w->in[0] * w->in[1] * w->channels, top, fxi_span(w, 0, rows), columns, conv->x_flip, scratch);
#if FXI_AVX512
    if (fxi_has_columns(conv)) {
      fxi_columns_rows(conv, scratch, x_row, row, rows, (uint8_t *)conv->y);
      row += rows;
      continue;
    }
#endif
    for (size_t channel = 0; channel < w->channels; channel += FXK_VW) {
      for (size_t r = 0; r < rows; ++r) {
        fxi_depthwise_rows(
          conv, &rounding, (const uint8_t *)scratch + r * w->stride[0] * x_row + channel, x_row, channel,
          w->channels - channel, (char *)conv->y + (row + r) * y_row + channel * fxi_output_size(s->output));
      }
    }
    row += rows;
  }
}
