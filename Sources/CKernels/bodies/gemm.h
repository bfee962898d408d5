// Matrix products: packing, blocking and the choice of a path. See include/fxk_gemm.h.
//
// Layout of a packed A [m, k]: ceil(m / FXK_MR) panels of nearly equal height; panel i holds rows
// [i m / panels, (i + 1) m / panels), element (p, r) at p rows + r. A packed B [k, n]: panels FXK_NR wide, element (p, j)
// at p FXK_NR + j. The last one is as many vectors wide as it needs, padded with zeros; but up to FXK_THIN columns that
// would fill a vector badly are a thin panel of their own, without padding, multiplied with vectors along A's rows.

// Depth of a block, and floats of the packed blocks: A's stays in L2 with a panel of B, B's in L2 or L3.
enum { DEPTH_BLOCK = FXK_UNDIVIDED_DEPTH, A_BLOCK_FLOATS = 64 * 1024, B_BLOCK_FLOATS = 256 * 1024, B_SMALL_FLOATS = 48 * 1024 };

FXK_INLINE size_t row_panels(size_t m) { return ceil_div(m, FXK_MR); }
FXK_INLINE size_t panel_row(size_t panel, size_t panels, size_t m) { return panel * m / panels; }

// Columns in the thin panel, 0 without one.
FXK_INLINE size_t thin_columns(size_t n) { return n % FXK_VW <= FXK_THIN ? n % FXK_VW : 0; }
FXK_INLINE size_t column_panels(size_t n) {
  const size_t thin = thin_columns(n);
  return ceil_div(n - thin, FXK_NR) + (thin > 0);
}
FXK_INLINE size_t panel_column(size_t panel, size_t n) { return min_size(panel * FXK_NR, n - thin_columns(n)); }

// Columns of a panel, and the floats from one of its rows to the next.
FXK_INLINE size_t panel_columns(size_t panel, size_t n) {
  const size_t column = panel_column(panel, n), wide = n - thin_columns(n);
  return column < wide ? min_size(FXK_NR, wide - column) : n - column;
}
FXK_INLINE size_t panel_width(size_t panel, size_t n) {
  const size_t columns = panel_columns(panel, n);
  return panel_column(panel, n) < n - thin_columns(n) ? ceil_div(columns, FXK_VW) * FXK_VW : columns;
}

FXK_INLINE size_t depth_block(size_t k) { return k == 0 ? 0 : ceil_div(k, ceil_div(k, DEPTH_BLOCK)); }

typedef float fxv4 __attribute__((ext_vector_type(4)));
typedef float fxv4_unaligned __attribute__((ext_vector_type(4), aligned(4), may_alias));
typedef float fxv4_loose __attribute__((ext_vector_type(4), aligned(1), may_alias));

// dst[p width + r] = src[r inner + p outer] for r < count, zero up to width; p < depth.
static void pack_panel(
    const fxk_loose_float *src, ptrdiff_t inner, ptrdiff_t outer, size_t count, size_t width, size_t depth, float *dst) {
  if (inner == 1) {
    for (size_t p = 0; p < depth; ++p) {
      const fxk_loose_float *in = src + (ptrdiff_t)p * outer;
      float *out = dst + p * width;
      if (count == FXK_NR) {
        memcpy(out, in, FXK_NR * sizeof(float));
      } else {
        for (size_t r = 0; r < count; ++r) out[r] = in[r];
        for (size_t r = count; r < width; ++r) out[r] = 0.0f;
      }
    }
    return;
  }
  size_t r = 0;
  if (outer == 1) {
    // A transposition, four by four.
    for (; r + 4 <= count; r += 4) {
      const fxk_loose_float *s0 = src + (ptrdiff_t)r * inner, *s1 = s0 + inner, *s2 = s1 + inner, *s3 = s2 + inner;
      float *out = dst + r;
      size_t p = 0;
      for (; p + 4 <= depth; p += 4) {
        const fxv4 a = *(const fxv4_loose *)(s0 + p), b = *(const fxv4_loose *)(s1 + p);
        const fxv4 c = *(const fxv4_loose *)(s2 + p), d = *(const fxv4_loose *)(s3 + p);
        const fxv4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        const fxv4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        *(fxv4_unaligned *)(out + p * width) = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
        *(fxv4_unaligned *)(out + (p + 1) * width) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
        *(fxv4_unaligned *)(out + (p + 2) * width) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
        *(fxv4_unaligned *)(out + (p + 3) * width) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
      }
      for (; p < depth; ++p) {
        out[p * width] = s0[p];
        out[p * width + 1] = s1[p];
        out[p * width + 2] = s2[p];
        out[p * width + 3] = s3[p];
      }
    }
  }
  for (; r < count; ++r) {
    const fxk_loose_float *in = src + (ptrdiff_t)r * inner;
    for (size_t p = 0; p < depth; ++p) dst[p * width + r] = in[(ptrdiff_t)p * outer];
  }
  for (; r < width; ++r) {
    for (size_t p = 0; p < depth; ++p) dst[p * width + r] = 0.0f;
  }
}

// Past the end, so that a vector load of a panel's last row stays inside.
static size_t gemm_packed_a_size(size_t m, size_t k) { return m * k + FXK_VW; }

static size_t gemm_packed_b_size(size_t k, size_t n) {
  const size_t thin = thin_columns(n);
  return (ceil_div(n - thin, FXK_VW) * FXK_VW + thin) * k;
}
static size_t gemm_packed_b_panels(size_t k, size_t n) { (void)k; return column_panels(n); }
static size_t gemm_packed_a_panels(size_t m, size_t k) { (void)k; return row_panels(m); }

static void gemm_pack_b(
    const fxk_loose_float *b, ptrdiff_t b_row, ptrdiff_t b_column, size_t k, size_t n, float *packed, size_t panel0,
    size_t panel1) {
  for (size_t j = panel0; j < panel1; ++j) {
    const size_t column = panel_column(j, n);
    pack_panel(
      b + (ptrdiff_t)column * b_column, b_column, b_row, panel_columns(j, n), panel_width(j, n), k, packed + column * k);
  }
}

static void gemm_pack_a(
    const fxk_loose_float *a, ptrdiff_t a_row, ptrdiff_t a_column, size_t m, size_t k, float *packed, size_t panel0,
    size_t panel1) {
  const size_t panels = row_panels(m);
  for (size_t i = panel0; i < panel1; ++i) {
    const size_t row = panel_row(i, panels, m), rows = panel_row(i + 1, panels, m) - row;
    pack_panel(a + (ptrdiff_t)row * a_row, a_row, a_column, rows, rows, k, packed + row * k);
  }
  if (panel1 == panels) {
    for (size_t r = 0; r < FXK_VW; ++r) packed[m * k + r] = 0.0f;
  }
}

// Panels of an operand as the block loop finds them: packed whole (origin 0, depth k, offset the block's start) or
// packed for this block (origin its first panel's row or column, depth of the block, offset 0).
typedef struct {
  const float *base;
  size_t origin, depth, offset;
} panel_source;

// All tiles of row panels [i0, i1) and column panels [j0, j1) over one part of the depth.
static void multiply_block(
    const tile_target *target, size_t m, size_t n, size_t depth, panel_source a, size_t i0, size_t i1, panel_source b,
    size_t j0, size_t j1) {
  _Alignas(64) float tile[FXK_MR * FXK_NR];
  const size_t panels = row_panels(m);
  for (size_t j = j0; j < j1; ++j) {
    const size_t column = panel_column(j, n), width = panel_width(j, n), columns = panel_columns(j, n);
    const float *right = b.base + (column - b.origin) * b.depth + b.offset * width;
    for (size_t i = i0; i < i1; ++i) {
      const size_t row = panel_row(i, panels, m), rows = panel_row(i + 1, panels, m) - row;
      const float *left = a.base + (row - a.origin) * a.depth + a.offset * rows;
      if (width < FXK_VW) {
        thin_tile(rows, columns, depth, left, right, tile);
        finish_tile(target, tile, row, rows, column, columns);
        continue;
      }
      run_tile(
        packed_tiles[rows - 1][width / FXK_VW - 1], target, depth, left, 0, right, (ptrdiff_t)width, row, rows, column,
        columns, tile);
    }
  }
}

typedef enum { PATH_BLOCKED, PATH_DIRECT, PATH_DOT } gemm_path;

// The path depends on the whole product's sizes and strides only, so that cutting it changes no bit.
static gemm_path choose_path(const fxk_gemm *g, bool packed_a, bool packed_b) {
  // One column, packed or not, lies adjacent along the depth.
  if (!packed_a && g->n == 1 && g->a_column == 1 && (packed_b || g->b_row == 1)) return PATH_DOT;
  if (!packed_a && !packed_b && g->a_column == 1 && g->b_row == 1 && g->b_column != 1
      && (g->m <= FXK_DIRECT_ROWS || g->n <= FXK_DIRECT_ROWS)) {
    return PATH_DOT;
  }
  if (!packed_a && g->m <= FXK_DIRECT_ROWS && g->a_column == 1 && (packed_b || g->b_column == 1)) return PATH_DIRECT;
  return PATH_BLOCKED;
}

static size_t gemm_plan(fxk_gemm *g, size_t threads) {
  const gemm_path path = choose_path(g, g->packed_a != NULL, g->packed_b != NULL);
  g->row_tasks = g->column_tasks = 1;
  if (g->m == 0 || g->n == 0) return 0;
  // Pieces of at least some 100,000 operations (a few microseconds); in large products four per thread, so that uneven
  // cores even out.
  const double work = 2.0 * (double)g->m * (double)g->n * (double)(g->k + 1);
  const size_t most = work < 2e5 ? 1 : (size_t)(work < 1e11 ? work / 1e5 : 1e6);
  const size_t wanted = threads <= 1 ? 1 : min_size(most, work < 4e7 ? threads : 4 * threads);
  const size_t rows = row_panels(g->m), columns = column_panels(g->n);
  if (path == PATH_DIRECT) {
    g->column_tasks = min_size(wanted, columns);
  } else if (path == PATH_DOT) {
    if (g->m <= g->n) g->column_tasks = min_size(wanted, ceil_div(g->n, 4));
    else g->row_tasks = min_size(wanted, g->m);
  } else {
    // A task by rows passes all of B by its rows of A, so it should have many; a task by columns packs A once more
    // (unless it is packed) and reads only its own part of B. Hence by columns, but for tall products.
    const bool tall = rows >= 8 * wanted && g->packed_a == NULL;
    const size_t by_columns = tall ? 1 : min_size(g->packed_a != NULL ? wanted : min_size(wanted, 2 * threads), columns);
    g->column_tasks = max_size(1, by_columns);
    g->row_tasks = g->column_tasks >= threads ? 1 : min_size(ceil_div(wanted, g->column_tasks), rows);
  }
  return g->row_tasks * g->column_tasks;
}

FXK_INLINE size_t a_block_panels(size_t k) { return max_size(1, A_BLOCK_FLOATS / (max_size(1, depth_block(k)) * FXK_MR)); }

// Column panels of an unpacked B that are packed at a time: few where A's block stays in L2 meanwhile, so that they are
// still there when they are used; many where A has to come by again for each of them.
FXK_INLINE size_t b_block_panels(size_t m, size_t k) {
  const size_t floats = row_panels(m) <= a_block_panels(k) ? B_SMALL_FLOATS : B_BLOCK_FLOATS;
  return max_size(1, floats / (max_size(1, depth_block(k)) * FXK_NR));
}

static size_t gemm_scratch(const fxk_gemm *g) {
  const size_t depth = depth_block(g->k);
  switch (choose_path(g, g->packed_a != NULL, g->packed_b != NULL)) {
  case PATH_DOT: return 0;
  case PATH_DIRECT: return FXK_NR * g->k;
  case PATH_BLOCKED: break;
  }
  const size_t a = g->packed_a != NULL ? 0 : min_size(a_block_panels(g->k), row_panels(g->m)) * FXK_MR * depth;
  const size_t b = g->packed_b != NULL ? 0 : min_size(b_block_panels(g->m, g->k), column_panels(g->n)) * FXK_NR * depth;
  // A thin panel reads A up to a vector past its end.
  return a + b + FXK_VW;
}

// Packs row panels [i, i_end) of the depth from p on; returns where to find them.
static panel_source pack_a_block(
    const fxk_gemm *g, size_t i, size_t i_end, size_t p, size_t depth, float *scratch) {
  if (g->packed_a != NULL) return (panel_source){g->packed_a, 0, g->k, p};
  const size_t panels = row_panels(g->m), origin = panel_row(i, panels, g->m);
  for (size_t panel = i; panel < i_end; ++panel) {
    const size_t row = panel_row(panel, panels, g->m), rows = panel_row(panel + 1, panels, g->m) - row;
    pack_panel(
      g->a + (ptrdiff_t)row * g->a_row + (ptrdiff_t)p * g->a_column, g->a_row, g->a_column, rows, rows, depth,
      scratch + (row - origin) * depth);
  }
  return (panel_source){scratch, origin, depth, 0};
}

static panel_source pack_b_block(
    const fxk_gemm *g, size_t j, size_t j_end, size_t p, size_t depth, float *scratch) {
  if (g->packed_b != NULL) return (panel_source){g->packed_b, 0, g->k, p};
  size_t panel = j;
  if (g->b_column == 1) {
    // Whole panels row by row: long runs of each row of B, which the processor can fetch ahead.
    const size_t whole = min_size(j_end, (g->n - thin_columns(g->n)) / FXK_NR);
    const float *source = g->b + (ptrdiff_t)p * g->b_row;
    for (size_t q = 0; q < depth; ++q, source += g->b_row) {
      for (panel = j; panel < whole; ++panel) {
        memcpy(scratch + ((panel - j) * depth + q) * FXK_NR, source + panel * FXK_NR, FXK_NR * sizeof(float));
      }
    }
    panel = max_size(j, whole);
  }
  for (; panel < j_end; ++panel) {
    pack_panel(
      g->b + (ptrdiff_t)p * g->b_row + (ptrdiff_t)panel_column(panel, g->n) * g->b_column, g->b_column, g->b_row,
      panel_columns(panel, g->n), panel_width(panel, g->n), depth,
      scratch + (panel_column(panel, g->n) - panel_column(j, g->n)) * depth);
  }
  return (panel_source){scratch, panel_column(j, g->n), depth, 0};
}

static void run_blocked(const fxk_gemm *g, size_t i0, size_t i1, size_t j0, size_t j1, float *scratch) {
  const size_t step = depth_block(g->k), i_step = a_block_panels(g->k);
  const size_t j_step = g->packed_b != NULL ? j1 - j0 : b_block_panels(g->m, g->k);
  float *b_scratch = scratch;
  float *a_scratch = scratch + (g->packed_b != NULL ? 0 : min_size(j_step, column_panels(g->n)) * FXK_NR * step);
  size_t p = 0;
  do {
    const size_t depth = min_size(step, g->k - p);
    const tile_target target = make_target(g->c, g->c_row, &g->epilogue, p == 0, p + depth == g->k);
    const bool one_block = i1 - i0 <= i_step;
    panel_source a = {0};
    if (one_block) a = pack_a_block(g, i0, i1, p, depth, a_scratch);
    for (size_t j = j0; j < j1; j += j_step) {
      const size_t j_end = min_size(j + j_step, j1);
      const panel_source b = pack_b_block(g, j, j_end, p, depth, b_scratch);
      for (size_t i = i0; i < i1; i += i_step) {
        const size_t i_end = min_size(i + i_step, i1);
        if (!one_block) a = pack_a_block(g, i, i_end, p, depth, a_scratch);
        multiply_block(&target, g->m, g->n, depth, a, i, i_end, b, j, j_end);
      }
    }
    p += depth;
  } while (p < g->k);
}

// Few rows: A and, where it is not packed, B are read as they lie. B is read once.
static void run_direct(const fxk_gemm *g, size_t j0, size_t j1, float *scratch) {
  _Alignas(64) float tile[FXK_DIRECT_ROWS * FXK_NR];
  const tile_target target = make_target(g->c, g->c_row, &g->epilogue, true, true);
  for (size_t j = j0; j < j1; ++j) {
    const size_t column = panel_column(j, g->n), columns = panel_columns(j, g->n);
    const size_t width = ceil_div(columns, FXK_VW) * FXK_VW;
    const float *right = g->packed_b != NULL ? g->packed_b + column * g->k : g->b + column;
    ptrdiff_t right_row = g->packed_b != NULL ? (ptrdiff_t)panel_width(j, g->n) : g->b_row;
    if (columns < width && (g->packed_b == NULL || right_row < (ptrdiff_t)width)) {
      // The last vector would read past the end of a row.
      pack_panel(right, 1, right_row, columns, width, g->k, scratch);
      right = scratch;
      right_row = (ptrdiff_t)width;
    }
    run_tile(
      direct_tiles[g->m - 1][width / FXK_VW - 1], &target, g->k, g->a, g->a_row, right, right_row, 0, g->m, column,
      columns, tile);
  }
}

FXK_INLINE float finish_scalar(const fxk_gemm *g, float sum, size_t i, size_t j) {
  const fxk_epilogue *e = &g->epilogue;
  const float residual = e->residual != NULL ? e->residual[(ptrdiff_t)i * e->residual_row + (ptrdiff_t)j] : 0.0f;
  float v = sum * e->alpha + (e->bias_row != NULL ? e->bias_row[i] : 0.0f);
  v += e->bias_column != NULL ? e->bias_column[j] : 0.0f;
  if (e->residual != NULL && !e->residual_last) v += residual;
  if (e->activation != FXK_UNARY_IDENTITY) unary_f32(e->activation, &v, &v, 1, e->act_alpha, e->act_beta);
  return e->residual != NULL && e->residual_last ? v + residual : v;
}

// `count` rows of B^T against one row of A, in vectors along the depth.
FXK_INLINE void dot_rows(const int count, const float *x, const float *rows, ptrdiff_t row, size_t k, float *sums) {
  fxv sum[4][2];
  FXK_UNROLL
  for (int c = 0; c < count; ++c) sum[c][0] = sum[c][1] = fxv_set(0.0f);
  size_t p = 0;
  for (; p + 2 * FXK_VW <= k; p += 2 * FXK_VW) {
    const fxv x0 = fxv_load(x + p), x1 = fxv_load(x + p + FXK_VW);
    FXK_UNROLL
    for (int c = 0; c < count; ++c) {
      sum[c][0] += x0 * fxv_load(rows + c * row + p);
      sum[c][1] += x1 * fxv_load(rows + c * row + p + FXK_VW);
    }
  }
  for (; p + FXK_VW <= k; p += FXK_VW) {
    const fxv x0 = fxv_load(x + p);
    FXK_UNROLL
    for (int c = 0; c < count; ++c) sum[c][0] += x0 * fxv_load(rows + c * row + p);
  }
  FXK_UNROLL
  for (int c = 0; c < count; ++c) sums[c] = fxv_sum(sum[c][0] + sum[c][1]);
  for (; p < k; ++p) {
    FXK_UNROLL
    for (int c = 0; c < count; ++c) sums[c] += x[p] * rows[c * row + (ptrdiff_t)p];
  }
}

// Both operands adjacent along the depth and one of them small: dot products, the small one staying in cache.
static void run_dot(const fxk_gemm *g, size_t i0, size_t i1, size_t j0, size_t j1) {
  const bool over_columns = g->m <= g->n;
  const float *b = g->packed_b != NULL ? g->packed_b : g->b;
  const float *large = over_columns ? b : g->a, *small = over_columns ? g->a : b;
  const ptrdiff_t large_row = over_columns ? g->b_column : g->a_row, small_row = over_columns ? g->a_row : g->b_column;
  const size_t l0 = over_columns ? j0 : i0, l1 = over_columns ? j1 : i1;
  const size_t s0 = over_columns ? i0 : j0, s1 = over_columns ? i1 : j1;
  for (size_t l = l0; l < l1; l += 4) {
    const size_t count = min_size(4, l1 - l);
    const float *rows = large + (ptrdiff_t)l * large_row;
    for (size_t s = s0; s < s1; ++s) {
      const float *x = small + (ptrdiff_t)s * small_row;
      float sums[4];
      if (count == 4) {
        dot_rows(4, x, rows, large_row, g->k, sums);
      } else {
        for (size_t c = 0; c < count; ++c) dot_rows(1, x, rows + (ptrdiff_t)c * large_row, 0, g->k, sums + c);
      }
      for (size_t c = 0; c < count; ++c) {
        const size_t i = over_columns ? s : l + c, j = over_columns ? l + c : s;
        g->c[(ptrdiff_t)i * g->c_row + (ptrdiff_t)j] = finish_scalar(g, sums[c], i, j);
      }
    }
  }
}

static void gemm_run(const fxk_gemm *g, size_t task0, size_t task1, float *scratch) {
  const gemm_path path = choose_path(g, g->packed_a != NULL, g->packed_b != NULL);
  const size_t row_units = path == PATH_DOT ? g->m : row_panels(g->m);
  const size_t column_units = path == PATH_DOT ? g->n : column_panels(g->n);
  for (size_t task = task0; task < task1; ++task) {
    const size_t r = task / g->column_tasks, c = task % g->column_tasks;
    const size_t i0 = r * row_units / g->row_tasks, i1 = (r + 1) * row_units / g->row_tasks;
    const size_t j0 = c * column_units / g->column_tasks, j1 = (c + 1) * column_units / g->column_tasks;
    switch (path) {
    case PATH_BLOCKED: run_blocked(g, i0, i1, j0, j1, scratch); break;
    case PATH_DIRECT: run_direct(g, j0, j1, scratch); break;
    case PATH_DOT: run_dot(g, i0, i1, j0, j1); break;
    }
  }
}
