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

// Scratch: the phases, then the sums with slack for whole blocks.
static size_t depthwise_scratch(const fxk_conv *g) {
  const depthwise_layout l = depthwise_layout_of(g);
  return l.phases_h * l.phases_w * l.plane + l.outputs + (DEPTHWISE_BLOCK + 1) * FXK_VW;
}

// The lists of kernel elements are on the stack: larger kernels go another way.
enum { DEPTHWISE_MAX_TAPS = 256 };

static bool depthwise_applies(const fxk_conv *g) {
  return g->groups == g->in_channels && g->groups == g->out_channels && g->groups > 1 && g->in[0] == 1
    && g->kernel[0] == 1 && g->out[0] == 1 && volume(g->kernel) <= DEPTHWISE_MAX_TAPS;
}

// Copies every `stride`-th of `count` elements. May write up to a vector past them, and reads past them as long as that
// stays before `limit`: whole vectors need no branch for each element.
FXK_INLINE void copy_run(const float *in, size_t stride, size_t count, const float *limit, float *out) {
  const size_t padded = ceil_div(count, FXK_VW) * FXK_VW;
  if (stride == 1 && in + padded <= limit) {
    for (size_t i = 0; i < count; i += FXK_VW) fxv_store(out + i, fxv_load(in + i));
  } else if (stride == 2 && in + 2 * padded <= limit) {
    for (size_t i = 0; i < count; i += FXK_VW) {
      fxv_store(out + i, fxv_even(fxv_load(in + 2 * i), fxv_load(in + 2 * i + FXK_VW)));
    }
  } else {
    for (size_t i = 0; i < count; ++i) out[i] = in[stride * i];
  }
}

// Lays out the plane; elements outside are zero. Rows may be written a vector too far: the next one mends that.
static void depthwise_fill(const fxk_conv *g, const depthwise_layout *l, const float *x, const float *limit, float *phases) {
  const size_t in_h = g->in[1], in_w = g->in[2], sh = g->stride[1], sw = g->stride[2];
  for (size_t a = 0; a < l->phases_h; ++a) {
    for (size_t b = 0; b < l->phases_w; ++b) {
      float *out = phases + (a * l->phases_w + b) * l->plane;
      // Columns j with 0 <= b + sw j - pad < in_w.
      const size_t j0 = min_size(l->row, g->pad[2] > b ? ceil_div(g->pad[2] - b, sw) : 0);
      const size_t j1 = max_size(j0, min_size(l->row, in_w + g->pad[2] > b ? ceil_div(in_w + g->pad[2] - b, sw) : 0));
      const ptrdiff_t first = (ptrdiff_t)(b + sw * j0) - (ptrdiff_t)g->pad[2];
      for (size_t i = 0; i < l->rows; ++i, out += l->row) {
        const ptrdiff_t y = (ptrdiff_t)(a + sh * i) - (ptrdiff_t)g->pad[1];
        if (y < 0 || y >= (ptrdiff_t)in_h || j1 == j0) {
          for (size_t j = 0; j < l->row; j += FXK_VW) fxv_store(out + j, fxv_set(0.0f));
          continue;
        }
        for (size_t j = 0; j < j0; ++j) out[j] = 0.0f;
        copy_run(x + y * (ptrdiff_t)in_w + first, sw, j1 - j0, limit, out + j0);
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

// From `flat` to the plane, without the columns past the end of its rows. `size` is that of the plane.
static void depthwise_store(
    const fxk_conv *g, const depthwise_layout *l, const fxk_epilogue *e, bool clamped, float *flat, float *y, size_t size) {
  const size_t width = g->out[2], padded = ceil_div(width, FXK_VW) * FXK_VW;
  if (!clamped && e->residual != NULL && !e->residual_last) {
    for (size_t i = 0; i < g->out[1]; ++i) {
      FXK_LOOP
      for (size_t j = 0; j < width; ++j) flat[i * l->row + j] += e->residual[i * width + j];
    }
  }
  if (!clamped) unary_f32(e->activation, flat, flat, l->outputs, e->act_alpha, e->act_beta);
  for (size_t i = 0; i < g->out[1]; ++i) {
    const float *row = flat + i * l->row;
    float *out = y + i * width;
    if (!clamped && e->residual != NULL && e->residual_last) {
      FXK_LOOP
      for (size_t j = 0; j < width; ++j) out[j] = row[j] + e->residual[i * width + j];
    } else if (i * width + padded <= size) {
      // Whole vectors: what is written too far belongs to the plane's next rows.
      for (size_t j = 0; j < width; j += FXK_VW) fxv_store(out + j, fxv_load(row + j));
    } else {
      for (size_t j = 0; j < width; ++j) out[j] = row[j];
    }
  }
}

// Tasks [task0, task1): planes, image by image.
static void run_depthwise(const fxk_conv *g, size_t task0, size_t task1, float *scratch) {
  const depthwise_layout l = depthwise_layout_of(g);
  const size_t size = volume(g->out), in_size = volume(g->in), taps = volume(g->kernel);
  const float *limit = g->x + g->batch * g->in_channels * in_size;
  float *phases = scratch, *flat = scratch + l.phases_h * l.phases_w * l.plane;
  size_t offsets[DEPTHWISE_MAX_TAPS];
  for (size_t t = 0; t < taps; ++t) {
    const size_t dy = t / g->kernel[2] * g->dilation[1], dx = t % g->kernel[2] * g->dilation[2];
    const size_t phase = dy % g->stride[1] * l.phases_w + dx % g->stride[2];
    offsets[t] = phase * l.plane + dy / g->stride[1] * l.row + dx / g->stride[2];
  }
  for (size_t task = task0; task < task1; ++task) {
    const size_t channel = task % g->out_channels;
    const fxk_epilogue e = shifted_epilogue(g, channel, task * size);
    const tile_target target = make_target(NULL, 0, &e, true, true);
    depthwise_fill(g, &l, g->x + task * in_size, limit, phases);
    const float *sources[DEPTHWISE_MAX_TAPS];
    float weights[DEPTHWISE_MAX_TAPS];
    for (size_t t = 0; t < taps; ++t) {
      sources[t] = phases + offsets[t];
      weights[t] = g->packed[channel * taps + t] * e.alpha;
    }
    const float bias = e.bias_row != NULL ? e.bias_row[0] : 0.0f;
    const float low = target.simple ? target.low : -__builtin_inff();
    const float high = target.simple ? target.high : __builtin_inff();
    if (taps == 9) depthwise_taps(9, weights, sources, flat, l.outputs, bias, low, high);
    else if (taps == 25) depthwise_taps(25, weights, sources, flat, l.outputs, bias, low, high);
    else depthwise_taps((int)taps, weights, sources, flat, l.outputs, bias, low, high);
    depthwise_store(g, &l, &e, target.simple, flat, g->y + task * size, size);
  }
}
