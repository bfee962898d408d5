// A bump allocator with a budget.
//
// protobuf-c makes many small allocations that die together, and a few big scratch ones that it frees at
// once. The small ones are cut from chunks and never given back singly; the big ones go to malloc, in a
// list, so that scratch memory does not pile up.

#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum {
  ALIGNMENT = 16,
  FIRST_CHUNK = 4096,
  LAST_CHUNK = 1 << 20,
  LARGE = 1 << 15,
};

typedef struct chunk {
  struct chunk *previous;
  size_t padding;
} chunk;

typedef struct large {
  struct large *previous, *next;
  size_t size;
  size_t padding;
} large;

_Static_assert(sizeof(chunk) % ALIGNMENT == 0 && sizeof(large) % ALIGNMENT == 0, "payloads start aligned");

struct fxonnx_arena {
  uint8_t *next;
  size_t left;
  size_t chunk_size;
  chunk *chunks;
  large *larges;
  uint64_t budget;
  uint64_t used;
  fxonnx_status status;
};

fxonnx_arena *fxonnx_arena_create(uint64_t budget) {
  fxonnx_arena *arena = calloc(1, sizeof *arena);
  if (arena == NULL) return NULL;
  arena->budget = budget;
  arena->chunk_size = FIRST_CHUNK;
  return arena;
}

void fxonnx_arena_destroy(fxonnx_arena *arena) {
  if (arena == NULL) return;
  for (chunk *c = arena->chunks; c != NULL;) {
    chunk *previous = c->previous;
    free(c);
    c = previous;
  }
  for (large *l = arena->larges; l != NULL;) {
    large *next = l->next;
    free(l);
    l = next;
  }
  free(arena);
}

static void *fail(fxonnx_arena *arena, fxonnx_status status) {
  arena->status = status;
  return NULL;
}

static void *allocate_large(fxonnx_arena *arena, size_t size) {
  large *l = malloc(sizeof(large) + size);
  if (l == NULL) return fail(arena, FXONNX_OUT_OF_MEMORY);
  l->previous = NULL;
  l->next = arena->larges;
  l->size = size;
  if (l->next != NULL) l->next->previous = l;
  arena->larges = l;
  arena->used += size;
  return l + 1;
}

static void *allocate(void *context, size_t size) {
  fxonnx_arena *arena = context;
  if (size > SIZE_MAX / 2) return fail(arena, FXONNX_OVER_BUDGET);
  size = size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
  if (size > arena->budget - arena->used) return fail(arena, FXONNX_OVER_BUDGET);
  if (size >= LARGE) return allocate_large(arena, size);
  if (size > arena->left) {
    while (arena->chunk_size < size + sizeof(chunk)) arena->chunk_size *= 2;
    chunk *c = malloc(arena->chunk_size);
    if (c == NULL) return fail(arena, FXONNX_OUT_OF_MEMORY);
    c->previous = arena->chunks;
    arena->chunks = c;
    arena->next = (uint8_t *)(c + 1);
    arena->left = arena->chunk_size - sizeof(chunk);
    if (arena->chunk_size < LAST_CHUNK) arena->chunk_size *= 2;
  }
  void *result = arena->next;
  arena->next += size;
  arena->left -= size;
  arena->used += size;
  return result;
}

// protobuf-c does not say the size of what it frees, so big blocks are found in their list. Scratch blocks
// are the newest ones, which makes the search short.
static void give_back(void *context, void *pointer) {
  fxonnx_arena *arena = context;
  if (pointer == NULL) return;
  int steps = 0;
  for (large *l = arena->larges; l != NULL && steps < 64; l = l->next, steps++) {
    if ((void *)(l + 1) != pointer) continue;
    if (l->previous != NULL) l->previous->next = l->next; else arena->larges = l->next;
    if (l->next != NULL) l->next->previous = l->previous;
    arena->used -= l->size;
    free(l);
    return;
  }
}

void *fxonnx_arena_allocate(fxonnx_arena *arena, size_t size) {
  void *result = allocate(arena, size);
  if (result != NULL) memset(result, 0, size);
  return result;
}

uint64_t fxonnx_arena_used(const fxonnx_arena *arena) { return arena->used; }

fxonnx_status fxonnx_arena_status(const fxonnx_arena *arena) { return arena->status; }

ProtobufCAllocator fxonnx_arena_allocator(fxonnx_arena *arena) {
  ProtobufCAllocator allocator = {allocate, give_back, arena};
  return allocator;
}
