// glibc lets a program bring malloc's family itself and keeps its own under other names.

#include "CAllocationMeter.h"

#include <errno.h>
#include <stdatomic.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)

#include <malloc.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *pointer);

static _Atomic int64_t live, peak, largest;
static _Atomic size_t limit = SIZE_MAX;

/// Whether the size may be asked for.
static int admit(size_t size) {
  int64_t wanted = size > INT64_MAX ? INT64_MAX : (int64_t)size;
  int64_t seen = atomic_load_explicit(&largest, memory_order_relaxed);
  while (wanted > seen && !atomic_compare_exchange_weak(&largest, &seen, wanted)) {}
  if (size <= atomic_load_explicit(&limit, memory_order_relaxed)) return 1;
  errno = ENOMEM;
  return 0;
}

static void *counted(void *pointer) {
  if (pointer == NULL) return NULL;
  int64_t size = (int64_t)malloc_usable_size(pointer);
  int64_t now = atomic_fetch_add_explicit(&live, size, memory_order_relaxed) + size;
  int64_t seen = atomic_load_explicit(&peak, memory_order_relaxed);
  while (now > seen && !atomic_compare_exchange_weak(&peak, &seen, now)) {}
  return pointer;
}

static void given_back(int64_t size) { atomic_fetch_sub_explicit(&live, size, memory_order_relaxed); }

void *malloc(size_t size) { return admit(size) ? counted(__libc_malloc(size)) : NULL; }

void *calloc(size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) total = SIZE_MAX;
  return admit(total) ? counted(__libc_calloc(count, size)) : NULL;
}

void *realloc(void *pointer, size_t size) {
  if (!admit(size)) return NULL;
  int64_t before = pointer == NULL ? 0 : (int64_t)malloc_usable_size(pointer);
  void *result = __libc_realloc(pointer, size);
  if (result != NULL || size == 0) given_back(before);
  return counted(result);
}

void *memalign(size_t alignment, size_t size) { return admit(size) ? counted(__libc_memalign(alignment, size)) : NULL; }

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **pointer, size_t alignment, size_t size) {
  void *result = memalign(alignment, size);
  if (result == NULL) return ENOMEM;
  *pointer = result;
  return 0;
}

void free(void *pointer) {
  if (pointer == NULL) return;
  given_back((int64_t)malloc_usable_size(pointer));
  __libc_free(pointer);
}

fx_allocations fx_allocations_read(void) {
  fx_allocations allocations = {
    atomic_load_explicit(&live, memory_order_relaxed), atomic_load_explicit(&peak, memory_order_relaxed),
    atomic_load_explicit(&largest, memory_order_relaxed)};
  return allocations;
}

void fx_allocations_reset(void) {
  atomic_store_explicit(&peak, atomic_load_explicit(&live, memory_order_relaxed), memory_order_relaxed);
  atomic_store_explicit(&largest, 0, memory_order_relaxed);
}

int fx_allocations_are_counted(void) { return 1; }

void fx_allocations_set_limit(size_t bytes) { atomic_store_explicit(&limit, bytes, memory_order_relaxed); }

#else

fx_allocations fx_allocations_read(void) {
  fx_allocations none = {0, 0, 0};
  return none;
}

void fx_allocations_reset(void) {}

int fx_allocations_are_counted(void) { return 0; }

void fx_allocations_set_limit(size_t bytes) { (void)bytes; }

#endif
