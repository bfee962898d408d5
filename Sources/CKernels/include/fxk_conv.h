// Convolutions of NCHW float32 tensors with packed constant weights, bias, activation and residual fused.
//
// One struct serves 1-D, 2-D and 3-D: sizes are (depth, height, width), leading ones 1.
#ifndef FXK_CONV_H
#define FXK_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fxk_gemm.h"

typedef enum fxk_conv_method {
  FXK_CONV_GEMM = 0,       // implicit GEMM: any convolution
  FXK_CONV_DEPTHWISE = 1,  // one input channel per group and one output channel per group, depth 1
  FXK_CONV_WINOGRAD = 2,   // 3x3, stride 1, dilation 1, one group: F(4x4, 3x3), about 4e-6 of the largest product
} fxk_conv_method;

typedef struct fxk_conv {
  size_t batch, groups, in_channels, out_channels;
  size_t in[3], out[3], kernel[3], stride[3], dilation[3];
  size_t pad[3];           // zeros before the first element of each axis; those after follow from `out`
  const float *x;          // [batch, in_channels, in...]
  const float *packed;     // from fxk_conv_pack with the same method
  float *y;                // [batch, out_channels, out...]
  fxk_epilogue epilogue;   // bias_row: [out_channels]; residual: like y (y itself only up to a depth of
                           // FXK_UNDIVIDED_DEPTH), residual_row unread; bias_column unread
  fxk_conv_method method;
  // Filled by fxk_conv_plan.
  size_t channel_tasks, pixel_tasks;
} fxk_conv;

// The fastest method for this shape (`packed`, `x`, `y` unread). `exact` keeps to methods that only reassociate sums.
fxk_conv_method fxk_conv_choose(const fxk_conv *conv, bool exact);

// Packed weights depend on the method, the groups, the channels and the kernel's size alone: one packing serves every
// image size, stride, padding and batch for which the method is the same.
// Floats of packed weights, and the packing of `weights` [out_channels, in_channels / groups, kernel...].
size_t fxk_conv_packed_size(const fxk_conv *conv);
void fxk_conv_pack(const fxk_conv *conv, const fxk_loose_float *weights, float *packed);

// Cuts the work for about `threads` threads; returns the number of tasks. Results do not depend on it.
size_t fxk_conv_plan(fxk_conv *conv, size_t threads);

// Floats of scratch for each thread.
size_t fxk_conv_scratch(const fxk_conv *conv);

// Computes tasks [task0, task1).
void fxk_conv_run(const fxk_conv *conv, size_t task0, size_t task1, float *scratch);

#endif
