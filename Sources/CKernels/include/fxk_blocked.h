// Convolutions and pooling of float32 images in blocks of channels: [batch, ceil(channels / B), height, width, B] with
// B = fxk_channel_block(). Vectors run along channels, so that neither narrow images nor strides leave lanes empty, and
// an operand needs no packing. Channels past the last are there in memory and hold anything.
#ifndef FXK_BLOCKED_H
#define FXK_BLOCKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fxk_gemm.h"
#include "fxk_spatial.h"

// Channels in a block: floats of a vector of the instruction set in use.
size_t fxk_channel_block(void);

// [batch, channels, pixels] to blocks and back, for blocks [block0, block1) of all images.
void fxk_to_blocks(const float *x, size_t channels, size_t pixels, float *y, size_t block0, size_t block1);
void fxk_from_blocks(const float *x, size_t channels, size_t pixels, float *y, size_t block0, size_t block1);

typedef enum fxk_blocked_method {
  FXK_BLOCKED_DIRECT = 0,     // one group
  FXK_BLOCKED_DEPTHWISE = 1,  // every channel by itself
  FXK_BLOCKED_WINOGRAD = 2,   // 3x3, stride 1, dilation 1, one group: F(4x4, 3x3)
} fxk_blocked_method;

typedef struct fxk_blocked_conv {
  size_t batch, in_channels, out_channels;
  bool depthwise;
  bool plain_input;        // x is [batch, in_channels, height, width]; for a few channels, FXK_BLOCKED_DIRECT only
  size_t in[2], out[2], kernel[2], stride[2], dilation[2];
  size_t pad[2];           // zeros before the first row and column; those after follow from `out`
  const float *x;
  const float *packed;     // from fxk_blocked_pack with the same method
  float *y;
  fxk_epilogue epilogue;   // bias_row: [out_channels, to whole blocks], always; the residual is in blocks; alpha,
                           // bias_column and residual_row are unread
  fxk_blocked_method method;
  // Filled by fxk_blocked_plan.
  size_t parts, channel_parts;
} fxk_blocked_conv;

// The fastest method for this shape.
fxk_blocked_method fxk_blocked_choose(const fxk_blocked_conv *conv);

// Whether y may be the residual's memory.
bool fxk_blocked_in_place(const fxk_blocked_conv *conv);

// Floats of packed weights, and the packing of weights [out_channels, in_channels or 1, kernel...]. It depends on the
// method, plain_input, the channels and the kernel's size alone.
size_t fxk_blocked_packed_size(const fxk_blocked_conv *conv);
void fxk_blocked_pack(const fxk_blocked_conv *conv, const fxk_loose_float *weights, float *packed);

// Cuts the work for about `threads` threads; returns the number of tasks. Results do not depend on it.
size_t fxk_blocked_plan(fxk_blocked_conv *conv, size_t threads);

// Floats of scratch for each thread, and the computation of tasks [task0, task1).
size_t fxk_blocked_scratch(const fxk_blocked_conv *conv);
void fxk_blocked_run(const fxk_blocked_conv *conv, size_t task0, size_t task1, float *scratch);

// Pooling of planes of blocks [plane0, plane1).
void fxk_blocked_max_pool(const fxk_pool2d *pool, const float *x, float *y, size_t plane0, size_t plane1);
void fxk_blocked_average_pool(
  const fxk_pool2d *pool, const float *x, float *y, bool count_padding, size_t plane0, size_t plane1);

#endif
