/// Files that every generated native program includes: written once here, the same for all programs.
enum NativePrelude {
  /// Types and functions of single numbers, for C++ and CUDA alike.
  static let numeric = #"""
    // Numbers: half precision, conversions, and functions that compilers turn into vector instructions.
    #ifndef FX_NUMERIC_H
    #define FX_NUMERIC_H

    #include <cmath>
    #include <cstdint>
    #include <cstring>
    #include <limits>
    #include <type_traits>

    #if defined(__CUDACC__)
    #define FX_BOTH __host__ __device__
    #else
    #define FX_BOTH
    #endif

    namespace fx {

    using index = std::int64_t;

    // What a run reports; 0 is success.
    enum status_code {
      ok = 0,
      cannot_open = 1,    // the weights' file
      bad_weights = 2,    // it is not the file that was written with this code
      out_of_memory = 3,
      bad_index = 4,      // an index names no element
      bad_size = 5,       // a size that depends on data is not what the code was generated for
      device_error = 6
    };

    template <class To, class From>
    FX_BOTH inline To bits(From x) {
      static_assert(sizeof(To) == sizeof(From), "the same width");
      To y;
      std::memcpy(&y, &x, sizeof y);
      return y;
    }

    // IEEE 754 binary16: 5 exponent and 10 mantissa bits. Arithmetic is done in float.
    struct half {
      std::uint16_t pattern;
      half() = default;
      FX_BOTH half(float x) : pattern(encode(x)) {}
      FX_BOTH operator float() const {
        const std::uint32_t sign = std::uint32_t(pattern & 0x8000u) << 16;
        const std::uint32_t exponent = (pattern >> 10) & 31u, mantissa = pattern & 1023u;
        if (exponent == 0) {
          const float magnitude = float(mantissa) * 5.9604644775390625e-8f;  // 2^-24
          return sign ? -magnitude : magnitude;
        }
        if (exponent == 31) return bits<float>(sign | 0x7f800000u | mantissa << 13);
        return bits<float>(sign | (exponent + 112u) << 23 | mantissa << 13);
      }

     private:
      // To nearest, ties to even.
      FX_BOTH static std::uint16_t encode(float x) {
        const std::uint32_t pattern = bits<std::uint32_t>(x), sign = (pattern >> 16) & 0x8000u;
        const std::uint32_t magnitude = pattern & 0x7fffffffu;
        if (magnitude > 0x7f800000u) return std::uint16_t(sign | 0x7e00u);
        if (magnitude >= 0x477ff000u) return std::uint16_t(sign | 0x7c00u);
        if (magnitude < 0x38800000u) {
          // Adding 0.5 leaves the subnormal's bits in the lowest places, rounded.
          const float shifted = bits<float>(magnitude) + 0.5f;
          return std::uint16_t(sign | (bits<std::uint32_t>(shifted) - 0x3f000000u));
        }
        const std::uint32_t rounded = magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u);
        return std::uint16_t(sign | rounded >> 13);
      }
    };

    // The upper half of a float. Arithmetic is done in float.
    struct bfloat16 {
      std::uint16_t pattern;
      bfloat16() = default;
      FX_BOTH bfloat16(float x) : pattern(encode(x)) {}
      FX_BOTH operator float() const { return bits<float>(std::uint32_t(pattern) << 16); }

     private:
      FX_BOTH static std::uint16_t encode(float x) {
        const std::uint32_t pattern = bits<std::uint32_t>(x);
        if ((pattern & 0x7fffffffu) > 0x7f800000u) return std::uint16_t(pattern >> 16 | 0x40u);
        return std::uint16_t((pattern + 0x7fffu + ((pattern >> 16) & 1u)) >> 16);
      }
    };

    // A float rounded as if it had been stored.
    template <class T>
    FX_BOTH inline float rounded(float x) {
      return float(T(x));
    }

    #if defined(FX_NARROW_SUMS)
    template <class T> struct sum_type { using type = float; };
    template <> struct sum_type<double> { using type = double; };
    #else
    template <class T> struct sum_type { using type = double; };
    #endif
    // What many numbers are added in.
    template <class T>
    using sum_of = typename sum_type<T>::type;

    template <class T> FX_BOTH inline bool is_nan(T x) { return x != x; }
    template <class T> FX_BOTH inline T infinity() { return std::numeric_limits<T>::infinity(); }
    template <class T> FX_BOTH inline bool is_infinite(T x) { return x == infinity<T>(); }

    // The identity of the maximum, and of the minimum.
    template <class T>
    FX_BOTH inline T lowest() {
      if constexpr (std::is_floating_point<T>::value) return -infinity<T>();
      else return std::numeric_limits<T>::lowest();
    }
    template <class T>
    FX_BOTH inline T largest() {
      if constexpr (std::is_floating_point<T>::value) return infinity<T>();
      else return std::numeric_limits<T>::max();
    }

    // NaN wins.
    template <class T> FX_BOTH inline T maximum(T a, T b) { return a > b || a != a ? a : b; }
    template <class T> FX_BOTH inline T minimum(T a, T b) { return a < b || a != a ? a : b; }

    // The order of all numbers from large to small, NaN first.
    template <class T> FX_BOTH inline bool precedes(T a, T b) { return a > b || (a != a && b == b); }

    // Integers wrap around.
    template <class T>
    FX_BOTH inline T add(T a, T b) {
      if constexpr (std::is_floating_point<T>::value) return a + b;
      else return T(std::uint64_t(a) + std::uint64_t(b));
    }
    template <class T>
    FX_BOTH inline T sub(T a, T b) {
      if constexpr (std::is_floating_point<T>::value) return a - b;
      else return T(std::uint64_t(a) - std::uint64_t(b));
    }
    template <class T>
    FX_BOTH inline T mul(T a, T b) {
      if constexpr (std::is_floating_point<T>::value) return a * b;
      else return T(std::uint64_t(a) * std::uint64_t(b));
    }

    // Integers divide toward zero, and by zero give 0.
    template <class T>
    FX_BOTH inline T div(T a, T b) {
      if constexpr (std::is_floating_point<T>::value) {
        return a / b;
      } else {
        if (b == T(0)) return T(0);
        if constexpr (std::is_signed<T>::value) {
          if (b == T(-1)) return sub(T(0), a);
        }
        return T(a / b);
      }
    }

    // The remainder of the dividend's sign.
    template <class T>
    FX_BOTH inline T fmod(T a, T b) {
      if constexpr (std::is_floating_point<T>::value) {
        return std::fmod(a, b);
      } else {
        if (b == T(0)) return T(0);
        if constexpr (std::is_signed<T>::value) {
          if (b == T(-1)) return T(0);
        }
        return T(a % b);
      }
    }

    // The remainder of the divisor's sign.
    template <class T>
    FX_BOTH inline T mod(T a, T b) {
      const T rest = fmod(a, b);
      if (rest == T(0)) return std::is_floating_point<T>::value && b < T(0) ? T(-0.0) : T(0);
      return (rest < T(0)) != (b < T(0)) ? T(rest + b) : rest;
    }

    template <class T>
    FX_BOTH inline T absolute(T x) {
      if constexpr (std::is_floating_point<T>::value) return std::fabs(x);
      else return x < T(0) ? sub(T(0), x) : x;
    }
    template <class T> FX_BOTH inline T sign(T x) { return x > T(0) ? T(1) : x < T(0) ? sub(T(0), T(1)) : x; }

    // Floating point truncates, saturates, and NaN becomes 0.
    template <class To, class From>
    FX_BOTH inline To cast(From x) {
      if constexpr (std::is_same<To, bool>::value) {
        return x != From(0);
      } else if constexpr (std::is_integral<To>::value && std::is_floating_point<From>::value) {
        if (x != x) return To(0);
        if (x <= From(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
        if (x >= From(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
        return To(x);
      } else {
        return To(x);
      }
    }
    template <class To>
    FX_BOTH inline To saturate(double x) {
      return cast<To>(x);
    }

    template <class T, class E>
    FX_BOTH inline T pow(T a, E b) {
      if constexpr (std::is_integral<T>::value && std::is_integral<E>::value) {
        if (b < E(0)) return a == T(1) ? T(1) : a == T(-1) ? (b % E(2) == E(0) ? T(1) : T(-1)) : T(0);
        T result = 1, base = a;
        for (E rest = b; rest > E(0); rest = E(rest / E(2))) {
          if (rest % E(2) == E(1)) result = mul(result, base);
          base = mul(base, base);
        }
        return result;
      } else if constexpr (std::is_same<T, float>::value && (std::is_same<E, float>::value || std::is_integral<E>::value)) {
        return std::pow(a, float(b));
      } else {
        return cast<T>(std::pow(double(a), double(b)));
      }
    }

    // By a negative amount, or one of at least the width, the sign alone remains.
    template <class T>
    FX_BOTH inline T shift_left(T a, T b) {
      const bool inside = b >= T(0) && std::uint64_t(b) < 8 * sizeof(T);
      return inside ? T(std::uint64_t(a) << std::uint64_t(b)) : T(0);
    }
    template <class T>
    FX_BOTH inline T shift_right(T a, T b) {
      const bool inside = b >= T(0) && std::uint64_t(b) < 8 * sizeof(T);
      return inside ? T(a >> b) : a < T(0) ? T(-1) : T(0);
    }

    // 2^n for n in -126 ... 127.
    FX_BOTH inline float power_of_two(std::uint32_t n) { return bits<float>((n + 127u) << 23); }

    // e^x = 2^n e^r with |r| <= ln 2 / 2 and Taylor's polynomial of degree 7.
    FX_BOTH inline float exp(float x) {
      const float bounded = x < -104.f ? -104.f : x > 89.f ? 89.f : x;
      const float shifted = bounded * 1.44269504f + 12582912.f;  // 1.5 * 2^23: rounds to an integer
      const float n = shifted - 12582912.f;
      const float r = bounded - n * 0.693359375f + n * 2.12194440e-4f;
      float p = 1.98412698e-4f;
      p = p * r + 1.38888889e-3f;
      p = p * r + 8.33333333e-3f;
      p = p * r + 4.16666667e-2f;
      p = p * r + 1.66666667e-1f;
      p = p * r + 0.5f;
      p = p * r + 1.f;
      p = p * r + 1.f;
      // In two steps, so that neither leaves the range of exponents.
      const std::int32_t exponent = std::int32_t(bits<std::uint32_t>(shifted) - 0x4b400000u);
      const std::int32_t first = exponent >> 1;
      return p * power_of_two(std::uint32_t(first)) * power_of_two(std::uint32_t(exponent) - std::uint32_t(first));
    }
    FX_BOTH inline double exp(double x) { return std::exp(x); }

    FX_BOTH inline float sigmoid(float x) { return 1.f / (1.f + exp(-x)); }
    FX_BOTH inline double sigmoid(double x) { return 1. / (1. + std::exp(-x)); }

    // Cephes' polynomial near 0, else 1 - 2 / (e^2x + 1).
    FX_BOTH inline float tanh(float x) {
      const float a = std::fabs(x), z = x * x;
      float p = -5.70498872745e-3f;
      p = p * z + 2.06390887954e-2f;
      p = p * z - 5.37397155531e-2f;
      p = p * z + 1.33314422036e-1f;
      p = p * z - 3.33332819422e-1f;
      const float near = x + x * z * p;
      const float far = 1.f - 2.f / (exp(2.f * a) + 1.f);
      return a < 0.625f ? near : x < 0.f ? -far : far;
    }
    FX_BOTH inline double tanh(double x) { return std::tanh(x); }

    // Taylor's polynomial near 0, else Abramowitz and Stegun 7.1.26.
    FX_BOTH inline float erf(float x) {
      const float a = std::fabs(x), z = x * x;
      float p = -1.32275132e-5f;
      p = p * z + 1.06837607e-4f;
      p = p * z - 7.57575758e-4f;
      p = p * z + 4.62962963e-3f;
      p = p * z - 2.38095238e-2f;
      p = p * z + 0.1f;
      p = p * z - 0.333333333f;
      p = p * z + 1.f;
      const float near = 1.12837917f * x * p;
      const float t = 1.f / (1.f + 0.3275911f * a);
      float q = 1.061405429f;
      q = q * t - 1.453152027f;
      q = q * t + 1.421413741f;
      q = q * t - 0.284496736f;
      q = q * t + 0.254829592f;
      const float far = 1.f - q * t * exp(-z);
      return a < 0.8f ? near : x < 0.f ? -far : far;
    }
    FX_BOTH inline double erf(double x) { return std::erf(x); }

    // An index that may count from the end; 0 and a report if it names no element.
    template <class T>
    FX_BOTH inline index wrap(T i, index size, int* status) {
      const index at = index(i) < 0 ? index(i) + size : index(i);
      if (at >= 0 && at < size) return at;
      *status = bad_index;
      return 0;
    }

    // Where a slice starts, as Python has it.
    template <class T>
    FX_BOTH inline index slice_start(T given, index size, index step) {
      const index start = index(given) < 0 ? index(given) + size : index(given);
      const index last = step < 0 ? size - 1 : size;
      return start < 0 ? 0 : start > last ? last : start;
    }

    // Places in the padding: the edge, the mirror image without the edge, the other end.
    FX_BOTH inline index pad_edge(index i, index size) { return i < 0 ? 0 : i >= size ? size - 1 : i; }
    FX_BOTH inline index pad_wrap(index i, index size) { return ((i % size) + size) % size; }
    FX_BOTH inline index pad_reflect(index i, index size) {
      const index period = size > 1 ? 2 * (size - 1) : 1;
      const index at = pad_wrap(i, period);
      return at < size ? at : period - at;
    }

    }  // namespace fx

    #endif

    """#
}
