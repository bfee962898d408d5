import FXCore
import FXShapes

extension TorchRows {
  mutating func addPooling() {
    self[.maxPool] = { call in
      let pool = try call.pooling()
      let hasIndices = call.site.node.results.count > 1
      let isByte = call.site.elementType(0)?.isInteger ?? false
      var x = isByte ? call[0].to(.float32) : call[0]
      if let pads = pool.explicit {
        if hasIndices { throw NotExpressible("PyTorch gives no indices with this padding") }
        x = .padded(x, pads.starts, pads.ends, with: .number(-.infinity))
      }
      let arguments = [x, .spread(pool.kernel)] + call.shortened(pool.arguments(dilated: true))
      let function = "F.max_pool\(pool.kernel.count)d"
      guard hasIndices else {
        let y = TorchExpression.call(function, arguments)
        return .expressions([isByte ? y.to(call.site.elementType(0) ?? .uint8) : y])
      }
      let all = TorchExpression.call(function + "_with_indices", arguments)
      let place = call[MaxPool.storageOrder] == 1
      return .tuple(try call.call(.withTensorIndices, [call[0], all, .bool(place)]))
    }
    define(.averagePool) { call in
      let pool = try call.pooling()
      let rank = pool.kernel.count
      let counts = call[AveragePool.countIncludePad]
      guard pool.explicit == nil, pool.dilations.allSatisfy({ $0 == 1 }) else {
        let (starts, ends) = try call.explicitPadding(pool)
        return try call.call(
          .averagePool,
          [
            call[0], .ints(pool.kernel), .ints(pool.strides), .ints(pool.dilations), .ints(starts), .ints(ends),
            .ints(counts ? pool.given.starts : starts.map { _ in 0 }), .ints(counts ? pool.given.ends : starts.map { _ in 0 }),
          ])
      }
      var arguments = pool.arguments(dilated: false)
      arguments.append((.keyed("count_include_pad", .bool(counts)), counts))
      return .call("F.avg_pool\(rank)d", [call[0], .spread(pool.kernel)] + call.shortened(arguments))
    }
  }
}

/// What a pooling asks for, in PyTorch's terms.
private struct Pooling {
  let kernel, strides, dilations: [Int]
  let given: (starts: [Int], ends: [Int])
  let rounds: Bool
  /// Padding that must be written out, because PyTorch's is even and at most half a window.
  let explicit: (starts: [Int], ends: [Int])?

  /// The arguments after the operand and the window's sizes.
  func arguments(dilated: Bool) -> [(TorchExpression, isDefault: Bool)] {
    let padding = explicit == nil ? given.starts : kernel.map { _ in 0 }
    let rounds = explicit == nil && rounds
    return [
      (.keyed("stride", .spread(strides)), strides == kernel),
      (.keyed("padding", .spread(padding)), padding.allSatisfy { $0 == 0 }),
    ] + (dilated ? [(.keyed("dilation", .spread(dilations)), dilations.allSatisfy { $0 == 1 })] : [])
      + [(.keyed("ceil_mode", .bool(rounds)), !rounds)]
  }
}

extension TorchCall {
  fileprivate func pooling() throws -> Pooling {
    let kernel = self[MaxPool.kernelShape]
    _ = try spatialRank(0)
    let ones = kernel.map { _ in 1 }
    let (strides, dilations) = (self[Conv.strides] ?? ones, self[Conv.dilations] ?? ones)
    let given = try padding(kernel: kernel, strides: strides, dilations: dilations)
    let rounds = self[MaxPool.ceilMode] && self[Conv.autoPad] == "NOTSET"
    let isEven = given.starts == given.ends && zip(given.starts, kernel).allSatisfy { $0 >= 0 && 2 * $0 <= $1 }
    // Written-out padding counts as elements, which changes what rounding up gives.
    let explicit = isEven ? nil : rounds ? try roundedPadding(kernel, strides, dilations, given) : given
    return Pooling(kernel: kernel, strides: strides, dilations: dilations, given: given, rounds: rounds, explicit: explicit)
  }

  /// The padding with which windows, not rounded up, end where they do when rounded up.
  private func roundedPadding(
    _ kernel: [Int], _ strides: [Int], _ dilations: [Int], _ given: (starts: [Int], ends: [Int])
  ) throws -> (starts: [Int], ends: [Int]) {
    let (input, output) = (Array(try site.sizes(0).dropFirst(2)), Array(try site.resultSizes().dropFirst(2)))
    let ends = kernel.indices.map {
      (output[$0] - 1) * strides[$0] + (kernel[$0] - 1) * dilations[$0] + 1 - input[$0] - given.starts[$0]
    }
    return (given.starts, ends)
  }

  fileprivate func explicitPadding(_ pool: Pooling) throws -> (starts: [Int], ends: [Int]) {
    if let explicit = pool.explicit { return explicit }
    return pool.rounds ? try roundedPadding(pool.kernel, pool.strides, pool.dilations, pool.given) : pool.given
  }
}

extension TorchFunction {
  static let withTensorIndices = TorchFunction(
    "with_tensor_indices",
    python: """
      def with_tensor_indices(x, pooled, column_major=False):
          \"\"\"Maxima and their places in the whole tensor, rather than in their channel.\"\"\"
          y, places = pooled
          sizes = x.shape[2:]
          if column_major:
              rest, order = places, 0
              for axis in reversed(range(len(sizes))):
                  order = order + rest % sizes[axis] * math.prod(sizes[:axis])
                  rest = rest // sizes[axis]
              places = order
          planes = torch.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], *[1] * len(sizes))
          return y, places + planes * math.prod(sizes)
      """,
    cpp: """
      // Maxima and their places in the whole tensor, rather than in their channel.
      std::tuple<at::Tensor, at::Tensor> with_tensor_indices(
          const at::Tensor& x, const std::tuple<at::Tensor, at::Tensor>& pooled, bool column_major) {
        auto [y, places] = pooled;
        const auto sizes = x.sizes().slice(2);
        if (column_major) {
          auto rest = places, order = at::zeros_like(places);
          for (int64_t axis = sizes.size() - 1; axis >= 0; --axis) {
            order = order + at::remainder(rest, sizes[axis]) * c10::multiply_integers(sizes.slice(0, axis));
            rest = at::div(rest, sizes[axis], "trunc");
          }
          places = order;
        }
        std::vector<int64_t> shape(x.dim(), 1);
        shape[0] = x.size(0);
        shape[1] = x.size(1);
        const auto planes = at::arange(x.size(0) * x.size(1), at::kLong).reshape(shape);
        return {y, places + planes * c10::multiply_integers(sizes)};
      }
      """)

  static let averagePool = TorchFunction(
    "average_pool",
    python: """
      def average_pool(x, kernel, strides, dilations, starts, ends, counted_starts, counted_ends):
          \"\"\"Means of windows, of the elements inside and of so much padding.\"\"\"
          conv = [F.conv1d, F.conv2d, F.conv3d][len(kernel) - 1]
          pads = [n for pair in reversed(list(zip(starts, ends))) for n in pair]
          counted = [n for pair in reversed(list(zip(counted_starts, counted_ends))) for n in pair]
          missing = [a - b for a, b in zip(pads, counted)]
          weight = torch.ones(1, 1, *kernel, dtype=x.dtype)
          planes = F.pad(x.reshape(-1, 1, *x.shape[2:]), pads)
          inside = F.pad(F.pad(torch.ones(1, 1, *x.shape[2:], dtype=x.dtype), counted, value=1.0), missing)
          y = conv(planes, weight, None, strides, 0, dilations) / conv(inside, weight, None, strides, 0, dilations)
          return y.reshape(*x.shape[:2], *y.shape[2:])
      """,
    cpp: """
      // Means of windows, of the elements inside and of so much padding.
      at::Tensor average_pool(const at::Tensor& x, at::IntArrayRef kernel, at::IntArrayRef strides, at::IntArrayRef dilations,
                              at::IntArrayRef starts, at::IntArrayRef ends, at::IntArrayRef counted_starts,
                              at::IntArrayRef counted_ends) {
        const int64_t rank = kernel.size();
        std::vector<int64_t> pads, counted, missing, planes{-1, 1}, one{1, 1}, window{1, 1}, zeros(rank, 0);
        for (int64_t axis = rank - 1; axis >= 0; --axis) {
          pads.insert(pads.end(), {starts[axis], ends[axis]});
          counted.insert(counted.end(), {counted_starts[axis], counted_ends[axis]});
        }
        for (size_t i = 0; i < pads.size(); ++i) missing.push_back(pads[i] - counted[i]);
        for (int64_t axis = 0; axis < rank; ++axis) {
          planes.push_back(x.size(axis + 2));
          one.push_back(x.size(axis + 2));
          window.push_back(kernel[axis]);
        }
        const auto weight = at::ones(window, x.options());
        const auto inside = at::constant_pad_nd(at::constant_pad_nd(at::ones(one, x.options()), counted, 1), missing, 0);
        const auto sums = [&](const at::Tensor& t) {
          return at::convolution(t, weight, {}, strides, zeros, dilations, false, zeros, 1);
        };
        const auto y = sums(at::constant_pad_nd(x.reshape(planes), pads, 0)) / sums(inside);
        std::vector<int64_t> shape{x.size(0), x.size(1)};
        for (int64_t axis = 0; axis < rank; ++axis) shape.push_back(y.size(axis + 2));
        return y.reshape(shape);
      }
      """)
}
