// Packing as a stream: small pieces are gathered, big ones go from where they lie to where they belong.

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

enum { PIECE = 16 << 10 };

typedef struct {
  ProtobufCBuffer base;
  fxonnx_write write;
  void *context;
  // The first failure; everything after it is dropped, since protobuf-c cannot be stopped midway.
  int code;
  size_t count;
  uint8_t bytes[PIECE];
} stream;

static void send(stream *s, const uint8_t *bytes, size_t length) {
  if (s->code == 0 && length > 0) s->code = s->write(s->context, bytes, length);
}

static void send_gathered(stream *s) {
  send(s, s->bytes, s->count);
  s->count = 0;
}

static void append(ProtobufCBuffer *buffer, size_t length, const uint8_t *bytes) {
  stream *s = (stream *)buffer;
  if (length > PIECE - s->count) send_gathered(s);
  if (length > PIECE) {
    send(s, bytes, length);
  } else if (length > 0) {
    memcpy(s->bytes + s->count, bytes, length);
    s->count += length;
  }
}

/// Whether messages below `message`, which is at `depth`, nest too deep. protobuf-c's own walks have no such limit.
static bool is_too_deep(const ProtobufCMessage *message, uint32_t depth) {
  if (depth > FXONNX_DEFAULT_DEPTH) return true;
  const ProtobufCMessageDescriptor *descriptor = message->descriptor;
  for (unsigned i = 0; i < descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
    if (field->type != PROTOBUF_C_TYPE_MESSAGE) continue;
    const char *member = (const char *)message + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
      size_t count = *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
      ProtobufCMessage *const *items = *(ProtobufCMessage *const **)(const void *)member;
      for (size_t k = 0; k < count; k++) {
        if (is_too_deep(items[k], depth + 1)) return true;
      }
    } else {
      const ProtobufCMessage *item = *(ProtobufCMessage *const *)(const void *)member;
      if (item != NULL && is_too_deep(item, depth + 1)) return true;
    }
  }
  return false;
}

fxonnx_status fxonnx_packed_size(const void *message, uint64_t *size, fxonnx_error *error) {
  const ProtobufCMessage *root = message;
  const char *name = root->descriptor->short_name;
  fxonnx_error_set(error, FXONNX_OK, 0, NULL, NULL, 0);
  if (is_too_deep(root, 1)) return fxonnx_error_set(error, FXONNX_TOO_DEEP, 0, name, NULL, FXONNX_DEFAULT_DEPTH);
  uint64_t packed = protobuf_c_message_get_packed_size(root);
  if (size != NULL) *size = packed;
  if (packed > (uint64_t)FXONNX_MESSAGE_LIMIT) {
    return fxonnx_error_set(error, FXONNX_TOO_LARGE, 0, name, NULL, FXONNX_MESSAGE_LIMIT);
  }
  return FXONNX_OK;
}

fxonnx_status fxonnx_pack(const void *message, fxonnx_write write, void *context, fxonnx_error *error) {
  fxonnx_status status = fxonnx_packed_size(message, NULL, error);
  if (status != FXONNX_OK) return status;
  stream s;
  s.base.append = append;
  s.write = write;
  s.context = context;
  s.code = 0;
  s.count = 0;
  protobuf_c_message_pack_to_buffer(message, &s.base);
  send_gathered(&s);
  if (s.code == 0) return FXONNX_OK;
  fxonnx_error_set(error, FXONNX_WRITE_FAILED, 0, NULL, NULL, 0);
  if (error != NULL) error->code = s.code;
  return FXONNX_WRITE_FAILED;
}

static int write_to_file(void *context, const uint8_t *bytes, size_t length) {
  int file_descriptor = *(const int *)context;
  while (length > 0) {
    ssize_t written = write(file_descriptor, bytes, length);
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes += written;
    length -= (size_t)written;
  }
  return 0;
}

fxonnx_status fxonnx_pack_to_file(const void *message, int file_descriptor, fxonnx_error *error) {
  return fxonnx_pack(message, write_to_file, &file_descriptor, error);
}
