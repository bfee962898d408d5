// Winograd's F(4x4, 3x3): a 4x4 tile of outputs from a 6x6 tile of inputs with 36 products per channel instead of 144
// (Lavin and Gray 2016). The sums over channels are 36 matrix products.
//
// Interpolation points 0, +-a, +-b and infinity with a = 5/8, b = 3/2: all constants are exact in binary, and the error
// is about 1.7 times that of a direct sum, against 4 times for the usual 0, +-1, +-2.

#define WINO_A 0.625f
#define WINO_B 1.5f
#define WINO_A2 (WINO_A * WINO_A)
#define WINO_B2 (WINO_B * WINO_B)

enum { WINO_POINTS = 36, WINO_CHANNEL_BLOCK = 64, WINO_PATCH = 8 };

typedef struct {
  size_t tiles_h, tiles_w, tiles;  // of one image; panels are FXK_NR tiles, the last as many vectors as it needs
  size_t rows;                     // most output channels whose products are held at a time
} winograd_layout;

static winograd_layout winograd_layout_of(const fxk_conv *g) {
  winograd_layout l;
  l.tiles_h = ceil_div(g->out[1], 4);
  l.tiles_w = ceil_div(g->out[2], 4);
  l.tiles = l.tiles_h * l.tiles_w;
  l.rows = min_size(g->out_channels, WINO_CHANNEL_BLOCK + FXK_MR);
  return l;
}

static bool winograd_applies(const fxk_conv *g) {
  for (int axis = 1; axis < 3; ++axis) {
    if (g->kernel[axis] != 3 || g->stride[axis] != 1 || g->dilation[axis] != 1) return false;
  }
  return g->groups == 1 && g->in[0] == 1 && g->out[0] == 1 && g->kernel[0] == 1 && g->pad[0] == 0;
}

// Scratch: the transformed inputs of one panel of tiles [36, in_channels, FXK_NR], then products [36, rows, FXK_NR].
static size_t winograd_scratch(const fxk_conv *g) {
  return WINO_POINTS * FXK_NR * (g->in_channels + winograd_layout_of(g).rows);
}

static size_t winograd_packed_size(const fxk_conv *g) {
  return WINO_POINTS * gemm_packed_a_size(g->out_channels, g->in_channels);
}

// Rows of G: (1, p, p^2) over the product of the distances to the other points; (0, 0, 1) at infinity.
FXK_INLINE void winograd_kernel_points(double w0, double w1, double w2, double out[6]) {
  const double a = WINO_A, b = WINO_B, a2 = a * a, b2 = b * b;
  const double na = 0.5 / (a2 * (a2 - b2)), nb = 0.5 / (b2 * (b2 - a2));
  const double even_a = w0 + a2 * w2, odd_a = a * w1, even_b = w0 + b2 * w2, odd_b = b * w1;
  out[0] = w0 * (1.0 / (a2 * b2));
  out[1] = (even_a + odd_a) * na;
  out[2] = (even_a - odd_a) * na;
  out[3] = (even_b + odd_b) * nb;
  out[4] = (even_b - odd_b) * nb;
  out[5] = w2;
}

// G w G^T of `count` kernels side by side, in double: w [9, count] to points [36, count].
FXK_INLINE void winograd_kernels(const size_t count, const float *w, float *points) {
  FXK_LOOP
  for (size_t c = 0; c < count; ++c) {
    double half[3][6], column[6];
    FXK_UNROLL
    for (int x = 0; x < 3; ++x) winograd_kernel_points(w[x * count + c], w[(3 + x) * count + c], w[(6 + x) * count + c], half[x]);
    FXK_UNROLL
    for (int p = 0; p < 6; ++p) {
      winograd_kernel_points(half[0][p], half[1][p], half[2][p], column);
      FXK_UNROLL
      for (int q = 0; q < 6; ++q) points[(p * 6 + q) * count + c] = (float)column[q];
    }
  }
}

enum { WINO_PACK_BLOCK = 32 };

// The kernels of every pair of channels, each point packed as the A of a matrix product.
static void winograd_pack(const fxk_conv *g, const fxk_loose_float *weights, float *packed) {
  const size_t m = g->out_channels, k = g->in_channels, panels = row_panels(m), stride = gemm_packed_a_size(m, k);
  for (size_t panel = 0; panel < panels; ++panel) {
    const size_t row = panel_row(panel, panels, m), rows = panel_row(panel + 1, panels, m) - row;
    for (size_t c0 = 0; c0 < k; c0 += WINO_PACK_BLOCK) {
      // A block of input channels side by side: one vector loop. All rows of the panel in turn, while its 36 places in
      // the packed operand are in cache.
      const size_t count = min_size(WINO_PACK_BLOCK, k - c0);
      for (size_t r = 0; r < rows; ++r) {
        const fxk_loose_float *w = weights + ((row + r) * k + c0) * 9;
        float in[9][WINO_PACK_BLOCK], out[WINO_POINTS][WINO_PACK_BLOCK];
        for (size_t c = 0; c < count; ++c) {
          FXK_UNROLL
          for (int x = 0; x < 9; ++x) in[x][c] = w[c * 9 + x];
        }
        for (size_t c = count; c < WINO_PACK_BLOCK; ++c) {
          for (int x = 0; x < 9; ++x) in[x][c] = 0.0f;
        }
        winograd_kernels(WINO_PACK_BLOCK, &in[0][0], &out[0][0]);
        for (size_t p = 0; p < WINO_POINTS; ++p) {
          float *to = packed + p * stride + row * k + c0 * rows + r;
          for (size_t c = 0; c < count; ++c) to[c * rows] = out[p][c];
        }
      }
    }
  }
  for (size_t p = 0; p < WINO_POINTS; ++p) {
    for (size_t r = 0; r < FXK_VW; ++r) packed[p * stride + m * k + r] = 0.0f;
  }
}

// B^T along one axis.
FXK_INLINE void winograd_input_points(const fxv d[6], fxv v[6]) {
  const fxv even_a = d[4] - d[2] * WINO_B2, odd_a = (d[3] - d[1] * WINO_B2) * WINO_A;
  const fxv even_b = d[4] - d[2] * WINO_A2, odd_b = (d[3] - d[1] * WINO_A2) * WINO_B;
  v[0] = d[4] - d[2] * (WINO_A2 + WINO_B2) + d[0] * (WINO_A2 * WINO_B2);
  v[1] = even_a + odd_a;
  v[2] = even_a - odd_a;
  v[3] = even_b + odd_b;
  v[4] = even_b - odd_b;
  v[5] = d[5] - d[3] * (WINO_A2 + WINO_B2) + d[1] * (WINO_A2 * WINO_B2);
}

// A^T along one axis.
FXK_INLINE void winograd_output_points(const fxv m[6], fxv y[4]) {
  const fxv sum_a = m[1] + m[2], odd_a = m[1] - m[2], sum_b = m[3] + m[4], odd_b = m[3] - m[4];
  y[0] = m[0] + sum_a + sum_b;
  y[1] = odd_a * WINO_A + odd_b * WINO_B;
  y[2] = sum_a * WINO_A2 + sum_b * WINO_B2;
  y[3] = odd_a * (WINO_A2 * WINO_A) + odd_b * (WINO_B2 * WINO_B) + m[5];
}

// Four rows of four to four columns of four.
FXK_INLINE void transpose4x4(const fxv4 in[4], fxv4 out[4]) {
  const fxv4 ab = __builtin_shufflevector(in[0], in[1], 0, 4, 1, 5), ab2 = __builtin_shufflevector(in[0], in[1], 2, 6, 3, 7);
  const fxv4 cd = __builtin_shufflevector(in[2], in[3], 0, 4, 1, 5), cd2 = __builtin_shufflevector(in[2], in[3], 2, 6, 3, 7);
  out[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  out[1] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  out[2] = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
  out[3] = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
}

// Where a tile begins in its plane, and whether all 6 rows of 8 elements from there lie inside.
typedef struct {
  ptrdiff_t y, x;
  bool inside;
} winograd_tile;

// Transforms FXK_VW tiles of one channel; point p goes to out + p point_stride.
FXK_INLINE void winograd_input(
    const fxk_conv *g, const float *plane, const winograd_tile *tiles, float *out, size_t point_stride) {
  const ptrdiff_t in_h = (ptrdiff_t)g->in[1], in_w = (ptrdiff_t)g->in[2];
  float patches[FXK_VW][6 * WINO_PATCH];
  const float *from[FXK_VW];
  ptrdiff_t pitch[FXK_VW];
  for (int t = 0; t < FXK_VW; ++t) {
    if (tiles[t].inside) {
      from[t] = plane + tiles[t].y * in_w + tiles[t].x;
      pitch[t] = in_w;
      continue;
    }
    float *patch = patches[t];
    memset(patch, 0, sizeof patches[t]);
    const ptrdiff_t x0 = tiles[t].x < 0 ? -tiles[t].x : 0, x1 = in_w - tiles[t].x < 6 ? in_w - tiles[t].x : 6;
    for (ptrdiff_t r = 0; r < 6; ++r) {
      const ptrdiff_t y = tiles[t].y + r;
      if (y < 0 || y >= in_h) continue;
      for (ptrdiff_t x = x0; x < x1; ++x) patch[r * WINO_PATCH + x] = plane[y * in_w + tiles[t].x + x];
    }
    from[t] = patch;
    pitch[t] = WINO_PATCH;
  }
  fxv half[6][6];
  FXK_UNROLL
  for (int r = 0; r < 6; ++r) {
    float columns[WINO_PATCH][FXK_VW];
    FXK_UNROLL
    for (int t = 0; t < FXK_VW; t += 4) {
      fxv4 left[4], right[4], turned[4];
      FXK_UNROLL
      for (int q = 0; q < 4; ++q) {
        const float *row = from[t + q] + r * pitch[t + q];
        left[q] = *(const fxv4_unaligned *)row;
        right[q] = *(const fxv4_unaligned *)(row + 4);
      }
      transpose4x4(left, turned);
      FXK_UNROLL
      for (int c = 0; c < 4; ++c) *(fxv4_unaligned *)(columns[c] + t) = turned[c];
      transpose4x4(right, turned);
      FXK_UNROLL
      for (int c = 0; c < 2; ++c) *(fxv4_unaligned *)(columns[4 + c] + t) = turned[c];
    }
    fxv d[6];
    FXK_UNROLL
    for (int c = 0; c < 6; ++c) d[c] = fxv_load(columns[c]);
    winograd_input_points(d, half[r]);
  }
  FXK_UNROLL
  for (int c = 0; c < 6; ++c) {
    fxv d[6], v[6];
    FXK_UNROLL
    for (int r = 0; r < 6; ++r) d[r] = half[r][c];
    winograd_input_points(d, v);
    FXK_UNROLL
    for (int r = 0; r < 6; ++r) fxv_store(out + (size_t)(r * 6 + c) * point_stride, v[r]);
  }
}

// Brings FXK_VW tiles of one output channel to `out`, the first `count` of them; `residual` is its plane or null.
FXK_INLINE void winograd_output(
    const fxk_conv *g, const tile_target *target, const winograd_layout *l, const float *products, size_t point_stride,
    size_t tile, size_t count, float bias, float *out, const float *residual) {
  const fxk_epilogue *e = target->epilogue;
  fxv half[4][6];
  FXK_UNROLL
  for (int c = 0; c < 6; ++c) {
    fxv m[6], y[4];
    FXK_UNROLL
    for (int r = 0; r < 6; ++r) m[r] = fxv_load(products + (size_t)(r * 6 + c) * point_stride);
    winograd_output_points(m, y);
    FXK_UNROLL
    for (int r = 0; r < 4; ++r) half[r][c] = y[r];
  }
  // [row of the tile][tile][column of the tile]
  float pixels[4 * FXK_VW * 4];
  FXK_UNROLL
  for (int r = 0; r < 4; ++r) {
    fxv y[4];
    winograd_output_points(half[r], y);
    float columns[4][FXK_VW];
    FXK_UNROLL
    for (int c = 0; c < 4; ++c) fxv_store(columns[c], y[c] * fxv_set(e->alpha) + fxv_set(bias));
    FXK_UNROLL
    for (int t = 0; t < FXK_VW; t += 4) {
      fxv4 in[4], turned[4];
      FXK_UNROLL
      for (int c = 0; c < 4; ++c) in[c] = *(const fxv4_unaligned *)(columns[c] + t);
      transpose4x4(in, turned);
      FXK_UNROLL
      for (int q = 0; q < 4; ++q) *(fxv4_unaligned *)(pixels + (r * FXK_VW + t + q) * 4) = turned[q];
    }
  }
  const size_t out_h = g->out[1], out_w = g->out[2];
  if (residual != NULL && !e->residual_last) {
    for (size_t t = 0; t < count; ++t) {
      const size_t y = (tile + t) / l->tiles_w * 4, x = (tile + t) % l->tiles_w * 4;
      for (size_t r = 0; r < 4 && y + r < out_h; ++r) {
        const float *from = residual + (y + r) * out_w + x;
        float *v = pixels + (r * FXK_VW + t) * 4;
        for (size_t c = 0; c < 4 && x + c < out_w; ++c) v[c] += from[c];
      }
    }
  }
  if (e->activation == FXK_UNARY_IDENTITY) {
  } else if (e->activation == FXK_UNARY_RELU || e->activation == FXK_UNARY_CLIP) {
    const float low = target->low, high = target->high;
    FXK_LOOP
    for (size_t i = 0; i < 4 * FXK_VW * 4; ++i) {
      const float v = pixels[i] < low ? low : pixels[i];
      pixels[i] = v > high ? high : v;
    }
  } else {
    unary_f32(e->activation, pixels, pixels, 4 * FXK_VW * 4, e->act_alpha, e->act_beta);
  }
  size_t y = tile / l->tiles_w * 4, x = tile % l->tiles_w * 4;
  for (size_t t = 0; t < count; ++t) {
    const size_t rows = min_size(4, out_h - y), columns = min_size(4, out_w - x);
    float *to = out + y * out_w + x;
    const float *from = residual != NULL && e->residual_last ? residual + y * out_w + x : NULL;
    for (size_t r = 0; r < rows; ++r, to += out_w) {
      const float *v = pixels + (r * FXK_VW + t) * 4;
      if (from != NULL) {
        for (size_t c = 0; c < columns; ++c) to[c] = v[c] + from[r * out_w + c];
      } else if (columns == 4) {
        memcpy(to, v, 4 * sizeof(float));
      } else {
        for (size_t c = 0; c < columns; ++c) to[c] = v[c];
      }
    }
    x += 4;
    if (x >= l->tiles_w * 4) {
      x = 0;
      y += 4;
    }
  }
}

// Row panels [i0, i1) of the output channels and panels [j0, j1) of the tiles of one image.
static void run_winograd(const fxk_conv *g, size_t image, size_t i0, size_t i1, size_t j0, size_t j1, float *scratch) {
  const winograd_layout l = winograd_layout_of(g);
  const size_t m = g->out_channels, k = g->in_channels, panels = row_panels(m), plane = volume(g->in), size = volume(g->out);
  const float *x = g->x + image * k * plane;
  const fxk_epilogue epilogue = shifted_epilogue(g, 0, image * m * size);
  const tile_target target = make_target(NULL, 0, &epilogue, true, true);
  float *inputs = scratch, *products = scratch + WINO_POINTS * FXK_NR * k;
  const size_t packed_stride = gemm_packed_a_size(m, k), block = max_size(1, WINO_CHANNEL_BLOCK / FXK_MR);
  for (size_t j = j0; j < j1; ++j) {
    const size_t first = j * FXK_NR, count = min_size(FXK_NR, l.tiles - first), width = ceil_div(count, FXK_VW) * FXK_VW;
    winograd_tile tiles[FXK_NR];
    for (size_t t = 0; t < width; ++t) {
      // Lanes past the last tile repeat it.
      const size_t at = min_size(first + t, l.tiles - 1);
      tiles[t].y = (ptrdiff_t)(at / l.tiles_w * 4) - (ptrdiff_t)g->pad[1];
      tiles[t].x = (ptrdiff_t)(at % l.tiles_w * 4) - (ptrdiff_t)g->pad[2];
      tiles[t].inside = tiles[t].y >= 0 && tiles[t].x >= 0 && tiles[t].y + 6 <= (ptrdiff_t)g->in[1]
        && tiles[t].x + WINO_PATCH <= (ptrdiff_t)g->in[2];
    }
    for (size_t c = 0; c < k; ++c) {
      for (size_t t = 0; t < width; t += FXK_VW) {
        winograd_input(g, x + c * plane, tiles + t, inputs + c * width + t, k * width);
      }
    }
    for (size_t i = i0; i < i1; i += block) {
      const size_t i_end = min_size(i + block, i1), origin = panel_row(i, panels, m);
      const size_t block_rows = panel_row(i_end, panels, m) - origin;
      for (size_t p = 0; p < WINO_POINTS; ++p) {
        for (size_t panel = i; panel < i_end; ++panel) {
          const size_t row = panel_row(panel, panels, m), rows = panel_row(panel + 1, panels, m) - row;
          const tile_store store = plain_store(products + (p * block_rows + row - origin) * FXK_NR, FXK_NR);
          packed_tiles[rows - 1][width / FXK_VW - 1](
            k, g->packed + p * packed_stride + row * k, 0, inputs + p * k * width, (ptrdiff_t)width, &store);
        }
      }
      for (size_t r = 0; r < block_rows; ++r) {
        const float bias = epilogue.bias_row != NULL ? epilogue.bias_row[origin + r] : 0.0f;
        const float *residual = epilogue.residual != NULL ? epilogue.residual + (origin + r) * size : NULL;
        for (size_t t = 0; t < count; t += FXK_VW) {
          winograd_output(
            g, &target, &l, products + r * FXK_NR + t, block_rows * FXK_NR, first + t, min_size(FXK_VW, count - t), bias,
            g->y + (image * m + origin + r) * size, residual);
        }
      }
    }
  }
}
