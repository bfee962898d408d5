// A fork-join pool of threads: chunks of an index range are claimed by whoever is free, the caller included.
#ifndef FXK_THREADS_H
#define FXK_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fxk_threads fxk_threads;

// The cores that this process may run on; at least 1.
size_t fxk_core_count(void);

// Works on indices [begin, end). `worker` is below the pool's size and differs between threads that run at once within
// one call of fxk_threads_run: scratch memory can be chosen by it.
typedef void (*fxk_threads_body)(void *context, size_t begin, size_t end, size_t worker);

// A pool of `count` threads, the caller of fxk_threads_run being one of them. Fewer if the system refuses threads; null
// if memory is short.
fxk_threads *fxk_threads_create(size_t count);

// Stops and joins the threads. No call of fxk_threads_run may be under way.
void fxk_threads_destroy(fxk_threads *threads);

// The number of threads, the caller included; at least 1.
size_t fxk_threads_size(const fxk_threads *threads);

// Runs `body` over [0, count) in pieces of `chunk` (the last may be shorter) and returns when all are done.
// Threads may call this at once, and a body may call it: whoever finds the pool busy does its own work alone,
// as worker 0.
void fxk_threads_run(fxk_threads *threads, size_t count, size_t chunk, fxk_threads_body body, void *context);

// Between these calls more jobs are about to come: threads without work stay awake for up to 2 ms.
void fxk_threads_begin_row(fxk_threads *threads);
void fxk_threads_end_row(fxk_threads *threads);

#endif
