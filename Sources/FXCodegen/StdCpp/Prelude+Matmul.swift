extension NativePrelude {
  /// Products of matrices and convolutions on the CPU.
  ///
  /// A panel of the right matrix is packed so that the innermost loop reads it in order; a tile of the result stays in
  /// registers. Source of the scheme: Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication".
  static let matmul = #"""
    // Matrix products and convolutions: panels of the right matrix are packed, tiles of the result stay in registers.
    #ifndef FX_MATMUL_H
    #define FX_MATMUL_H

    #include "fx_numeric.h"

    #if defined(FX_CBLAS)
    #include <cblas.h>
    #endif

    namespace fx {

    #if defined(__AVX512F__)
    constexpr int vector_bytes = 64, tile_rows = 12;
    #elif defined(__AVX__)
    constexpr int vector_bytes = 32, tile_rows = 6;
    #else
    constexpr int vector_bytes = 16, tile_rows = 4;
    #endif

    // Vectors of GCC and Clang.
    template <class T> struct vector_of;
    template <> struct vector_of<float> { typedef float type __attribute__((vector_size(vector_bytes))); };
    template <> struct vector_of<double> { typedef double type __attribute__((vector_size(vector_bytes))); };

    template <class T> constexpr int lanes = vector_bytes / int(sizeof(T));
    // Columns of a tile, and sizes of a packed panel: a panel stays in the second cache.
    template <class T> constexpr int tile_columns = 2 * lanes<T>;
    constexpr index panel_depth = 256, panel_columns = 256;

    // c[Rows x tile_columns] += a b for a packed tile of b.
    template <class T, int Rows>
    inline void multiply_tile(
        const T* a, index a_row, index a_column, const T* b, T* c, index c_row, index depth, index columns) {
      using vector = typename vector_of<T>::type;
      constexpr int width = lanes<T>;
      vector sum[Rows][2];
    #pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) sum[i][0] = sum[i][1] = vector{};
      for (index l = 0; l < depth; ++l) {
        vector b0, b1;
        std::memcpy(&b0, b + l * 2 * width, sizeof b0);
        std::memcpy(&b1, b + l * 2 * width + width, sizeof b1);
    #pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i) {
          const T x = a[i * a_row + l * a_column];
          sum[i][0] += x * b0;
          sum[i][1] += x * b1;
        }
      }
      if (columns == 2 * width) {
    #pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i) {
          vector old[2];
          std::memcpy(old, c + i * c_row, sizeof old);
          old[0] += sum[i][0];
          old[1] += sum[i][1];
          std::memcpy(c + i * c_row, old, sizeof old);
        }
      } else {
        T row[2 * width];
        for (int i = 0; i < Rows; ++i) {
          std::memcpy(row, sum[i], sizeof row);
          for (index j = 0; j < columns; ++j) c[i * c_row + j] += row[j];
        }
      }
    }

    // c[rows x columns] += a b for a packed panel of b.
    template <class T>
    inline void multiply_panel(
        const T* a, index a_row, index a_column, const T* panel, T* c, index c_row, index rows, index columns, index depth) {
      constexpr index width = tile_columns<T>;
      index i = 0;
      for (; i + tile_rows <= rows; i += tile_rows) {
        for (index j = 0; j < columns; j += width) {
          multiply_tile<T, tile_rows>(
              a + i * a_row, a_row, a_column, panel + j * depth, c + i * c_row + j, c_row, depth,
              columns - j < width ? columns - j : width);
        }
      }
      for (; i + 4 <= rows; i += 4) {
        for (index j = 0; j < columns; j += width) {
          multiply_tile<T, 4>(
              a + i * a_row, a_row, a_column, panel + j * depth, c + i * c_row + j, c_row, depth,
              columns - j < width ? columns - j : width);
        }
      }
      for (; i < rows; ++i) {
        for (index j = 0; j < columns; j += width) {
          multiply_tile<T, 1>(
              a + i * a_row, a_row, a_column, panel + j * depth, c + i * c_row + j, c_row, depth,
              columns - j < width ? columns - j : width);
        }
      }
    }

    // c = a b, where pack(l, depth, j, columns, panel) writes a panel of b: tiles of `tile_columns`, row after row.
    template <class T, class Pack>
    inline void multiply_packed(
        const T* a, index a_row, index a_column, Pack pack, T* c, index m, index n, index k, T* workspace) {
      for (index j = 0; j < n; j += panel_columns) {
        const index columns = n - j < panel_columns ? n - j : panel_columns;
        for (index l = 0; l < k; l += panel_depth) {
          const index depth = k - l < panel_depth ? k - l : panel_depth;
          pack(l, depth, j, columns, workspace);
          multiply_panel(a + l * a_column, a_row, a_column, workspace, c + j, n, m, columns, depth);
        }
      }
    }

    // Products of rows of a and columns of b whose elements follow each other, several rows for each element of b.
    template <class T, int Rows>
    inline void multiply_dots(const T* a, index a_row, const T* b, index b_column, T* c, index n, index k) {
      using vector = typename vector_of<T>::type;
      constexpr int width = lanes<T>;
      for (index j = 0; j < n; ++j) {
        const T* column = b + j * b_column;
        vector sums[Rows][2];
    #pragma GCC unroll 4
        for (int i = 0; i < Rows; ++i) sums[i][0] = sums[i][1] = vector{};
        index l = 0;
        for (; l + 2 * width <= k; l += 2 * width) {
          vector y[2];
          std::memcpy(y, column + l, sizeof y);
    #pragma GCC unroll 4
          for (int i = 0; i < Rows; ++i) {
            vector x[2];
            std::memcpy(x, a + i * a_row + l, sizeof x);
            sums[i][0] += x[0] * y[0];
            sums[i][1] += x[1] * y[1];
          }
        }
        for (int i = 0; i < Rows; ++i) {
          sums[i][0] += sums[i][1];
          T sum = 0;
          for (int lane = 0; lane < width; ++lane) sum += sums[i][0][lane];
          for (index s = l; s < k; ++s) sum += a[i * a_row + s] * column[s];
          c[i * n + j] += sum;
        }
      }
    }

    // Too few rows to be worth packing for: sums of rows of b, or products of rows.
    template <class T>
    inline void multiply_rows(
        const T* a, index a_row, index a_column, const T* __restrict b, index b_row, index b_column, T* __restrict c,
        index m, index n, index k) {
      index i = 0;
      if (b_row == 1 && a_column == 1) {
        for (; i + 4 <= m; i += 4) multiply_dots<T, 4>(a + i * a_row, a_row, b, b_column, c + i * n, n, k);
        for (; i + 2 <= m; i += 2) multiply_dots<T, 2>(a + i * a_row, a_row, b, b_column, c + i * n, n, k);
        if (i < m) multiply_dots<T, 1>(a + i * a_row, a_row, b, b_column, c + i * n, n, k);
        return;
      }
      for (; i < m; ++i) {
        if (b_column == 1) {
          for (index l = 0; l < k; ++l) {
            const T x = a[i * a_row + l * a_column];
            for (index j = 0; j < n; ++j) c[i * n + j] += x * b[l * b_row + j];
          }
          continue;
        }
        for (index j = 0; j < n; ++j) {
          T sum = 0;
          for (index l = 0; l < k; ++l) sum += a[i * a_row + l * a_column] * b[l * b_row + j * b_column];
          c[i * n + j] += sum;
        }
      }
    }

    #if defined(FX_CBLAS)
    inline void blas(
        CBLAS_TRANSPOSE a_form, CBLAS_TRANSPOSE b_form, int m, int n, int k, const float* a, int a_size, const float* b,
        int b_size, float* c) {
      cblas_sgemm(CblasRowMajor, a_form, b_form, m, n, k, 1.f, a, a_size, b, b_size, 1.f, c, n);
    }
    inline void blas(
        CBLAS_TRANSPOSE a_form, CBLAS_TRANSPOSE b_form, int m, int n, int k, const double* a, int a_size, const double* b,
        int b_size, double* c) {
      cblas_dgemm(CblasRowMajor, a_form, b_form, m, n, k, 1., a, a_size, b, b_size, 1., c, n);
    }
    #endif

    // c += a b for one pair of matrices.
    template <class T>
    inline void multiply(
        const T* a, index a_row, index a_column, const T* b, index b_row, index b_column, T* c, index m, index n, index k,
        T* workspace) {
    #if defined(FX_CBLAS)
      (void)workspace;
      const bool a_plain = a_column == 1, b_plain = b_column == 1;
      const index a_size = a_plain ? a_row : a_column, b_size = b_plain ? b_row : b_column;
      blas(
          a_plain ? CblasNoTrans : CblasTrans, b_plain ? CblasNoTrans : CblasTrans, int(m), int(n), int(k), a, int(a_size), b,
          int(b_size), c);
    #else
      // Where packing would transpose b, more rows are needed to make up for it.
      const bool is_dots = b_row == 1 && a_column == 1;
      if (m < 4 || (is_dots && m <= 16)) return multiply_rows(a, a_row, a_column, b, b_row, b_column, c, m, n, k);
      const auto pack = [=](index l, index depth, index j, index columns, T* panel) {
        constexpr index width = tile_columns<T>;
        for (index first = 0; first < columns; first += width) {
          const index count = columns - first < width ? columns - first : width;
          const T* from = b + l * b_row + (j + first) * b_column;
          if (b_column == 1 && count == width) {
            for (index r = 0; r < depth; ++r) std::memcpy(panel + r * width, from + r * b_row, width * sizeof(T));
          } else if (b_row == 1 && count == width) {
            for (index s = 0; s < width; ++s) {
              for (index r = 0; r < depth; ++r) panel[r * width + s] = from[s * b_column + r];
            }
          } else {
            for (index r = 0; r < depth; ++r) {
              for (index s = 0; s < width; ++s) panel[r * width + s] = s < count ? from[r * b_row + s * b_column] : T(0);
            }
          }
          panel += depth * width;
        }
      };
      multiply_packed(a, a_row, a_column, pack, c, m, n, k, workspace);
    #endif
    }

    // Products of matrices along two leading dimensions; distances are in elements.
    template <class T>
    inline void matmul(
        const T* a, const T* b, T* c, T* workspace, index outer, index inner, index m, index n, index k, index a_outer,
        index a_inner, index a_row, index a_column, index b_outer, index b_inner, index b_row, index b_column) {
      std::memset(c, 0, std::size_t(outer * inner * m * n) * sizeof(T));
      for (index o = 0; o < outer; ++o) {
        for (index i = 0; i < inner; ++i) {
          multiply(
              a + o * a_outer + i * a_inner, a_row, a_column, b + o * b_outer + i * b_inner, b_row, b_column,
              c + (o * inner + i) * m * n, m, n, k, workspace);
        }
      }
    }

    // A window over an image of one or two axes.
    struct window {
      index channels, height, width, out_height, out_width, kernel_height, kernel_width, stride_height, stride_width,
          dilation_height, dilation_width, pad_top, pad_left;
    };

    // The elements that `count` windows from `first` on have at one tap; zeros in the padding.
    template <class T>
    inline void gather_taps(const T* x, const window& w, index row, index first, index count, T* to) {
      const index tap = row % (w.kernel_height * w.kernel_width);
      const index channel = row / (w.kernel_height * w.kernel_width);
      const index down = tap / w.kernel_width * w.dilation_height - w.pad_top;
      const index right = tap % w.kernel_width * w.dilation_width - w.pad_left;
      index y = first / w.out_width, out = first % w.out_width;
      while (count > 0) {
        const index run = w.out_width - out < count ? w.out_width - out : count;
        const index source = y * w.stride_height + down;
        if (source < 0 || source >= w.height) {
          for (index i = 0; i < run; ++i) to[i] = T(0);
        } else {
          const T* line = x + (channel * w.height + source) * w.width;
          index place = out * w.stride_width + right, i = 0;
          for (; i < run && place < 0; ++i, place += w.stride_width) to[i] = T(0);
          if (w.stride_width == 1) {
            const index left = run - i < w.width - place ? run - i : w.width - place;
            if (left > 0) {
              std::memcpy(to + i, line + place, std::size_t(left) * sizeof(T));
              i += left;
            }
          } else {
            for (; i < run && place < w.width; ++i, place += w.stride_width) to[i] = line[place];
          }
          for (; i < run; ++i) to[i] = T(0);
        }
        to += run;
        count -= run;
        out = 0;
        ++y;
      }
    }

    // One kernel over one channel: sums of shifted lines.
    template <class T>
    inline void convolve_plane(const T* __restrict x, const T* w, T* __restrict y, const window& at) {
      for (index r = 0; r < at.out_height; ++r) {
        T* __restrict line = y + r * at.out_width;
        for (index i = 0; i < at.kernel_height; ++i) {
          const index source = r * at.stride_height + i * at.dilation_height - at.pad_top;
          if (source < 0 || source >= at.height) continue;
          const T* __restrict from = x + source * at.width;
          for (index j = 0; j < at.kernel_width; ++j) {
            const index shift = j * at.dilation_width - at.pad_left;
            const T factor = w[i * at.kernel_width + j];
            // The columns whose tap is inside.
            const index first = shift < 0 ? (-shift + at.stride_width - 1) / at.stride_width : 0;
            const index room = at.width - 1 - shift;
            const index reach = room < 0 ? 0 : room / at.stride_width + 1;
            const index last = reach < at.out_width ? reach : at.out_width;
            if (at.stride_width == 1) {
              for (index s = first; s < last; ++s) line[s] += factor * from[s + shift];
            } else {
              for (index s = first; s < last; ++s) line[s] += factor * from[s * at.stride_width + shift];
            }
          }
        }
      }
    }

    template <class T>
    inline void convolve(
        const T* x, const T* w, const T* bias, T* y, T* workspace, index batch, index channels, index height, index width,
        index kernels, index out_height, index out_width, index kernel_height, index kernel_width, index stride_height,
        index stride_width, index dilation_height, index dilation_width, index pad_top, index pad_left, index group) {
      const index plane = out_height * out_width, in = channels / group, out = kernels / group;
      const index depth = in * kernel_height * kernel_width;
      const window at = {
          in, height, width, out_height, out_width, kernel_height, kernel_width, stride_height, stride_width,
          dilation_height, dilation_width, pad_top, pad_left};
      const bool pointwise = kernel_height * kernel_width == 1 && stride_height * stride_width == 1 && pad_top == 0 &&
                             pad_left == 0 && plane == height * width;
      for (index n = 0; n < batch; ++n) {
        for (index m = 0; m < kernels; ++m) {
          T* to = y + (n * kernels + m) * plane;
          const T start = bias ? bias[m] : T(0);
          for (index i = 0; i < plane; ++i) to[i] = start;
        }
        for (index g = 0; g < group; ++g) {
          const T* image = x + (n * channels + g * in) * height * width;
          const T* kernel = w + g * out * depth;
          T* to = y + (n * kernels + g * out) * plane;
          if (in == 1) {
            for (index m = 0; m < out; ++m) convolve_plane(image, kernel + m * depth, to + m * plane, at);
          } else if (pointwise) {
            multiply(kernel, depth, index(1), image, plane, index(1), to, out, plane, depth, workspace);
          } else {
            const auto pack = [=](index l, index rows, index j, index columns, T* panel) {
              constexpr index tile = tile_columns<T>;
              for (index first = 0; first < columns; first += tile) {
                const index count = columns - first < tile ? columns - first : tile;
                for (index r = 0; r < rows; ++r, panel += tile) {
                  gather_taps(image, at, l + r, j + first, count, panel);
                  for (index s = count; s < tile; ++s) panel[s] = T(0);
                }
              }
            };
            multiply_packed(kernel, depth, index(1), pack, to, out, plane, depth, workspace);
          }
        }
      }
    }

    // A convolution, or cross-correlation, of images [batch, channels, height, width].
    template <class T, class... Numbers>
    inline void conv2d(const T* x, const T* w, T* y, T* workspace, Numbers... numbers) {
      convolve<T>(x, w, nullptr, y, workspace, numbers...);
    }
    template <class T, class... Numbers>
    inline void conv2d_bias(const T* x, const T* w, const T* bias, T* y, T* workspace, Numbers... numbers) {
      convolve<T>(x, w, bias, y, workspace, numbers...);
    }

    }  // namespace fx

    #endif

    """#
}
