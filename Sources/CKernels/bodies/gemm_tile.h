// Register tiles: up to FXK_MR rows by FXK_NRV vectors of C, kept in registers over the whole depth.
//
// A whole tile whose epilogue is a bias per row and a clamp goes straight to C. Any other leaves its sums in a dense
// buffer [rows, FXK_NR], from where finish_tile brings them to C: the buffer stays in L1, and edges, richer epilogues
// and partial sums need one form only.

#define FXK_NR (FXK_NRV * FXK_VW)
#define FXK_ROW_VECTORS ((FXK_MR + FXK_VW - 1) / FXK_VW)

FXK_INLINE size_t min_size(size_t a, size_t b) { return a < b ? a : b; }
FXK_INLINE size_t max_size(size_t a, size_t b) { return a > b ? a : b; }
FXK_INLINE size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

// Where a tile kernel stores its sums or, unless `plain`, clamp(alpha sum + bias_row[r], low, high).
typedef struct {
  float *out;
  ptrdiff_t out_row;
  const float *bias_row;  // of the tile's first row, or null
  float alpha, low, high;
  bool plain;
} tile_store;

typedef void (*tile_function)(
  size_t depth, const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row, const tile_store *store);

// Sums as they are.
FXK_INLINE tile_store plain_store(float *out, ptrdiff_t out_row) {
  return (tile_store){out, out_row, NULL, 1.0f, 0.0f, 0.0f, true};
}

FXK_INLINE void store_sum(const tile_store *store, int r, int v, fxv sum, fxv bias) {
  const fxv low = fxv_set(store->low), high = fxv_set(store->high);
  fxv y = sum * fxv_set(store->alpha) + bias;
  y = y < low ? low : y;
  fxv_store(store->out + r * store->out_row + v * FXK_VW, y > high ? high : y);
}

// A packed: element (p, r) at a[p rows + r]. B: row p at b + p b_row.
FXK_INLINE void packed_tile(
    const int rows, const int vectors, size_t depth, const float *a, const float *b, ptrdiff_t b_row, const tile_store *store) {
  fxv sum[FXK_MR][FXK_NRV];
  FXK_UNROLL
  for (int r = 0; r < rows; ++r) {
    FXK_UNROLL
    for (int v = 0; v < vectors; ++v) sum[r][v] = fxv_set(0.0f);
  }
  for (size_t p = 0; p < depth; ++p) {
    fxv right[FXK_NRV];
    FXK_UNROLL
    for (int v = 0; v < vectors; ++v) right[v] = fxv_load(b + v * FXK_VW);
    FXK_UNROLL
    for (int r = 0; r < rows; ++r) {
      const fxv left = fxv_set(a[r]);
      FXK_UNROLL
      for (int v = 0; v < vectors; ++v) sum[r][v] += left * right[v];
    }
    a += rows;
    b += b_row;
  }
  if (store->plain) {
    float *out = store->out;
    const ptrdiff_t out_row = store->out_row;
    FXK_UNROLL
    for (int r = 0; r < rows; ++r) {
      FXK_UNROLL
      for (int v = 0; v < vectors; ++v) fxv_store(out + r * out_row + v * FXK_VW, sum[r][v]);
    }
    return;
  }
  FXK_UNROLL
  for (int r = 0; r < rows; ++r) {
    const fxv bias = fxv_set(store->bias_row != NULL ? store->bias_row[r] : 0.0f);
    FXK_UNROLL
    for (int v = 0; v < vectors; ++v) store_sum(store, r, v, sum[r][v], bias);
  }
}

// A as it lies: row r at a + r a_row, adjacent elements. For few rows, where packing A would cost as much as the
// product. With one to three rows, `split` steps of the depth go to sums of their own, to keep the multipliers busy.
FXK_INLINE void direct_tile(
    const int rows, const int vectors, const int split, size_t depth, const float *a, ptrdiff_t a_row, const float *b,
    ptrdiff_t b_row, const tile_store *store) {
  fxv sum[4][FXK_DIRECT_ROWS][FXK_NRV];
  FXK_UNROLL
  for (int s = 0; s < split; ++s) {
    FXK_UNROLL
    for (int r = 0; r < rows; ++r) {
      FXK_UNROLL
      for (int v = 0; v < vectors; ++v) sum[s][r][v] = fxv_set(0.0f);
    }
  }
  size_t p = 0;
  for (; p + (size_t)split <= depth; p += (size_t)split) {
    FXK_UNROLL
    for (int s = 0; s < split; ++s) {
      fxv right[FXK_NRV];
      FXK_UNROLL
      for (int v = 0; v < vectors; ++v) right[v] = fxv_load(b + s * b_row + v * FXK_VW);
      FXK_UNROLL
      for (int r = 0; r < rows; ++r) {
        const fxv left = fxv_set(a[r * a_row + s]);
        FXK_UNROLL
        for (int v = 0; v < vectors; ++v) sum[s][r][v] += left * right[v];
      }
    }
    a += split;
    b += split * b_row;
  }
  for (; p < depth; ++p) {
    FXK_UNROLL
    for (int r = 0; r < rows; ++r) {
      FXK_UNROLL
      for (int v = 0; v < vectors; ++v) sum[0][r][v] += fxv_set(a[r * a_row]) * fxv_load(b + v * FXK_VW);
    }
    a += 1;
    b += b_row;
  }
  FXK_UNROLL
  for (int r = 0; r < rows; ++r) {
    const fxv bias = fxv_set(store->bias_row != NULL ? store->bias_row[r] : 0.0f);
    FXK_UNROLL
    for (int v = 0; v < vectors; ++v) {
      FXK_UNROLL
      for (int s = 1; s < split; ++s) sum[0][r][v] += sum[s][r][v];
      if (store->plain) fxv_store(store->out + r * store->out_row + v * FXK_VW, sum[0][r][v]);
      else store_sum(store, r, v, sum[0][r][v], bias);
    }
  }
}

// Up to FXK_THIN columns: vectors along the rows of A's panel, so that no lane is spent on columns that do not exist.
// Lanes past the panel's rows hold what follows and are dropped. B is packed, `columns` floats to a row.
FXK_INLINE void thin_columns_tile(
    const int vectors, const int columns, size_t rows, size_t depth, const float *a, const float *b, float *tile) {
  fxv sum[2][FXK_THIN][FXK_ROW_VECTORS];
  FXK_UNROLL
  for (int c = 0; c < columns; ++c) {
    FXK_UNROLL
    for (int v = 0; v < vectors; ++v) sum[0][c][v] = sum[1][c][v] = fxv_set(0.0f);
  }
  size_t p = 0;
  for (; p + 2 <= depth; p += 2) {
    FXK_UNROLL
    for (int s = 0; s < 2; ++s) {
      FXK_UNROLL
      for (int c = 0; c < columns; ++c) {
        FXK_UNROLL
        for (int v = 0; v < vectors; ++v) {
          sum[s][c][v] += fxv_load(a + s * (ptrdiff_t)rows + v * FXK_VW) * fxv_set(b[s * columns + c]);
        }
      }
    }
    a += 2 * rows;
    b += 2 * columns;
  }
  for (int c = 0; c < columns; ++c) {
    float lanes[FXK_ROW_VECTORS * FXK_VW];
    for (int v = 0; v < vectors; ++v) {
      fxv total = sum[0][c][v] + sum[1][c][v];
      if (p < depth) total += fxv_load(a + v * FXK_VW) * fxv_set(b[c]);
      fxv_store(lanes + v * FXK_VW, total);
    }
    for (size_t r = 0; r < rows; ++r) tile[r * FXK_NR + (size_t)c] = lanes[r];
  }
}

FXK_INLINE void thin_vectors_tile(
    const int vectors, size_t columns, size_t rows, size_t depth, const float *a, const float *b, float *tile) {
  switch (columns) {
  case 1: thin_columns_tile(vectors, 1, rows, depth, a, b, tile); break;
#if FXK_THIN >= 2
  case 2: thin_columns_tile(vectors, 2, rows, depth, a, b, tile); break;
#endif
#if FXK_THIN >= 4
  case 3: thin_columns_tile(vectors, 3, rows, depth, a, b, tile); break;
  case 4: thin_columns_tile(vectors, 4, rows, depth, a, b, tile); break;
#endif
  default: break;
  }
}

static void thin_tile(size_t rows, size_t columns, size_t depth, const float *a, const float *b, float *tile) {
  if (rows <= FXK_VW) {
    thin_vectors_tile(1, columns, rows, depth, a, b, tile);
  } else if (rows <= 2 * FXK_VW) {
    thin_vectors_tile(min_size(2, FXK_ROW_VECTORS) == 2 ? 2 : 1, columns, rows, depth, a, b, tile);
  } else {
    thin_vectors_tile(FXK_ROW_VECTORS, columns, rows, depth, a, b, tile);
  }
}

#define FXK_PACKED_TILE(rows)                                                                                       \
  static void packed_tile_##rows##_1(                                                                               \
      size_t depth, const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row, const tile_store *store) {                \
    (void)a_row;                                                                                                    \
    packed_tile(rows, 1, depth, a, b, b_row, store);                                                                 \
  }                                                                                                                 \
  static void packed_tile_##rows##_2(                                                                               \
      size_t depth, const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row, const tile_store *store) {                \
    (void)a_row;                                                                                                    \
    packed_tile(rows, 2, depth, a, b, b_row, store);                                                                 \
  }
FXK_MR_LIST(FXK_PACKED_TILE)

#define FXK_DIRECT_TILE(rows, split)                                                                                \
  static void direct_tile_##rows##_1(                                                                               \
      size_t depth, const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row, const tile_store *store) {                \
    direct_tile(rows, 1, split, depth, a, a_row, b, b_row, store);                                                   \
  }                                                                                                                 \
  static void direct_tile_##rows##_2(                                                                               \
      size_t depth, const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row, const tile_store *store) {                \
    direct_tile(rows, 2, split, depth, a, a_row, b, b_row, store);                                                   \
  }
FXK_DIRECT_LIST(FXK_DIRECT_TILE)

#define FXK_PACKED_ENTRY(rows) {packed_tile_##rows##_1, packed_tile_##rows##_2},
static const tile_function packed_tiles[FXK_MR][2] = {FXK_MR_LIST(FXK_PACKED_ENTRY)};

#define FXK_DIRECT_ENTRY(rows, split) {direct_tile_##rows##_1, direct_tile_##rows##_2},
static const tile_function direct_tiles[FXK_DIRECT_ROWS][2] = {FXK_DIRECT_LIST(FXK_DIRECT_ENTRY)};

// Where the sums of a product go.
typedef struct {
  float *c;
  ptrdiff_t c_row;
  const fxk_epilogue *epilogue;
  bool first, last;  // whether this part of the depth is the first (C holds nothing) and the last (epilogue due)
  bool simple;       // whether whole tiles can go straight to C
  bool plain;        // whether the epilogue does nothing at all
  float low, high;   // the clamp of identity, relu and clip
} tile_target;

FXK_INLINE tile_target make_target(float *c, ptrdiff_t c_row, const fxk_epilogue *e, bool first, bool last) {
  const bool relu = e->activation == FXK_UNARY_RELU, clip = e->activation == FXK_UNARY_CLIP;
  const bool clamp = relu || clip || e->activation == FXK_UNARY_IDENTITY;
  return (tile_target){
    .c = c, .c_row = c_row, .epilogue = e, .first = first, .last = last,
    .plain = e->activation == FXK_UNARY_IDENTITY && e->alpha == 1.0f && e->bias_row == NULL,
    .simple = first && last && clamp && e->bias_column == NULL && e->residual == NULL,
    .low = relu ? 0.0f : (clip ? e->act_alpha : -__builtin_inff()),
    .high = clip ? e->act_beta : __builtin_inff(),
  };
}

// v = alpha t + bias + residual, then clamped to [low, high], for `n` elements of a row.
FXK_INLINE void finish_row(
    const float *t, float *out, size_t n, float alpha, float bias, const float *bias_column, const float *residual,
    const float low, const float high, const bool column, const bool residue) {
  FXK_LOOP
  for (size_t j = 0; j < n; ++j) {
    float v = t[j] * alpha + bias;
    v = column ? v + bias_column[j] : v;
    v = residue ? v + residual[j] : v;
    v = v < low ? low : v;
    out[j] = v > high ? high : v;
  }
}

FXK_INLINE void finish_row_any(
    const float *t, float *out, size_t n, float alpha, float bias, const float *bias_column, const float *residual,
    float low, float high) {
  if (bias_column != NULL && residual != NULL) {
    finish_row(t, out, n, alpha, bias, bias_column, residual, low, high, true, true);
  } else if (bias_column != NULL) {
    finish_row(t, out, n, alpha, bias, bias_column, residual, low, high, true, false);
  } else if (residual != NULL) {
    finish_row(t, out, n, alpha, bias, bias_column, residual, low, high, false, true);
  } else {
    finish_row(t, out, n, alpha, bias, bias_column, residual, low, high, false, false);
  }
}

// Brings a tile's sums to rows [row, row + rows) and columns [column, column + columns) of C.
static void finish_tile(
    const tile_target *target, float *tile, size_t row, size_t rows, size_t column, size_t columns) {
  const fxk_epilogue *e = target->epilogue;
  float *c = target->c + (ptrdiff_t)row * target->c_row + (ptrdiff_t)column;
  if (!target->first) {
    for (size_t r = 0; r < rows; ++r) {
      const float *previous = c + (ptrdiff_t)r * target->c_row;
      float *t = tile + r * FXK_NR;
      FXK_LOOP
      for (size_t j = 0; j < columns; ++j) t[j] += previous[j];
    }
  }
  if (!target->last) {
    for (size_t r = 0; r < rows; ++r) {
      memcpy(c + (ptrdiff_t)r * target->c_row, tile + r * FXK_NR, columns * sizeof(float));
    }
    return;
  }
  // Identity, relu and clip are one clamp; other activations run over the whole tile between two passes.
  const float low = target->low, high = target->high;
  const bool clamp = e->activation == FXK_UNARY_IDENTITY || e->activation == FXK_UNARY_RELU
    || e->activation == FXK_UNARY_CLIP;
  const bool in_place = !clamp || (e->residual != NULL && e->residual_last);
  const float *bias_column = e->bias_column != NULL ? e->bias_column + column : NULL;
  for (size_t r = 0; r < rows; ++r) {
    const float bias = e->bias_row != NULL ? e->bias_row[row + r] : 0.0f;
    const float *residual = e->residual != NULL && !e->residual_last
      ? e->residual + (ptrdiff_t)(row + r) * e->residual_row + (ptrdiff_t)column : NULL;
    float *t = tile + r * FXK_NR;
    float *out = in_place ? t : c + (ptrdiff_t)r * target->c_row;
    if (columns == FXK_NR) {
      finish_row_any(t, out, FXK_NR, e->alpha, bias, bias_column, residual, low, high);
    } else {
      finish_row_any(t, out, columns, e->alpha, bias, bias_column, residual, low, high);
    }
  }
  if (!in_place) return;
  if (!clamp) unary_f32(e->activation, tile, tile, rows * FXK_NR, e->act_alpha, e->act_beta);
  for (size_t r = 0; r < rows; ++r) {
    const float *t = tile + r * FXK_NR;
    float *out = c + (ptrdiff_t)r * target->c_row;
    if (e->residual != NULL && e->residual_last) {
      const float *residual = e->residual + (ptrdiff_t)(row + r) * e->residual_row + (ptrdiff_t)column;
      FXK_LOOP
      for (size_t j = 0; j < columns; ++j) out[j] = t[j] + residual[j];
    } else {
      memcpy(out, t, columns * sizeof(float));
    }
  }
}

// Runs a tile kernel and brings its result to C. `tile` has room for FXK_MR rows.
FXK_INLINE void run_tile(
    tile_function kernel, const tile_target *target, size_t depth, const float *a, ptrdiff_t a_row, const float *b,
    ptrdiff_t b_row, size_t row, size_t rows, size_t column, size_t columns, float *tile) {
  const fxk_epilogue *e = target->epilogue;
  if (target->simple && columns == FXK_NR) {
    const tile_store store = {
      target->c + (ptrdiff_t)row * target->c_row + (ptrdiff_t)column, target->c_row,
      e->bias_row != NULL ? e->bias_row + row : NULL, e->alpha, target->low, target->high, target->plain,
    };
    kernel(depth, a, a_row, b, b_row, &store);
  } else {
    const tile_store store = plain_store(tile, FXK_NR);
    kernel(depth, a, a_row, b, b_row, &store);
    finish_tile(target, tile, row, rows, column, columns);
  }
}
