#include "internal.h"

#if __has_include(<webp/decode.h>)

#include <pthread.h>
#include <webp/decode.h>

static __typeof__(WebPGetInfo) *get_info;
static __typeof__(WebPDecodeRGBInto) *decode;
static bool is_open;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_library(void) {
  const fximage_symbol symbols[] = {
    {"WebPGetInfo", (void **)&get_info, false},
    {"WebPDecodeRGBInto", (void **)&decode, false},
  };
  is_open = fximage_open(FXIMAGE_WEBP, symbols, sizeof symbols / sizeof *symbols);
}

fximage_status fximage_decode_webp(const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image) {
  pthread_once(&once, open_library);
  if (!is_open) return FXIMAGE_NO_LIBRARY;
  int width = 0, height = 0;
  if (!get_info(bytes, count, &width, &height) || width <= 0 || height <= 0) return FXIMAGE_UNDECODABLE;
  fximage_status status = fximage_allocate((uint64_t)width, (uint64_t)height, pixel_limit, image);
  if (status != FXIMAGE_OK) return status;
  // Sides are at most 16383 in the format, so that the row's length is no more than an int.
  size_t row = (size_t)width * 3;
  return decode(bytes, count, image->pixels, row * (size_t)height, (int)row) == NULL ? FXIMAGE_UNDECODABLE : FXIMAGE_OK;
}

#else

fximage_status fximage_decode_webp(const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image) {
  (void)bytes, (void)count, (void)pixel_limit, (void)image;
  return FXIMAGE_NOT_BUILT;
}

#endif
