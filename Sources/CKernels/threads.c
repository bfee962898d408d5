// The fork-join pool of include/fxk_threads.h.
//
// Each thread owns a share of a job's chunks, always the same part of the range, and takes from others when its own are
// done: what one job left in a core's cache is there when the next reads it. A share is one word, (generation, chunks left).
// Whoever wants a chunk of it swaps (generation, left) for (generation, left - 1). Finished jobs leave nothing to take, so
// that who succeeds holds a chunk of the job that runs, whose fields do not change before that chunk is done.
//
// Idle threads watch `generation` for a while, then sleep on `epoch`. The publisher makes a system call only if somebody
// sleeps. To wake one takes as long as a short job, so while somebody says that more jobs are about to come, idle threads
// watch longer, provided that there is a core for each.
// c11 hides syscall and posix_memalign without this.
#define _GNU_SOURCE
#include "include/fxk_threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#endif

enum {
  LINE = 64,
  // How often idle threads look: about 0.1 ms, and 2 ms between jobs of a row.
  LOOKS = 1 << 16,
  PATIENT_LOOKS = 20 << 16,
  // Looks between pauses. Hypervisors take the core from a thread that pauses often and does nothing else.
  LOOKS_PER_PAUSE = 32,
};

// The chunks of the current job that one thread does first.
typedef struct share {
  _Alignas(LINE) _Atomic uint64_t left;  // generation << 32 | chunks left
} share;

typedef struct worker {
  fxk_threads *pool;
  size_t index;
  pthread_t thread;
} worker;

struct fxk_threads {
  _Alignas(LINE) _Atomic uint32_t generation;
  _Alignas(LINE) _Atomic uint32_t done;   // chunks finished of the current job
  _Atomic uint32_t caller_waits;
  _Alignas(LINE) _Atomic uint32_t epoch;  // counts publications; sleepers wait on it
  _Atomic uint32_t sleepers;
  _Atomic uint32_t stop;
  _Alignas(LINE) _Atomic uint32_t busy;  // held by the caller whose job runs
  // The job.
  _Atomic(fxk_threads_body) body;
  _Atomic(void *) context;
  _Atomic size_t count;
  _Atomic size_t chunk;
  _Atomic uint32_t chunks;
  _Alignas(LINE) _Atomic uint32_t rows;  // how many callers say that more jobs will come
  // Constant after creation.
  size_t size;
  bool has_cores;  // one for each thread
  worker *workers;
  share *shares;
#if !defined(__linux__)
  pthread_mutex_t mutex;
  pthread_cond_t condition;
#endif
};

static inline void pause_core(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// Whether to look once more after so many looks in vain.
static inline bool looks_on(const fxk_threads *pool, int looks) {
  if (looks % LOOKS_PER_PAUSE != 0) return true;
  pause_core();
  if (looks < LOOKS) return true;
  return looks < PATIENT_LOOKS && pool->has_cores && atomic_load_explicit(&pool->rows, memory_order_relaxed) != 0;
}

size_t fxk_core_count(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return (size_t)CPU_COUNT(&set);
#endif
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (size_t)count : 1;
}

// Sleeps while *word == expected; may wake without reason.
static void wait_on(fxk_threads *pool, _Atomic uint32_t *word, uint32_t expected) {
#if defined(__linux__)
  (void)pool;
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
#else
  pthread_mutex_lock(&pool->mutex);
  if (atomic_load(word) == expected) pthread_cond_wait(&pool->condition, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
#endif
}

static void wake(fxk_threads *pool, _Atomic uint32_t *word, int count) {
#if defined(__linux__)
  (void)pool;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
#else
  (void)word;
  (void)count;
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->condition);
  pthread_mutex_unlock(&pool->mutex);
#endif
}

// Takes and runs chunks, the thread's own first, until none is left.
static void work(fxk_threads *pool, size_t index) {
  const size_t size = pool->size;
  for (size_t offset = 0; offset < size; ++offset) {
    const size_t owner = index + offset < size ? index + offset : index + offset - size;
    _Atomic uint64_t *left = &pool->shares[owner].left;
    uint64_t seen = atomic_load_explicit(left, memory_order_acquire);
    while ((uint32_t)seen != 0) {
      if (!atomic_compare_exchange_weak_explicit(left, &seen, seen - 1, memory_order_acq_rel, memory_order_acquire)) continue;
      const size_t chunks = atomic_load_explicit(&pool->chunks, memory_order_relaxed);
      const size_t owners = chunks < size ? chunks : size;
      const size_t count = atomic_load_explicit(&pool->count, memory_order_relaxed);
      const size_t chunk = atomic_load_explicit(&pool->chunk, memory_order_relaxed);
      const fxk_threads_body body = atomic_load_explicit(&pool->body, memory_order_relaxed);
      void *context = atomic_load_explicit(&pool->context, memory_order_relaxed);
      const size_t begin = ((owner + 1) * chunks / owners - (uint32_t)seen) * chunk;
      body(context, begin, count - begin < chunk ? count : begin + chunk, index);
      const uint32_t done = atomic_fetch_add_explicit(&pool->done, 1, memory_order_seq_cst) + 1;
      if (done == chunks && atomic_load_explicit(&pool->caller_waits, memory_order_seq_cst) != 0) wake(pool, &pool->done, 1);
      seen = atomic_load_explicit(left, memory_order_acquire);
    }
  }
}

static void *worker_main(void *argument) {
  const worker *self = argument;
  fxk_threads *pool = self->pool;
  uint32_t last = 0;
  for (;;) {
    uint32_t generation = last;
    for (int looks = 1; generation == last && looks_on(pool, looks); ++looks) {
      generation = atomic_load_explicit(&pool->generation, memory_order_acquire);
    }
    if (generation == last) {
      const uint32_t epoch = atomic_load_explicit(&pool->epoch, memory_order_seq_cst);
      atomic_fetch_add_explicit(&pool->sleepers, 1, memory_order_seq_cst);
      // A publication after the load of `epoch` changes it, so the wait returns at once; one before it shows here.
      generation = atomic_load_explicit(&pool->generation, memory_order_seq_cst);
      if (generation == last && atomic_load_explicit(&pool->stop, memory_order_seq_cst) == 0) {
        wait_on(pool, &pool->epoch, epoch);
      }
      atomic_fetch_sub_explicit(&pool->sleepers, 1, memory_order_seq_cst);
      if (atomic_load_explicit(&pool->stop, memory_order_seq_cst) != 0) return NULL;
      generation = atomic_load_explicit(&pool->generation, memory_order_acquire);
    }
    if (generation != last) {
      last = generation;
      work(pool, self->index);
    }
  }
}

fxk_threads *fxk_threads_create(size_t count) {
  void *memory = NULL;
  if (posix_memalign(&memory, LINE, sizeof(fxk_threads)) != 0) return NULL;
  fxk_threads *pool = memory;
  *pool = (fxk_threads){0};
  pool->size = 1;
  pool->has_cores = count <= fxk_core_count();
#if !defined(__linux__)
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->condition, NULL);
#endif
  if (count <= 1) return pool;
  pool->workers = calloc(count - 1, sizeof(worker));
  void *shares = NULL;
  if (pool->workers == NULL || posix_memalign(&shares, LINE, count * sizeof(share)) != 0) return pool;
  memset(shares, 0, count * sizeof(share));
  pool->shares = shares;
  for (size_t i = 0; i + 1 < count; ++i) {
    worker *w = &pool->workers[i];
    w->pool = pool;
    w->index = i + 1;
    if (pthread_create(&w->thread, NULL, worker_main, w) != 0) break;
    pool->size += 1;
  }
  return pool;
}

void fxk_threads_destroy(fxk_threads *pool) {
  if (pool == NULL) return;
  atomic_store_explicit(&pool->stop, 1, memory_order_seq_cst);
  atomic_fetch_add_explicit(&pool->epoch, 1, memory_order_seq_cst);
  wake(pool, &pool->epoch, INT32_MAX);
  for (size_t i = 0; i + 1 < pool->size; ++i) pthread_join(pool->workers[i].thread, NULL);
#if !defined(__linux__)
  pthread_cond_destroy(&pool->condition);
  pthread_mutex_destroy(&pool->mutex);
#endif
  free(pool->workers);
  free(pool->shares);
  free(pool);
}

size_t fxk_threads_size(const fxk_threads *pool) { return pool->size; }

void fxk_threads_begin_row(fxk_threads *pool) { atomic_fetch_add_explicit(&pool->rows, 1, memory_order_relaxed); }

void fxk_threads_end_row(fxk_threads *pool) { atomic_fetch_sub_explicit(&pool->rows, 1, memory_order_relaxed); }

void fxk_threads_run(fxk_threads *pool, size_t count, size_t chunk, fxk_threads_body body, void *context) {
  if (count == 0) return;
  if (chunk == 0) chunk = 1;
  const size_t chunks = count / chunk + (count % chunk != 0);
  uint32_t idle = 0;
  if (pool->size == 1 || chunks == 1 || chunks > UINT32_MAX - 1
      || !atomic_compare_exchange_strong_explicit(&pool->busy, &idle, 1, memory_order_acquire, memory_order_relaxed)) {
    body(context, 0, count, 0);
    return;
  }
  const uint32_t generation = atomic_load_explicit(&pool->generation, memory_order_relaxed) + 1;
  atomic_store_explicit(&pool->body, body, memory_order_relaxed);
  atomic_store_explicit(&pool->context, context, memory_order_relaxed);
  atomic_store_explicit(&pool->count, count, memory_order_relaxed);
  atomic_store_explicit(&pool->chunk, chunk, memory_order_relaxed);
  atomic_store_explicit(&pool->chunks, (uint32_t)chunks, memory_order_relaxed);
  atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
  const size_t owners = chunks < pool->size ? chunks : pool->size;
  for (size_t owner = 0; owner < owners; ++owner) {
    const size_t share = (owner + 1) * chunks / owners - owner * chunks / owners;
    atomic_store_explicit(&pool->shares[owner].left, (uint64_t)generation << 32 | share, memory_order_release);
  }
  atomic_store_explicit(&pool->generation, generation, memory_order_seq_cst);
  atomic_fetch_add_explicit(&pool->epoch, 1, memory_order_seq_cst);
  const uint32_t sleepers = atomic_load_explicit(&pool->sleepers, memory_order_seq_cst);
  if (sleepers > 0) {
    const size_t wanted = chunks - 1 < pool->size - 1 ? chunks - 1 : pool->size - 1;
    wake(pool, &pool->epoch, (int)(wanted < INT32_MAX ? wanted : INT32_MAX));
  }
  work(pool, 0);
  // What others claimed may still run.
  for (int looks = 1; atomic_load_explicit(&pool->done, memory_order_acquire) != chunks; ++looks) {
    if (looks_on(pool, looks)) continue;
    looks = 0;
    atomic_store_explicit(&pool->caller_waits, 1, memory_order_seq_cst);
    const uint32_t done = atomic_load_explicit(&pool->done, memory_order_seq_cst);
    if (done != chunks) wait_on(pool, &pool->done, done);
    atomic_store_explicit(&pool->caller_waits, 0, memory_order_relaxed);
  }
  atomic_store_explicit(&pool->busy, 0, memory_order_release);
}
