// PNG by libpng's row interface: the simplified one would convert to the colour space sRGB, where others take the numbers
// of the file.

#include "internal.h"

#if __has_include(<png.h>)

#include <png.h>
#include <pthread.h>
#include <setjmp.h>

static struct {
  __typeof__(png_create_read_struct) *create;
  __typeof__(png_create_info_struct) *create_info;
  __typeof__(png_destroy_read_struct) *destroy;
  __typeof__(png_get_error_ptr) *error_pointer;
  __typeof__(png_get_io_ptr) *io_pointer;
  __typeof__(png_set_read_fn) *set_read;
  __typeof__(png_set_user_limits) *set_limits;
  __typeof__(png_read_info) *read_info;
  __typeof__(png_get_image_width) *width;
  __typeof__(png_get_image_height) *height;
  __typeof__(png_set_expand) *expand;
  __typeof__(png_set_strip_16) *strip_16;
  __typeof__(png_set_strip_alpha) *strip_alpha;
  __typeof__(png_set_gray_to_rgb) *gray_to_rgb;
  __typeof__(png_set_interlace_handling) *interlace;
  __typeof__(png_read_update_info) *update_info;
  __typeof__(png_get_rowbytes) *row_bytes;
  __typeof__(png_read_row) *read_row;
} png;
static bool is_open;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_library(void) {
  const fximage_symbol symbols[] = {
    {"png_create_read_struct", (void **)&png.create, false},
    {"png_create_info_struct", (void **)&png.create_info, false},
    {"png_destroy_read_struct", (void **)&png.destroy, false},
    {"png_get_error_ptr", (void **)&png.error_pointer, false},
    {"png_get_io_ptr", (void **)&png.io_pointer, false},
    {"png_set_read_fn", (void **)&png.set_read, false},
    {"png_set_user_limits", (void **)&png.set_limits, false},
    {"png_read_info", (void **)&png.read_info, false},
    {"png_get_image_width", (void **)&png.width, false},
    {"png_get_image_height", (void **)&png.height, false},
    {"png_set_expand", (void **)&png.expand, false},
    {"png_set_strip_16", (void **)&png.strip_16, false},
    {"png_set_strip_alpha", (void **)&png.strip_alpha, false},
    {"png_set_gray_to_rgb", (void **)&png.gray_to_rgb, false},
    {"png_set_interlace_handling", (void **)&png.interlace, false},
    {"png_read_update_info", (void **)&png.update_info, false},
    {"png_get_rowbytes", (void **)&png.row_bytes, false},
    {"png_read_row", (void **)&png.read_row, false},
  };
  is_open = fximage_open(FXIMAGE_PNG, symbols, sizeof symbols / sizeof *symbols);
}

typedef struct {
  const uint8_t *bytes;
  size_t rest;
  jmp_buf failure;
} source;

static void on_error(png_structp reader, png_const_charp message) {
  (void)message;
  source *from = png.error_pointer(reader);
  longjmp(from->failure, 1);
}

static void on_warning(png_structp reader, png_const_charp message) { (void)reader, (void)message; }

static void read_bytes(png_structp reader, png_bytep target, size_t count) {
  source *from = png.io_pointer(reader);
  if (count > from->rest) longjmp(from->failure, 1);
  memcpy(target, from->bytes, count);
  from->bytes += count;
  from->rest -= count;
}

/// The part that errors of the library jump out of. What lives across the jump is the caller's.
static fximage_status decode(png_structp reader, png_infop info, source *from, size_t pixel_limit, fximage *image) {
  if (setjmp(from->failure) != 0) return FXIMAGE_UNDECODABLE;
  png.set_read(reader, from, read_bytes);
  png.set_limits(reader, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png.read_info(reader, info);
  fximage_status status = fximage_allocate(png.width(reader, info), png.height(reader, info), pixel_limit, image);
  if (status != FXIMAGE_OK) return status;
  png.expand(reader);
  png.strip_16(reader);
  png.gray_to_rgb(reader);
  png.strip_alpha(reader);
  int passes = png.interlace(reader);
  png.update_info(reader, info);
  size_t row = (size_t)image->width * 3;
  if (png.row_bytes(reader, info) != row) return FXIMAGE_UNDECODABLE;
  for (int pass = 0; pass < passes; pass++) {
    for (size_t y = 0; y < image->height; y++) png.read_row(reader, image->pixels + y * row, NULL);
  }
  return FXIMAGE_OK;
}

fximage_status fximage_decode_png(const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image) {
  pthread_once(&once, open_library);
  if (!is_open) return FXIMAGE_NO_LIBRARY;
  source from = {.bytes = bytes, .rest = count};
  png_structp reader = NULL;
  png_infop info = NULL;
  // Versions of the header and the library that do not go together are an error too, reported before this returns NULL.
  if (setjmp(from.failure) != 0) return FXIMAGE_NO_LIBRARY;
  reader = png.create(PNG_LIBPNG_VER_STRING, &from, on_error, on_warning);
  if (reader == NULL) return FXIMAGE_NO_LIBRARY;
  info = png.create_info(reader);
  fximage_status status = info == NULL ? FXIMAGE_OUT_OF_MEMORY : decode(reader, info, &from, pixel_limit, image);
  png.destroy(&reader, &info, NULL);
  return status;
}

#else

fximage_status fximage_decode_png(const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image) {
  (void)bytes, (void)count, (void)pixel_limit, (void)image;
  return FXIMAGE_NOT_BUILT;
}

#endif
