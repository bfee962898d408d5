// How much heap a program holds: the functions of malloc's family count what they hand out.

#ifndef C_ALLOCATION_METER_H
#define C_ALLOCATION_METER_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  /// Bytes in use now.
  int64_t live;
  /// The most bytes that were in use since the last reset.
  int64_t peak;
  /// The biggest single block that was asked for since the last reset, whether it was given or not.
  int64_t largest;
} fx_allocations;

/// What was counted; zeros where the system or a sanitizer has the allocator for itself.
fx_allocations fx_allocations_read(void);

/// Lets `peak` and `largest` begin again.
void fx_allocations_reset(void);

/// Whether the meter counts.
int fx_allocations_are_counted(void);

/// Blocks of more bytes than this are refused, as a system without overcommitment would.
void fx_allocations_set_limit(size_t bytes);

#endif
