#include "internal.h"

// The header lies in a folder that names the version, of which the interface has been stable since 2.1.
#if __has_include(<openjpeg.h>)
#include <openjpeg.h>
#define HAS_OPENJPEG 1
#elif __has_include(<openjpeg-2.6/openjpeg.h>)
#include <openjpeg-2.6/openjpeg.h>
#define HAS_OPENJPEG 1
#elif __has_include(<openjpeg-2.5/openjpeg.h>)
#include <openjpeg-2.5/openjpeg.h>
#define HAS_OPENJPEG 1
#elif __has_include(<openjpeg-2.4/openjpeg.h>)
#include <openjpeg-2.4/openjpeg.h>
#define HAS_OPENJPEG 1
#endif

#ifdef HAS_OPENJPEG

#include <math.h>
#include <pthread.h>

static struct {
  __typeof__(opj_create_decompress) *create;
  __typeof__(opj_destroy_codec) *destroy;
  __typeof__(opj_set_default_decoder_parameters) *defaults;
  __typeof__(opj_setup_decoder) *setup;
  __typeof__(opj_stream_create) *make_stream;
  __typeof__(opj_stream_destroy) *destroy_stream;
  __typeof__(opj_stream_set_read_function) *set_read;
  __typeof__(opj_stream_set_skip_function) *set_skip;
  __typeof__(opj_stream_set_seek_function) *set_seek;
  __typeof__(opj_stream_set_user_data) *set_data;
  __typeof__(opj_stream_set_user_data_length) *set_length;
  __typeof__(opj_read_header) *read_header;
  __typeof__(opj_decode) *decode;
  __typeof__(opj_end_decompress) *end;
  __typeof__(opj_image_destroy) *destroy_image;
} opj;
static bool is_open;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_library(void) {
  const fximage_symbol symbols[] = {
    {"opj_create_decompress", (void **)&opj.create, false},
    {"opj_destroy_codec", (void **)&opj.destroy, false},
    {"opj_set_default_decoder_parameters", (void **)&opj.defaults, false},
    {"opj_setup_decoder", (void **)&opj.setup, false},
    {"opj_stream_create", (void **)&opj.make_stream, false},
    {"opj_stream_destroy", (void **)&opj.destroy_stream, false},
    {"opj_stream_set_read_function", (void **)&opj.set_read, false},
    {"opj_stream_set_skip_function", (void **)&opj.set_skip, false},
    {"opj_stream_set_seek_function", (void **)&opj.set_seek, false},
    {"opj_stream_set_user_data", (void **)&opj.set_data, false},
    {"opj_stream_set_user_data_length", (void **)&opj.set_length, false},
    {"opj_read_header", (void **)&opj.read_header, false},
    {"opj_decode", (void **)&opj.decode, false},
    {"opj_end_decompress", (void **)&opj.end, false},
    {"opj_image_destroy", (void **)&opj.destroy_image, false},
  };
  is_open = fximage_open(FXIMAGE_JPEG2000, symbols, sizeof symbols / sizeof *symbols);
}

typedef struct {
  const uint8_t *bytes;
  size_t count;
  size_t position;
} source;

static OPJ_SIZE_T read_bytes(void *target, OPJ_SIZE_T count, void *data) {
  source *from = data;
  size_t rest = from->count - from->position;
  if (rest == 0) return (OPJ_SIZE_T)-1;
  size_t taken = count < rest ? count : rest;
  memcpy(target, from->bytes + from->position, taken);
  from->position += taken;
  return taken;
}

static OPJ_OFF_T skip(OPJ_OFF_T count, void *data) {
  source *from = data;
  size_t rest = from->count - from->position;
  if (count < 0) return -1;
  size_t taken = (uint64_t)count < rest ? (size_t)count : rest;
  from->position += taken;
  return taken == 0 && count > 0 ? -1 : (OPJ_OFF_T)taken;
}

static OPJ_BOOL seek(OPJ_OFF_T position, void *data) {
  source *from = data;
  if (position < 0 || (uint64_t)position > from->count) return OPJ_FALSE;
  from->position = (size_t)position;
  return OPJ_TRUE;
}

/// A component's sample at a pixel, as a number of 8 bits.
static int sample(const opj_image_comp_t *component, const opj_image_t *image, uint32_t x, uint32_t y) {
  // A subsampled component has a sample for `dx` by `dy` pixels.
  uint32_t column = (image->x0 + x) / component->dx - (image->x0 + component->dx - 1) / component->dx;
  uint32_t row = (image->y0 + y) / component->dy - (image->y0 + component->dy - 1) / component->dy;
  if (column >= component->w) column = column > UINT32_MAX / 2 ? 0 : component->w - 1;
  if (row >= component->h) row = row > UINT32_MAX / 2 ? 0 : component->h - 1;
  int64_t value = component->data[(size_t)row * component->w + column];
  if (component->sgnd) value += (int64_t)1 << (component->prec - 1);
  if (component->prec > 8) value >>= component->prec - 8;
  if (component->prec < 8) value = value * 255 / ((1 << component->prec) - 1);
  return value < 0 ? 0 : value > 255 ? 255 : (int)value;
}

static uint8_t rounded(double value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : lround(value)); }

static fximage_status copy(const opj_image_t *decoded, fximage *image) {
  uint32_t planes = decoded->numcomps >= 3 ? 3 : 1;
  for (uint32_t c = 0; c < planes; c++) {
    const opj_image_comp_t *component = &decoded->comps[c];
    if (component->data == NULL || component->w == 0 || component->h == 0 || component->dx == 0 || component->dy == 0 ||
        component->prec == 0 || component->prec > 31) {
      return FXIMAGE_UNDECODABLE;
    }
  }
  bool has_luma = planes == 3 && (decoded->color_space == OPJ_CLRSPC_SYCC || decoded->color_space == OPJ_CLRSPC_EYCC);
  uint8_t *pixel = image->pixels;
  for (uint32_t y = 0; y < image->height; y++) {
    for (uint32_t x = 0; x < image->width; x++, pixel += 3) {
      int values[3];
      for (uint32_t c = 0; c < 3; c++) values[c] = c < planes ? sample(&decoded->comps[c], decoded, x, y) : values[0];
      if (has_luma) {
        // ITU-R BT.601, as in JPEG.
        double luma = values[0], blue = values[1] - 128, red = values[2] - 128;
        pixel[0] = rounded(luma + 1.402 * red);
        pixel[1] = rounded(luma - 0.344136 * blue - 0.714136 * red);
        pixel[2] = rounded(luma + 1.772 * blue);
      } else {
        for (int c = 0; c < 3; c++) pixel[c] = (uint8_t)values[c];
      }
    }
  }
  return FXIMAGE_OK;
}

static fximage_status decode(opj_codec_t *codec, opj_stream_t *stream, size_t pixel_limit, fximage *image) {
  opj_dparameters_t parameters;
  opj.defaults(&parameters);
  if (!opj.setup(codec, &parameters)) return FXIMAGE_UNDECODABLE;
  opj_image_t *decoded = NULL;
  fximage_status status = FXIMAGE_UNDECODABLE;
  if (opj.read_header(stream, codec, &decoded) && decoded != NULL && decoded->x1 > decoded->x0 && decoded->y1 > decoded->y0) {
    // Every component has a plane of its own in memory, and four bytes a sample.
    size_t limit = decoded->numcomps > 4 ? pixel_limit / decoded->numcomps * 4 : pixel_limit;
    status = fximage_allocate(decoded->x1 - decoded->x0, decoded->y1 - decoded->y0, limit, image);
    if (status == FXIMAGE_OK) {
      status = opj.decode(codec, stream, decoded) && opj.end(codec, stream) ? copy(decoded, image) : FXIMAGE_UNDECODABLE;
    }
  }
  opj.destroy_image(decoded);
  return status;
}

fximage_status fximage_decode_jpeg2000(const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image) {
  pthread_once(&once, open_library);
  if (!is_open) return FXIMAGE_NO_LIBRARY;
  bool is_stream = count >= 2 && bytes[0] == 0xff && bytes[1] == 0x4f;
  source from = {bytes, count, 0};
  opj_codec_t *codec = opj.create(is_stream ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
  opj_stream_t *stream = opj.make_stream(1 << 16, OPJ_TRUE);
  fximage_status status = FXIMAGE_OUT_OF_MEMORY;
  if (codec != NULL && stream != NULL) {
    opj.set_read(stream, read_bytes);
    opj.set_skip(stream, skip);
    opj.set_seek(stream, seek);
    opj.set_data(stream, &from, NULL);
    opj.set_length(stream, count);
    status = decode(codec, stream, pixel_limit, image);
  }
  if (stream != NULL) opj.destroy_stream(stream);
  if (codec != NULL) opj.destroy(codec);
  return status;
}

#else

fximage_status fximage_decode_jpeg2000(const uint8_t *bytes, size_t count, size_t pixel_limit, fximage *image) {
  (void)bytes, (void)count, (void)pixel_limit, (void)image;
  return FXIMAGE_NOT_BUILT;
}

#endif
