// Depthwise convolution and pooling in blocks of channels: vectors over channels, pixel by pixel.

enum { BLOCKED_DEPTHWISE_PIXELS = FXK_VW == 16 ? 12 : 8 };

// `pixels` neighbours whose whole windows are inside.
FXK_INLINE void depthwise_pixels(
    const int pixels, const fxk_blocked_conv *g, const float *x, tap_range ky, tap_range kx, const float *weights,
    fxv sum[]) {
  const ptrdiff_t row = (ptrdiff_t)(g->dilation[0] * g->in[1] * FXK_VW), column = (ptrdiff_t)(g->dilation[1] * FXK_VW);
  const ptrdiff_t pixel = (ptrdiff_t)(g->stride[1] * FXK_VW);
  for (size_t a = ky.first; a < ky.last; ++a) {
    for (size_t b = kx.first; b < kx.last; ++b) {
      const fxv w = fxv_load(weights + (a * g->kernel[1] + b) * FXK_VW);
      const float *in = x + (ptrdiff_t)(a - ky.first) * row + (ptrdiff_t)(b - kx.first) * column;
      FXK_UNROLL
      for (int p = 0; p < pixels; ++p) sum[p] += w * fxv_load(in + p * pixel);
    }
  }
}

// The same at stride 1, with every input vector loaded once for all kernel columns.
FXK_INLINE void depthwise_slide(
    const int pixels, const int columns, const fxk_blocked_conv *g, const float *x, tap_range ky, const float *weights,
    fxv sum[]) {
  const ptrdiff_t row = (ptrdiff_t)(g->dilation[0] * g->in[1] * FXK_VW);
  for (size_t a = ky.first; a < ky.last; ++a) {
    const float *in = x + (ptrdiff_t)(a - ky.first) * row, *from = weights + a * (size_t)columns * FXK_VW;
    fxv w[5];
    FXK_UNROLL
    for (int kx = 0; kx < columns; ++kx) w[kx] = fxv_load(from + kx * FXK_VW);
    FXK_UNROLL
    for (int i = 0; i < pixels + columns - 1; ++i) {
      const fxv v = fxv_load(in + i * FXK_VW);
      FXK_UNROLL
      for (int kx = 0; kx < columns; ++kx) {
        if (i - kx >= 0 && i - kx < pixels) sum[i - kx] += w[kx] * v;
      }
    }
  }
}

FXK_INLINE void store_depthwise(const int pixels, const blocked_store *to, const fxv sum[]) {
  FXK_UNROLL
  for (int p = 0; p < pixels; ++p) {
    fxv v = sum[p];
    if (to->residual != NULL) v += fxv_load(to->residual + p * FXK_VW);
    v = v < fxv_set(to->low) ? fxv_set(to->low) : v;
    fxv_store(to->y + p * FXK_VW, v > fxv_set(to->high) ? fxv_set(to->high) : v);
  }
}

#define FXK_DEPTHWISE_RUN(name, pixels, sums)                                                                          \
  static void name(                                                                                                    \
      const fxk_blocked_conv *g, const float *x, tap_range ky, tap_range kx, const float *weights,                     \
      const blocked_store *to) {                                                                                       \
    (void)kx;                                                                                                          \
    fxv sum[pixels];                                                                                                   \
    FXK_UNROLL                                                                                                         \
    for (int p = 0; p < (pixels); ++p) sum[p] = fxv_load(to->bias);                                                    \
    sums;                                                                                                              \
    store_depthwise(pixels, to, sum);                                                                                  \
  }
FXK_DEPTHWISE_RUN(depthwise_any, BLOCKED_DEPTHWISE_PIXELS,
  depthwise_pixels(BLOCKED_DEPTHWISE_PIXELS, g, x, ky, kx, weights, sum))
FXK_DEPTHWISE_RUN(depthwise_four, 4, depthwise_pixels(4, g, x, ky, kx, weights, sum))
FXK_DEPTHWISE_RUN(depthwise_one, 1, depthwise_pixels(1, g, x, ky, kx, weights, sum))
FXK_DEPTHWISE_RUN(depthwise_slide3, BLOCKED_DEPTHWISE_PIXELS,
  depthwise_slide(BLOCKED_DEPTHWISE_PIXELS, 3, g, x, ky, weights, sum))
FXK_DEPTHWISE_RUN(depthwise_slide5, BLOCKED_DEPTHWISE_PIXELS,
  depthwise_slide(BLOCKED_DEPTHWISE_PIXELS, 5, g, x, ky, weights, sum))
FXK_DEPTHWISE_RUN(depthwise_slide3_four, 4, depthwise_slide(4, 3, g, x, ky, weights, sum))
FXK_DEPTHWISE_RUN(depthwise_slide5_four, 4, depthwise_slide(4, 5, g, x, ky, weights, sum))

// Plane `plane`, a block of one image.
static void run_blocked_depthwise(const fxk_blocked_conv *g, size_t plane) {
  const size_t block = plane % block_count(g->out_channels), taps = g->kernel[0] * g->kernel[1];
  const size_t size = g->out[0] * g->out[1] * FXK_VW;
  const float *x = g->x + plane * g->in[0] * g->in[1] * FXK_VW;
  const float *weights = g->packed + block * taps * FXK_VW;
  const float *residual = g->epilogue.residual != NULL ? g->epilogue.residual + plane * size : NULL;
  float *y = g->y + plane * size;
  const bool unit = g->stride[1] == 1 && g->dilation[1] == 1, three = unit && g->kernel[1] == 3, five = unit && g->kernel[1] == 5;
  const tap_range whole = whole_columns(g);
  blocked_store to = blocked_store_for(&g->epilogue, g->epilogue.bias_row + block * FXK_VW, residual, true);
  const float *residual_now = to.residual;
  for (size_t r = 0; r < g->out[0]; ++r) {
    const tap_range ky = taps_inside(g, 0, r);
    const float *row =
      x + (window_start(g, 0, r) + (ptrdiff_t)(ky.first * g->dilation[0])) * (ptrdiff_t)(g->in[1] * FXK_VW);
    for (size_t q = 0; q < g->out[1];) {
      const size_t room = q >= whole.first && q < whole.last ? whole.last - q : 0, at = (r * g->out[1] + q) * FXK_VW;
      const tap_range kx = taps_inside(g, 1, q);
      const float *in = row + (window_start(g, 1, q) + (ptrdiff_t)(kx.first * g->dilation[1])) * FXK_VW;
      to.y = y + at;
      to.residual = residual_now != NULL ? residual_now + at : NULL;
      if (room >= BLOCKED_DEPTHWISE_PIXELS) {
        (three ? depthwise_slide3 : five ? depthwise_slide5 : depthwise_any)(g, in, ky, kx, weights, &to);
        q += BLOCKED_DEPTHWISE_PIXELS;
      } else if (room >= 4) {
        (three ? depthwise_slide3_four : five ? depthwise_slide5_four : depthwise_four)(g, in, ky, kx, weights, &to);
        q += 4;
      } else {
        depthwise_one(g, in, ky, kx, weights, &to);
        q += 1;
      }
    }
  }
  if (!to.clamps || g->epilogue.residual_last) blocked_finish(&to, y, residual, size);
}

static void pack_blocked_depthwise(const fxk_blocked_conv *g, const fxk_loose_float *weights, float *packed) {
  const size_t taps = g->kernel[0] * g->kernel[1];
  for (size_t block = 0; block < block_count(g->out_channels); ++block) {
    for (size_t tap = 0; tap < taps; ++tap) {
      for (size_t c = block * FXK_VW; c < (block + 1) * FXK_VW; ++c) {
        *packed++ = c < g->out_channels ? weights[c * taps + tap] : 0.0f;
      }
    }
  }
}

static void blocked_max_pool(const fxk_pool2d *g, const float *x, float *y, size_t plane0, size_t plane1) {
  for (size_t plane = plane0; plane < plane1; ++plane) {
    const float *in = x + plane * g->in_h * g->in_w * FXK_VW;
    float *out = y + plane * g->out_h * g->out_w * FXK_VW;
    for (size_t r = 0; r < g->out_h; ++r) {
      const tap_range ky = window_taps(r, g->stride_h, g->dilation_h, g->kernel_h, g->pad_top, g->in_h);
      for (size_t q = 0; q < g->out_w; ++q, out += FXK_VW) {
        const tap_range kx = window_taps(q, g->stride_w, g->dilation_w, g->kernel_w, g->pad_left, g->in_w);
        fxv largest = fxv_set(-__builtin_inff());
        for (size_t a = ky.first; a < ky.last; ++a) {
          const float *row = in + (r * g->stride_h + a * g->dilation_h - g->pad_top) * g->in_w * FXK_VW;
          for (size_t b = kx.first; b < kx.last; ++b) {
            const fxv v = fxv_load(row + (q * g->stride_w + b * g->dilation_w - g->pad_left) * FXK_VW);
            largest = ((v > largest) | (v != v)) ? v : largest;
          }
        }
        fxv_store(out, largest);
      }
    }
  }
}

static void blocked_average_pool(
    const fxk_pool2d *g, const float *x, float *y, bool count_padding, size_t plane0, size_t plane1) {
  const size_t padded_h = g->in_h + g->pad_top + g->pad_bottom, padded_w = g->in_w + g->pad_left + g->pad_right;
  for (size_t plane = plane0; plane < plane1; ++plane) {
    const float *in = x + plane * g->in_h * g->in_w * FXK_VW;
    float *out = y + plane * g->out_h * g->out_w * FXK_VW;
    for (size_t r = 0; r < g->out_h; ++r) {
      const tap_range ky = window_taps(r, g->stride_h, g->dilation_h, g->kernel_h, g->pad_top, g->in_h);
      const size_t count_h =
        count_padding ? counted_cells(r, g->stride_h, g->dilation_h, g->kernel_h, padded_h) : ky.last - ky.first;
      for (size_t q = 0; q < g->out_w; ++q, out += FXK_VW) {
        const tap_range kx = window_taps(q, g->stride_w, g->dilation_w, g->kernel_w, g->pad_left, g->in_w);
        const size_t count_w =
          count_padding ? counted_cells(q, g->stride_w, g->dilation_w, g->kernel_w, padded_w) : kx.last - kx.first;
        fxv sum = fxv_set(0.0f);
        for (size_t a = ky.first; a < ky.last; ++a) {
          const float *row = in + (r * g->stride_h + a * g->dilation_h - g->pad_top) * g->in_w * FXK_VW;
          for (size_t b = kx.first; b < kx.last; ++b) {
            sum += fxv_load(row + (q * g->stride_w + b * g->dilation_w - g->pad_left) * FXK_VW);
          }
        }
        fxv_store(out, sum / fxv_set((float)(count_h * count_w)));
      }
    }
  }
}
