// Convolutions in blocks of channels: register tiles, direct convolution, reordering. See include/fxk_blocked.h.
//
// A register tile holds up to FXK_BLOCK_PIXELS neighbouring pixels of up to FXK_BLOCK_GROUP blocks of output channels.
// For each input channel it multiplies one element of each pixel with a vector of weights of each block: packed weights
// are [group of blocks][step][kernel row][kernel column][channel][block of the group][B], a step being a block of input
// channels, or one channel of a plain image, read in order.

#if FXK_VW == 16
#define FXK_BLOCK_GROUP 4
#else
#define FXK_BLOCK_GROUP 2
#endif
#define FXK_BLOCK_PIXELS 6

// Floats of weights that stay in L1 and L2 while pixels stream by, products that are summed before the sum is rounded
// into the next, and pixels of a task: its operands stay in L2.
enum { BLOCKED_WEIGHTS = 48 * 1024 / 4, BLOCKED_PRODUCTS = FXK_UNDIVIDED_DEPTH, BLOCKED_TASK_PIXELS = 512 };

static size_t channel_block(void) { return FXK_VW; }

FXK_INLINE size_t block_count(size_t channels) { return ceil_div(channels, FXK_VW); }
FXK_INLINE size_t padded_channels(size_t channels) { return block_count(channels) * FXK_VW; }
FXK_INLINE size_t block_groups(size_t blocks) { return ceil_div(blocks, FXK_BLOCK_GROUP); }
FXK_INLINE size_t group_block(size_t group, size_t groups, size_t blocks) { return group * blocks / groups; }

static void to_blocks(const float *x, size_t channels, size_t pixels, float *y, size_t block0, size_t block1) {
  const size_t blocks = block_count(channels);
  for (size_t block = block0; block < block1; ++block) {
    const size_t image = block / blocks, channel = block % blocks * FXK_VW, count = min_size(FXK_VW, channels - channel);
    const float *in = x + (image * channels + channel) * pixels;
    float *out = y + block * pixels * FXK_VW;
    for (size_t p0 = 0; p0 < pixels; p0 += 16) {
      const size_t p1 = min_size(p0 + 16, pixels);
      for (size_t c = 0; c < count; ++c) {
        for (size_t p = p0; p < p1; ++p) out[p * FXK_VW + c] = in[c * pixels + p];
      }
      for (size_t c = count; c < FXK_VW; ++c) {
        for (size_t p = p0; p < p1; ++p) out[p * FXK_VW + c] = 0.0f;
      }
    }
  }
}

static void from_blocks(const float *x, size_t channels, size_t pixels, float *y, size_t block0, size_t block1) {
  const size_t blocks = block_count(channels);
  for (size_t block = block0; block < block1; ++block) {
    const size_t image = block / blocks, channel = block % blocks * FXK_VW, count = min_size(FXK_VW, channels - channel);
    const float *in = x + block * pixels * FXK_VW;
    float *out = y + (image * channels + channel) * pixels;
    for (size_t p0 = 0; p0 < pixels; p0 += 16) {
      const size_t p1 = min_size(p0 + 16, pixels);
      for (size_t c = 0; c < count; ++c) {
        for (size_t p = p0; p < p1; ++p) out[c * pixels + p] = in[p * FXK_VW + c];
      }
    }
  }
}

// The sums of a tile: steps x rows x columns x channels products for each pixel and block. The last step has fewer
// channels where the image has: what lies past them in memory may be no number.
typedef struct {
  const float *x;  // of the first pixel under the first kernel element
  ptrdiff_t x_pixel, x_step, x_row, x_column, x_channel;
  const float *weights;
  ptrdiff_t w_step, w_row, w_column;
  size_t steps, rows, columns, channels, last_channels;
} blocked_sums;

// Where they go: block f of pixel p to y + p y_pixel + f y_block.
typedef struct {
  float *y;
  ptrdiff_t y_pixel, y_block;
  const float *bias;      // of the first block; null to add to what is in y
  const float *residual;  // like y, or null
  const fxk_epilogue *epilogue;
  float low, high;
  bool bare;              // the sums as they are
  bool last;              // all products are there: the epilogue follows
  bool clamps;            // the activation is a clamp to [low, high]
} blocked_store;

typedef void (*blocked_tile_function)(const blocked_sums *s, const blocked_store *to);

FXK_INLINE void blocked_tile(const int pixels, const int blocks, const blocked_sums *s, const blocked_store *to) {
  fxv sum[FXK_BLOCK_PIXELS][FXK_BLOCK_GROUP];
  FXK_UNROLL
  for (int p = 0; p < pixels; ++p) {
    FXK_UNROLL
    for (int f = 0; f < blocks; ++f) sum[p][f] = fxv_set(0.0f);
  }
  const ptrdiff_t pixel = s->x_pixel, channel = s->x_channel;
  for (size_t step = 0; step < s->steps; ++step) {
    const size_t channels = step + 1 < s->steps ? s->channels : s->last_channels;
    for (size_t row = 0; row < s->rows; ++row) {
      for (size_t column = 0; column < s->columns; ++column) {
        const float *x = s->x + (ptrdiff_t)step * s->x_step + (ptrdiff_t)row * s->x_row + (ptrdiff_t)column * s->x_column;
        const float *w =
          s->weights + (ptrdiff_t)step * s->w_step + (ptrdiff_t)row * s->w_row + (ptrdiff_t)column * s->w_column;
        for (size_t c = 0; c < channels; ++c) {
          fxv right[FXK_BLOCK_GROUP];
          FXK_UNROLL
          for (int f = 0; f < blocks; ++f) right[f] = fxv_load(w + f * FXK_VW);
          FXK_UNROLL
          for (int p = 0; p < pixels; ++p) {
            const fxv left = fxv_set(x[p * pixel]);
            FXK_UNROLL
            for (int f = 0; f < blocks; ++f) sum[p][f] += left * right[f];
          }
          x += channel;
          w += blocks * FXK_VW;
        }
      }
    }
  }
  FXK_UNROLL
  for (int f = 0; f < blocks; ++f) {
    float *y = to->y + f * to->y_block;
    const fxv bias = to->bias != NULL ? fxv_load(to->bias + f * FXK_VW) : fxv_set(0.0f);
    FXK_UNROLL
    for (int p = 0; p < pixels; ++p) {
      fxv v = sum[p][f];
      if (!to->bare) {
        v += to->bias != NULL ? bias : fxv_load(y + p * to->y_pixel);
        if (to->residual != NULL) v += fxv_load(to->residual + f * to->y_block + p * to->y_pixel);
        v = v < fxv_set(to->low) ? fxv_set(to->low) : v;
        v = v > fxv_set(to->high) ? fxv_set(to->high) : v;
      }
      fxv_store(y + p * to->y_pixel, v);
    }
  }
}

#define FXK_BLOCKED_TILE(pixels, blocks)                                                        \
  static void blocked_tile_##pixels##_##blocks(const blocked_sums *s, const blocked_store *to) { \
    blocked_tile(pixels, blocks, s, to);                                                        \
  }
#define FXK_BLOCKED_TILES(blocks)                                                                                     \
  FXK_BLOCKED_TILE(1, blocks) FXK_BLOCKED_TILE(2, blocks) FXK_BLOCKED_TILE(3, blocks) FXK_BLOCKED_TILE(4, blocks)    \
  FXK_BLOCKED_TILE(5, blocks) FXK_BLOCKED_TILE(6, blocks)
#define FXK_BLOCKED_ROW(blocks)                                                                                       \
  {blocked_tile_1_##blocks, blocked_tile_2_##blocks, blocked_tile_3_##blocks, blocked_tile_4_##blocks,                \
   blocked_tile_5_##blocks, blocked_tile_6_##blocks}

FXK_BLOCKED_TILES(1)
FXK_BLOCKED_TILES(2)
#if FXK_BLOCK_GROUP == 4
FXK_BLOCKED_TILES(3)
FXK_BLOCKED_TILES(4)
#endif

// By blocks and pixels.
static const blocked_tile_function blocked_tiles[FXK_BLOCK_GROUP][FXK_BLOCK_PIXELS] = {
  FXK_BLOCKED_ROW(1), FXK_BLOCKED_ROW(2),
#if FXK_BLOCK_GROUP == 4
  FXK_BLOCKED_ROW(3), FXK_BLOCKED_ROW(4),
#endif
};

// What the epilogue says of a store whose sums are complete if `last`.
FXK_INLINE blocked_store blocked_store_for(const fxk_epilogue *e, const float *bias, const float *residual, bool last) {
  const bool relu = e->activation == FXK_UNARY_RELU, clip = e->activation == FXK_UNARY_CLIP;
  return (blocked_store){
    .bias = bias, .epilogue = e, .last = last,
    .residual = last && !e->residual_last ? residual : NULL,
    .clamps = relu || clip || e->activation == FXK_UNARY_IDENTITY,
    .low = last && relu ? 0.0f : (last && clip ? e->act_alpha : -__builtin_inff()),
    .high = last && clip ? e->act_beta : __builtin_inff(),
  };
}

// What a tile leaves to do on `count` floats of one block: activations other than clamps, and a residual after them.
FXK_INLINE void blocked_finish(const blocked_store *to, float *y, const float *residual, size_t count) {
  const fxk_epilogue *e = to->epilogue;
  if (!to->last) return;
  if (!to->clamps) unary_f32(e->activation, y, y, count, e->act_alpha, e->act_beta);
  if (e->residual_last && residual != NULL) {
    FXK_LOOP
    for (size_t i = 0; i < count; ++i) y[i] += residual[i];
  }
}

// Output columns whose window lies wholly inside the row.
FXK_INLINE tap_range whole_columns(const fxk_blocked_conv *g) {
  const fxk_pool2d row = {
    .in_w = g->in[1], .out_w = g->out[1], .kernel_w = g->kernel[1], .stride_w = g->stride[1],
    .dilation_w = g->dilation[1], .pad_left = g->pad[1],
  };
  return inner_columns(&row);
}

// Kernel elements along an axis that fall inside for an output position.
FXK_INLINE tap_range taps_inside(const fxk_blocked_conv *g, int axis, size_t at) {
  return window_taps(at, g->stride[axis], g->dilation[axis], g->kernel[axis], g->pad[axis], g->in[axis]);
}

// Where the window of an output position begins, which may be outside.
FXK_INLINE ptrdiff_t window_start(const fxk_blocked_conv *g, int axis, size_t at) {
  return (ptrdiff_t)(at * g->stride[axis]) - (ptrdiff_t)g->pad[axis];
}

// The sizes as the loops see them: a convolution by points is one row.
static fxk_blocked_conv blocked_geometry(const fxk_blocked_conv *conv) {
  fxk_blocked_conv g = *conv;
  bool pointwise = !g.plain_input;
  for (int axis = 0; axis < 2; ++axis) {
    pointwise = pointwise && g.kernel[axis] == 1 && g.stride[axis] == 1 && g.pad[axis] == 0 && g.in[axis] == g.out[axis];
  }
  if (pointwise) {
    g.in[1] = g.out[1] = g.in[0] * g.in[1];
    g.in[0] = g.out[0] = 1;
  }
  return g;
}

// A step is a block of input channels, or one plain channel.
FXK_INLINE size_t blocked_steps(const fxk_blocked_conv *g) {
  return g->plain_input ? g->in_channels : block_count(g->in_channels);
}
FXK_INLINE size_t step_channels(const fxk_blocked_conv *g) { return g->plain_input ? 1 : FXK_VW; }

// Steps whose weights are multiplied with all pixels of a task before the next are.
FXK_INLINE size_t blocked_chunk(const fxk_blocked_conv *g) {
  const size_t steps = blocked_steps(g);
  const size_t products = g->kernel[0] * g->kernel[1] * step_channels(g);
  const size_t most = max_size(1, min_size(BLOCKED_WEIGHTS / (FXK_BLOCK_GROUP * FXK_VW), BLOCKED_PRODUCTS) / products);
  return ceil_div(steps, ceil_div(steps, most));
}

// Rows of output [r0, r1), or columns of the only one, for one group of blocks of one image.
static void run_blocked_direct(const fxk_blocked_conv *g, size_t image, size_t part, size_t parts, size_t group) {
  const size_t blocks = block_count(g->out_channels), groups = block_groups(blocks);
  const size_t first_block = group_block(group, groups, blocks), count = group_block(group + 1, groups, blocks) - first_block;
  const size_t taps = g->kernel[0] * g->kernel[1], steps = blocked_steps(g), channels = step_channels(g);
  const size_t in_plane = g->in[0] * g->in[1], out_plane = g->out[0] * g->out[1], chunk = blocked_chunk(g);
  const size_t unit = g->plain_input ? 1 : FXK_VW;
  const bool one_row = g->out[0] == 1;
  const size_t r0 = one_row ? 0 : part * g->out[0] / parts, r1 = one_row ? 1 : (part + 1) * g->out[0] / parts;
  const size_t q0 = one_row ? part * g->out[1] / parts : 0, q1 = one_row ? (part + 1) * g->out[1] / parts : g->out[1];
  const float *x = g->x + image * (g->plain_input ? g->in_channels : padded_channels(g->in_channels)) * in_plane;
  const float *weights = g->packed + first_block * FXK_VW * steps * taps * channels;
  const size_t start = (image * blocks + first_block) * out_plane * FXK_VW;
  float *y = g->y + start;
  const float *residual = g->epilogue.residual != NULL ? g->epilogue.residual + start : NULL;
  const tap_range whole = whole_columns(g);
  blocked_sums s = {
    .x_pixel = (ptrdiff_t)(g->stride[1] * unit), .x_step = (ptrdiff_t)(in_plane * unit),
    .x_row = (ptrdiff_t)(g->dilation[0] * g->in[1] * unit), .x_column = (ptrdiff_t)(g->dilation[1] * unit),
    // Of plain channels the columns of the kernel are read in one go.
    .x_channel = g->plain_input ? (ptrdiff_t)g->dilation[1] : 1, .w_column = (ptrdiff_t)(channels * count * FXK_VW),
    .channels = channels,
  };
  s.w_row = s.w_column * (ptrdiff_t)g->kernel[1];
  s.w_step = s.w_row * (ptrdiff_t)g->kernel[0];
  for (size_t step = 0; step < steps; step += chunk) {
    s.steps = min_size(chunk, steps - step);
    s.last_channels = step + s.steps == steps ? g->in_channels - (steps - 1) * channels : channels;
    blocked_store to = blocked_store_for(
      &g->epilogue, step == 0 ? g->epilogue.bias_row + first_block * FXK_VW : NULL, residual, step + s.steps == steps);
    const float *residual_now = to.residual;
    to.y_pixel = FXK_VW;
    to.y_block = (ptrdiff_t)(out_plane * FXK_VW);
    const float *from = x + (ptrdiff_t)step * s.x_step, *w = weights + (ptrdiff_t)step * s.w_step;
    for (size_t r = r0; r < r1; ++r) {
      const tap_range ky = taps_inside(g, 0, r);
      s.rows = ky.last - ky.first;
      const float *row =
        from + (window_start(g, 0, r) + (ptrdiff_t)(ky.first * g->dilation[0])) * (ptrdiff_t)(g->in[1] * unit);
      for (size_t q = q0; q < q1;) {
        const bool inside = q >= whole.first && q < whole.last;
        const size_t pixels = inside ? min_size(FXK_BLOCK_PIXELS, min_size(whole.last, q1) - q) : 1;
        const tap_range kx = taps_inside(g, 1, q);
        s.columns = kx.last - kx.first;
        if (g->plain_input) {
          s.channels = s.last_channels = s.columns;
          s.columns = 1;
        }
        s.x = row + (window_start(g, 1, q) + (ptrdiff_t)(kx.first * g->dilation[1])) * (ptrdiff_t)unit;
        s.weights = w + (ptrdiff_t)ky.first * s.w_row + (ptrdiff_t)kx.first * s.w_column;
        const size_t at = (r * g->out[1] + q) * FXK_VW;
        to.y = y + at;
        to.residual = residual_now != NULL ? residual_now + at : NULL;
        blocked_tiles[count - 1][pixels - 1](&s, &to);
        if (to.last && (!to.clamps || g->epilogue.residual_last)) {
          for (size_t f = 0; f < count; ++f) {
            const size_t there = at + f * out_plane * FXK_VW;
            blocked_finish(&to, y + there, residual != NULL ? residual + there : NULL, pixels * FXK_VW);
          }
        }
        q += pixels;
      }
    }
  }
}

static void pack_blocked_direct(const fxk_blocked_conv *g, const fxk_loose_float *weights, float *packed) {
  const size_t blocks = block_count(g->out_channels), groups = block_groups(blocks), channels = step_channels(g);
  const size_t taps = g->kernel[0] * g->kernel[1];
  for (size_t group = 0; group < groups; ++group) {
    const size_t first = group_block(group, groups, blocks) * FXK_VW, end = group_block(group + 1, groups, blocks) * FXK_VW;
    for (size_t step = 0; step < blocked_steps(g); ++step) {
      for (size_t tap = 0; tap < taps; ++tap) {
        for (size_t c = 0; c < channels; ++c) {
          const size_t in = step * channels + c;
          for (size_t o = first; o < end; ++o) {
            *packed++ = in < g->in_channels && o < g->out_channels ? weights[(o * g->in_channels + in) * taps + tap] : 0.0f;
          }
        }
      }
    }
  }
}
