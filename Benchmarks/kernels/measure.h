// The best time of a statement over repeated batches.
#ifndef MEASURE_H
#define MEASURE_H

#include <time.h>

// The calling thread's processor time: what other work takes away does not count.
static inline double now_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Batches are grown to about 2 ms, then the best of 15 is kept: other work on the machine only adds time.
#define MEASURE(result, statement)                                      \
  do {                                                                  \
    int count_ = 1;                                                     \
    double best_ = 1e30;                                                \
    for (int trial_ = 0; trial_ < 15; ++trial_) {                       \
      const double start_ = now_seconds();                              \
      for (int i_ = 0; i_ < count_; ++i_) { statement; }                \
      const double spent_ = now_seconds() - start_;                     \
      if (spent_ / count_ < best_) best_ = spent_ / count_;             \
      if (spent_ < 1e-3 && count_ < 1 << 20) { count_ *= 4; --trial_; } \
    }                                                                   \
    (result) = best_;                                                   \
  } while (0)

#endif
