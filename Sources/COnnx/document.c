// Opening: wire pass, unpacking into an arena, and pointing detached `raw_data` into the input.

#include <stdlib.h>

#include "internal.h"

struct fxonnx_document {
  fxonnx_arena *arena;
  ProtobufCMessage *root;
};

const ProtobufCMessageDescriptor *fxonnx_descriptor(fxonnx_kind kind) {
  switch (kind) {
  case FXONNX_MODEL: return &fxonnx__model_proto__descriptor;
  case FXONNX_GRAPH: return &fxonnx__graph_proto__descriptor;
  case FXONNX_NODE: return &fxonnx__node_proto__descriptor;
  case FXONNX_FUNCTION: return &fxonnx__function_proto__descriptor;
  case FXONNX_TENSOR: return &fxonnx__tensor_proto__descriptor;
  case FXONNX_SPARSE_TENSOR: return &fxonnx__sparse_tensor_proto__descriptor;
  case FXONNX_TYPE: return &fxonnx__type_proto__descriptor;
  case FXONNX_SEQUENCE: return &fxonnx__sequence_proto__descriptor;
  case FXONNX_MAP: return &fxonnx__map_proto__descriptor;
  case FXONNX_OPTIONAL: return &fxonnx__optional_proto__descriptor;
  }
  return NULL;
}

/// Whether messages of this type never hold a tensor; most messages of a model are of these.
static bool holds_no_tensor(const ProtobufCMessageDescriptor *descriptor) {
  return descriptor == &fxonnx__value_info_proto__descriptor || descriptor == &fxonnx__type_proto__descriptor
      || descriptor == &fxonnx__string_string_entry_proto__descriptor
      || descriptor == &fxonnx__operator_set_id_proto__descriptor
      || descriptor == &fxonnx__tensor_annotation__descriptor
      || descriptor == &fxonnx__device_configuration_proto__descriptor
      || descriptor == &fxonnx__node_device_configuration_proto__descriptor;
}

/// Points the `raw_data` of every detached tensor below `message` into `bytes`. The depth was checked on the wire.
static void attach(ProtobufCMessage *message, const uint8_t *bytes) {
  const ProtobufCMessageDescriptor *descriptor = message->descriptor;
  if (descriptor == &fxonnx__tensor_proto__descriptor) {
    Fxonnx__TensorProto *tensor = (Fxonnx__TensorProto *)message;
    if (!tensor->has_detached_offset) return;
    tensor->has_raw_data = 1;
    tensor->raw_data.data = (uint8_t *)bytes + tensor->detached_offset;
    tensor->raw_data.len = tensor->detached_length;
    tensor->has_detached_offset = 0;
    tensor->has_detached_length = 0;
    return;
  }
  for (unsigned i = 0; i < descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || holds_no_tensor(field->descriptor)) continue;
    char *member = (char *)message + field->offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
      size_t count = *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
      ProtobufCMessage **items = *(ProtobufCMessage ***)(void *)member;
      for (size_t k = 0; k < count; k++) attach(items[k], bytes);
    } else {
      ProtobufCMessage *item = *(ProtobufCMessage **)(void *)member;
      if (item != NULL) attach(item, bytes);
    }
  }
}

static uint64_t default_budget(size_t skeleton_length) {
  uint64_t budget = (UINT64_C(64) << 20) + 48 * (uint64_t)skeleton_length;
  uint64_t most = UINT64_C(8) << 30;
  return budget < most ? budget : most;
}

static fxonnx_document *unpack(
  const ProtobufCMessageDescriptor *descriptor, const fxonnx_skeleton *skeleton, uint64_t budget,
  const uint8_t *bytes, fxonnx_error *error) {
  const char *name = descriptor->short_name;
  fxonnx_arena *arena = fxonnx_arena_create(budget);
  fxonnx_document *document = arena == NULL ? NULL : fxonnx_arena_allocate(arena, sizeof *document);
  if (document == NULL) {
    fxonnx_error_set(error, arena == NULL ? FXONNX_OUT_OF_MEMORY : fxonnx_arena_status(arena), 0, name, NULL, budget);
    fxonnx_arena_destroy(arena);
    return NULL;
  }
  ProtobufCAllocator allocator = fxonnx_arena_allocator(arena);
  // protobuf-c tells an empty message from a missing one by the pointer.
  const uint8_t *input = skeleton->bytes == NULL ? (const uint8_t *)"" : skeleton->bytes;
  ProtobufCMessage *root = protobuf_c_message_unpack(descriptor, &allocator, skeleton->length, input);
  if (root == NULL) {
    fxonnx_status status = fxonnx_arena_status(arena);
    bool over = status == FXONNX_OVER_BUDGET;
    fxonnx_error_set(error, status == FXONNX_OK ? FXONNX_MALFORMED : status, 0, name, NULL, over ? budget : 0);
    fxonnx_arena_destroy(arena);
    return NULL;
  }
  if (skeleton->detached > 0) attach(root, bytes);
  document->arena = arena;
  document->root = root;
  return document;
}

fxonnx_document *fxonnx_open(
  fxonnx_kind kind, const uint8_t *bytes, size_t length, const fxonnx_limits *limits, fxonnx_error *error) {
  fxonnx_error_set(error, FXONNX_OK, 0, NULL, NULL, 0);
  const ProtobufCMessageDescriptor *descriptor = fxonnx_descriptor(kind);
  if (descriptor == NULL) {
    fxonnx_error_set(error, FXONNX_MALFORMED, 0, NULL, NULL, 0);
    return NULL;
  }
  fxonnx_skeleton skeleton = {0};
  if (fxonnx_wire_pass(descriptor, bytes, length, limits, &skeleton, error) != FXONNX_OK) return NULL;
  uint64_t budget = limits != NULL && limits->budget != 0 ? limits->budget : default_budget(skeleton.length);
  fxonnx_document *document = unpack(descriptor, &skeleton, budget, bytes, error);
  free(skeleton.owned);
  return document;
}

fxonnx_status fxonnx_check(
  fxonnx_kind kind, const uint8_t *bytes, size_t length, const fxonnx_limits *limits, fxonnx_error *error) {
  fxonnx_error_set(error, FXONNX_OK, 0, NULL, NULL, 0);
  const ProtobufCMessageDescriptor *descriptor = fxonnx_descriptor(kind);
  if (descriptor == NULL) return fxonnx_error_set(error, FXONNX_MALFORMED, 0, NULL, NULL, 0);
  fxonnx_skeleton skeleton = {0};
  fxonnx_status status = fxonnx_wire_pass(descriptor, bytes, length, limits, &skeleton, error);
  if (status == FXONNX_OK) free(skeleton.owned);
  return status;
}

void *fxonnx_root(fxonnx_document *document) { return document->root; }

uint64_t fxonnx_memory(const fxonnx_document *document) { return fxonnx_arena_used(document->arena); }

void fxonnx_close(fxonnx_document *document) {
  if (document != NULL) fxonnx_arena_destroy(document->arena);
}

const char *fxonnx_protobuf_version(void) { return protobuf_c_version(); }
