// Winograd's F(4x4, 3x3) in blocks of channels (winograd.h has the transforms), and what chooses, packs and runs all
// convolutions in blocks. Each vector of a transform holds the channels of a block, so that tiles need not come in
// vectors' numbers.

// Floats of transformed inputs that stay in L2 with the weights of a point.
enum { BLOCKED_TILE_FLOATS = 160 * 1024 };

typedef struct {
  size_t tiles_w, tiles, panels, panel;  // of one image; tiles of the largest panel
} blocked_tiling;

static blocked_tiling blocked_tiling_of(const fxk_blocked_conv *g) {
  blocked_tiling l;
  l.tiles_w = ceil_div(g->out[1], 4);
  l.tiles = ceil_div(g->out[0], 4) * l.tiles_w;
  const size_t most = max_size(FXK_BLOCK_PIXELS, BLOCKED_TILE_FLOATS / (WINO_POINTS * padded_channels(g->in_channels)));
  l.panels = ceil_div(l.tiles, most);
  l.panel = ceil_div(l.tiles, max_size(l.panels, 1));
  return l;
}

FXK_INLINE void blocked_input_tile(
    const fxk_blocked_conv *g, const float *plane, size_t tile, const blocked_tiling *l, float *out, size_t point) {
  const ptrdiff_t y = (ptrdiff_t)(tile / l->tiles_w * 4) - (ptrdiff_t)g->pad[0];
  const ptrdiff_t x = (ptrdiff_t)(tile % l->tiles_w * 4) - (ptrdiff_t)g->pad[1];
  const ptrdiff_t height = (ptrdiff_t)g->in[0], width = (ptrdiff_t)g->in[1];
  fxv half[6][6];
  const bool inside = y >= 0 && x >= 0 && y + 6 <= height && x + 6 <= width;
  FXK_UNROLL
  for (int c = 0; c < 6; ++c) {
    fxv d[6], v[6];
    FXK_UNROLL
    for (int r = 0; r < 6; ++r) {
      const bool there = inside || (y + r >= 0 && y + r < height && x + c >= 0 && x + c < width);
      d[r] = there ? fxv_load(plane + ((y + r) * width + x + c) * FXK_VW) : fxv_set(0.0f);
    }
    winograd_input_points(d, v);
    FXK_UNROLL
    for (int r = 0; r < 6; ++r) half[r][c] = v[r];
  }
  FXK_UNROLL
  for (int r = 0; r < 6; ++r) {
    fxv v[6];
    winograd_input_points(half[r], v);
    FXK_UNROLL
    for (int c = 0; c < 6; ++c) fxv_store(out + (size_t)(r * 6 + c) * point, v[c]);
  }
}

// `products` of one tile and block; y and residual are the block's planes.
static void blocked_output_tile(
    const fxk_blocked_conv *g, const float *products, size_t point, size_t tile, const blocked_tiling *l,
    const blocked_store *to, float *y, const float *residual) {
  const size_t top = tile / l->tiles_w * 4, left = tile % l->tiles_w * 4;
  const size_t rows = min_size(4, g->out[0] - top), columns = min_size(4, g->out[1] - left);
  const fxv bias = fxv_load(to->bias), low = fxv_set(to->low), high = fxv_set(to->high);
  fxv half[4][6];
  FXK_UNROLL
  for (int c = 0; c < 6; ++c) {
    fxv m[6], v[4];
    FXK_UNROLL
    for (int r = 0; r < 6; ++r) m[r] = fxv_load(products + (size_t)(r * 6 + c) * point);
    winograd_output_points(m, v);
    FXK_UNROLL
    for (int r = 0; r < 4; ++r) half[r][c] = v[r];
  }
  for (size_t r = 0; r < rows; ++r) {
    fxv v[4];
    winograd_output_points(half[r], v);
    const size_t at = ((top + r) * g->out[1] + left) * FXK_VW;
    for (size_t c = 0; c < columns; ++c) {
      fxv out = v[c] + bias;
      if (residual != NULL && to->residual != NULL) out += fxv_load(residual + at + c * FXK_VW);
      out = out < low ? low : out;
      fxv_store(y + at + c * FXK_VW, out > high ? high : out);
    }
    if (!to->clamps || g->epilogue.residual_last) {
      blocked_finish(to, y + at, residual != NULL ? residual + at : NULL, columns * FXK_VW);
    }
  }
}

// One panel of tiles and a part of the groups of output blocks of one image.
static void run_blocked_winograd(
    const fxk_blocked_conv *g, size_t image, size_t panel, size_t group0, size_t group1, float *scratch) {
  const blocked_tiling l = blocked_tiling_of(g);
  const size_t t0 = panel * l.tiles / l.panels, t1 = (panel + 1) * l.tiles / l.panels, tiles = t1 - t0;
  const size_t in_blocks = block_count(g->in_channels), blocks = block_count(g->out_channels), groups = block_groups(blocks);
  const size_t channels = in_blocks * FXK_VW, in_plane = g->in[0] * g->in[1] * FXK_VW, out_plane = g->out[0] * g->out[1] * FXK_VW;
  float *inputs = scratch, *products = scratch + WINO_POINTS * l.panel * channels;
  const float *x = g->x + image * in_blocks * in_plane;
  for (size_t block = 0; block < in_blocks; ++block) {
    for (size_t t = 0; t < tiles; ++t) {
      blocked_input_tile(g, x + block * in_plane, t0 + t, &l, inputs + t * channels + block * FXK_VW, tiles * channels);
    }
  }
  for (size_t group = group0; group < group1; ++group) {
    const size_t first = group_block(group, groups, blocks), count = group_block(group + 1, groups, blocks) - first;
    blocked_sums s = {
      .x_pixel = (ptrdiff_t)channels, .x_channel = 1, .steps = 1, .rows = 1, .columns = 1,
      .last_channels = g->in_channels,
    };
    blocked_store sums = {.y_pixel = (ptrdiff_t)(count * FXK_VW), .y_block = FXK_VW, .bare = true};
    for (size_t p = 0; p < WINO_POINTS; ++p) {
      s.weights = g->packed + (first * WINO_POINTS + p * count) * FXK_VW * channels;
      for (size_t t = 0; t < tiles; t += FXK_BLOCK_PIXELS) {
        s.x = inputs + (p * tiles + t) * channels;
        sums.y = products + (p * tiles + t) * count * FXK_VW;
        blocked_tiles[count - 1][min_size(FXK_BLOCK_PIXELS, tiles - t) - 1](&s, &sums);
      }
    }
    for (size_t f = 0; f < count; ++f) {
      const size_t start = (image * blocks + first + f) * out_plane;
      const float *residual = g->epilogue.residual != NULL ? g->epilogue.residual + start : NULL;
      const blocked_store to = blocked_store_for(&g->epilogue, g->epilogue.bias_row + (first + f) * FXK_VW, residual, true);
      for (size_t t = 0; t < tiles; ++t) {
        blocked_output_tile(
          g, products + (t * count + f) * FXK_VW, tiles * count * FXK_VW, t0 + t, &l, &to, g->y + start, residual);
      }
    }
  }
}

// [group of blocks][point][input channel][block of the group][B].
static void pack_blocked_winograd(const fxk_blocked_conv *g, const fxk_loose_float *weights, float *packed) {
  const size_t blocks = block_count(g->out_channels), groups = block_groups(blocks);
  const size_t channels = padded_channels(g->in_channels);
  for (size_t group = 0; group < groups; ++group) {
    const size_t first = group_block(group, groups, blocks) * FXK_VW;
    const size_t width = group_block(group + 1, groups, blocks) * FXK_VW - first;
    for (size_t in = 0; in < channels; ++in) {
      for (size_t o = 0; o < width; o += FXK_VW) {
        // A block of output channels side by side: one vector loop.
        float w[9][FXK_VW], out[WINO_POINTS][FXK_VW];
        for (size_t c = 0; c < FXK_VW; ++c) {
          const bool there = in < g->in_channels && first + o + c < g->out_channels;
          const fxk_loose_float *from = weights + ((first + o + c) * g->in_channels + in) * 9;
          for (int i = 0; i < 9; ++i) w[i][c] = there ? from[i] : 0.0f;
        }
        winograd_kernels(FXK_VW, &w[0][0], &out[0][0]);
        for (size_t p = 0; p < WINO_POINTS; ++p) {
          memcpy(packed + (p * channels + in) * width + o, out[p], sizeof out[p]);
        }
      }
    }
    packed += WINO_POINTS * channels * width;
  }
}

// MARK: All methods

static fxk_blocked_method blocked_choose(const fxk_blocked_conv *g) {
  if (g->depthwise) return FXK_BLOCKED_DEPTHWISE;
  for (int axis = 0; axis < 2; ++axis) {
    if (g->kernel[axis] != 3 || g->stride[axis] != 1 || g->dilation[axis] != 1) return FXK_BLOCKED_DIRECT;
  }
  // Four times fewer products pay once enough channels share the transforms, and once enough tiles share the four times
  // larger weights.
  const size_t pixels = g->out[0] * g->out[1], tiles = ceil_div(g->out[0], 4) * ceil_div(g->out[1], 4);
  const bool pays = !g->plain_input && g->in_channels >= 16 && g->out_channels >= 16 && pixels >= 100 && tiles * 8 <= pixels;
  return pays ? FXK_BLOCKED_WINOGRAD : FXK_BLOCKED_DIRECT;
}

static bool blocked_in_place(const fxk_blocked_conv *g) {
  return !g->epilogue.residual_last && (g->method != FXK_BLOCKED_DIRECT || blocked_chunk(g) == blocked_steps(g));
}

static size_t blocked_packed_size(const fxk_blocked_conv *g) {
  const size_t outputs = padded_channels(g->out_channels), taps = g->kernel[0] * g->kernel[1];
  switch (g->method) {
  case FXK_BLOCKED_DEPTHWISE: return outputs * taps;
  case FXK_BLOCKED_WINOGRAD: return outputs * WINO_POINTS * padded_channels(g->in_channels);
  case FXK_BLOCKED_DIRECT: break;
  }
  return outputs * taps * blocked_steps(g) * step_channels(g);
}

static void blocked_pack(const fxk_blocked_conv *g, const fxk_loose_float *weights, float *packed) {
  switch (g->method) {
  case FXK_BLOCKED_DEPTHWISE: pack_blocked_depthwise(g, weights, packed); break;
  case FXK_BLOCKED_WINOGRAD: pack_blocked_winograd(g, weights, packed); break;
  case FXK_BLOCKED_DIRECT: pack_blocked_direct(g, weights, packed); break;
  }
}

// Tasks are numbered image by image, part by part (of the pixels, or panels of tiles), and then by groups of channels,
// or by parts of them where every task transforms the tiles it needs.
static size_t blocked_plan(fxk_blocked_conv *conv, size_t threads) {
  const fxk_blocked_conv g = blocked_geometry(conv);
  const size_t groups = block_groups(block_count(g.out_channels)), pixels = g.out[0] * g.out[1];
  switch (g.method) {
  case FXK_BLOCKED_DEPTHWISE:
    conv->parts = block_count(g.out_channels);
    conv->channel_parts = 1;
    break;
  case FXK_BLOCKED_WINOGRAD:
    conv->parts = blocked_tiling_of(&g).panels;
    conv->channel_parts = g.batch * conv->parts >= 2 * threads || threads == 1 ? 1 : min_size(groups, threads);
    break;
  case FXK_BLOCKED_DIRECT:
    conv->channel_parts = groups;
    conv->parts = max_size(1, min_size(pixels / BLOCKED_TASK_PIXELS, g.out[0] == 1 ? pixels : g.out[0]));
    break;
  }
  return g.batch * conv->parts * conv->channel_parts;
}

static size_t blocked_scratch(const fxk_blocked_conv *g) {
  if (g->method != FXK_BLOCKED_WINOGRAD) return 0;
  return WINO_POINTS * blocked_tiling_of(g).panel * (padded_channels(g->in_channels) + FXK_BLOCK_GROUP * FXK_VW);
}

static void blocked_run(const fxk_blocked_conv *conv, size_t task0, size_t task1, float *scratch) {
  const fxk_blocked_conv g = blocked_geometry(conv);
  const size_t groups = block_groups(block_count(g.out_channels));
  for (size_t task = task0; task < task1; ++task) {
    const size_t channel_part = task % g.channel_parts, part = task / g.channel_parts % g.parts;
    const size_t image = task / (g.channel_parts * g.parts);
    switch (g.method) {
    case FXK_BLOCKED_DEPTHWISE: run_blocked_depthwise(&g, task); break;
    case FXK_BLOCKED_WINOGRAD:
      run_blocked_winograd(
        &g, image, part, channel_part * groups / g.channel_parts, (channel_part + 1) * groups / g.channel_parts, scratch);
      break;
    case FXK_BLOCKED_DIRECT: run_blocked_direct(&g, image, part, g.parts, channel_part); break;
    }
  }
}
