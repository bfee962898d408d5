// Convolutions: implicit GEMM, depthwise, and the choice between methods. See include/fxk_conv.h.

// Whether the im2col matrix is the image itself.
FXK_INLINE bool is_pointwise(const fxk_conv *g) {
  for (int axis = 0; axis < 3; ++axis) {
    if (g->kernel[axis] != 1 || g->stride[axis] != 1 || g->pad[axis] != 0 || g->in[axis] != g->out[axis]) return false;
  }
  return true;
}

// A run of output positions of one row: `count` positions from output column `column` on, at `start` in the panel.
typedef struct {
  ptrdiff_t depth, height, width;  // the input position under kernel element (0, 0, 0), which may be outside
  size_t start, count;
} pixel_run;

// Splits a panel's pixels [pixel, pixel + count) at the ends of output rows; returns the number of runs.
static size_t panel_runs(const fxk_conv *g, size_t pixel, size_t count, pixel_run runs[FXK_NR]) {
  size_t n = 0;
  for (size_t done = 0; done < count;) {
    const size_t at = pixel + done, column = at % g->out[2], row = at / g->out[2];
    const size_t length = min_size(count - done, g->out[2] - column);
    runs[n++] = (pixel_run){
      (ptrdiff_t)(row / g->out[1] * g->stride[0]) - (ptrdiff_t)g->pad[0],
      (ptrdiff_t)(row % g->out[1] * g->stride[1]) - (ptrdiff_t)g->pad[1],
      (ptrdiff_t)(column * g->stride[2]) - (ptrdiff_t)g->pad[2], done, length,
    };
    done += length;
  }
  return n;
}

// One run of one row of the im2col matrix. `row` is the input row, null where it lies in the padding. May write up to a
// vector past the run.
FXK_INLINE void gather_run(
    const float *row, ptrdiff_t first, size_t stride, size_t width, size_t count, const float *limit, float *out) {
  if (row == NULL) {
    for (size_t i = 0; i < count; i += FXK_VW) fxv_store(out + i, fxv_set(0.0f));
    return;
  }
  size_t lead = 0, end = count;
  if (first < 0) lead = min_size(count, ((size_t)-first + stride - 1) / stride);
  const ptrdiff_t last = first + (ptrdiff_t)((count - 1) * stride);
  if (last >= (ptrdiff_t)width) {
    const ptrdiff_t room = (ptrdiff_t)width - first;
    end = room <= 0 ? 0 : min_size(count, ((size_t)room + stride - 1) / stride);
    end = max_size(end, lead);
  }
  for (size_t i = 0; i < lead; ++i) out[i] = 0.0f;
  if (end > lead) copy_run(row + first + (ptrdiff_t)(lead * stride), stride, end - lead, limit, out + lead);
  for (size_t i = end; i < count; ++i) out[i] = 0.0f;
}

// Packs rows [p0, p1) of the im2col matrix of `image` (one group's channels) for the pixels of one panel.
static void pack_pixels(
    const fxk_conv *g, const float *image, size_t pixel, size_t count, size_t width, size_t p0, size_t p1, float *out) {
  const float *limit = g->x + g->batch * g->in_channels * volume(g->in);
  pixel_run runs[FXK_NR];
  const size_t run_count = panel_runs(g, pixel, count, runs);
  const size_t taps = volume(g->kernel), plane = volume(g->in);
  size_t channel = p0 / taps, tap = p0 % taps;
  size_t kx = tap % g->kernel[2], ky = tap / g->kernel[2] % g->kernel[1], kz = tap / (g->kernel[2] * g->kernel[1]);
  for (size_t p = p0; p < p1; ++p, out += width) {
    const float *source = image + channel * plane;
    const ptrdiff_t dz = (ptrdiff_t)(kz * g->dilation[0]), dy = (ptrdiff_t)(ky * g->dilation[1]);
    const ptrdiff_t dx = (ptrdiff_t)(kx * g->dilation[2]);
    for (size_t r = 0; r < run_count; ++r) {
      const ptrdiff_t z = runs[r].depth + dz, y = runs[r].height + dy;
      const bool inside = z >= 0 && z < (ptrdiff_t)g->in[0] && y >= 0 && y < (ptrdiff_t)g->in[1];
      const float *row = inside ? source + (z * (ptrdiff_t)g->in[1] + y) * (ptrdiff_t)g->in[2] : NULL;
      gather_run(row, runs[r].width + dx, g->stride[2], g->in[2], runs[r].count, limit, out + runs[r].start);
    }
    for (size_t i = count; i < width; ++i) out[i] = 0.0f;
    if (++kx == g->kernel[2]) {
      kx = 0;
      if (++ky == g->kernel[1]) {
        ky = 0;
        if (++kz == g->kernel[0]) {
          kz = 0;
          ++channel;
        }
      }
    }
  }
}

// Row panels [i0, i1) and pixel panels [j0, j1) of one image's group.
static void run_conv_gemm(
    const fxk_conv *g, size_t image, size_t group, size_t i0, size_t i1, size_t j0, size_t j1, float *scratch) {
  const size_t in_channels = g->in_channels / g->groups, channels = g->out_channels / g->groups;
  const size_t k = in_channels * volume(g->kernel), n = volume(g->out);
  const size_t step = depth_block(k), j_step = b_block_panels(channels, k), i_step = a_block_panels(k);
  const float *x = g->x + (image * g->in_channels + group * in_channels) * volume(g->in);
  const size_t start = (image * g->out_channels + group * channels) * n;
  const fxk_epilogue epilogue = shifted_epilogue(g, group * channels, start);
  const float *packed = g->packed + group * gemm_packed_a_size(channels, k);
  const bool pointwise = is_pointwise(g);
  size_t p = 0;
  do {
    const size_t depth = min_size(step, k - p);
    const tile_target target = make_target(g->y + start, (ptrdiff_t)n, &epilogue, p == 0, p + depth == k);
    for (size_t j = j0; j < j1; j += j_step) {
      const size_t j_end = min_size(j + j_step, j1);
      for (size_t panel = j; panel < j_end; ++panel) {
        const size_t pixel = panel_column(panel, n), count = panel_columns(panel, n), width = panel_width(panel, n);
        float *out = scratch + (pixel - panel_column(j, n)) * depth;
        if (pointwise) {
          pack_panel(x + p * n + pixel, 1, (ptrdiff_t)n, count, width, depth, out);
        } else {
          pack_pixels(g, x, pixel, count, width, p, p + depth, out);
        }
      }
      const panel_source a = {packed, 0, k, p}, b = {scratch, panel_column(j, n), depth, 0};
      for (size_t i = i0; i < i1; i += i_step) {
        multiply_block(&target, channels, n, depth, a, i, min_size(i + i_step, i1), b, j, j_end);
      }
    }
    p += depth;
  } while (p < k);
}

static fxk_conv_method conv_choose(const fxk_conv *g, bool exact) {
  if (depthwise_applies(g)) return FXK_CONV_DEPTHWISE;
  // Four times fewer products pay once the transforms are shared by enough channels, if the vectors of tiles fill, and
  // once the four times larger weights are used by enough tiles.
  if (!exact && winograd_applies(g) && g->in_channels >= 16 && g->out_channels >= 16) {
    const size_t pixels = g->out[1] * g->out[2], tiles = ceil_div(winograd_layout_of(g).tiles, FXK_VW) * FXK_VW;
    if (pixels >= 100 && tiles * 6 <= pixels) return FXK_CONV_WINOGRAD;
  }
  return FXK_CONV_GEMM;
}

static size_t conv_packed_size(const fxk_conv *g) {
  const size_t k = g->in_channels / g->groups * volume(g->kernel);
  switch (g->method) {
  case FXK_CONV_DEPTHWISE: return g->out_channels * volume(g->kernel);
  case FXK_CONV_WINOGRAD: return winograd_packed_size(g);
  case FXK_CONV_GEMM: break;
  }
  return g->groups * gemm_packed_a_size(g->out_channels / g->groups, k);
}

static void conv_pack(const fxk_conv *g, const fxk_loose_float *weights, float *packed) {
  const size_t channels = g->out_channels / g->groups, k = g->in_channels / g->groups * volume(g->kernel);
  switch (g->method) {
  case FXK_CONV_DEPTHWISE: memcpy(packed, weights, g->out_channels * volume(g->kernel) * sizeof(float)); break;
  case FXK_CONV_WINOGRAD: winograd_pack(g, weights, packed); break;
  case FXK_CONV_GEMM:
    for (size_t group = 0; group < g->groups; ++group) {
      gemm_pack_a(
        weights + group * channels * k, (ptrdiff_t)k, 1, channels, k, packed + group * gemm_packed_a_size(channels, k), 0,
        row_panels(channels));
    }
    break;
  }
}

// Panels along the pixels, or along the tiles.
FXK_INLINE size_t column_units(const fxk_conv *g) {
  return g->method == FXK_CONV_WINOGRAD ? ceil_div(winograd_layout_of(g).tiles, FXK_NR) : column_panels(volume(g->out));
}

// Tasks are numbered image by image, group by group, channel part by channel part, pixel part by pixel part.
static size_t conv_plan(fxk_conv *g, size_t threads) {
  g->channel_tasks = g->pixel_tasks = 1;
  const size_t channels = g->out_channels / max_size(1, g->groups), pixels = volume(g->out);
  if (g->batch == 0 || channels == 0 || pixels == 0) return 0;
  const size_t outer = g->batch * g->groups;
  if (g->method == FXK_CONV_DEPTHWISE) return outer;
  const size_t n = column_units(g);
  const double k = (double)(g->in_channels / g->groups * volume(g->kernel));
  const double work = 2.0 * (double)channels * (double)pixels * k;
  if (threads > 1 && outer < 4 * threads && work > 2e5) {
    const size_t wanted = min_size(ceil_div(4 * threads, outer), (size_t)(work < 1e11 ? work / 1e5 : 1e6));
    if (n >= min_size(wanted, 2 * threads)) {
      // By pixels: each part packs its own.
      g->pixel_tasks = min_size(wanted, n);
    } else {
      // Few panels, the last one narrow. By channels, each part packing all pixels: no more parts than threads where
      // that is dear.
      const size_t parts = g->method == FXK_CONV_WINOGRAD ? threads : 2 * threads;
      g->channel_tasks = min_size(min_size(wanted, ceil_div(parts, outer)), row_panels(channels));
      if (g->channel_tasks < threads) g->pixel_tasks = min_size(ceil_div(wanted, g->channel_tasks), n);
    }
  }
  return outer * g->channel_tasks * g->pixel_tasks;
}

static size_t conv_scratch(const fxk_conv *g) {
  if (g->method == FXK_CONV_DEPTHWISE) return depthwise_scratch(g);
  if (g->method == FXK_CONV_WINOGRAD) return winograd_scratch(g);
  const size_t k = g->in_channels / g->groups * volume(g->kernel);
  const size_t panels = min_size(b_block_panels(g->out_channels / g->groups, k), column_panels(volume(g->out)));
  // A run may be written a vector too far.
  return panels * FXK_NR * depth_block(k) + FXK_VW;
}

static void conv_run(const fxk_conv *g, size_t task0, size_t task1, float *scratch) {
  if (g->method == FXK_CONV_DEPTHWISE) {
    run_depthwise(g, task0, task1, scratch);
    return;
  }
  const size_t rows = row_panels(g->out_channels / g->groups), columns = column_units(g);
  for (size_t task = task0; task < task1; ++task) {
    const size_t c = task % g->pixel_tasks, r = task / g->pixel_tasks % g->channel_tasks;
    const size_t outer = task / (g->pixel_tasks * g->channel_tasks), group = outer % g->groups, image = outer / g->groups;
    const size_t i0 = r * rows / g->channel_tasks, i1 = (r + 1) * rows / g->channel_tasks;
    const size_t j0 = c * columns / g->pixel_tasks, j1 = (c + 1) * columns / g->pixel_tasks;
    if (g->method == FXK_CONV_WINOGRAD) {
      run_winograd(g, image, i0, i1, j0, j1, scratch);
    } else {
      run_conv_gemm(g, image, group, i0, i1, j0, j1, scratch);
    }
  }
}
