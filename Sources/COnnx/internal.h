// What the files of COnnx share with each other and not with users.

#ifndef CONNX_INTERNAL_H
#define CONNX_INTERNAL_H

#include "COnnx.h"

#define FXONNX_DEFAULT_DEPTH 100
#define FXONNX_DEFAULT_THRESHOLD 64

/// The result of the wire pass: the bytes to unpack.
typedef struct {
  const uint8_t *bytes;
  size_t length;
  /// The memory behind `bytes` where it differs from the input, to be freed.
  uint8_t *owned;
  /// How many tensors carry `detached_offset`/`detached_length`.
  size_t detached;
} fxonnx_skeleton;

fxonnx_status fxonnx_error_set(
  fxonnx_error *error, fxonnx_status status, uint64_t offset, const char *message, const char *field, uint64_t limit);

/// Checks the wire format and builds the skeleton. On failure nothing is left to free.
fxonnx_status fxonnx_wire_pass(
  const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t length, const fxonnx_limits *limits,
  fxonnx_skeleton *skeleton, fxonnx_error *error);

/// The descriptor of a kind, or NULL for a number that is none.
const ProtobufCMessageDescriptor *fxonnx_descriptor(fxonnx_kind kind);

/// An allocator for protobuf-c over an arena.
ProtobufCAllocator fxonnx_arena_allocator(fxonnx_arena *arena);

/// `FXONNX_OK`, or why the arena last returned NULL.
fxonnx_status fxonnx_arena_status(const fxonnx_arena *arena);

#endif
