// Depthwise convolution of one plane.
//
// The padded plane is laid out in stride_h x stride_w phases: phase (a, b) holds the elements at rows a + stride_h i and
// columns b + stride_w j. Then every kernel element adds one phase, shifted, to all outputs: outputs and phases share a
// row length, so that the whole plane is one long vector loop without borders, whatever the stride, and small planes
// fill their vectors too. The columns past the end of a row are computed and dropped.

FXK_INLINE size_t volume(const size_t size[3]) { return size[0] * size[1] * size[2]; }

// The epilogue of one image's group, whose first output channel is `channel` and first output element is at `start`.
FXK_INLINE fxk_epilogue shifted_epilogue(const fxk_conv *g, size_t channel, size_t start) {
  fxk_epilogue e = g->epilogue;
  e.bias_column = NULL;
  if (e.bias_row != NULL) e.bias_row += channel;
  if (e.residual != NULL) e.residual += start;
  e.residual_row = (ptrdiff_t)volume(g->out);
  return e;
}

typedef struct {
  size_t phases_h, phases_w;  // used phases: no more than the stride or the kernel's reach
  size_t rows, row;           // rows and row length of a phase
  size_t plane;               // floats of a phase, with slack for the last shifted vector
  size_t outputs;             // floats of the computed plane, out_h * row
} depthwise_layout;

enum { DEPTHWISE_BLOCK = 4 };

static depthwise_layout depthwise_layout_of(const fxk_conv *g) {
  depthwise_layout l;
  const size_t reach_h = (g->kernel[1] - 1) * g->dilation[1], reach_w = (g->kernel[2] - 1) * g->dilation[2];
  l.phases_h = min_size(g->stride[1], reach_h + 1);
  l.phases_w = min_size(g->stride[2], reach_w + 1);
  l.rows = g->out[1] + reach_h / g->stride[1];
  l.row = g->out[2] + reach_w / g->stride[2];
  l.outputs = g->out[1] * l.row;
  l.plane = ceil_div(l.rows * l.row + reach_w / g->stride[2], FXK_VW) * FXK_VW + (DEPTHWISE_BLOCK + 1) * FXK_VW;
  return l;
}

static size_t depthwise_scratch(const fxk_conv *g) {
  const depthwise_layout l = depthwise_layout_of(g);
  return l.phases_h * l.phases_w * l.plane + ceil_div(l.outputs, FXK_VW) * FXK_VW + DEPTHWISE_BLOCK * FXK_VW;
}

// Lays out the plane; elements outside are zero.
static void depthwise_fill(const fxk_conv *g, const depthwise_layout *l, const float *x, float *phases) {
  const size_t in_h = g->in[1], in_w = g->in[2], sh = g->stride[1], sw = g->stride[2];
  for (size_t a = 0; a < l->phases_h; ++a) {
    for (size_t b = 0; b < l->phases_w; ++b) {
      float *out = phases + (a * l->phases_w + b) * l->plane;
      // Columns j with 0 <= b + sw j - pad < in_w.
      const size_t j0 = min_size(l->row, g->pad[2] > b ? ceil_div(g->pad[2] - b, sw) : 0);
      const size_t j1 = max_size(j0, min_size(l->row, in_w + g->pad[2] > b ? ceil_div(in_w + g->pad[2] - b, sw) : 0));
      for (size_t i = 0; i < l->rows; ++i, out += l->row) {
        const ptrdiff_t y = (ptrdiff_t)(a + sh * i) - (ptrdiff_t)g->pad[1];
        if (y < 0 || y >= (ptrdiff_t)in_h) {
          for (size_t j = 0; j < l->row; ++j) out[j] = 0.0f;
          continue;
        }
        for (size_t j = 0; j < j0; ++j) out[j] = 0.0f;
        const float *in = x + y * (ptrdiff_t)in_w + ((ptrdiff_t)(b + sw * j0) - (ptrdiff_t)g->pad[2]);
        const size_t count = j1 - j0;
        if (sw == 1) {
          FXK_LOOP
          for (size_t j = 0; j < count; ++j) out[j0 + j] = in[j];
        } else if (sw == 2) {
          for (size_t j = 0; j < count; ++j) out[j0 + j] = in[2 * j];
        } else {
          for (size_t j = 0; j < count; ++j) out[j0 + j] = in[sw * j];
        }
        for (size_t j = j1; j < l->row; ++j) out[j] = 0.0f;
      }
      float *end = phases + (a * l->phases_w + b + 1) * l->plane;
      while (out < end) *out++ = 0.0f;
    }
  }
}

// out[f] = clamp(bias + sum over taps of weight[t] source[t][f]).
FXK_INLINE void depthwise_taps(
    const int taps, const float *weights, const float *const *sources, float *out, size_t count, float bias, float low,
    float high) {
  for (size_t f = 0; f < count; f += DEPTHWISE_BLOCK * FXK_VW) {
    fxv sum[DEPTHWISE_BLOCK];
    FXK_UNROLL
    for (int v = 0; v < DEPTHWISE_BLOCK; ++v) sum[v] = fxv_set(bias);
    for (int t = 0; t < taps; ++t) {
      const fxv weight = fxv_set(weights[t]);
      const float *source = sources[t] + f;
      FXK_UNROLL
      for (int v = 0; v < DEPTHWISE_BLOCK; ++v) sum[v] += weight * fxv_load(source + v * FXK_VW);
    }
    FXK_UNROLL
    for (int v = 0; v < DEPTHWISE_BLOCK; ++v) {
      fxv y = sum[v] < fxv_set(low) ? fxv_set(low) : sum[v];
      fxv_store(out + f + v * FXK_VW, y > fxv_set(high) ? fxv_set(high) : y);
    }
  }
}

enum { MAX_TAPS = 64 };

static void run_depthwise(const fxk_conv *g, size_t image, size_t channel, float *scratch) {
  const depthwise_layout l = depthwise_layout_of(g);
  const size_t plane = image * g->out_channels + channel, size = volume(g->out), taps = volume(g->kernel);
  float *phases = scratch, *flat = scratch + l.phases_h * l.phases_w * l.plane;
  depthwise_fill(g, &l, g->x + plane * volume(g->in), phases);
  const fxk_epilogue e = shifted_epilogue(g, channel, plane * size);
  const tile_target target = make_target(NULL, 0, &e, true, true);
  const float *weights = g->packed + channel * taps;
  float bias = e.bias_row != NULL ? e.bias_row[0] : 0.0f;
  const bool clamped = target.simple;
  for (size_t first = 0; first < taps; first += MAX_TAPS) {
    // Kernels of more elements than the list holds add up in passes.
    const size_t count = min_size(MAX_TAPS, taps - first);
    const float *sources[MAX_TAPS + 1];
    float scaled[MAX_TAPS + 1];
    for (size_t t = 0; t < count; ++t) {
      const size_t dy = (first + t) / g->kernel[2] * g->dilation[1], dx = (first + t) % g->kernel[2] * g->dilation[2];
      const size_t phase = dy % g->stride[1] * l.phases_w + dx % g->stride[2];
      sources[t] = phases + phase * l.plane + dy / g->stride[1] * l.row + dx / g->stride[2];
      scaled[t] = weights[first + t] * e.alpha;
    }
    size_t used = count;
    if (first > 0) {
      sources[used] = flat;
      scaled[used] = 1.0f;
      used += 1;
      bias = 0.0f;
    }
    const bool last = first + count == taps;
    const float low = clamped && last ? target.low : -__builtin_inff();
    const float high = clamped && last ? target.high : __builtin_inff();
    if (used == 9) depthwise_taps(9, scaled, sources, flat, l.outputs, bias, low, high);
    else if (used == 25) depthwise_taps(25, scaled, sources, flat, l.outputs, bias, low, high);
    else depthwise_taps((int)used, scaled, sources, flat, l.outputs, bias, low, high);
  }
  float *y = g->y + plane * size;
  for (size_t i = 0; i < g->out[1]; ++i) {
    float *row = flat + i * l.row, *out = y + i * g->out[2];
    if (!clamped) {
      const float *residual = e.residual != NULL ? e.residual + i * g->out[2] : NULL;
      if (residual != NULL && !e.residual_last) {
        FXK_LOOP
        for (size_t j = 0; j < g->out[2]; ++j) row[j] += residual[j];
      }
      unary_f32(e.activation, row, row, g->out[2], e.act_alpha, e.act_beta);
      if (residual != NULL && e.residual_last) {
        FXK_LOOP
        for (size_t j = 0; j < g->out[2]; ++j) row[j] += residual[j];
      }
    }
    FXK_LOOP
    for (size_t j = 0; j < g->out[2]; ++j) out[j] = row[j];
  }
}
