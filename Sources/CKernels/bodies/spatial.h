// Pooling, resizing, im2col and recurrent steps. See include/fxk_spatial.h.

// Positions of window `o` that lie inside [0, size): [first, last) in steps of `dilation` of the kernel.
typedef struct { size_t first, last; } tap_range;

FXK_INLINE tap_range window_taps(size_t o, size_t stride, size_t dilation, size_t kernel, size_t pad, size_t size) {
  const size_t start = o * stride;  // in padded coordinates
  const size_t first = start >= pad ? 0 : ceil_div(pad - start, dilation);
  const size_t end = size + pad;
  const size_t last = end > start ? min_size(kernel, ceil_div(end - start, dilation)) : 0;
  return (tap_range){min_size(first, last), last};
}

// Output columns whose window lies wholly inside the row: [first, last).
FXK_INLINE tap_range inner_columns(const fxk_pool2d *p) {
  const size_t reach = (p->kernel_w - 1) * p->dilation_w;
  const size_t first = ceil_div(p->pad_left, p->stride_w);
  const size_t end = p->in_w + p->pad_left;
  const size_t last = end > reach ? min_size(p->out_w, (end - reach - 1) / p->stride_w + 1) : 0;
  return (tap_range){min_size(first, max_size(first, last)), max_size(first, last)};
}

FXK_INLINE float larger(float a, float b) { return ((b > a) | (b != b)) ? b : a; }

// out[j] = larger(out[j], in[stride j]).
FXK_INLINE void max_strided(const float *in, float *out, size_t count, size_t stride) {
  if (stride == 1) {
    FXK_LOOP
    for (size_t j = 0; j < count; ++j) out[j] = larger(out[j], in[j]);
  } else if (stride == 2) {
    FXK_LOOP
    for (size_t j = 0; j < count; ++j) out[j] = larger(out[j], in[2 * j]);
  } else {
    for (size_t j = 0; j < count; ++j) out[j] = larger(out[j], in[stride * j]);
  }
}

FXK_INLINE void add_strided(const float *in, float *out, size_t count, size_t stride) {
  if (stride == 1) {
    FXK_LOOP
    for (size_t j = 0; j < count; ++j) out[j] += in[j];
  } else if (stride == 2) {
    FXK_LOOP
    for (size_t j = 0; j < count; ++j) out[j] += in[2 * j];
  } else {
    for (size_t j = 0; j < count; ++j) out[j] += in[stride * j];
  }
}

static void max_pool_indices(const fxk_pool2d *p, const float *in, float *out, int64_t *index, int64_t base) {
  for (size_t oy = 0; oy < p->out_h; ++oy) {
    const tap_range ky = window_taps(oy, p->stride_h, p->dilation_h, p->kernel_h, p->pad_top, p->in_h);
    for (size_t ox = 0; ox < p->out_w; ++ox) {
      const tap_range kx = window_taps(ox, p->stride_w, p->dilation_w, p->kernel_w, p->pad_left, p->in_w);
      float best = -__builtin_inff();
      int64_t at = -1;
      for (size_t a = ky.first; a < ky.last; ++a) {
        const size_t y = oy * p->stride_h + a * p->dilation_h - p->pad_top;
        for (size_t b = kx.first; b < kx.last; ++b) {
          const size_t position = y * p->in_w + ox * p->stride_w + b * p->dilation_w - p->pad_left;
          const float v = in[position];
          if (at < 0 || v > best || (v != v && best == best)) {
            best = v;
            at = (int64_t)position;
          }
        }
      }
      out[oy * p->out_w + ox] = best;
      index[oy * p->out_w + ox] = at < 0 ? -1 : base + at;
    }
  }
}

enum { POOL_ROW = 1024 };

// The largest element of each column under the rows of one window: whole rows go through vectors, which a stride along
// them would take apart once per row.
FXK_INLINE void max_of_rows(const fxk_pool2d *p, const float *in, size_t oy, tap_range ky, float *column) {
  const float *first = in + (oy * p->stride_h + ky.first * p->dilation_h - p->pad_top) * p->in_w;
  memcpy(column, first, p->in_w * sizeof(float));
  for (size_t a = ky.first + 1; a < ky.last; ++a) {
    max_strided(in + (oy * p->stride_h + a * p->dilation_h - p->pad_top) * p->in_w, column, p->in_w, 1);
  }
}

static void max_pool2d_f32(
    const fxk_pool2d *p, const float *x, float *y, int64_t *indices, int64_t plane_index_step, size_t plane0,
    size_t plane1) {
  const tap_range inner = inner_columns(p);
  for (size_t plane = plane0; plane < plane1; ++plane) {
    const float *in = x + plane * p->in_h * p->in_w;
    float *out = y + plane * p->out_h * p->out_w;
    if (indices != NULL) {
      max_pool_indices(
        p, in, out, indices + plane * p->out_h * p->out_w, (int64_t)plane * plane_index_step);
      continue;
    }
    for (size_t oy = 0; oy < p->out_h; ++oy, out += p->out_w) {
      const tap_range ky = window_taps(oy, p->stride_h, p->dilation_h, p->kernel_h, p->pad_top, p->in_h);
      for (size_t j = 0; j < p->out_w; ++j) out[j] = -__builtin_inff();
      float column[POOL_ROW];
      const bool by_columns = p->stride_w > 1 && p->kernel_w > 1 && p->in_w <= POOL_ROW && ky.last > ky.first;
      if (by_columns) max_of_rows(p, in, oy, ky, column);
      for (size_t a = by_columns ? ky.last - 1 : ky.first; a < ky.last; ++a) {
        const float *row = by_columns ? column : in + (oy * p->stride_h + a * p->dilation_h - p->pad_top) * p->in_w;
        for (size_t b = 0; b < p->kernel_w && inner.last > inner.first; ++b) {
          max_strided(
            row + inner.first * p->stride_w + b * p->dilation_w - p->pad_left, out + inner.first,
            inner.last - inner.first, p->stride_w);
        }
        for (size_t j = 0; j < p->out_w; ++j) {
          if (j == inner.first && inner.last > inner.first) j = inner.last;
          if (j >= p->out_w) break;
          const tap_range kx = window_taps(j, p->stride_w, p->dilation_w, p->kernel_w, p->pad_left, p->in_w);
          for (size_t b = kx.first; b < kx.last; ++b) {
            out[j] = larger(out[j], row[j * p->stride_w + b * p->dilation_w - p->pad_left]);
          }
        }
      }
    }
  }
}

// Cells of a window along one axis that the average counts, padding included.
FXK_INLINE size_t counted_cells(size_t o, size_t stride, size_t dilation, size_t kernel, size_t padded) {
  const size_t start = o * stride;
  return start >= padded ? 0 : min_size(kernel, ceil_div(padded - start, dilation));
}

static void average_pool2d_f32(
    const fxk_pool2d *p, const float *x, float *y, bool count_include_pad, size_t plane0, size_t plane1) {
  const tap_range inner = inner_columns(p);
  const size_t padded_h = p->in_h + p->pad_top + p->pad_bottom, padded_w = p->in_w + p->pad_left + p->pad_right;
  for (size_t plane = plane0; plane < plane1; ++plane) {
    const float *in = x + plane * p->in_h * p->in_w;
    float *out = y + plane * p->out_h * p->out_w;
    if (p->out_h == 1 && p->out_w == 1 && p->kernel_h == p->in_h && p->kernel_w == p->in_w && p->pad_top == 0
        && p->pad_left == 0 && p->dilation_h == 1 && p->dilation_w == 1) {
      // Global: the window is the plane, no padding in it.
      const size_t count = p->in_h * p->in_w;
      out[0] = fold_sum(in, count, 0) / (float)count;
      continue;
    }
    for (size_t oy = 0; oy < p->out_h; ++oy, out += p->out_w) {
      const tap_range ky = window_taps(oy, p->stride_h, p->dilation_h, p->kernel_h, p->pad_top, p->in_h);
      for (size_t j = 0; j < p->out_w; ++j) out[j] = 0.0f;
      for (size_t a = ky.first; a < ky.last; ++a) {
        const float *row = in + (oy * p->stride_h + a * p->dilation_h - p->pad_top) * p->in_w;
        for (size_t b = 0; b < p->kernel_w && inner.last > inner.first; ++b) {
          add_strided(
            row + inner.first * p->stride_w + b * p->dilation_w - p->pad_left, out + inner.first,
            inner.last - inner.first, p->stride_w);
        }
        for (size_t j = 0; j < p->out_w; ++j) {
          if (j == inner.first && inner.last > inner.first) j = inner.last;
          if (j >= p->out_w) break;
          const tap_range kx = window_taps(j, p->stride_w, p->dilation_w, p->kernel_w, p->pad_left, p->in_w);
          for (size_t b = kx.first; b < kx.last; ++b) {
            out[j] += row[j * p->stride_w + b * p->dilation_w - p->pad_left];
          }
        }
      }
      const size_t count_y = count_include_pad
        ? counted_cells(oy, p->stride_h, p->dilation_h, p->kernel_h, padded_h) : ky.last - ky.first;
      for (size_t j = 0; j < p->out_w; ++j) {
        const tap_range kx = window_taps(j, p->stride_w, p->dilation_w, p->kernel_w, p->pad_left, p->in_w);
        const size_t count_x = count_include_pad
          ? counted_cells(j, p->stride_w, p->dilation_w, p->kernel_w, padded_w) : kx.last - kx.first;
        out[j] = out[j] / (float)(count_y * count_x);
      }
    }
  }
}

static void channel_affine_f32(
    const float *x, float *y, size_t size, size_t channels, const float *scale, const float *shift, bool relu,
    size_t plane0, size_t plane1) {
  for (size_t plane = plane0; plane < plane1; ++plane) {
    const float *in = x + plane * size;
    float *out = y + plane * size;
    const float a = scale[plane % channels], b = shift != NULL ? shift[plane % channels] : 0.0f;
    const float low = relu ? 0.0f : -__builtin_inff();
    FXK_LOOP
    for (size_t i = 0; i < size; ++i) {
      const float v = in[i] * a + b;
      out[i] = v < low ? low : v;
    }
  }
}

static void resize_linear2d_f32(
    const float *x, float *y, size_t in_h, size_t in_w, size_t out_h, size_t out_w, const int32_t *y0, const int32_t *y1,
    const float *yw, const int32_t *x0, const int32_t *x1, const float *xw, size_t plane0, size_t plane1, float *scratch) {
  for (size_t plane = plane0; plane < plane1; ++plane) {
    const float *in = x + plane * in_h * in_w;
    float *out = y + plane * out_h * out_w;
    // Source rows already interpolated along x; neighbours in y mostly share them.
    float *rows[2] = {scratch, scratch + out_w};
    int32_t held[2] = {-1, -1};
    for (size_t i = 0; i < out_h; ++i, out += out_w) {
      const int32_t wanted[2] = {y0[i], y1[i]};
      if (held[1] == wanted[0]) {
        float *row = rows[0];
        rows[0] = rows[1], rows[1] = row;
        held[1] = held[0], held[0] = wanted[0];
      }
      for (int side = 0; side < 2; ++side) {
        if (held[side] == wanted[side]) continue;
        const float *source = in + (size_t)wanted[side] * in_w;
        float *row = rows[side];
        for (size_t j = 0; j < out_w; ++j) row[j] = source[x0[j]] + (source[x1[j]] - source[x0[j]]) * xw[j];
        held[side] = wanted[side];
      }
      const float weight = yw[i];
      const float *a = rows[0], *b = rows[1];
      FXK_LOOP
      for (size_t j = 0; j < out_w; ++j) out[j] = a[j] + (b[j] - a[j]) * weight;
    }
  }
}

static void resize_nearest2d_f32(
    const float *x, float *y, size_t in_h, size_t in_w, size_t out_h, size_t out_w, const int32_t *rows,
    const int32_t *columns, size_t plane0, size_t plane1) {
  for (size_t plane = plane0; plane < plane1; ++plane) {
    const float *in = x + plane * in_h * in_w;
    float *out = y + plane * out_h * out_w;
    for (size_t i = 0; i < out_h; ++i, out += out_w) {
      if (i > 0 && rows[i] == rows[i - 1]) {
        memcpy(out, out - out_w, out_w * sizeof(float));
        continue;
      }
      const float *row = in + (size_t)rows[i] * in_w;
      for (size_t j = 0; j < out_w; ++j) out[j] = row[columns[j]];
    }
  }
}

static void im2col_f32(const fxk_pool2d *p, const float *image, float *columns, size_t row0, size_t row1) {
  const size_t taps = p->kernel_h * p->kernel_w, pixels = p->out_h * p->out_w;
  for (size_t row = row0; row < row1; ++row) {
    const float *plane = image + row / taps * p->in_h * p->in_w;
    const size_t ky = row % taps / p->kernel_w, kx = row % p->kernel_w;
    float *out = columns + row * pixels;
    for (size_t oy = 0; oy < p->out_h; ++oy) {
      const ptrdiff_t y = (ptrdiff_t)(oy * p->stride_h + ky * p->dilation_h) - (ptrdiff_t)p->pad_top;
      for (size_t ox = 0; ox < p->out_w; ++ox) {
        const ptrdiff_t at = (ptrdiff_t)(ox * p->stride_w + kx * p->dilation_w) - (ptrdiff_t)p->pad_left;
        const bool inside = y >= 0 && y < (ptrdiff_t)p->in_h && at >= 0 && at < (ptrdiff_t)p->in_w;
        out[oy * p->out_w + ox] = inside ? plane[y * (ptrdiff_t)p->in_w + at] : 0.0f;
      }
    }
  }
}

static void col2im_f32(const fxk_pool2d *p, const float *columns, float *image, size_t channel0, size_t channel1) {
  const size_t taps = p->kernel_h * p->kernel_w, pixels = p->out_h * p->out_w;
  for (size_t channel = channel0; channel < channel1; ++channel) {
    float *plane = image + channel * p->in_h * p->in_w;
    memset(plane, 0, p->in_h * p->in_w * sizeof(float));
    for (size_t tap = 0; tap < taps; ++tap) {
      const size_t ky = tap / p->kernel_w, kx = tap % p->kernel_w;
      const float *in = columns + (channel * taps + tap) * pixels;
      for (size_t oy = 0; oy < p->out_h; ++oy) {
        const ptrdiff_t y = (ptrdiff_t)(oy * p->stride_h + ky * p->dilation_h) - (ptrdiff_t)p->pad_top;
        if (y < 0 || y >= (ptrdiff_t)p->in_h) continue;
        float *row = plane + y * (ptrdiff_t)p->in_w;
        for (size_t ox = 0; ox < p->out_w; ++ox) {
          const ptrdiff_t at = (ptrdiff_t)(ox * p->stride_w + kx * p->dilation_w) - (ptrdiff_t)p->pad_left;
          if (at >= 0 && at < (ptrdiff_t)p->in_w) row[at] += in[oy * p->out_w + ox];
        }
      }
    }
  }
}

static void lstm_step_f32(
    const float *gates, const float *cell, const float *peephole, float *cell_out, float *hidden_out, size_t rows,
    size_t hidden) {
  for (size_t r = 0; r < rows; ++r) {
    const float *input = gates + r * 4 * hidden, *output = input + hidden, *forget = output + hidden;
    const float *candidate = forget + hidden, *c = cell + r * hidden;
    float *next = cell_out + r * hidden, *h = hidden_out + r * hidden;
    if (peephole == NULL) {
      FXK_LOOP
      for (size_t j = 0; j < hidden; ++j) {
        const float v = fx_sigmoid(forget[j]) * c[j] + fx_sigmoid(input[j]) * fx_tanh(candidate[j]);
        next[j] = v;
        h[j] = fx_sigmoid(output[j]) * fx_tanh(v);
      }
    } else {
      const float *pi = peephole, *po = pi + hidden, *pf = po + hidden;
      FXK_LOOP
      for (size_t j = 0; j < hidden; ++j) {
        const float i = fx_sigmoid(input[j] + pi[j] * c[j]), f = fx_sigmoid(forget[j] + pf[j] * c[j]);
        const float v = f * c[j] + i * fx_tanh(candidate[j]);
        next[j] = v;
        h[j] = fx_sigmoid(output[j] + po[j] * v) * fx_tanh(v);
      }
    }
  }
}

static void gru_step_f32(
    const float *x_gates, const float *h_gates, const float *hidden_in, float *hidden_out, size_t rows, size_t hidden) {
  for (size_t r = 0; r < rows; ++r) {
    const float *xz = x_gates + r * 3 * hidden, *xr = xz + hidden, *xh = xr + hidden;
    const float *hz = h_gates + r * 3 * hidden, *hr = hz + hidden, *hh = hr + hidden;
    const float *h = hidden_in + r * hidden;
    float *out = hidden_out + r * hidden;
    FXK_LOOP
    for (size_t j = 0; j < hidden; ++j) {
      const float z = fx_sigmoid(xz[j] + hz[j]), reset = fx_sigmoid(xr[j] + hr[j]);
      const float candidate = fx_tanh(xh[j] + reset * hh[j]);
      out[j] = candidate + z * (h[j] - candidate);
    }
  }
}
