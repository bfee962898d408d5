// A stand-in for CUDA's run time that runs kernels on the CPU, to check what generated programs compute: not how fast, and
// nothing about a device's memory model.
//
// Threads of a block are fibers that run one after another from barrier to barrier, in an order that the variable
// FX_THREAD_ORDER chooses (forward, reverse, random): what depends on the order shows as a difference between orders.
// Memory starts as NaN. Barriers that not all threads reach, and threads that read shared memory of a block before, stop
// the program.
#pragma once
#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __shared__ static

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

using cudaError_t = int;
using cudaStream_t = struct stand_in_stream*;
enum : int { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorMemoryAllocation = 2, cudaErrorInvalidConfiguration = 9 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };

inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace stand_in {

enum class order { forward, reverse, random };

inline order chosen_order() {
  static const char* const name = std::getenv("FX_THREAD_ORDER");
  if (name && std::strcmp(name, "reverse") == 0) return order::reverse;
  return name && std::strcmp(name, "random") == 0 ? order::random : order::forward;
}

[[noreturn]] inline void stop(const char* reason) {
  std::fprintf(stderr, "CUDA stand-in: %s (block %u, %u, %u)\n", reason, blockIdx.x, blockIdx.y, blockIdx.z);
  std::exit(86);
}

// A thread's stack and place. Made once; it runs one thread after another. Contexts only start a stack: switching by them
// would ask the system for the signal mask each time.
struct fiber {
  ucontext_t start;
  jmp_buf place;
  std::vector<char> stack;
  dim3 thread;
  bool started = false, done = false;
  int barrier = 0;
};

inline std::vector<fiber*> fibers;
inline jmp_buf scheduler;
inline fiber* current = nullptr;
inline const std::function<void()>* kernel_body = nullptr;

inline dim3 thread_at(unsigned number, dim3 block) {
  return dim3(number % block.x, number / block.x % block.y, number / (block.x * block.y));
}

inline void to_scheduler() {
  if (_setjmp(current->place) == 0) _longjmp(scheduler, 1);
}

inline void fiber_main() {
  for (;;) {
    (*kernel_body)();
    current->done = true;
    to_scheduler();
  }
}

inline void resume(fiber& next) {
  current = &next;
  threadIdx = next.thread;
  if (_setjmp(scheduler) != 0) return;
  if (next.started) _longjmp(next.place, 1);
  next.started = true;
  setcontext(&next.start);
}

inline void wait(int line) {
  if (!current) stop("a barrier in a kernel that was launched as having none");
  current->barrier = line;
  to_scheduler();
  threadIdx = current->thread;
}

// The order in which threads go from one barrier to the next.
inline void arrange(std::vector<unsigned>& numbers) {
  static std::mt19937 generator(7);
  if (chosen_order() == order::reverse) std::sort(numbers.begin(), numbers.end(), std::greater<>());
  if (chosen_order() == order::random) std::shuffle(numbers.begin(), numbers.end(), generator);
}

inline void run_block(unsigned count) {
  std::vector<unsigned> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0u);
  for (;;) {
    arrange(numbers);
    unsigned done = 0;
    int line = -1;
    for (unsigned number : numbers) {
      fiber& next = *fibers[number];
      if (!next.done) resume(next);
      if (next.done) {
        ++done;
      } else {
        if (line >= 0 && line != next.barrier) stop("threads wait at different barriers");
        line = next.barrier;
      }
    }
    current = nullptr;
    if (done == count) return;
    if (done > 0) stop("threads ended while others wait at a barrier");
  }
}

template <class Body>
inline cudaError_t for_each_block(dim3 grid, dim3 block, Body body) {
  const unsigned count = block.x * block.y * block.z;
  if (count == 0 || count > 1024 || grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535) {
    return cudaErrorInvalidConfiguration;
  }
  gridDim = grid;
  blockDim = block;
  std::vector<unsigned> blocks(std::size_t(grid.x) * grid.y * grid.z);
  std::iota(blocks.begin(), blocks.end(), 0u);
  arrange(blocks);
  for (unsigned number : blocks) {
    blockIdx = thread_at(number, grid);
    body(count);
  }
  return cudaSuccess;
}

inline cudaError_t last_error = cudaSuccess;

// Kernels with barriers.
template <class Kernel, class... Arguments>
inline void launch(Kernel kernel, dim3 grid, dim3 block, cudaStream_t, Arguments... arguments) {
  const std::function<void()> body = [=] { kernel(arguments...); };
  kernel_body = &body;
  last_error = for_each_block(grid, block, [=](unsigned count) {
    while (fibers.size() < count) {
      fiber* made = new fiber();  // as long as the program runs
      made->stack.resize(1 << 16);
      getcontext(&made->start);
      made->start.uc_stack.ss_sp = made->stack.data();
      made->start.uc_stack.ss_size = made->stack.size();
      makecontext(&made->start, fiber_main, 0);
      fibers.push_back(made);
    }
    for (unsigned number = 0; number < count; ++number) {
      fibers[number]->done = false;
      fibers[number]->barrier = 0;
      fibers[number]->thread = thread_at(number, block);
    }
    run_block(count);
  });
}

// Kernels without: threads need no stacks of their own.
template <class Kernel, class... Arguments>
inline void launch_free(Kernel kernel, dim3 grid, dim3 block, cudaStream_t, Arguments... arguments) {
  last_error = for_each_block(grid, block, [=](unsigned count) {
    std::vector<unsigned> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0u);
    arrange(numbers);
    for (unsigned number : numbers) {
      threadIdx = thread_at(number, block);
      kernel(arguments...);
    }
  });
}

}  // namespace stand_in

#define FX_LAUNCH(kernel, grid, block, stream, ...) stand_in::launch(kernel, grid, block, stream, __VA_ARGS__)
#define FX_LAUNCH_FREE(kernel, grid, block, stream, ...) stand_in::launch_free(kernel, grid, block, stream, __VA_ARGS__)
#define __syncthreads() stand_in::wait(__LINE__)

inline cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  *memory = std::malloc(bytes);
  if (*memory) std::memset(*memory, 0xff, bytes);
  return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}
inline cudaError_t cudaFree(void* memory) {
  std::free(memory);
  return cudaSuccess;
}
inline cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  if (bytes > 0) std::memcpy(to, from, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
  return cudaMemcpy(to, from, bytes, kind);
}
inline cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t) {
  std::memset(to, value, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  *stream = nullptr;
  return cudaSuccess;
}
inline cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaGetLastError() {
  const cudaError_t error = stand_in::last_error;
  stand_in::last_error = cudaSuccess;
  return error;
}
