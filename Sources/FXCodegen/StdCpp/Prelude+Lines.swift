extension NativePrelude {
  /// Reductions and softmax along an axis on the CPU.
  static let lines = #"""
    // Reductions and softmax of [outer, length, inner] along the middle axis.
    #ifndef FX_LINES_H
    #define FX_LINES_H

    #include "fx_numeric.h"

    namespace fx {

    // Numbers side by side that are joined at the end, so that compilers use vectors without reordering sums themselves.
    constexpr int side_by_side = 16;

    template <class T> struct compute_type { using type = float; };
    template <> struct compute_type<double> { using type = double; };
    // What numbers of a type are computed in.
    template <class T>
    using compute_of = typename compute_type<T>::type;

    struct join_sum {
      template <class T> static T start() { return T(0); }
      template <class T> static T join(T a, T b) { return a + b; }
    };
    struct join_prod {
      template <class T> static T start() { return T(1); }
      template <class T> static T join(T a, T b) { return a * b; }
    };
    struct join_max {
      template <class T> static T start() { return lowest<T>(); }
      template <class T> static T join(T a, T b) { return maximum(a, b); }
    };
    struct join_min {
      template <class T> static T start() { return largest<T>(); }
      template <class T> static T join(T a, T b) { return minimum(a, b); }
    };

    // Joins f(0) ... f(n - 1).
    template <class A, class Join, class F>
    inline A fold(index n, F f) {
      A parts[side_by_side];
      for (int lane = 0; lane < side_by_side; ++lane) parts[lane] = Join::template start<A>();
      index i = 0;
      for (; i + side_by_side <= n; i += side_by_side) {
        for (int lane = 0; lane < side_by_side; ++lane) parts[lane] = Join::join(parts[lane], A(f(i + lane)));
      }
      A result = Join::template start<A>();
      for (int lane = 0; lane < side_by_side; ++lane) result = Join::join(result, parts[lane]);
      for (; i < n; ++i) result = Join::join(result, A(f(i)));
      return result;
    }

    template <class T, class Join, class Finish>
    inline void reduce(const T* __restrict x, T* __restrict y, index outer, index length, index inner, Finish finish) {
      using number = compute_of<T>;
      using sum = sum_of<T>;
      for (index o = 0; o < outer; ++o) {
        const T* from = x + o * length * inner;
        if (inner == 1) {
          y[o] = T(number(finish(fold<sum, Join>(length, [=](index i) { return number(from[i]); }))));
          continue;
        }
        for (index first = 0; first < inner; first += side_by_side) {
          const index count = inner - first < side_by_side ? inner - first : side_by_side;
          sum parts[side_by_side];
          for (int lane = 0; lane < side_by_side; ++lane) parts[lane] = Join::template start<sum>();
          for (index i = 0; i < length; ++i) {
            const T* line = from + i * inner + first;
            if (count == side_by_side) {
              for (int lane = 0; lane < side_by_side; ++lane) parts[lane] = Join::join(parts[lane], sum(number(line[lane])));
            } else {
              for (index lane = 0; lane < count; ++lane) parts[lane] = Join::join(parts[lane], sum(number(line[lane])));
            }
          }
          for (index lane = 0; lane < count; ++lane) y[o * inner + first + lane] = T(number(finish(parts[lane])));
        }
      }
    }

    template <class T>
    inline void reduce_sum(const T* x, T* y, index outer, index length, index inner) {
      reduce<T, join_sum>(x, y, outer, length, inner, [](auto sum) { return sum; });
    }
    template <class T>
    inline void reduce_mean(const T* x, T* y, index outer, index length, index inner) {
      reduce<T, join_sum>(x, y, outer, length, inner, [=](auto sum) { return sum / decltype(sum)(length); });
    }
    template <class T>
    inline void reduce_max(const T* x, T* y, index outer, index length, index inner) {
      reduce<T, join_max>(x, y, outer, length, inner, [](auto best) { return best; });
    }
    template <class T>
    inline void reduce_min(const T* x, T* y, index outer, index length, index inner) {
      reduce<T, join_min>(x, y, outer, length, inner, [](auto best) { return best; });
    }
    template <class T>
    inline void reduce_prod(const T* x, T* y, index outer, index length, index inner) {
      reduce<T, join_prod>(x, y, outer, length, inner, [](auto product) { return product; });
    }

    // e^(x - largest) / sum
    template <class T>
    inline void softmax(const T* __restrict x, T* __restrict y, index outer, index length, index inner) {
      using number = compute_of<T>;
      for (index o = 0; o < outer; ++o) {
        for (index k = 0; k < inner; ++k) {
          const T* from = x + o * length * inner + k;
          T* to = y + o * length * inner + k;
          // Half precision has no room for what is not divided yet.
          if (inner == 1 && std::is_floating_point<T>::value) {
            const number best = fold<number, join_max>(length, [=](index i) { return number(from[i]); });
            for (index i = 0; i < length; ++i) to[i] = T(exp(number(from[i]) - best));
            const sum_of<T> sum = fold<sum_of<T>, join_sum>(length, [=](index i) { return number(to[i]); });
            const number factor = number(1 / sum);
            for (index i = 0; i < length; ++i) to[i] = T(number(to[i]) * factor);
            continue;
          }
          number best = lowest<number>();
          for (index i = 0; i < length; ++i) best = maximum(best, number(from[i * inner]));
          sum_of<T> sum = 0;
          for (index i = 0; i < length; ++i) sum += exp(number(from[i * inner]) - best);
          for (index i = 0; i < length; ++i) {
            to[i * inner] = T(number(exp(number(from[i * inner]) - best) / sum));
          }
        }
      }
    }

    }  // namespace fx

    #endif

    """#
}
