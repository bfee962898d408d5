// Products of A's rows, bytes without sign, and a packed B.
//
// B lies in panels of one vector of columns, group by group of rows: a panel is [groups][FXK_VW][FXI_GROUP]. Where A's bytes
// are less by 128, a panel begins with what its sums are less by for that: 128 × the sums of its columns. Tiles of rows
// by up to 4 panels keep their sums in registers over the whole depth, so that nothing is stored but results.

#if FXI_WIDE_TILE
#define FXI_PANELS 4
#define FXI_ROWS_NARROW 12
#else
#define FXI_PANELS 2
#define FXI_ROWS_NARROW 6
#endif
#define FXI_ROWS 6

static size_t int_columns(void) { return FXI_PANELS * FXK_VW; }

FXK_INLINE size_t fxi_groups(size_t k) { return (k + FXI_GROUP - 1) / FXI_GROUP; }

// Elements of a panel of B, and the part of them that its sums begin with.
#define FXI_HEAD (FXI_SIGNED_A ? FXK_VW * FXI_GROUP : 0)
FXK_INLINE size_t fxi_panel(size_t groups) { return FXI_HEAD + groups * FXK_VW * FXI_GROUP; }

static size_t int_packed_size(size_t k, size_t n) {
  return (n + FXK_VW - 1) / FXK_VW * fxi_panel(fxi_groups(k)) * sizeof(fxi_b);
}

// Up to FXK_VW bytes, `step` apart, as numbers with a sign; zeros past the last.
FXK_INLINE fxi fxi_signed_lanes(const uint8_t *b, ptrdiff_t step, size_t lanes, uint8_t flip) {
  fxi_bytes v;
  if (step == 1 && lanes == FXK_VW) {
    v = fxi_load_bytes(b);
  } else {
    // What the flip makes of the rest is zero.
    uint8_t bytes[FXK_VW];
    memset(bytes, flip, FXK_VW);
    for (size_t j = 0; j < lanes; ++j) bytes[j] = b[(ptrdiff_t)j * step];
    v = fxi_load_bytes(bytes);
  }
  return (fxi_widen(v ^ (fxi_bytes)(flip)) ^ (fxi)(128)) - (fxi)(128);
}

static void int_pack(
  const uint8_t *b, size_t outer, ptrdiff_t outer_stride, size_t inner, ptrdiff_t inner_stride, ptrdiff_t column_stride,
  size_t n, uint8_t flip, void *packed, int32_t *sums) {
  const int bits = 32 / FXI_GROUP;
  int32_t *target = packed;
  for (size_t column = 0; column < n; column += FXK_VW) {
    const size_t lanes = n - column < FXK_VW ? n - column : FXK_VW;
    fxi sum = (fxi)(0), group = (fxi)(0);
    int filled = 0;
    int32_t *head = target;
    if (FXI_SIGNED_A) target += FXK_VW;
    for (size_t o = 0; o < outer; ++o) {
      const uint8_t *source = b + (ptrdiff_t)o * outer_stride + (ptrdiff_t)column * column_stride;
      for (size_t i = 0; i < inner; ++i, source += inner_stride) {
        const fxi v = fxi_signed_lanes(source, column_stride, lanes, flip);
        sum += v;
        group |= (v & (fxi)((1 << bits) - 1)) << (fxi)(bits * filled);
        if (++filled == FXI_GROUP) {
          fxi_store(target, group);
          target += FXK_VW;
          group = (fxi)(0);
          filled = 0;
        }
      }
    }
    if (filled > 0) {
      fxi_store(target, group);
      target += FXK_VW;
    }
    if (FXI_SIGNED_A) fxi_store(head, sum * (fxi)(128));
    fxi_put(sums + column, sum, lanes);
  }
}

// The sums of `rows` rows of A by `panels` panels of B, plus the columns' offsets, as rows of panels × FXK_VW.
FXK_INLINE void fxi_tile(
  size_t groups, const fxi_a *a, size_t a_row, const fxi_b *b, const int32_t *offset, const size_t rows, const size_t panels,
  int32_t *sums) {
  const size_t panel = fxi_panel(groups);
  fxi c[FXI_ROWS_NARROW][FXI_PANELS];
  FXK_UNROLL
  for (size_t j = 0; j < panels; ++j) {
    fxi start = fxi_load(offset + j * FXK_VW);
    if (FXI_SIGNED_A) start += fxi_load((const int32_t *)(const void *)(b + j * panel));
    FXK_UNROLL
    for (size_t i = 0; i < rows; ++i) c[i][j] = start;
  }
  b += FXI_HEAD;
  for (size_t g = 0; g < groups; ++g) {
    fxi v[FXI_PANELS];
    FXK_UNROLL
    for (size_t j = 0; j < panels; ++j) {
      v[j] = fxi_load((const int32_t *)(const void *)(b + j * panel + g * FXK_VW * FXI_GROUP));
    }
    FXK_UNROLL
    for (size_t i = 0; i < rows; ++i) {
      const fxi x = fxi_repeat(a + i * a_row + g * FXI_GROUP);
      FXK_UNROLL
      for (size_t j = 0; j < panels; ++j) c[i][j] = fxi_dot(c[i][j], x, v[j]);
    }
  }
  FXK_UNROLL
  for (size_t i = 0; i < rows; ++i) {
    FXK_UNROLL
    for (size_t j = 0; j < panels; ++j) fxi_store(sums + (i * panels + j) * FXK_VW, c[i][j]);
  }
}

#define FXI_TILE(rows, panels)                                                                              \
  static void fxi_tile_##rows##_##panels(                                                                   \
    size_t groups, const fxi_a *a, size_t a_row, const fxi_b *b, const int32_t *offset, int32_t *sums) {    \
    fxi_tile(groups, a, a_row, b, offset, rows, panels, sums);                                              \
  }
#define FXI_TILES(panels) \
  FXI_TILE(1, panels) FXI_TILE(2, panels) FXI_TILE(3, panels) FXI_TILE(4, panels) FXI_TILE(5, panels) FXI_TILE(6, panels)
#define FXI_TILE_NAMES(panels)                                                                              \
  {fxi_tile_1_##panels, fxi_tile_2_##panels, fxi_tile_3_##panels, fxi_tile_4_##panels, fxi_tile_5_##panels, \
   fxi_tile_6_##panels}

typedef void (*fxi_tile_function)(
  size_t groups, const fxi_a *a, size_t a_row, const fxi_b *b, const int32_t *offset, int32_t *sums);

FXI_TILES(1)
FXI_TILES(2)
#if FXI_WIDE_TILE
FXI_TILES(3)
FXI_TILES(4)
FXI_TILE(12, 1)
FXI_TILE(12, 2)
static const fxi_tile_function fxi_tiles[FXI_PANELS][FXI_ROWS] = {
  FXI_TILE_NAMES(1), FXI_TILE_NAMES(2), FXI_TILE_NAMES(3), FXI_TILE_NAMES(4)};
#else
static const fxi_tile_function fxi_tiles[FXI_PANELS][FXI_ROWS] = {FXI_TILE_NAMES(1), FXI_TILE_NAMES(2)};
#endif

// Rows of A at the start of which the tile may be: all of them, or those left.
FXK_INLINE size_t fxi_rows_of_tile(size_t left, size_t panels) {
  if (FXI_WIDE_TILE && panels <= 2 && left >= FXI_ROWS_NARROW) return FXI_ROWS_NARROW;
  return left < FXI_ROWS ? left : FXI_ROWS;
}

FXK_INLINE fxi_tile_function fxi_tile_of(size_t rows, size_t panels) {
#if FXI_WIDE_TILE
  if (rows == FXI_ROWS_NARROW) return panels == 1 ? fxi_tile_12_1 : fxi_tile_12_2;
#endif
  return fxi_tiles[panels - 1][rows - 1];
}

// Whether the rows of A can be read where they are.
FXK_INLINE bool fxi_is_direct(const fxk_int_product *p) {
  return FXI_GROUP == 4 && p->window == NULL && p->a_flip == (FXI_SIGNED_A ? 0x80 : 0) && p->k % FXI_GROUP == 0;
}

// Rows of A that are gathered at a time: they stay in the second-level cache.
static size_t fxi_block_rows(const fxk_int_product *p) {
  const size_t row = fxi_groups(p->k) * FXI_GROUP * sizeof(fxi_a) + 1;
  const size_t rows = ((size_t)192 << 10) / row / 12 * 12;
  return rows < 12 ? 12 : rows > 240 ? 240 : rows;
}

// Distance of gathered rows, in elements: a multiple of 64 bytes, odd in cache lines so that rows meet no common sets.
FXK_INLINE size_t fxi_gathered_row(const fxk_int_product *p) {
  const size_t line = 64 / sizeof(fxi_a);
  return ((fxi_groups(p->k) * FXI_GROUP + line - 1) / line | 1) * line;
}

static size_t int_scratch(const fxk_int_product *p) {
  const size_t rows = fxi_block_rows(p);
  const size_t gathered = fxi_is_direct(p) ? 0 : rows * fxi_gathered_row(p) * sizeof(fxi_a) + fxi_gathered_row(p);
  return gathered + rows * sizeof(int32_t) + 64;
}

// A pixel of the result.
typedef struct {
  size_t image, y, x;
} fxi_pixel;

// Copies `count` bytes: 32 at once where as many may be read and written.
FXK_INLINE void fxi_copy_short(uint8_t *y, const uint8_t *x, size_t count, bool has_room) {
  if (count <= 32 && has_room) memcpy(y, x, 32);
  else memcpy(y, x, count);
}

// The window of a pixel, k bytes; up to `room` may be written.
static void fxi_gather_window(const fxk_int_product *p, fxi_pixel pixel, uint8_t *y, size_t room) {
  const fxk_int_window *w = p->window;
  const size_t count = w->group_channels, length = w->kernel[1] * count, size = w->in[0] * w->in[1] * w->channels;
  const uint8_t *image = p->a + pixel.image * size, *end = y + room;
  const ptrdiff_t top = (ptrdiff_t)(pixel.y * w->stride[0]) - (ptrdiff_t)w->pad[0];
  const ptrdiff_t left = (ptrdiff_t)(pixel.x * w->stride[1]) - (ptrdiff_t)w->pad[1];
  const ptrdiff_t right = left + (ptrdiff_t)((w->kernel[1] - 1) * w->dilation[1]);
  const bool is_whole = left >= 0 && right < (ptrdiff_t)w->in[1] && count == w->channels && w->dilation[1] == 1;
  const ptrdiff_t bottom = top + (ptrdiff_t)((w->kernel[0] - 1) * w->dilation[0]);
  if (is_whole && length <= 32 && top >= 0 && bottom < (ptrdiff_t)w->in[0] && w->kernel[0] * length + 32 <= room
    && ((size_t)bottom * w->in[1] + (size_t)left) * w->channels + 32 <= size) {
    // Short lines in the middle of the image, as a network's first layer has them: each is one move.
    const uint8_t *line = image + ((size_t)top * w->in[1] + (size_t)left) * w->channels;
    for (size_t ky = 0; ky < w->kernel[0]; ++ky) {
      memcpy(y, line, 32);
      y += length;
      line += w->dilation[0] * w->in[1] * w->channels;
    }
    return;
  }
  for (size_t ky = 0; ky < w->kernel[0]; ++ky) {
    const ptrdiff_t iy = top + (ptrdiff_t)(ky * w->dilation[0]);
    if (iy < 0 || iy >= (ptrdiff_t)w->in[0]) {
      memset(y, w->padding, length);
      y += length;
      continue;
    }
    const size_t line = (size_t)iy * w->in[1] * w->channels;
    if (is_whole) {
      const size_t place = line + (size_t)left * w->channels;
      fxi_copy_short(y, image + place, length, place + 32 <= size && y + 32 <= end);
      y += length;
      continue;
    }
    for (size_t kx = 0; kx < w->kernel[1]; ++kx, y += count) {
      const ptrdiff_t ix = left + (ptrdiff_t)(kx * w->dilation[1]);
      if (ix < 0 || ix >= (ptrdiff_t)w->in[1]) memset(y, w->padding, count);
      else memcpy(y, image + line + (size_t)ix * w->channels, count);
    }
  }
}

static void fxi_gather(const fxk_int_product *p, size_t row0, size_t rows, fxi_a *y, size_t y_row, uint8_t *bytes) {
  const fxk_int_window *w = p->window;
  const size_t k = p->k, depth = fxi_groups(k) * FXI_GROUP;
  const uint8_t flip = p->a_flip ^ (FXI_SIGNED_A ? 0x80 : 0);
  fxi_pixel pixel = {0, 0, 0};
  if (w != NULL) {
    pixel.image = row0 / (w->out[0] * w->out[1]);
    pixel.y = row0 / w->out[1] % w->out[0];
    pixel.x = row0 % w->out[1];
  }
  for (size_t i = 0; i < rows; ++i) {
    fxi_a *target = y + i * y_row;
#if FXI_GROUP == 4
    bytes = (uint8_t *)target;
#endif
    if (w == NULL) {
      memcpy(bytes, p->a + (ptrdiff_t)(row0 + i) * p->a_row, k);
    } else {
      fxi_gather_window(p, pixel, bytes, y_row);
      if (++pixel.x == w->out[1]) {
        pixel.x = 0;
        if (++pixel.y == w->out[0]) {
          pixel.y = 0;
          ++pixel.image;
        }
      }
    }
#if FXI_GROUP == 4
    if (flip != 0) {
      FXK_LOOP
      for (size_t j = 0; j < k; ++j) bytes[j] ^= flip;
    }
#else
    FXK_LOOP
    for (size_t j = 0; j < k; ++j) target[j] = (fxi_a)(uint8_t)(bytes[j] ^ flip);
#endif
    for (size_t j = k; j < depth; ++j) target[j] = 0;
  }
}

static void int_run(
  const fxk_int_product *p, size_t row0, size_t row1, size_t column0, size_t column1, void *scratch) {
  const size_t groups = fxi_groups(p->k), block = fxi_block_rows(p), gathered_row = fxi_gathered_row(p);
  const bool is_direct = fxi_is_direct(p);
  int32_t *row_sums = scratch;
  fxi_a *gathered = (fxi_a *)(void *)((char *)scratch + (block * sizeof(int32_t) + 63) / 64 * 64);
  uint8_t *bytes = (uint8_t *)(gathered + block * gathered_row);
  int32_t sums[FXI_ROWS * FXI_PANELS * FXK_VW];
  const bool is_small = fxi_has_small_scales(&p->scaling, column0, column1);
  _Static_assert(FXI_ROWS_NARROW * 2 <= FXI_ROWS * FXI_PANELS, "the sums of every tile fit");
  for (size_t first = row0; first < row1; first += block) {
    const size_t rows = row1 - first < block ? row1 - first : block;
    const fxi_a *a = gathered;
    size_t a_row = gathered_row;
    if (is_direct) {
      a = (const fxi_a *)(const void *)(p->a + (ptrdiff_t)first * p->a_row);
      a_row = (size_t)p->a_row;
    } else {
      fxi_gather(p, first, rows, gathered, gathered_row, bytes);
    }
    for (size_t i = 0; i < rows; ++i) {
      int32_t sum = 0;
      if (p->scaling.b_zero != NULL) {
        for (size_t j = 0; j < p->k; ++j) sum += a[i * a_row + j] + (FXI_SIGNED_A ? 128 : 0);
      }
      row_sums[i] = sum;
    }
    for (size_t column = column0; column < column1; column += FXI_PANELS * FXK_VW) {
      const size_t left = column1 - column;
      const size_t count = left < FXI_PANELS * FXK_VW ? left : FXI_PANELS * FXK_VW;
      const size_t panels = (count + FXK_VW - 1) / FXK_VW;
      const fxi_b *b = (const fxi_b *)p->b + column / FXK_VW * fxi_panel(groups);
      for (size_t i = 0; i < rows;) {
        const size_t height = fxi_rows_of_tile(rows - i, panels);
        fxi_tile_of(height, panels)(groups, a + i * a_row, a_row, b, p->scaling.offset + column, sums);
        char *c = (char *)p->c
          + ((ptrdiff_t)(first + i) * p->c_row + (ptrdiff_t)column) * (ptrdiff_t)fxi_output_size(p->scaling.output);
        fxi_finish(&p->scaling, is_small, sums, panels * FXK_VW, height, column, count, row_sums + i, c, p->c_row);
        i += height;
      }
    }
  }
}
