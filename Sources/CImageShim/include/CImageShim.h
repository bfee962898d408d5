// Compressed images by the system's libraries, which are opened when the first image of their format comes: a program
// that decodes none links and loads none of them.
//
// The libraries' headers are needed at build time. Built without one, images of its format give FXIMAGE_NOT_BUILT.
#ifndef CIMAGESHIM_H
#define CIMAGESHIM_H

#include <stddef.h>
#include <stdint.h>

typedef enum fximage_format {
  FXIMAGE_JPEG,
  FXIMAGE_PNG,
  FXIMAGE_WEBP,
  FXIMAGE_TIFF,
  FXIMAGE_JPEG2000,
} fximage_format;

typedef enum fximage_status {
  FXIMAGE_OK,
  // This build had no header of the library.
  FXIMAGE_NOT_BUILT,
  // The library is not installed, or lacks a function.
  FXIMAGE_NO_LIBRARY,
  // The image has more pixels than allowed; its size is filled in.
  FXIMAGE_TOO_LARGE,
  FXIMAGE_OUT_OF_MEMORY,
  // The bytes are no image of the format, end early, or need what the library cannot do.
  FXIMAGE_UNDECODABLE,
} fximage_status;

typedef struct fximage {
  uint32_t width;
  uint32_t height;
  // height rows of width pixels of red, green and blue; NULL unless the status is FXIMAGE_OK. fximage_free frees them.
  uint8_t *pixels;
} fximage;

// Decodes an image. Its declared size is compared with pixel_limit before memory is taken for it. Thread-safe.
fximage_status fximage_decode(
  fximage_format format, const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image);

void fximage_free(fximage *image);

// The file name of the library that decodes a format.
const char *fximage_library(fximage_format format);

#endif
