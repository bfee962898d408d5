#ifndef CIMAGESHIM_INTERNAL_H
#define CIMAGESHIM_INTERNAL_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "include/CImageShim.h"

// What each format's file gives: FXIMAGE_OK with `image` filled in, or a failure with nothing to free.
typedef fximage_status fximage_decoder(const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image);

fximage_decoder fximage_decode_jpeg, fximage_decode_png, fximage_decode_webp, fximage_decode_tiff,
  fximage_decode_jpeg2000;

// A library and the functions that are looked up in it.
typedef struct fximage_symbol {
  const char *name;
  void **function;
  // A function that later versions have, and that is done without.
  bool optional;
} fximage_symbol;

// Opens a format's library and fills in the functions. False where it is not installed or lacks one.
bool fximage_open(fximage_format format, const fximage_symbol *symbols, size_t count);

// Sets the size and takes memory for the pixels, all black.
fximage_status fximage_allocate(uint64_t width, uint64_t height, size_t pixel_limit, fximage *image);

#endif
