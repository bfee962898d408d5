extension NativePrelude {
  /// What generated CUDA programs share: launches, copies, and the larger kernels.
  static let cuda = #"""
    // CUDA: launches with error checks, copies, tiled products of matrices, convolutions, reductions, softmax.
    #ifndef FX_CUDA_H
    #define FX_CUDA_H

    #include <cuda_runtime.h>

    // Sums of many numbers are in the type of the numbers: double precision is slow on most devices.
    #define FX_NARROW_SUMS
    #include "fx_model.h"

    #if defined(__CUDACC__)
    // A kernel in which threads wait for each other, and one in which they do not.
    #define FX_LAUNCH(kernel, grid, block, stream, ...) kernel<<<grid, block, 0, stream>>>(__VA_ARGS__)
    #define FX_LAUNCH_FREE FX_LAUNCH
    #endif

    namespace fx {

    // A stream, and the first error that anything on it reported: what comes after an error is not started.
    struct queue {
      cudaStream_t stream;
      cudaError_t error;
      void note(cudaError_t result) {
        if (error == cudaSuccess) error = result;
      }
    };

    constexpr int block_size = 256;

    inline unsigned blocks_for(index count) { return unsigned((count + block_size - 1) / block_size); }

    // One thread per element.
    template <class... Parameters, class... Arguments>
    inline void launch(queue& queue, index count, void (*kernel)(Parameters...), Arguments... arguments) {
      if (queue.error != cudaSuccess || count == 0) return;
      FX_LAUNCH_FREE(kernel, dim3(blocks_for(count)), dim3(block_size), queue.stream, Parameters(arguments)...);
      queue.note(cudaGetLastError());
    }

    inline void copy(queue& queue, void* to, const void* from, std::size_t bytes) {
      if (queue.error == cudaSuccess) queue.note(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, queue.stream));
    }

    // A number that the program's control flow needs: the device is waited for.
    template <class T>
    inline T load(queue& queue, const T* from) {
      T value{};
      if (queue.error == cudaSuccess) {
        queue.note(cudaMemcpyAsync(&value, from, sizeof value, cudaMemcpyDeviceToHost, queue.stream));
      }
      if (queue.error == cudaSuccess) queue.note(cudaStreamSynchronize(queue.stream));
      return queue.error == cudaSuccess ? value : T{};
    }

    template <class T>
    __global__ void store_kernel(T* to, T value) {
      if (threadIdx.x == 0) *to = value;
    }
    template <class T>
    inline void store(queue& queue, T* to, T value) {
      if (queue.error != cudaSuccess) return;
      FX_LAUNCH_FREE(store_kernel<T>, dim3(1), dim3(1), queue.stream, to, value);
      queue.note(cudaGetLastError());
    }

    // Sizes of a tile of a product: a block computes 64 x 64 elements, a thread 4 x 4 of them, 16 products at a time.
    constexpr int tile = 64, depth_tile = 16, thread_tile = 4, tile_threads = tile / thread_tile;

    // Products of matrices whose elements functions give: c(i, j, sum of a(i, l) b(l, j)).
    template <class T, class Product>
    __global__ void product_kernel(Product product) {
      __shared__ T a[depth_tile][tile + 1], b[depth_tile][tile + 1];
      const int row = int(threadIdx.y), column = int(threadIdx.x), thread = row * tile_threads + column;
      const index first_row = index(blockIdx.y) * tile, first_column = index(blockIdx.x) * tile;
      product.select(blockIdx.z);
      T sum[thread_tile][thread_tile];
      for (int i = 0; i < thread_tile; ++i) {
        for (int j = 0; j < thread_tile; ++j) sum[i][j] = T(0);
      }
      for (index l = 0; l < product.depth; l += depth_tile) {
        for (int at = thread; at < tile * depth_tile; at += tile_threads * tile_threads) {
          // Neighbouring threads read neighbours along the depth of a, and along the columns of b.
          const int i = at / depth_tile, r = at % depth_tile;
          a[r][i] = first_row + i < product.rows && l + r < product.depth ? product.a(first_row + i, l + r) : T(0);
          const int s = at / tile, j = at % tile;
          b[s][j] = first_column + j < product.columns && l + s < product.depth ? product.b(l + s, first_column + j) : T(0);
        }
        __syncthreads();
        for (int r = 0; r < depth_tile; ++r) {
          for (int i = 0; i < thread_tile; ++i) {
            for (int j = 0; j < thread_tile; ++j) sum[i][j] += a[r][row * thread_tile + i] * b[r][column + j * tile_threads];
          }
        }
        __syncthreads();
      }
      for (int i = 0; i < thread_tile; ++i) {
        for (int j = 0; j < thread_tile; ++j) {
          const index y = first_row + row * thread_tile + i, x = first_column + column + j * tile_threads;
          if (y < product.rows && x < product.columns) product.c(y, x, sum[i][j]);
        }
      }
    }

    template <class T, class Product>
    inline void multiply(queue& queue, index count, const Product& product) {
      if (queue.error != cudaSuccess || count == 0 || product.rows == 0 || product.columns == 0) return;
      const dim3 grid(
          unsigned((product.columns + tile - 1) / tile), unsigned((product.rows + tile - 1) / tile), unsigned(count));
      const auto kernel = &product_kernel<T, Product>;
      FX_LAUNCH(kernel, grid, dim3(tile_threads, tile_threads), queue.stream, product);
      queue.note(cudaGetLastError());
    }

    template <class T>
    struct matrix_product {
      const T *left, *right;
      T* result;
      index inner, rows, columns, depth, a_outer, a_inner, a_row, a_column, b_outer, b_inner, b_row, b_column;
      __device__ void select(index number) {
        left += number / inner * a_outer + number % inner * a_inner;
        right += number / inner * b_outer + number % inner * b_inner;
        result += number * rows * columns;
      }
      __device__ T a(index i, index l) const { return left[i * a_row + l * a_column]; }
      __device__ T b(index l, index j) const { return right[l * b_row + j * b_column]; }
      __device__ void c(index i, index j, T sum) const { result[i * columns + j] = sum; }
    };

    // Products of matrices along two leading dimensions; distances are in elements.
    template <class T>
    inline void matmul(
        queue& queue, const T* a, const T* b, T* c, T*, index outer, index inner, index m, index n, index k, index a_outer,
        index a_inner, index a_row, index a_column, index b_outer, index b_inner, index b_row, index b_column) {
      multiply<T>(
          queue, outer * inner,
          matrix_product<T>{
              a, b, c, inner, m, n, k, a_outer, a_inner, a_row, a_column, b_outer, b_inner, b_row, b_column});
    }

    // A convolution as a product of the kernels' matrix and the elements that each window has at each tap.
    template <class T>
    struct convolution {
      const T *x, *w, *bias;
      T* y;
      index channels, height, width, kernels, out_height, out_width, kernel_height, kernel_width, stride_height, stride_width,
          dilation_height, dilation_width, pad_top, pad_left, group, rows, columns, depth;
      __device__ void select(index number) {
        const index image = number / group, g = number % group, in = channels / group;
        x += (image * channels + g * in) * height * width;
        w += g * rows * depth;
        if (bias) bias += g * rows;
        y += (image * kernels + g * rows) * columns;
      }
      __device__ T a(index i, index l) const { return w[i * depth + l]; }
      __device__ T b(index l, index j) const {
        const index taps = kernel_height * kernel_width, tap = l % taps;
        const index down = j / out_width * stride_height + tap / kernel_width * dilation_height - pad_top;
        const index right = j % out_width * stride_width + tap % kernel_width * dilation_width - pad_left;
        if (down < 0 || down >= height || right < 0 || right >= width) return T(0);
        return x[(l / taps * height + down) * width + right];
      }
      __device__ void c(index i, index j, T sum) const { y[i * columns + j] = bias ? sum + bias[i] : sum; }
    };

    template <class T>
    inline void convolve(
        queue& queue, const T* x, const T* w, const T* bias, T* y, index batch, index channels, index height, index width,
        index kernels, index out_height, index out_width, index kernel_height, index kernel_width, index stride_height,
        index stride_width, index dilation_height, index dilation_width, index pad_top, index pad_left, index group) {
      multiply<T>(
          queue, batch * group,
          convolution<T>{
              x, w, bias, y, channels, height, width, kernels, out_height, out_width, kernel_height, kernel_width,
              stride_height, stride_width, dilation_height, dilation_width, pad_top, pad_left, group, kernels / group,
              out_height * out_width, channels / group * kernel_height * kernel_width});
    }
    template <class T, class... Numbers>
    inline void conv2d(queue& queue, const T* x, const T* w, T* y, T*, Numbers... numbers) {
      convolve<T>(queue, x, w, nullptr, y, numbers...);
    }
    template <class T, class... Numbers>
    inline void conv2d_bias(queue& queue, const T* x, const T* w, const T* bias, T* y, T*, Numbers... numbers) {
      convolve<T>(queue, x, w, bias, y, numbers...);
    }

    struct join_sum {
      template <class T> __device__ static T start() { return T(0); }
      template <class T> __device__ static T join(T a, T b) { return a + b; }
    };
    struct join_prod {
      template <class T> __device__ static T start() { return T(1); }
      template <class T> __device__ static T join(T a, T b) { return a * b; }
    };
    struct join_max {
      template <class T> __device__ static T start() { return lowest<T>(); }
      template <class T> __device__ static T join(T a, T b) { return maximum(a, b); }
    };
    struct join_min {
      template <class T> __device__ static T start() { return largest<T>(); }
      template <class T> __device__ static T join(T a, T b) { return minimum(a, b); }
    };

    constexpr int line_threads = 128;

    // What the threads of a block have, joined; every thread gets it.
    template <class A, class Join>
    __device__ inline A join_block(A mine) {
      __shared__ A parts[line_threads];
      __syncthreads();  // what an earlier call left may still be read
      parts[threadIdx.x] = mine;
      __syncthreads();
      for (int width = line_threads / 2; width > 0; width /= 2) {
        if (int(threadIdx.x) < width) parts[threadIdx.x] = Join::join(parts[threadIdx.x], parts[threadIdx.x + width]);
        __syncthreads();
      }
      return parts[0];
    }

    // One block per line of [outer, length, inner].
    template <class T, class Join>
    __global__ void reduce_kernel(const T* x, T* y, index length, index inner, sum_of<T> divisor) {
      using number = sum_of<T>;
      const T* line = x + index(blockIdx.x) / inner * length * inner + index(blockIdx.x) % inner;
      number mine = Join::template start<number>();
      for (index i = threadIdx.x; i < length; i += line_threads) mine = Join::join(mine, number(line[i * inner]));
      const number all = join_block<number, Join>(mine);
      if (threadIdx.x == 0) y[blockIdx.x] = T(all / divisor);
    }

    template <class T, class Join>
    inline void reduce(queue& queue, const T* x, T* y, index outer, index length, index inner, sum_of<T> divisor) {
      if (queue.error != cudaSuccess || outer * inner == 0) return;
      const auto kernel = &reduce_kernel<T, Join>;
      FX_LAUNCH(kernel, dim3(unsigned(outer * inner)), dim3(line_threads), queue.stream, x, y, length, inner, divisor);
      queue.note(cudaGetLastError());
    }
    template <class T>
    inline void reduce_sum(queue& queue, const T* x, T* y, index outer, index length, index inner) {
      reduce<T, join_sum>(queue, x, y, outer, length, inner, 1);
    }
    template <class T>
    inline void reduce_mean(queue& queue, const T* x, T* y, index outer, index length, index inner) {
      reduce<T, join_sum>(queue, x, y, outer, length, inner, sum_of<T>(length));
    }
    template <class T>
    inline void reduce_max(queue& queue, const T* x, T* y, index outer, index length, index inner) {
      reduce<T, join_max>(queue, x, y, outer, length, inner, 1);
    }
    template <class T>
    inline void reduce_min(queue& queue, const T* x, T* y, index outer, index length, index inner) {
      reduce<T, join_min>(queue, x, y, outer, length, inner, 1);
    }
    template <class T>
    inline void reduce_prod(queue& queue, const T* x, T* y, index outer, index length, index inner) {
      reduce<T, join_prod>(queue, x, y, outer, length, inner, 1);
    }

    // e^(x - largest) / sum, one block per line.
    template <class T>
    __global__ void softmax_kernel(const T* x, T* y, index length, index inner) {
      using number = sum_of<T>;
      const index start = index(blockIdx.x) / inner * length * inner + index(blockIdx.x) % inner;
      number best = lowest<number>();
      for (index i = threadIdx.x; i < length; i += line_threads) best = maximum(best, number(x[start + i * inner]));
      best = join_block<number, join_max>(best);
      number sum = 0;
      for (index i = threadIdx.x; i < length; i += line_threads) sum += exp(number(x[start + i * inner]) - best);
      sum = join_block<number, join_sum>(sum);
      for (index i = threadIdx.x; i < length; i += line_threads) {
        y[start + i * inner] = T(exp(number(x[start + i * inner]) - best) / sum);
      }
    }
    template <class T>
    inline void softmax(queue& queue, const T* x, T* y, index outer, index length, index inner) {
      if (queue.error != cudaSuccess || outer * inner == 0) return;
      const auto kernel = &softmax_kernel<T>;
      FX_LAUNCH(kernel, dim3(unsigned(outer * inner)), dim3(line_threads), queue.stream, x, y, length, inner);
      queue.note(cudaGetLastError());
    }

    }  // namespace fx

    #endif

    """#
}
