extension NativePrelude {
  /// What every generated model looks like to a program that loads it: the C interface.
  static let interface = #"""
    /* How a program finds out about a model, and runs it. Plain C. */
    #ifndef FX_INTERFACE_H
    #define FX_INTERFACE_H

    #include <stddef.h>
    #include <stdint.h>

    #ifdef __cplusplus
    extern "C" {
    #endif

    typedef struct fx_tensor_info {
      const char* name;
      const char* type; /* f32, f64, f16, bf16, i64, ..., u8, bool */
      int rank;
      const int64_t* sizes;
      size_t bytes;
    } fx_tensor_info;

    typedef struct fx_interface {
      int version; /* 1 */
      const char* name;
      int input_count;
      const fx_tensor_info* inputs;
      int output_count;
      const fx_tensor_info* outputs;
      size_t arena_bytes;   /* of one model, beside its weights */
      size_t weights_bytes; /* of the weights' file; 0 if the weights are part of the code */
      /* 0 or a status; `weights` may be null if the weights are part of the code. */
      int (*create)(const char* weights, void** model);
      void (*destroy)(void* model);
      /* One contiguous row-major array per input and output. One run at a time per model. */
      int (*run)(void* model, const void* const* inputs, void* const* outputs);
      const char* (*message)(int status);
    } fx_interface;

    #ifdef __cplusplus
    }
    #endif

    #endif

    """#

  /// Reading weights, and what a status means.
  static let model = #"""
    // What generated models share: reading weights, places in memory, messages.
    #ifndef FX_MODEL_H
    #define FX_MODEL_H

    #include "fx_interface.h"
    #include "fx_numeric.h"

    #include <cstdio>
    #include <cstdlib>
    #include <new>

    namespace fx {

    // The numbers at an offset.
    template <class T>
    inline T* at(unsigned char* base, std::size_t offset) {
      return reinterpret_cast<T*>(base + offset);
    }
    template <class T>
    inline const T* at(const unsigned char* base, std::size_t offset) {
      return reinterpret_cast<const T*>(base + offset);
    }

    // One of the parts of equal size that an array consists of.
    template <class T>
    inline T* part(T* array, index number, std::size_t bytes) {
      return array + std::size_t(number) * (bytes / sizeof(T));
    }

    // FNV-1a over 64-bit words.
    inline std::uint64_t checksum(const unsigned char* bytes, std::size_t count) {
      std::uint64_t sum = 14695981039346656037ull;
      for (std::size_t i = 0; i + 8 <= count; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes + i, sizeof word);
        sum = (sum ^ word) * 1099511628211ull;
      }
      return sum;
    }

    inline unsigned char* allocate(std::size_t bytes) {
      return static_cast<unsigned char*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64 + 64));
    }

    // The weights' file: "FXWEIGHT", version 1, the number of bytes, their checksum, zeros up to 64 bytes, the bytes.
    inline int read_weights(const char* path, std::size_t bytes, std::uint64_t sum, unsigned char** weights) {
      std::FILE* file = path ? std::fopen(path, "rb") : nullptr;
      if (!file) return cannot_open;
      struct {
        char magic[8];
        std::uint64_t version, bytes, checksum, zeros[4];
      } header;
      int status = bad_weights;
      if (std::fread(&header, sizeof header, 1, file) == 1 && std::memcmp(header.magic, "FXWEIGHT", 8) == 0 &&
          header.version == 1 && header.bytes == bytes && header.checksum == sum) {
        unsigned char* memory = allocate(bytes);
        if (!memory) {
          status = out_of_memory;
        } else if (std::fread(memory, 1, bytes, file) == bytes && checksum(memory, bytes) == sum) {
          *weights = memory;
          status = ok;
        } else {
          std::free(memory);
        }
      }
      std::fclose(file);
      return status;
    }

    inline const char* message(int status) {
      switch (status) {
        case ok: return "success";
        case cannot_open: return "the weights' file cannot be opened";
        case bad_weights: return "the weights' file is damaged or belongs to another model";
        case out_of_memory: return "there is not enough memory";
        case bad_index: return "an index names no element";
        case bad_size: return "a size that depends on data is not what the code was generated for";
        case device_error: return "the device reported an error";
        default: return "unknown status";
      }
    }

    }  // namespace fx

    #endif

    """#

  /// A program that runs a model on files of NumPy.
  static let main = #"""
    // Runs a model on files of NumPy: MODEL_main [--weights FILE] [--repeat N] OUTPUT_PREFIX INPUT.npy...
    #include "MODEL.h"

    #include <chrono>
    #include <cstdio>
    #include <cstdlib>
    #include <cstring>
    #include <string>
    #include <vector>

    namespace {

    // How NumPy spells an element type.
    std::string numpy_type(const std::string& type) {
      if (type == "bool") return "|b1";
      if (type == "i8" || type == "u8") return "|" + type.substr(0, 1) + "1";
      if (type == "bf16") return "<V2";
      const int bits = std::atoi(type.c_str() + 1);
      return "<" + type.substr(0, 1) + std::to_string(bits / 8);
    }

    std::string numpy_shape(const fx_tensor_info& tensor) {
      std::string text = "(";
      for (int axis = 0; axis < tensor.rank; ++axis) {
        text += std::to_string(tensor.sizes[axis]) + (axis + 1 < tensor.rank ? ", " : tensor.rank == 1 ? "," : "");
      }
      return text + ")";
    }

    // Reads the elements of a file whose type and shape are the model's; format: NumPy's NEP 1.
    bool read_numpy(const char* path, const fx_tensor_info& tensor, std::vector<unsigned char>& bytes) {
      std::FILE* file = std::fopen(path, "rb");
      if (!file) return std::fprintf(stderr, "%s: cannot be opened\n", path), false;
      unsigned char start[12] = {};
      bool fits = std::fread(start, 1, 10, file) == 10 && std::memcmp(start, "\x93NUMPY", 6) == 0;
      std::size_t length = std::size_t(start[8]) + 256u * start[9];
      if (fits && start[6] >= 2) {
        fits = std::fread(start + 10, 1, 2, file) == 2;
        length += 65536u * start[10] + 16777216u * start[11];
      }
      std::string header(fits && length < 1000000 ? length : 0, ' ');
      fits = fits && std::fread(&header[0], 1, header.size(), file) == header.size() &&
             header.find("'descr': '" + numpy_type(tensor.type) + "'") != std::string::npos &&
             header.find("'fortran_order': False") != std::string::npos &&
             header.find("'shape': " + numpy_shape(tensor)) != std::string::npos;
      if (fits) {
        bytes.resize(tensor.bytes);
        fits = std::fread(bytes.data(), 1, bytes.size(), file) == bytes.size();
      }
      std::fclose(file);
      if (!fits) {
        std::fprintf(
            stderr, "%s: input '%s' is %s of shape %s in row-major order\n", path, tensor.name, tensor.type,
            numpy_shape(tensor).c_str());
      }
      return fits;
    }

    bool write_numpy(const std::string& path, const fx_tensor_info& tensor, const std::vector<unsigned char>& bytes) {
      std::string header =
          "{'descr': '" + numpy_type(tensor.type) + "', 'fortran_order': False, 'shape': " + numpy_shape(tensor) + ", }";
      header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
      header += '\n';
      const unsigned char start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0,
                                       static_cast<unsigned char>(header.size() % 256),
                                       static_cast<unsigned char>(header.size() / 256)};
      std::FILE* file = std::fopen(path.c_str(), "wb");
      if (!file) return std::fprintf(stderr, "%s: cannot be opened\n", path.c_str()), false;
      bool fits = std::fwrite(start, 1, 10, file) == 10 &&
                  std::fwrite(header.data(), 1, header.size(), file) == header.size() &&
                  std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
      fits = std::fclose(file) == 0 && fits;
      if (!fits) std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
      return fits;
    }

    int fail(const fx_interface& model, int status) {
      std::fprintf(stderr, "%s: %s\n", model.name, model.message(status));
      return 1;
    }

    }  // namespace

    int main(int count, char** arguments) {
      const fx_interface& interface = *MODEL_interface();
      const char* weights = "MODEL.weights";
      int at = 1, repeats = 1;
      for (; at + 1 < count && arguments[at][0] == '-'; at += 2) {
        if (std::strcmp(arguments[at], "--weights") == 0) weights = arguments[at + 1];
        if (std::strcmp(arguments[at], "--repeat") == 0) repeats = std::atoi(arguments[at + 1]);
      }
      if (count - at != 1 + interface.input_count) {
        std::fprintf(stderr, "usage: %s [--weights FILE] [--repeat N] OUTPUT_PREFIX", arguments[0]);
        for (int i = 0; i < interface.input_count; ++i) std::fprintf(stderr, " %s.npy", interface.inputs[i].name);
        std::fprintf(stderr, "\n");
        return 2;
      }
      const std::string prefix = arguments[at];
      std::vector<std::vector<unsigned char>> inputs(static_cast<std::size_t>(interface.input_count));
      std::vector<std::vector<unsigned char>> outputs(static_cast<std::size_t>(interface.output_count));
      std::vector<const void*> from;
      std::vector<void*> to;
      for (int i = 0; i < interface.input_count; ++i) {
        if (!read_numpy(arguments[at + 1 + i], interface.inputs[i], inputs[std::size_t(i)])) return 1;
        from.push_back(inputs[std::size_t(i)].data());
      }
      for (int i = 0; i < interface.output_count; ++i) {
        outputs[std::size_t(i)].resize(interface.outputs[i].bytes);
        to.push_back(outputs[std::size_t(i)].data());
      }
      void* model = nullptr;
      if (const int status = interface.create(weights, &model)) return fail(interface, status);
      double best = 1e30;
      for (int turn = 0; turn < repeats; ++turn) {
        const auto start = std::chrono::steady_clock::now();
        if (const int status = interface.run(model, from.data(), to.data())) return fail(interface, status);
        const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
        best = time.count() < best ? time.count() : best;
      }
      interface.destroy(model);
      if (repeats > 1) std::printf("best of %d: %.3f ms\n", repeats, best);
      for (int i = 0; i < interface.output_count; ++i) {
        const std::string path = prefix + std::to_string(i) + ".npy";
        if (!write_numpy(path, interface.outputs[i], outputs[std::size_t(i)])) return 1;
        std::printf("%s  %s\n", path.c_str(), interface.outputs[i].name);
      }
      return 0;
    }

    """#
}
