// JPEG by libjpeg-turbo, through its TurboJPEG interface, which has no structures that change with the version.

#include "internal.h"

#if __has_include(<turbojpeg.h>)

#include <limits.h>
#include <pthread.h>
#include <turbojpeg.h>

static __typeof__(tjInitDecompress) *init;
static __typeof__(tjDestroy) *destroy;
static __typeof__(tjDecompressHeader3) *read_header;
static __typeof__(tjDecompress2) *decompress;
static __typeof__(tjGetErrorCode) *error_code;
static __typeof__(tjGetErrorStr2) *error_text;
static bool is_open;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_library(void) {
  const fximage_symbol symbols[] = {
    {"tjInitDecompress", (void **)&init, false},         {"tjDestroy", (void **)&destroy, false},
    {"tjDecompressHeader3", (void **)&read_header, false}, {"tjDecompress2", (void **)&decompress, false},
    {"tjGetErrorCode", (void **)&error_code, false},     {"tjGetErrorStr2", (void **)&error_text, false},
  };
  is_open = fximage_open(FXIMAGE_JPEG, symbols, sizeof symbols / sizeof *symbols);
}

fximage_status fximage_decode_jpeg(const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image) {
  pthread_once(&once, open_library);
  if (!is_open) return FXIMAGE_NO_LIBRARY;
  if (count > ULONG_MAX) return FXIMAGE_UNDECODABLE;
  tjhandle handle = init();
  if (handle == NULL) return FXIMAGE_OUT_OF_MEMORY;
  int width = 0, height = 0, subsampling = 0, space = 0;
  fximage_status status = FXIMAGE_UNDECODABLE;
  if (read_header(handle, bytes, (unsigned long)count, &width, &height, &subsampling, &space) == 0 && width > 0 && height > 0) {
    status = fximage_allocate((uint64_t)width, (uint64_t)height, pixel_limit, image);
  }
  if (status == FXIMAGE_OK) {
    int flags = TJFLAG_ACCURATEDCT;
#ifdef TJFLAG_LIMITSCANS
    // A progressive image of few bytes may ask for any number of passes over all of its blocks.
    flags |= TJFLAG_LIMITSCANS;
#endif
    if (decompress(handle, bytes, (unsigned long)count, image->pixels, width, 0, height, TJPF_RGB, flags) != 0) {
      // Oddities between the segments are warnings, and so is an early end, after which the rest is made up.
      const char *text = error_text(handle);
      bool is_cut_off = text != NULL && strstr(text, "remature end") != NULL;
      if (error_code(handle) != TJERR_WARNING || is_cut_off) status = FXIMAGE_UNDECODABLE;
    }
  }
  destroy(handle);
  return status;
}

#else

fximage_status fximage_decode_jpeg(const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image) {
  (void)bytes, (void)count, (void)pixel_limit, (void)image;
  return FXIMAGE_NOT_BUILT;
}

#endif
