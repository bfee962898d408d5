// TIFF by libtiff: its conversion to 8-bit RGBA reads what the format has of photometric interpretations and layouts.

#include "internal.h"

#if __has_include(<tiffio.h>)

#include <pthread.h>
#include <stdio.h>
#include <tiffio.h>

#if TIFFLIB_VERSION >= 20221213
#define HAS_OPTIONS 1
#endif

static struct {
  __typeof__(TIFFClientOpen) *open;
  __typeof__(TIFFClose) *close;
  __typeof__(TIFFGetField) *get_field;
  __typeof__(TIFFReadRGBAImageOriented) *read;
#ifdef HAS_OPTIONS
  // Since 4.5: messages and memory of one file instead of the process's.
  __typeof__(TIFFClientOpenExt) *open_with;
  __typeof__(TIFFOpenOptionsAlloc) *make_options;
  __typeof__(TIFFOpenOptionsFree) *free_options;
  __typeof__(TIFFOpenOptionsSetErrorHandlerExtR) *set_errors;
  __typeof__(TIFFOpenOptionsSetWarningHandlerExtR) *set_warnings;
  __typeof__(TIFFOpenOptionsSetMaxSingleMemAlloc) *set_memory;
#endif
} tiff;
static bool is_open;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_library(void) {
  const fximage_symbol symbols[] = {
    {"TIFFClientOpen", (void **)&tiff.open, false},
    {"TIFFClose", (void **)&tiff.close, false},
    {"TIFFGetField", (void **)&tiff.get_field, false},
    {"TIFFReadRGBAImageOriented", (void **)&tiff.read, false},
#ifdef HAS_OPTIONS
    {"TIFFClientOpenExt", (void **)&tiff.open_with, true},
    {"TIFFOpenOptionsAlloc", (void **)&tiff.make_options, true},
    {"TIFFOpenOptionsFree", (void **)&tiff.free_options, true},
    {"TIFFOpenOptionsSetErrorHandlerExtR", (void **)&tiff.set_errors, true},
    {"TIFFOpenOptionsSetWarningHandlerExtR", (void **)&tiff.set_warnings, true},
    {"TIFFOpenOptionsSetMaxSingleMemAlloc", (void **)&tiff.set_memory, true},
#endif
  };
  is_open = fximage_open(FXIMAGE_TIFF, symbols, sizeof symbols / sizeof *symbols);
}

typedef struct {
  const uint8_t *bytes;
  size_t count;
  size_t position;
} source;

static tmsize_t read_bytes(thandle_t handle, void *target, tmsize_t count) {
  source *from = handle;
  if (count <= 0 || from->position >= from->count) return 0;
  size_t rest = from->count - from->position;
  size_t taken = (size_t)count < rest ? (size_t)count : rest;
  memcpy(target, from->bytes + from->position, taken);
  from->position += taken;
  return (tmsize_t)taken;
}

static tmsize_t write_bytes(thandle_t handle, void *bytes, tmsize_t count) {
  (void)handle, (void)bytes, (void)count;
  return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
  source *from = handle;
  toff_t start = whence == SEEK_CUR ? from->position : whence == SEEK_END ? from->count : 0;
  // Offsets are unsigned: a step back is one that wraps around.
  toff_t position = start + offset;
  if (position > from->count) return (toff_t)-1;
  from->position = (size_t)position;
  return position;
}

static int close_file(thandle_t handle) {
  (void)handle;
  return 0;
}

static toff_t size(thandle_t handle) { return ((source *)handle)->count; }

// The flag "m" below keeps the library from mapping; it asks for the functions all the same.
static int map(thandle_t handle, void **base, toff_t *length) {
  (void)handle, (void)base, (void)length;
  return 0;
}

static void unmap(thandle_t handle, void *base, toff_t length) { (void)handle, (void)base, (void)length; }

#ifdef HAS_OPTIONS
static int ignore(TIFF *file, void *data, const char *module, const char *format, va_list arguments) {
  (void)file, (void)data, (void)module, (void)format, (void)arguments;
  return 1;
}
#endif

static TIFF *open_file(source *from, size_t pixel_limit) {
#ifdef HAS_OPTIONS
  if (tiff.open_with && tiff.make_options && tiff.free_options && tiff.set_errors && tiff.set_warnings && tiff.set_memory) {
    TIFFOpenOptions *options = tiff.make_options();
    if (options == NULL) return NULL;
    tiff.set_errors(options, ignore, NULL);
    tiff.set_warnings(options, ignore, NULL);
    // A strip may hold all pixels, of four samples of up to 16 bits; no table of the file is much larger.
    size_t memory = (pixel_limit < PTRDIFF_MAX / 16 ? pixel_limit : PTRDIFF_MAX / 16) * 8 + (1 << 20);
    tiff.set_memory(options, (tmsize_t)memory);
    TIFF *file = tiff.open_with(
      "image", "rm", from, read_bytes, write_bytes, seek, close_file, size, map, unmap, options);
    tiff.free_options(options);
    return file;
  }
#endif
  (void)pixel_limit;
  return tiff.open("image", "rm", from, read_bytes, write_bytes, seek, close_file, size, map, unmap);
}

static fximage_status decode(TIFF *file, size_t pixel_limit, fximage *image) {
  uint32_t width = 0, height = 0;
  if (!tiff.get_field(file, TIFFTAG_IMAGEWIDTH, &width) || !tiff.get_field(file, TIFFTAG_IMAGELENGTH, &height)) {
    return FXIMAGE_UNDECODABLE;
  }
  fximage_status status = fximage_allocate(width, height, pixel_limit, image);
  if (status != FXIMAGE_OK) return status;
  size_t count = (size_t)width * height;
  uint32_t *raster = calloc(count, sizeof *raster);
  if (raster == NULL) return FXIMAGE_OUT_OF_MEMORY;
  if (tiff.read(file, width, height, raster, ORIENTATION_TOPLEFT, 1)) {
    for (size_t i = 0; i < count; i++) {
      image->pixels[3 * i] = (uint8_t)TIFFGetR(raster[i]);
      image->pixels[3 * i + 1] = (uint8_t)TIFFGetG(raster[i]);
      image->pixels[3 * i + 2] = (uint8_t)TIFFGetB(raster[i]);
    }
  } else {
    status = FXIMAGE_UNDECODABLE;
  }
  free(raster);
  return status;
}

fximage_status fximage_decode_tiff(const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image) {
  pthread_once(&once, open_library);
  if (!is_open) return FXIMAGE_NO_LIBRARY;
  source from = {bytes, count, 0};
  TIFF *file = open_file(&from, pixel_limit);
  if (file == NULL) return FXIMAGE_UNDECODABLE;
  fximage_status status = decode(file, pixel_limit, image);
  tiff.close(file);
  return status;
}

#else

fximage_status fximage_decode_tiff(const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image) {
  (void)bytes, (void)count, (void)pixel_limit, (void)image;
  return FXIMAGE_NOT_BUILT;
}

#endif
