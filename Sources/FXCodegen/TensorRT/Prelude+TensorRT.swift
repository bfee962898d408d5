extension NativePrelude {
  /// What generated TensorRT programs share: layers with their settings, weights from a file, building the engine.
  static let tensorRT = #"""
    // Layers of TensorRT 10 with their settings in one call each, weights from a file, and building an engine.
    #ifndef FX_TENSORRT_H
    #define FX_TENSORRT_H

    #include <NvInfer.h>

    #include <cstdint>
    #include <cstdio>
    #include <cstring>
    #include <fstream>
    #include <initializer_list>
    #include <iterator>
    #include <memory>
    #include <vector>

    namespace fx {

    using nvinfer1::DataType;
    using nvinfer1::Dims;
    using nvinfer1::ITensor;

    using weight_bytes = std::vector<unsigned char>;
    using numbers = std::initializer_list<std::int64_t>;

    inline Dims dims(numbers sizes) {
      Dims result{};
      for (std::int64_t size : sizes) result.d[result.nbDims++] = size;
      return result;
    }

    // Adds layers. A layer that cannot be made gives a null tensor, and all that use it do too: `complete` tells.
    class network_builder {
     public:
      network_builder(nvinfer1::INetworkDefinition& network, const weight_bytes& weights) : net_(network), weights_(weights) {}

      bool complete() const { return !failed_; }

      ITensor* input(const char* name, DataType type, numbers sizes) {
        ITensor* tensor = net_.addInput(name, type, dims(sizes));
        failed_ = failed_ || !tensor;
        return tensor;
      }
      void output(const char* name, ITensor* tensor) {
        if (!tensor) return;
        // An output is a tensor of its own: inputs and tensors that are outputs already cannot be marked.
        ITensor* own = identity(tensor);
        if (!own) return;
        own->setName(name);
        net_.markOutput(*own);
      }
      ITensor* named(const char* name, ITensor* tensor) {
        if (tensor) tensor->setName(name);
        return tensor;
      }

      nvinfer1::Weights weights(DataType type, std::size_t offset, std::int64_t count) const {
        return {type, weights_.data() + offset, count};
      }
      nvinfer1::Weights no_weights() const { return {DataType::kFLOAT, nullptr, 0}; }
      ITensor* constant(numbers sizes, DataType type, std::size_t offset, std::int64_t count) {
        return result(net_.addConstant(dims(sizes), weights(type, offset, count)));
      }

      ITensor* identity(ITensor* x) { return x ? result(net_.addIdentity(*x)) : nullptr; }
      ITensor* cast(ITensor* x, DataType type) { return x ? result(net_.addCast(*x, type)) : nullptr; }
      ITensor* unary(ITensor* x, nvinfer1::UnaryOperation operation) {
        return x ? result(net_.addUnary(*x, operation)) : nullptr;
      }
      ITensor* activation(ITensor* x, nvinfer1::ActivationType type) {
        return x ? result(net_.addActivation(*x, type)) : nullptr;
      }
      ITensor* binary(ITensor* a, ITensor* b, nvinfer1::ElementWiseOperation operation) {
        if (!match(a, b)) return nullptr;
        return result(net_.addElementWise(*a, *b, operation));
      }
      ITensor* select(ITensor* condition, ITensor* a, ITensor* b) {
        if (!match(condition, a) || !match(a, b) || !match(condition, b)) return nullptr;
        return result(net_.addSelect(*condition, *a, *b));
      }

      ITensor* matmul(ITensor* a, bool a_transposed, ITensor* b, bool b_transposed) {
        if (!match(a, b)) return nullptr;
        const auto form = [](bool transposed) {
          return transposed ? nvinfer1::MatrixOperation::kTRANSPOSE : nvinfer1::MatrixOperation::kNONE;
        };
        return result(net_.addMatrixMultiply(*a, form(a_transposed), *b, form(b_transposed)));
      }
      ITensor* convolution(
          ITensor* x, std::int64_t kernels, numbers kernel, nvinfer1::Weights weight, nvinfer1::Weights bias, numbers strides,
          numbers before, numbers after, numbers dilations, std::int64_t groups) {
        auto* layer = x ? net_.addConvolutionNd(*x, kernels, dims(kernel), weight, bias) : nullptr;
        if (layer) {
          layer->setStrideNd(dims(strides));
          layer->setPrePadding(dims(before));
          layer->setPostPadding(dims(after));
          layer->setDilationNd(dims(dilations));
          layer->setNbGroups(groups);
        }
        return result(layer);
      }
      ITensor* pooling(
          ITensor* x, nvinfer1::PoolingType type, numbers window, numbers strides, numbers before, numbers after,
          bool padding_counts_not) {
        auto* layer = x ? net_.addPoolingNd(*x, type, dims(window)) : nullptr;
        if (layer) {
          layer->setStrideNd(dims(strides));
          layer->setPrePadding(dims(before));
          layer->setPostPadding(dims(after));
          layer->setAverageCountExcludesPadding(padding_counts_not);
        }
        return result(layer);
      }
      ITensor* reduce(ITensor* x, nvinfer1::ReduceOperation operation, std::uint32_t axes, bool keep) {
        return x ? result(net_.addReduce(*x, operation, axes, keep)) : nullptr;
      }
      ITensor* softmax(ITensor* x, int axis) {
        auto* layer = x ? net_.addSoftMax(*x) : nullptr;
        if (layer) layer->setAxes(1u << axis);
        return result(layer);
      }

      ITensor* reshape(ITensor* x, numbers sizes) { return x ? reshape(x, dims(sizes)) : nullptr; }
      ITensor* transpose(ITensor* x, numbers order) {
        auto* layer = x ? net_.addShuffle(*x) : nullptr;
        if (layer) {
          nvinfer1::Permutation permutation{};
          int axis = 0;
          for (std::int64_t from : order) permutation.order[axis++] = std::int32_t(from);
          layer->setFirstTranspose(permutation);
        }
        return result(layer);
      }
      // A slice that stands still along the axes of size 1.
      ITensor* expand(ITensor* x, numbers sizes) {
        if (!x) return nullptr;
        const Dims target = dims(sizes);
        ITensor* wide = widen(x, target.nbDims);
        if (!wide) return nullptr;
        Dims start{target.nbDims, {}}, size = target, step{target.nbDims, {}};
        const Dims own = wide->getDimensions();
        for (int axis = 0; axis < target.nbDims; ++axis) {
          step.d[axis] = own.d[axis] == 1 ? 0 : 1;
          if (own.d[axis] != 1) size.d[axis] = own.d[axis];
        }
        return result(net_.addSlice(*wide, start, size, step));
      }
      ITensor* slice(ITensor* x, numbers starts, numbers sizes, numbers steps) {
        return x ? result(net_.addSlice(*x, dims(starts), dims(sizes), dims(steps))) : nullptr;
      }
      ITensor* concat(std::initializer_list<ITensor*> tensors, int axis) {
        std::vector<ITensor*> list(tensors);
        for (ITensor* tensor : list) {
          if (!tensor) return nullptr;
        }
        auto* layer = net_.addConcatenation(list.data(), std::int32_t(list.size()));
        if (layer) layer->setAxis(axis);
        return result(layer);
      }
      ITensor* gather(ITensor* x, ITensor* indices, int axis) {
        return x && indices ? result(net_.addGather(*x, *indices, axis)) : nullptr;
      }

     private:
      template <class Layer>
      ITensor* result(Layer* layer) {
        if (!layer) failed_ = true;
        return layer ? layer->getOutput(0) : nullptr;
      }
      ITensor* reshape(ITensor* x, const Dims& sizes) {
        auto* layer = net_.addShuffle(*x);
        if (layer) layer->setReshapeDimensions(sizes);
        return result(layer);
      }
      // With axes of size 1 in front: layers want operands of one rank. 0 copies a size, from the place it had.
      ITensor* widen(ITensor* x, int rank) {
        const Dims own = x->getDimensions();
        if (own.nbDims >= rank) return x;
        Dims wide{rank, {}};
        int open = 0;
        for (int axis = 0; axis < rank; ++axis) {
          const int from = axis - (rank - own.nbDims);
          wide.d[axis] = from < 0 ? 1 : own.d[from];
          if (wide.d[axis] == -1) ++open;
        }
        if (open > 1) failed_ = true;
        return open > 1 ? nullptr : reshape(x, wide);
      }
      bool match(ITensor*& a, ITensor*& b) {
        if (!a || !b) return false;
        const int rank = a->getDimensions().nbDims > b->getDimensions().nbDims ? a->getDimensions().nbDims
                                                                               : b->getDimensions().nbDims;
        a = widen(a, rank);
        b = widen(b, rank);
        return a && b;
      }

      nvinfer1::INetworkDefinition& net_;
      const weight_bytes& weights_;
      bool failed_ = false;
    };

    // The weights behind the header of 64 bytes; nothing if the file is none.
    inline weight_bytes read_weights(const char* path) {
      std::ifstream file(path, std::ios::binary);
      weight_bytes bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      if (bytes.size() < 64 || std::memcmp(bytes.data(), "FXWEIGHT", 8) != 0) return {};
      bytes.erase(bytes.begin(), bytes.begin() + 64);
      return bytes;
    }

    #if !defined(FX_NO_MAIN)
    inline void set_range(
        nvinfer1::IOptimizationProfile& profile, const char* input, numbers least, numbers usual, numbers most) {
      profile.setDimensions(input, nvinfer1::OptProfileSelector::kMIN, dims(least));
      profile.setDimensions(input, nvinfer1::OptProfileSelector::kOPT, dims(usual));
      profile.setDimensions(input, nvinfer1::OptProfileSelector::kMAX, dims(most));
    }

    struct logger : nvinfer1::ILogger {
      void log(Severity severity, const char* message) noexcept override {
        if (severity <= Severity::kWARNING) std::fprintf(stderr, "%s\n", message);
      }
    };

    // Arguments: the weights' file, and the engine to write.
    template <class Populate, class Profile>
    inline int build(int count, char** arguments, Populate populate, Profile set_profile, bool is_dynamic) {
      if (count != 3) {
        std::fprintf(stderr, "usage: %s WEIGHTS ENGINE\n", arguments[0]);
        return 2;
      }
      const weight_bytes weights = read_weights(arguments[1]);
      if (weights.empty()) {
        std::fprintf(stderr, "%s: no weights\n", arguments[1]);
        return 1;
      }
      logger log;
      std::unique_ptr<nvinfer1::IBuilder> builder(nvinfer1::createInferBuilder(log));
      if (!builder) return 1;
      const auto strong = 1u << std::uint32_t(nvinfer1::NetworkDefinitionCreationFlag::kSTRONGLY_TYPED);
      std::unique_ptr<nvinfer1::INetworkDefinition> network(builder->createNetworkV2(strong));
      std::unique_ptr<nvinfer1::IBuilderConfig> config(builder->createBuilderConfig());
      if (!network || !config || !populate(*network, weights)) {
        std::fprintf(stderr, "a layer cannot be made\n");
        return 1;
      }
      if (is_dynamic) {
        nvinfer1::IOptimizationProfile* profile = builder->createOptimizationProfile();
        set_profile(*profile);
        config->addOptimizationProfile(profile);
      }
      std::unique_ptr<nvinfer1::IHostMemory> engine(builder->buildSerializedNetwork(*network, *config));
      if (!engine) return 1;
      std::ofstream file(arguments[2], std::ios::binary);
      file.write(static_cast<const char*>(engine->data()), std::streamsize(engine->size()));
      return file ? 0 : 1;
    }
    #endif

    }  // namespace fx

    #endif

    """#
}
