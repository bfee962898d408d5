// The pass over the wire format that comes before unpacking.
//
// It walks the message tree by protobuf-c's own descriptors, checks everything that protobuf-c takes on
// trust, and builds the *skeleton*: the same message without its big `raw_data`, each of which is replaced
// by its place in the input. A message only ever shrinks by this, so its new length fits in the bytes of
// the old one, as a padded varint, and one forward pass is enough. Without big tensors the skeleton is the
// input itself. Weights are never read: the pass steps over them.

#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum {
  TAG_BYTES = 5,
  LENGTH_BYTES = 5,
  VARINT_BYTES = 10,
  RAW_DATA = 9,
  DETACHED_OFFSET = 100001,
  DETACHED_LENGTH = 100002,
};

typedef struct {
  const uint8_t *bytes;
  size_t length;
  uint32_t depth_limit;
  uint64_t threshold;
  fxonnx_error *error;
  // The skeleton so far: `out`, and then the input from `copied` on.
  uint8_t *out;
  size_t out_length;
  size_t out_capacity;
  size_t copied;
  bool changed;
  size_t detached;
} wire_pass;

/// Where a field lies: its tag, its content, and its end.
typedef struct {
  uint32_t number;
  uint32_t wire_type;
  size_t start;
  size_t length_at;
  size_t content;
  size_t end;
} wire_field;

fxonnx_status fxonnx_error_set(
  fxonnx_error *error, fxonnx_status status, uint64_t offset, const char *message, const char *field, uint64_t limit) {
  if (error != NULL) {
    fxonnx_error filled = {status, offset, message, field, limit, 0};
    *error = filled;
  }
  return status;
}

static fxonnx_status fail(
  const wire_pass *pass, fxonnx_status status, size_t offset, const ProtobufCMessageDescriptor *message,
  const ProtobufCFieldDescriptor *field) {
  return fxonnx_error_set(
    pass->error, status, offset, message->short_name, field == NULL ? NULL : field->name,
    status == FXONNX_TOO_DEEP ? pass->depth_limit : 0);
}

// MARK: Writing the skeleton

static fxonnx_status append(wire_pass *pass, const uint8_t *bytes, size_t count) {
  if (count > pass->out_capacity - pass->out_length) {
    size_t capacity = pass->out_capacity < 4096 ? 4096 : pass->out_capacity * 2;
    while (capacity - pass->out_length < count) capacity *= 2;
    uint8_t *grown = realloc(pass->out, capacity);
    if (grown == NULL) return fxonnx_error_set(pass->error, FXONNX_OUT_OF_MEMORY, 0, NULL, NULL, 0);
    pass->out = grown;
    pass->out_capacity = capacity;
  }
  if (count > 0) memcpy(pass->out + pass->out_length, bytes, count);
  pass->out_length += count;
  return FXONNX_OK;
}

/// Copies the input up to `position` into the skeleton.
static fxonnx_status flush(wire_pass *pass, size_t position) {
  fxonnx_status status = append(pass, pass->bytes + pass->copied, position - pass->copied);
  pass->copied = position;
  return status;
}

/// Leaves the input from `start` to `end` out of the skeleton.
static fxonnx_status leave_out(wire_pass *pass, size_t start, size_t end) {
  fxonnx_status status = flush(pass, start);
  pass->copied = end;
  pass->changed = true;
  return status;
}

static size_t skeleton_position(const wire_pass *pass, size_t position) {
  return pass->out_length + (position - pass->copied);
}

static fxonnx_status append_fixed32(wire_pass *pass, uint32_t number, uint32_t value) {
  uint32_t tag = number << 3 | PROTOBUF_C_WIRE_TYPE_32BIT;
  uint8_t bytes[8];
  size_t count = 0;
  while (tag >= 0x80) {
    bytes[count++] = (uint8_t)(tag | 0x80);
    tag >>= 7;
  }
  bytes[count++] = (uint8_t)tag;
  for (int shift = 0; shift < 32; shift += 8) bytes[count++] = (uint8_t)(value >> shift);
  return append(pass, bytes, count);
}

// MARK: Reading fields

/// The length in bytes of the varint at `position`, at most `limit`, or 0 where there is none.
static size_t read_varint(const uint8_t *bytes, size_t position, size_t end, size_t limit, uint64_t *value) {
  uint64_t result = 0;
  for (size_t i = 0; i < limit && position + i < end; i++) {
    uint8_t byte = bytes[position + i];
    result |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *value = result;
      return i + 1;
    }
  }
  return 0;
}

/// Reads the field at `position` of a message that ends at `end`.
static fxonnx_status read_field(
  const wire_pass *pass, const ProtobufCMessageDescriptor *message, size_t position, size_t end, bool outermost,
  wire_field *field) {
  uint64_t value = 0;
  // Only the outermost message can be cut off: an inner one whose fields pass its end contradicts itself.
  fxonnx_status short_status = outermost ? FXONNX_TRUNCATED : FXONNX_MALFORMED;
  field->start = position;
  size_t count = read_varint(pass->bytes, position, end, TAG_BYTES, &value);
  if (count == 0) {
    return fail(pass, end - position < TAG_BYTES ? short_status : FXONNX_MALFORMED, position, message, NULL);
  }
  position += count;
  field->number = (uint32_t)(value >> 3);
  field->wire_type = (uint32_t)(value & 7);
  if (field->number == 0 || value > UINT32_MAX) return fail(pass, FXONNX_MALFORMED, field->start, message, NULL);
  const ProtobufCFieldDescriptor *known = protobuf_c_message_descriptor_get_field(message, field->number);

  field->length_at = position;
  uint64_t size = 0;
  switch (field->wire_type) {
  case PROTOBUF_C_WIRE_TYPE_VARINT:
    size = read_varint(pass->bytes, position, end, VARINT_BYTES, &value);
    if (size == 0) {
      return fail(pass, end - position < VARINT_BYTES ? short_status : FXONNX_MALFORMED, position, message, known);
    }
    break;
  case PROTOBUF_C_WIRE_TYPE_64BIT:
    size = 8;
    break;
  case PROTOBUF_C_WIRE_TYPE_32BIT:
    size = 4;
    break;
  case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
    count = read_varint(pass->bytes, position, end, LENGTH_BYTES, &size);
    if (count == 0) {
      return fail(pass, end - position < LENGTH_BYTES ? short_status : FXONNX_MALFORMED, position, message, known);
    }
    position += count;
    break;
  default:
    return fail(pass, FXONNX_MALFORMED, field->start, message, known);
  }
  if (size > end - position) return fail(pass, short_status, field->start, message, known);
  field->content = position;
  field->end = position + (size_t)size;
  return FXONNX_OK;
}

// MARK: Checking content

static uint32_t expected_wire_type(ProtobufCType type) {
  switch (type) {
  case PROTOBUF_C_TYPE_FLOAT:
  case PROTOBUF_C_TYPE_FIXED32:
  case PROTOBUF_C_TYPE_SFIXED32:
    return PROTOBUF_C_WIRE_TYPE_32BIT;
  case PROTOBUF_C_TYPE_DOUBLE:
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_SFIXED64:
    return PROTOBUF_C_WIRE_TYPE_64BIT;
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_BYTES:
  case PROTOBUF_C_TYPE_MESSAGE:
    return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
  default:
    return PROTOBUF_C_WIRE_TYPE_VARINT;
  }
}

/// Whether the bytes are whole elements of a packed repeated field.
static bool is_packed_content(const uint8_t *bytes, size_t count, uint32_t element_wire_type) {
  if (element_wire_type == PROTOBUF_C_WIRE_TYPE_32BIT) return count % 4 == 0;
  if (element_wire_type == PROTOBUF_C_WIRE_TYPE_64BIT) return count % 8 == 0;
  size_t run = 0;
  for (size_t i = 0; i < count; i++) {
    if (bytes[i] < 0x80) run = 0;
    else if (++run == VARINT_BYTES) return false;
  }
  return run == 0;
}

/// The offset of the first byte that is a NUL or no UTF-8, or `count`.
static size_t valid_text_length(const uint8_t *bytes, size_t count) {
  size_t i = 0;
  while (i < count) {
    uint8_t lead = bytes[i];
    if (lead == 0) return i;
    if (lead < 0x80) {
      i++;
      continue;
    }
    size_t extra;
    uint8_t low = 0x80, high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) extra = 1;
    else if (lead >= 0xe0 && lead <= 0xef) extra = 2;
    else if (lead >= 0xf0 && lead <= 0xf4) extra = 3;
    else return i;
    // Overlong forms, surrogates, and what lies above U+10FFFF show in the second byte.
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
    if (count - i <= extra || bytes[i + 1] < low || bytes[i + 1] > high) return i;
    for (size_t k = 2; k <= extra; k++) {
      if ((bytes[i + k] & 0xc0) != 0x80) return i;
    }
    i += extra + 1;
  }
  return count;
}

static fxonnx_status check_leaf(
  const wire_pass *pass, const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *known,
  const wire_field *field) {
  uint32_t expected = expected_wire_type(known->type);
  if (field->wire_type != expected) {
    bool packed = known->label == PROTOBUF_C_LABEL_REPEATED && field->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    if (!packed || !is_packed_content(pass->bytes + field->content, field->end - field->content, expected)) {
      return fail(pass, FXONNX_MALFORMED, field->start, message, known);
    }
  }
  if (known->type == PROTOBUF_C_TYPE_STRING) {
    size_t count = field->end - field->content;
    size_t valid = valid_text_length(pass->bytes + field->content, count);
    if (valid < count) return fail(pass, FXONNX_BAD_STRING, field->content + valid, message, known);
  }
  return FXONNX_OK;
}

// MARK: The walk

static fxonnx_status walk(
  wire_pass *pass, const ProtobufCMessageDescriptor *message, size_t position, size_t end, uint32_t depth);

/// Walks an inner message and corrects its length in the skeleton.
static fxonnx_status walk_inner(
  wire_pass *pass, const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *known,
  const wire_field *field, uint32_t depth) {
  if (field->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
    return fail(pass, FXONNX_MALFORMED, field->start, message, known);
  }
  if (depth >= pass->depth_limit) return fail(pass, FXONNX_TOO_DEEP, field->start, message, known);
  size_t length_at = skeleton_position(pass, field->length_at);
  size_t content = skeleton_position(pass, field->content);
  fxonnx_status status = walk(pass, known->descriptor, field->content, field->end, depth + 1);
  if (status != FXONNX_OK) return status;
  size_t length = skeleton_position(pass, field->end) - content;
  if (length == field->end - field->content) return FXONNX_OK;
  // Something inside was left out, so the bytes of the length are in `out` already.
  for (size_t i = length_at; i < content; i++) {
    pass->out[i] = (uint8_t)((length & 0x7f) | (i + 1 < content ? 0x80 : 0));
    length >>= 7;
  }
  return FXONNX_OK;
}

static fxonnx_status walk(
  wire_pass *pass, const ProtobufCMessageDescriptor *message, size_t position, size_t end, uint32_t depth) {
  bool is_tensor = message == &fxonnx__tensor_proto__descriptor;
  uint64_t seen = 0;
  bool detached = false;
  wire_field raw_data = {0};

  while (position < end) {
    wire_field field;
    fxonnx_status status = read_field(pass, message, position, end, depth == 1, &field);
    if (status != FXONNX_OK) return status;
    position = field.end;

    if (is_tensor && (field.number == DETACHED_OFFSET || field.number == DETACHED_LENGTH)) {
      status = leave_out(pass, field.start, field.end);
      if (status != FXONNX_OK) return status;
      continue;
    }
    const ProtobufCFieldDescriptor *known = protobuf_c_message_descriptor_get_field(message, field.number);
    if (known == NULL) continue;
    if (known->type == PROTOBUF_C_TYPE_MESSAGE) {
      // protobuf would merge the two; nothing that writes ONNX relies on it, and a tensor merged from a
      // detached and an inline half would be neither.
      if (known->label != PROTOBUF_C_LABEL_REPEATED) {
        uint64_t bit = UINT64_C(1) << (unsigned)(known - message->fields);
        if (seen & bit) return fail(pass, FXONNX_DUPLICATE_FIELD, field.start, message, known);
        seen |= bit;
      }
      status = walk_inner(pass, message, known, &field, depth);
    } else {
      status = check_leaf(pass, message, known, &field);
    }
    if (status != FXONNX_OK) return status;

    if (is_tensor && field.number == RAW_DATA) {
      // The last of several counts, as everywhere in protobuf.
      detached = field.end - field.content >= pass->threshold;
      raw_data = field;
      if (detached) status = leave_out(pass, field.start, field.end);
      if (status != FXONNX_OK) return status;
    }
  }

  if (!detached) return FXONNX_OK;
  fxonnx_status status = flush(pass, end);
  if (status == FXONNX_OK) status = append_fixed32(pass, DETACHED_OFFSET, (uint32_t)raw_data.content);
  if (status == FXONNX_OK) status = append_fixed32(pass, DETACHED_LENGTH, (uint32_t)(raw_data.end - raw_data.content));
  pass->detached++;
  return status;
}

fxonnx_status fxonnx_wire_pass(
  const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t length, const fxonnx_limits *limits,
  fxonnx_skeleton *skeleton, fxonnx_error *error) {
  if (length > (size_t)FXONNX_MESSAGE_LIMIT) {
    return fxonnx_error_set(error, FXONNX_TOO_LARGE, 0, descriptor->short_name, NULL, FXONNX_MESSAGE_LIMIT);
  }
  wire_pass pass = {.bytes = bytes, .length = length, .error = error};
  pass.depth_limit = FXONNX_DEFAULT_DEPTH;
  pass.threshold = FXONNX_DEFAULT_THRESHOLD;
  if (limits != NULL) {
    if (limits->depth != 0 && limits->depth < pass.depth_limit) pass.depth_limit = limits->depth;
    // Below the floor the place of the data would be longer than the data, and the skeleton might grow.
    if (limits->detach_threshold > pass.threshold) pass.threshold = limits->detach_threshold;
  }
  fxonnx_status status = walk(&pass, descriptor, 0, length, 1);
  if (status == FXONNX_OK && pass.changed) status = flush(&pass, length);
  if (status != FXONNX_OK) {
    free(pass.out);
    return status;
  }
  skeleton->owned = pass.out;
  skeleton->bytes = pass.changed ? pass.out : bytes;
  skeleton->length = pass.changed ? pass.out_length : length;
  skeleton->detached = pass.detached;
  return FXONNX_OK;
}
