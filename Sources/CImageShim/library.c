#include <dlfcn.h>

#include "internal.h"

// By the version of the binary interface that the headers describe; the first that opens serves.
#if defined(__APPLE__)
#define NAMES(stem, version) {"lib" stem "." version ".dylib", "/opt/homebrew/lib/lib" stem "." version ".dylib", NULL}
#else
#define NAMES(stem, version) {"lib" stem ".so." version, NULL}
#endif

static const char *const names[][4] = {
  [FXIMAGE_JPEG] = NAMES("turbojpeg", "0"),
  [FXIMAGE_PNG] = NAMES("png16", "16"),
  [FXIMAGE_WEBP] = NAMES("webp", "7"),
#if defined(__APPLE__)
  [FXIMAGE_TIFF] = NAMES("tiff", "6"),
#else
  // Version 6 dropped functions that are not called here.
  [FXIMAGE_TIFF] = {"libtiff.so.6", "libtiff.so.5", NULL},
#endif
  [FXIMAGE_JPEG2000] = NAMES("openjp2", "7"),
};

const char *fximage_library(fximage_format format) { return names[format][0]; }

bool fximage_open(fximage_format format, const fximage_symbol *symbols, size_t count) {
  void *library = NULL;
  for (size_t i = 0; library == NULL && i < 4 && names[format][i] != NULL; i++) {
    library = dlopen(names[format][i], RTLD_NOW | RTLD_LOCAL);
  }
  if (library == NULL) return false;
  for (size_t i = 0; i < count; i++) {
    *symbols[i].function = dlsym(library, symbols[i].name);
    if (*symbols[i].function == NULL && !symbols[i].optional) {
      dlclose(library);
      return false;
    }
  }
  // The library stays open: its functions may be called until the process ends.
  return true;
}

fximage_status fximage_allocate(uint64_t width, uint64_t height, size_t pixel_limit, fximage *image) {
  if (width == 0 || height == 0) return FXIMAGE_UNDECODABLE;
  image->width = width > UINT32_MAX ? UINT32_MAX : (uint32_t)width;
  image->height = height > UINT32_MAX ? UINT32_MAX : (uint32_t)height;
  if (width > pixel_limit / height) return FXIMAGE_TOO_LARGE;
  image->pixels = calloc((size_t)width * (size_t)height, 3);
  return image->pixels == NULL ? FXIMAGE_OUT_OF_MEMORY : FXIMAGE_OK;
}

fximage_status fximage_decode(
  fximage_format format, const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image) {
  static fximage_decoder *const decoders[] = {
    [FXIMAGE_JPEG] = fximage_decode_jpeg,   [FXIMAGE_PNG] = fximage_decode_png,
    [FXIMAGE_WEBP] = fximage_decode_webp,   [FXIMAGE_TIFF] = fximage_decode_tiff,
    [FXIMAGE_JPEG2000] = fximage_decode_jpeg2000,
  };
  *image = (fximage){0};
  // Products of sizes are computed in 64 bits: no limit may exceed what they and three bytes a pixel hold.
  if (pixel_limit > SIZE_MAX / 16) pixel_limit = SIZE_MAX / 16;
  fximage_status status = decoders[format](bytes, count, pixel_limit, image);
  if (status != FXIMAGE_OK) fximage_free(image);
  return status;
}

void fximage_free(fximage *image) {
  free(image->pixels);
  image->pixels = NULL;
}
