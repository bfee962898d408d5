// COnnx: ONNX files as C structures.
//
// The structures (`Fxonnx__ModelProto`, …) and their codec are generated from proto/onnx.proto and run by
// the system's libprotobuf-c. What this header adds stands in front of that codec, because a model file is
// untrusted input and mostly weights:
//
// - One pass over the wire format before anything is unpacked: it finds truncation, malformed fields,
//   nesting that is too deep, strings that are not UTF-8, and names the place.
// - The same pass leaves big `raw_data` where it is. In an opened document such a `raw_data.data` points
//   into the caller's bytes (a mapped file), unaligned and read-only; nothing copies it, not even packing.
// - Unpacked messages live in an arena with a byte budget, so that a small file cannot take all memory.
// - Packing streams to a file descriptor or a callback, and refuses what protobuf cannot hold (2 GiB).
//
// No function here is thread-safe on the same object; distinct objects are independent. A document that is
// only read may be read from many threads.

#ifndef CONNX_H
#define CONNX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onnx.pb-c.h"

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Errors and limits

/// Outcome of a call. Everything but `FXONNX_OK` fills the `fxonnx_error` that was passed.
typedef enum {
  FXONNX_OK = 0,
  /// The bytes end inside a field of the outermost message: a file that was cut off.
  FXONNX_TRUNCATED = 1,
  /// The bytes are not a protobuf message of this kind.
  FXONNX_MALFORMED = 2,
  /// Messages nest deeper than `limits.depth`.
  FXONNX_TOO_DEEP = 3,
  /// A text field is not UTF-8 or holds a NUL character.
  FXONNX_BAD_STRING = 4,
  /// A field that may occur once, and holds a message, occurs again.
  FXONNX_DUPLICATE_FIELD = 5,
  /// The unpacked message needs more memory than `limits.budget`.
  FXONNX_OVER_BUDGET = 6,
  /// The message is bigger than the 2 GiB (less one byte) that protobuf allows.
  FXONNX_TOO_LARGE = 7,
  /// The system had no memory left.
  FXONNX_OUT_OF_MEMORY = 8,
  /// Writing failed; `code` has the errno or what the callback returned.
  FXONNX_WRITE_FAILED = 9,
} fxonnx_status;

/// What went wrong, and where.
typedef struct {
  fxonnx_status status;
  /// Byte offset in the input at which it was noticed. Only for errors of reading.
  uint64_t offset;
  /// Name of the message that holds the field, such as "NodeProto"; static, may be NULL.
  const char *message;
  /// Name of the field, such as "op_type"; static, NULL where the field is unknown.
  const char *field;
  /// The limit that was passed (depth, budget or size in bytes), or 0.
  uint64_t limit;
  /// For `FXONNX_WRITE_FAILED`: errno, or the callback's result.
  int code;
} fxonnx_error;

/// What an input may cost. A zero stands for the default.
typedef struct {
  /// Deepest nesting of messages, the outermost being 1. Default and ceiling 100.
  uint32_t depth;
  /// Most bytes of unpacked structures. Default: 64 MiB and 48 times the input without its detached data,
  /// at most 8 GiB.
  uint64_t budget;
  /// `raw_data` of at least this many bytes is not copied. Default and floor 64.
  uint64_t detach_threshold;
} fxonnx_limits;

/// The largest message that protobuf's length fields are meant for: 2 GiB less one byte.
#define FXONNX_MESSAGE_LIMIT INT64_C(0x7fffffff)

// MARK: Reading

/// The kind of the outermost message: protobuf does not say it in the bytes.
typedef enum {
  FXONNX_MODEL = 0,
  FXONNX_GRAPH = 1,
  FXONNX_NODE = 2,
  FXONNX_FUNCTION = 3,
  FXONNX_TENSOR = 4,
  FXONNX_SPARSE_TENSOR = 5,
  FXONNX_TYPE = 6,
  FXONNX_SEQUENCE = 7,
  FXONNX_MAP = 8,
  FXONNX_OPTIONAL = 9,
} fxonnx_kind;

/// An unpacked message and the memory it lives in.
typedef struct fxonnx_document fxonnx_document;

/// Checks and unpacks `length` bytes. `limits` and `error` may be NULL.
///
/// The bytes must stay readable and unchanged until `fxonnx_close`: big `raw_data` points into them.
/// Fields of later ONNX versions are kept and written out again by packing.
/// Returns NULL on failure, with `error` filled.
fxonnx_document *fxonnx_open(
  fxonnx_kind kind, const uint8_t *bytes, size_t length, const fxonnx_limits *limits, fxonnx_error *error);

/// The outermost message of a document, of the structure that its kind names. Never NULL.
void *fxonnx_root(fxonnx_document *document);

/// Bytes that the unpacked structures take.
uint64_t fxonnx_memory(const fxonnx_document *document);

/// Frees a document and all its messages. NULL is allowed.
void fxonnx_close(fxonnx_document *document);

/// Checks the bytes as `fxonnx_open` would, without unpacking them.
fxonnx_status fxonnx_check(
  fxonnx_kind kind, const uint8_t *bytes, size_t length, const fxonnx_limits *limits, fxonnx_error *error);

// MARK: Building

/// Memory for messages that are built to be packed. Everything is freed at once.
typedef struct fxonnx_arena fxonnx_arena;

/// A new arena that hands out at most `budget` bytes, or NULL without memory.
fxonnx_arena *fxonnx_arena_create(uint64_t budget);

/// `size` zeroed bytes aligned for any message, or NULL when the budget or the memory is used up.
void *fxonnx_arena_allocate(fxonnx_arena *arena, size_t size);

/// Bytes handed out and not given back.
uint64_t fxonnx_arena_used(const fxonnx_arena *arena);

/// Frees the arena and all it handed out. NULL is allowed.
void fxonnx_arena_destroy(fxonnx_arena *arena);

// MARK: Writing

/// Takes the next bytes of a packed message. Returns 0, or a code that stops the writing.
typedef int (*fxonnx_write)(void *context, const uint8_t *bytes, size_t length);

/// Bytes that a message packs to. `FXONNX_TOO_LARGE` and `FXONNX_TOO_DEEP` are found here, before anything is written.
fxonnx_status fxonnx_packed_size(const void *message, uint64_t *size, fxonnx_error *error);

/// Packs a message piece by piece into `write`. Pieces are at most 16 KiB, except bytes fields above that, which are
/// passed as they lie in memory.
fxonnx_status fxonnx_pack(const void *message, fxonnx_write write, void *context, fxonnx_error *error);

/// Packs a message into an open file, from its current position.
fxonnx_status fxonnx_pack_to_file(const void *message, int file_descriptor, fxonnx_error *error);

/// The version of the protobuf-c library in use, such as "1.4.1".
const char *fxonnx_protobuf_version(void);

#ifdef __cplusplus
}
#endif
#endif
