// A stand-in for the part of TensorRT 10 that generated programs call. Layers are evaluated as they are added, on inputs that
// `stand_in_inputs` has. It was written from TensorRT's documentation and holds our reading of it: it finds layers that are
// wired or set wrongly, and says nothing about what TensorRT itself accepts or how it computes.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nvinfer1 {

enum class DataType : std::int32_t { kFLOAT, kHALF, kINT8, kINT32, kBOOL, kUINT8, kFP8, kBF16, kINT64 };
enum class MatrixOperation : std::int32_t { kNONE, kTRANSPOSE, kVECTOR };
enum class ElementWiseOperation : std::int32_t {
  kSUM, kPROD, kMAX, kMIN, kSUB, kDIV, kPOW, kFLOOR_DIV, kAND, kOR, kXOR, kEQUAL, kGREATER, kLESS
};
enum class UnaryOperation : std::int32_t {
  kEXP, kLOG, kSQRT, kRECIP, kABS, kNEG, kSIN, kCOS, kTAN, kSINH, kCOSH, kASIN, kACOS, kATAN, kASINH, kACOSH, kATANH, kCEIL,
  kFLOOR, kERF, kNOT, kSIGN, kROUND, kISINF, kISNAN
};
enum class ActivationType : std::int32_t { kRELU, kSIGMOID, kTANH };
enum class ReduceOperation : std::int32_t { kSUM, kPROD, kMAX, kMIN, kAVG };
enum class PoolingType : std::int32_t { kMAX, kAVERAGE };

struct Dims {
  static constexpr std::int32_t MAX_DIMS = 8;
  std::int32_t nbDims;
  std::int64_t d[MAX_DIMS];
};
struct Weights {
  DataType type;
  const void* values;
  std::int64_t count;
};
struct Permutation {
  std::int32_t order[Dims::MAX_DIMS];
};

class ITensor {
 public:
  void setName(const char* name) noexcept { name_ = name; }
  const char* getName() const noexcept { return name_.c_str(); }
  Dims getDimensions() const noexcept { return sizes; }
  DataType getType() const noexcept { return type; }

  Dims sizes{};
  DataType type = DataType::kFLOAT;
  std::vector<double> values;

 private:
  std::string name_;
};

}  // namespace nvinfer1

struct stand_in_tensor {
  nvinfer1::Dims sizes{};
  std::vector<double> values;
};
// What the network's inputs are, by name.
inline std::map<std::string, stand_in_tensor> stand_in_inputs;

namespace nvinfer1 {

inline std::int64_t stand_in_volume(const Dims& sizes) {
  std::int64_t count = 1;
  for (int axis = 0; axis < sizes.nbDims; ++axis) count *= sizes.d[axis];
  return count;
}

// Calls f(coordinates, number) for each element.
template <class F>
inline void stand_in_for_each(const Dims& sizes, F f) {
  std::int64_t at[Dims::MAX_DIMS] = {};
  const std::int64_t count = stand_in_volume(sizes);
  for (std::int64_t number = 0; number < count; ++number) {
    f(static_cast<const std::int64_t*>(at), number);
    for (int axis = sizes.nbDims - 1; axis >= 0 && ++at[axis] == sizes.d[axis]; --axis) at[axis] = 0;
  }
}

// The number of an element; axes of size 1 are repeated.
inline std::int64_t stand_in_place(const Dims& sizes, const std::int64_t* at) {
  std::int64_t number = 0;
  for (int axis = 0; axis < sizes.nbDims; ++axis) number = number * sizes.d[axis] + (sizes.d[axis] == 1 ? 0 : at[axis]);
  return number;
}

class ILayer {
 public:
  virtual ~ILayer() = default;
  ITensor* getOutput(std::int32_t index) noexcept {
    evaluate();
    return index == 0 ? &out : nullptr;
  }
  void setName(const char*) noexcept {}
  ITensor out;
  std::function<void()> work;

 private:
  // Settings are known when the result is first asked for.
  void evaluate() {
    if (work) work();
    work = nullptr;
    for (double& value : out.values) {
      if (out.type == DataType::kFLOAT) value = double(float(value));
    }
  }
};

class IConstantLayer : public ILayer {};
class IIdentityLayer : public ILayer {};
class ICastLayer : public ILayer {};
class IUnaryLayer : public ILayer {};
class IActivationLayer : public ILayer {};
class IElementWiseLayer : public ILayer {};
class ISelectLayer : public ILayer {};
class IMatrixMultiplyLayer : public ILayer {};
class IReduceLayer : public ILayer {};
class ISliceLayer : public ILayer {};
class IGatherLayer : public ILayer {};
class ISoftMaxLayer : public ILayer {
 public:
  void setAxes(std::uint32_t axes) noexcept { axes_ = axes; }
  std::uint32_t axes_ = 0;
};
class IConcatenationLayer : public ILayer {
 public:
  void setAxis(std::int32_t axis) noexcept { axis_ = axis; }
  std::int32_t axis_ = 0;
};
class IShuffleLayer : public ILayer {
 public:
  void setReshapeDimensions(const Dims& sizes) noexcept {
    sizes_ = sizes;
    reshapes_ = true;
  }
  void setFirstTranspose(const Permutation& order) noexcept {
    order_ = order;
    transposes_ = true;
  }
  Dims sizes_{};
  Permutation order_{};
  bool reshapes_ = false, transposes_ = false;
};
class IWindowLayer : public ILayer {
 public:
  void setStrideNd(const Dims& strides) noexcept { strides_ = strides; }
  void setPrePadding(const Dims& padding) noexcept { before_ = padding; }
  void setPostPadding(const Dims& padding) noexcept { after_ = padding; }
  void setDilationNd(const Dims& dilations) noexcept { dilations_ = dilations; }
  void setNbGroups(std::int64_t groups) noexcept { groups_ = groups; }
  void setAverageCountExcludesPadding(bool excludes) noexcept { excludes_ = excludes; }

  // Calls f(result's coordinates, number, taps' coordinates, tap, place in the plane, inside).
  Dims kernel_{}, strides_{}, before_{}, after_{}, dilations_{};
  std::int64_t groups_ = 1;
  bool excludes_ = true;

  Dims result(const Dims& input, std::int64_t channels) {
    Dims sizes = input;
    sizes.d[1] = channels;
    for (int axis = 0; axis < kernel_.nbDims; ++axis) {
      if (dilations_.nbDims == 0) dilations_.d[axis] = 1;
      const std::int64_t extent = (kernel_.d[axis] - 1) * dilations_.d[axis] + 1;
      sizes.d[axis + 2] = (input.d[axis + 2] + before_.d[axis] + after_.d[axis] - extent) / strides_.d[axis] + 1;
    }
    return sizes;
  }
};
class IConvolutionLayer : public IWindowLayer {};
class IPoolingLayer : public IWindowLayer {};

class INetworkDefinition {
 public:
  ITensor* addInput(const char* name, DataType type, const Dims& sizes) noexcept {
    const auto found = stand_in_inputs.find(name);
    if (found == stand_in_inputs.end() || found->second.sizes.nbDims != sizes.nbDims) return nullptr;
    for (int axis = 0; axis < sizes.nbDims; ++axis) {
      if (sizes.d[axis] != -1 && sizes.d[axis] != found->second.sizes.d[axis]) return nullptr;
    }
    inputs_.push_back(std::make_unique<ITensor>());
    inputs_.back()->type = type;
    inputs_.back()->sizes = found->second.sizes;
    inputs_.back()->values = found->second.values;
    return inputs_.back().get();
  }
  void markOutput(ITensor& tensor) noexcept { outputs.push_back(&tensor); }
  std::vector<ITensor*> outputs;

  IConstantLayer* addConstant(const Dims& sizes, Weights weights) noexcept {
    if (stand_in_volume(sizes) != weights.count) return nullptr;
    auto* layer = make<IConstantLayer>(sizes, weights.type);
    layer->out.values = numbers(weights);
    return layer;
  }
  IIdentityLayer* addIdentity(ITensor& x) noexcept {
    auto* layer = make<IIdentityLayer>(x.sizes, x.type);
    layer->out.values = x.values;
    return layer;
  }
  ICastLayer* addCast(ITensor& x, DataType type) noexcept {
    auto* layer = make<ICastLayer>(x.sizes, type);
    layer->out.values = x.values;
    const bool is_float = type == DataType::kFLOAT || type == DataType::kHALF || type == DataType::kBF16;
    for (double& value : layer->out.values) value = type == DataType::kBOOL ? value != 0 : is_float ? value : std::trunc(value);
    return layer;
  }
  IUnaryLayer* addUnary(ITensor& x, UnaryOperation operation) noexcept {
    if ((operation == UnaryOperation::kNOT) != (x.type == DataType::kBOOL)) return nullptr;
    auto* layer = make<IUnaryLayer>(x.sizes, operation == UnaryOperation::kISNAN ? DataType::kBOOL : x.type);
    for (double value : x.values) layer->out.values.push_back(unary(value, operation));
    return layer;
  }
  IActivationLayer* addActivation(ITensor& x, ActivationType type) noexcept {
    auto* layer = make<IActivationLayer>(x.sizes, x.type);
    for (double v : x.values) {
      layer->out.values.push_back(
          type == ActivationType::kRELU ? (v < 0 ? 0 : v) : type == ActivationType::kTANH ? std::tanh(v) : 1 / (1 + std::exp(-v)));
    }
    return layer;
  }
  IElementWiseLayer* addElementWise(ITensor& a, ITensor& b, ElementWiseOperation operation) noexcept {
    Dims sizes{};
    if (a.type != b.type || !broadcast(a.sizes, b.sizes, sizes)) return nullptr;
    const bool logical = operation >= ElementWiseOperation::kAND && operation <= ElementWiseOperation::kXOR;
    if (logical != (a.type == DataType::kBOOL) && operation != ElementWiseOperation::kEQUAL) return nullptr;
    auto* layer = make<IElementWiseLayer>(sizes, operation >= ElementWiseOperation::kAND ? DataType::kBOOL : a.type);
    const bool is_integer = a.type == DataType::kINT32 || a.type == DataType::kINT64;
    stand_in_for_each(sizes, [&](const std::int64_t* at, std::int64_t) {
      const double value = binary(a.values[stand_in_place(a.sizes, at)], b.values[stand_in_place(b.sizes, at)], operation);
      layer->out.values.push_back(is_integer ? std::trunc(value) : value);
    });
    return layer;
  }
  ISelectLayer* addSelect(ITensor& condition, ITensor& a, ITensor& b) noexcept {
    Dims both{}, sizes{};
    if (condition.type != DataType::kBOOL || a.type != b.type || !broadcast(a.sizes, b.sizes, both) ||
        !broadcast(condition.sizes, both, sizes)) {
      return nullptr;
    }
    auto* layer = make<ISelectLayer>(sizes, a.type);
    stand_in_for_each(sizes, [&](const std::int64_t* at, std::int64_t) {
      const bool holds = condition.values[stand_in_place(condition.sizes, at)] != 0;
      layer->out.values.push_back(holds ? a.values[stand_in_place(a.sizes, at)] : b.values[stand_in_place(b.sizes, at)]);
    });
    return layer;
  }
  IMatrixMultiplyLayer* addMatrixMultiply(ITensor& a, MatrixOperation a_form, ITensor& b, MatrixOperation b_form) noexcept {
    const int rank = a.sizes.nbDims;
    if (rank < 2 || rank != b.sizes.nbDims) return nullptr;
    const bool s = a_form == MatrixOperation::kTRANSPOSE, t = b_form == MatrixOperation::kTRANSPOSE;
    const std::int64_t m = a.sizes.d[rank - 2 + s], k = a.sizes.d[rank - 1 - s], n = b.sizes.d[rank - 1 - t];
    Dims x = a.sizes, y = b.sizes, sizes{};
    x.d[rank - 2] = y.d[rank - 2] = m;
    x.d[rank - 1] = y.d[rank - 1] = n;
    if (k != b.sizes.d[rank - 2 + t] || !broadcast(x, y, sizes)) return nullptr;
    auto* layer = make<IMatrixMultiplyLayer>(sizes, a.type);
    stand_in_for_each(sizes, [&](const std::int64_t* at, std::int64_t) {
      std::int64_t p[Dims::MAX_DIMS], q[Dims::MAX_DIMS];
      std::memcpy(p, at, sizeof p);
      std::memcpy(q, at, sizeof q);
      double sum = 0;
      for (std::int64_t l = 0; l < k; ++l) {
        p[rank - 2 + s] = at[rank - 2];
        p[rank - 1 - s] = l;
        q[rank - 2 + t] = l;
        q[rank - 1 - t] = at[rank - 1];
        sum += a.values[stand_in_place(a.sizes, p)] * b.values[stand_in_place(b.sizes, q)];
      }
      layer->out.values.push_back(sum);
    });
    return layer;
  }
  IReduceLayer* addReduce(ITensor& x, ReduceOperation operation, std::uint32_t axes, bool keep) noexcept {
    Dims kept = x.sizes, sizes{};
    double count = 1;
    for (int axis = 0; axis < x.sizes.nbDims; ++axis) {
      const bool reduced = axes >> axis & 1u;
      if (reduced) {
        count *= double(x.sizes.d[axis]);
        kept.d[axis] = 1;
      }
      if (!reduced || keep) sizes.d[sizes.nbDims++] = kept.d[axis];
    }
    auto* layer = make<IReduceLayer>(sizes, x.type);
    const double start = operation == ReduceOperation::kPROD ? 1 : operation == ReduceOperation::kMAX ? -INFINITY
                         : operation == ReduceOperation::kMIN ? INFINITY : 0;
    layer->out.values.assign(std::size_t(stand_in_volume(kept)), start);
    stand_in_for_each(x.sizes, [&](const std::int64_t* at, std::int64_t number) {
      double& sum = layer->out.values[stand_in_place(kept, at)];
      const double v = x.values[number];
      sum = operation == ReduceOperation::kPROD ? sum * v : operation == ReduceOperation::kMAX ? std::fmax(sum, v)
            : operation == ReduceOperation::kMIN ? std::fmin(sum, v) : sum + v;
    });
    if (operation == ReduceOperation::kAVG) {
      for (double& value : layer->out.values) value /= count;
    }
    return layer;
  }
  ISoftMaxLayer* addSoftMax(ITensor& x) noexcept {
    auto* layer = make<ISoftMaxLayer>(x.sizes, x.type);
    layer->work = [layer, &x] {
      Dims kept = x.sizes;
      for (int axis = 0; axis < kept.nbDims; ++axis) {
        if (layer->axes_ >> axis & 1u) kept.d[axis] = 1;
      }
      std::vector<double> best(std::size_t(stand_in_volume(kept)), -INFINITY), sum(best.size());
      stand_in_for_each(x.sizes, [&](const std::int64_t* at, std::int64_t number) {
        best[stand_in_place(kept, at)] = std::fmax(best[stand_in_place(kept, at)], x.values[number]);
      });
      stand_in_for_each(x.sizes, [&](const std::int64_t* at, std::int64_t number) {
        layer->out.values.push_back(std::exp(x.values[number] - best[stand_in_place(kept, at)]));
        sum[stand_in_place(kept, at)] += layer->out.values.back();
      });
      stand_in_for_each(x.sizes, [&](const std::int64_t* at, std::int64_t number) {
        layer->out.values[number] /= sum[stand_in_place(kept, at)];
      });
    };
    return layer;
  }
  IShuffleLayer* addShuffle(ITensor& x) noexcept {
    auto* layer = make<IShuffleLayer>(x.sizes, x.type);
    layer->work = [layer, &x] {
      layer->out.values = x.values;
      if (layer->transposes_) {
        for (int axis = 0; axis < x.sizes.nbDims; ++axis) layer->out.sizes.d[axis] = x.sizes.d[layer->order_.order[axis]];
        stand_in_for_each(layer->out.sizes, [&](const std::int64_t* at, std::int64_t number) {
          std::int64_t from[Dims::MAX_DIMS] = {};
          for (int axis = 0; axis < x.sizes.nbDims; ++axis) from[layer->order_.order[axis]] = at[axis];
          layer->out.values[number] = x.values[stand_in_place(x.sizes, from)];
        });
      }
      if (layer->reshapes_) {
        Dims sizes = layer->sizes_;
        std::int64_t known = 1;
        int open = -1;
        for (int axis = 0; axis < sizes.nbDims; ++axis) {
          if (sizes.d[axis] == 0) sizes.d[axis] = x.sizes.d[axis];
          if (sizes.d[axis] == -1) open = axis; else known *= sizes.d[axis];
        }
        if (open >= 0) sizes.d[open] = std::int64_t(x.values.size()) / known;
        layer->out.sizes = sizes;
        if (stand_in_volume(sizes) != std::int64_t(x.values.size())) layer->out.values.clear();
      }
    };
    return layer;
  }
  ISliceLayer* addSlice(ITensor& x, const Dims& starts, const Dims& sizes, const Dims& steps) noexcept {
    auto* layer = make<ISliceLayer>(sizes, x.type);
    bool inside = x.sizes.nbDims == sizes.nbDims;
    stand_in_for_each(sizes, [&](const std::int64_t* at, std::int64_t) {
      std::int64_t from[Dims::MAX_DIMS] = {};
      for (int axis = 0; axis < sizes.nbDims; ++axis) {
        from[axis] = starts.d[axis] + at[axis] * steps.d[axis];
        inside = inside && from[axis] >= 0 && from[axis] < x.sizes.d[axis];
      }
      layer->out.values.push_back(inside ? x.values[stand_in_place(x.sizes, from)] : 0);
    });
    return inside ? layer : nullptr;
  }
  IConcatenationLayer* addConcatenation(ITensor* const* tensors, std::int32_t count) noexcept {
    auto* layer = make<IConcatenationLayer>(tensors[0]->sizes, tensors[0]->type);
    const std::vector<ITensor*> parts(tensors, tensors + count);
    layer->work = [layer, parts] {
      const int axis = layer->axis_;
      layer->out.sizes.d[axis] = 0;
      for (ITensor* part : parts) layer->out.sizes.d[axis] += part->sizes.d[axis];
      layer->out.values.resize(std::size_t(stand_in_volume(layer->out.sizes)));
      std::int64_t first = 0;
      for (ITensor* part : parts) {
        stand_in_for_each(part->sizes, [&](const std::int64_t* at, std::int64_t number) {
          std::int64_t to[Dims::MAX_DIMS];
          std::memcpy(to, at, sizeof to);
          to[axis] += first;
          std::int64_t place = 0;
          for (int i = 0; i < part->sizes.nbDims; ++i) place = place * layer->out.sizes.d[i] + to[i];
          layer->out.values[place] = part->values[number];
        });
        first += part->sizes.d[axis];
      }
    };
    return layer;
  }
  IGatherLayer* addGather(ITensor& x, ITensor& indices, std::int32_t axis) noexcept {
    if (indices.type != DataType::kINT32 && indices.type != DataType::kINT64) return nullptr;
    Dims sizes{};
    for (int i = 0; i < axis; ++i) sizes.d[sizes.nbDims++] = x.sizes.d[i];
    for (int i = 0; i < indices.sizes.nbDims; ++i) sizes.d[sizes.nbDims++] = indices.sizes.d[i];
    for (int i = axis + 1; i < x.sizes.nbDims; ++i) sizes.d[sizes.nbDims++] = x.sizes.d[i];
    auto* layer = make<IGatherLayer>(sizes, x.type);
    stand_in_for_each(sizes, [&](const std::int64_t* at, std::int64_t) {
      std::int64_t from[Dims::MAX_DIMS] = {};
      std::int64_t row = 0;
      for (int i = 0; i < indices.sizes.nbDims; ++i) row = row * indices.sizes.d[i] + at[axis + i];
      const std::int64_t index = std::int64_t(indices.values[row]);
      for (int i = 0; i < axis; ++i) from[i] = at[i];
      from[axis] = index < 0 ? index + x.sizes.d[axis] : index;
      for (int i = axis + 1; i < x.sizes.nbDims; ++i) from[i] = at[indices.sizes.nbDims + i - 1];
      layer->out.values.push_back(x.values[stand_in_place(x.sizes, from)]);
    });
    return layer;
  }
  IConvolutionLayer* addConvolutionNd(ITensor& x, std::int64_t kernels, const Dims& kernel, Weights weight, Weights bias) noexcept {
    auto* layer = make<IConvolutionLayer>(x.sizes, x.type);
    layer->kernel_ = kernel;
    layer->work = [=, &x] {
      const std::vector<double> w = numbers(weight), b = numbers(bias);
      const std::int64_t in = x.sizes.d[1] / layer->groups_, out = kernels / layer->groups_;
      layer->out.sizes = layer->result(x.sizes, kernels);
      stand_in_for_each(layer->out.sizes, [&](const std::int64_t* at, std::int64_t) {
        double sum = b.empty() ? 0 : b[at[1]];
        for (std::int64_t c = 0; c < in; ++c) {
          stand_in_for_each(kernel, [&](const std::int64_t* tap, std::int64_t number) {
            std::int64_t from[Dims::MAX_DIMS] = {at[0], at[1] / out * in + c};
            if (!tap_place(*layer, x.sizes, at, tap, from)) return;
            sum += x.values[stand_in_place(x.sizes, from)] * w[(at[1] * in + c) * stand_in_volume(kernel) + number];
          });
        }
        layer->out.values.push_back(sum);
      });
    };
    return layer;
  }
  IPoolingLayer* addPoolingNd(ITensor& x, PoolingType type, const Dims& window) noexcept {
    auto* layer = make<IPoolingLayer>(x.sizes, x.type);
    layer->kernel_ = window;
    layer->work = [=, &x] {
      layer->out.sizes = layer->result(x.sizes, x.sizes.d[1]);
      stand_in_for_each(layer->out.sizes, [&](const std::int64_t* at, std::int64_t) {
        double best = -INFINITY, sum = 0, count = 0;
        stand_in_for_each(window, [&](const std::int64_t* tap, std::int64_t) {
          std::int64_t from[Dims::MAX_DIMS] = {at[0], at[1]};
          const bool inside = tap_place(*layer, x.sizes, at, tap, from);
          if (inside || !layer->excludes_) ++count;
          if (!inside) return;
          best = std::fmax(best, x.values[stand_in_place(x.sizes, from)]);
          sum += x.values[stand_in_place(x.sizes, from)];
        });
        layer->out.values.push_back(type == PoolingType::kMAX ? best : sum / count);
      });
    };
    return layer;
  }

 private:
  static bool tap_place(
      const IWindowLayer& layer, const Dims& input, const std::int64_t* at, const std::int64_t* tap, std::int64_t* from) {
    for (int axis = 0; axis < layer.kernel_.nbDims; ++axis) {
      from[axis + 2] = at[axis + 2] * layer.strides_.d[axis] + tap[axis] * layer.dilations_.d[axis] - layer.before_.d[axis];
      if (from[axis + 2] < 0 || from[axis + 2] >= input.d[axis + 2]) return false;
    }
    return true;
  }

  template <class T>
  static std::vector<double> copied(const void* values, std::int64_t count) {
    const T* from = static_cast<const T*>(values);
    return std::vector<double>(from, from + count);
  }
  static std::vector<double> numbers(const Weights& weights) {
    switch (weights.type) {
      case DataType::kFLOAT: return copied<float>(weights.values, weights.count);
      case DataType::kINT64: return copied<std::int64_t>(weights.values, weights.count);
      case DataType::kINT32: return copied<std::int32_t>(weights.values, weights.count);
      case DataType::kBOOL: return copied<bool>(weights.values, weights.count);
      default: return copied<std::uint8_t>(weights.values, weights.count);
    }
  }

  static bool broadcast(const Dims& a, const Dims& b, Dims& sizes) {
    if (a.nbDims != b.nbDims) return false;
    sizes = a;
    for (int axis = 0; axis < a.nbDims; ++axis) {
      if (a.d[axis] != b.d[axis] && a.d[axis] != 1 && b.d[axis] != 1) return false;
      if (a.d[axis] == 1) sizes.d[axis] = b.d[axis];
    }
    return true;
  }

  static double unary(double x, UnaryOperation operation) {
    switch (operation) {
      case UnaryOperation::kEXP: return std::exp(x);
      case UnaryOperation::kLOG: return std::log(x);
      case UnaryOperation::kSQRT: return std::sqrt(x);
      case UnaryOperation::kRECIP: return 1 / x;
      case UnaryOperation::kABS: return std::fabs(x);
      case UnaryOperation::kNEG: return -x;
      case UnaryOperation::kSIN: return std::sin(x);
      case UnaryOperation::kCOS: return std::cos(x);
      case UnaryOperation::kTAN: return std::tan(x);
      case UnaryOperation::kSINH: return std::sinh(x);
      case UnaryOperation::kCOSH: return std::cosh(x);
      case UnaryOperation::kASIN: return std::asin(x);
      case UnaryOperation::kACOS: return std::acos(x);
      case UnaryOperation::kATAN: return std::atan(x);
      case UnaryOperation::kASINH: return std::asinh(x);
      case UnaryOperation::kACOSH: return std::acosh(x);
      case UnaryOperation::kATANH: return std::atanh(x);
      case UnaryOperation::kCEIL: return std::ceil(x);
      case UnaryOperation::kFLOOR: return std::floor(x);
      case UnaryOperation::kERF: return std::erf(x);
      case UnaryOperation::kNOT: return x == 0;
      case UnaryOperation::kSIGN: return x > 0 ? 1 : x < 0 ? -1 : x;
      case UnaryOperation::kROUND: return std::nearbyint(x);
      case UnaryOperation::kISINF: return std::isinf(x);
      case UnaryOperation::kISNAN: return x != x;
    }
    return x;
  }

  static double binary(double a, double b, ElementWiseOperation operation) {
    switch (operation) {
      case ElementWiseOperation::kSUM: return a + b;
      case ElementWiseOperation::kPROD: return a * b;
      case ElementWiseOperation::kMAX: return std::fmax(a, b);
      case ElementWiseOperation::kMIN: return std::fmin(a, b);
      case ElementWiseOperation::kSUB: return a - b;
      case ElementWiseOperation::kDIV: return a / b;
      case ElementWiseOperation::kPOW: return std::pow(a, b);
      case ElementWiseOperation::kFLOOR_DIV: return std::floor(a / b);
      case ElementWiseOperation::kAND: return a != 0 && b != 0;
      case ElementWiseOperation::kOR: return a != 0 || b != 0;
      case ElementWiseOperation::kXOR: return (a != 0) != (b != 0);
      case ElementWiseOperation::kEQUAL: return a == b;
      case ElementWiseOperation::kGREATER: return a > b;
      case ElementWiseOperation::kLESS: return a < b;
    }
    return a;
  }

  template <class Layer>
  Layer* make(const Dims& sizes, DataType type) {
    auto made = std::make_unique<Layer>();
    Layer* layer = made.get();
    layer->out.sizes = sizes;
    layer->out.type = type;
    layers_.push_back(std::move(made));
    return layer;
  }

  std::vector<std::unique_ptr<ILayer>> layers_;
  std::vector<std::unique_ptr<ITensor>> inputs_;
};

}  // namespace nvinfer1
