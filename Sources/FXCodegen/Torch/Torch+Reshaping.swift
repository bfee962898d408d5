import FXCore

extension TorchRows {
  mutating func addReshaping() {
    define(.reshape) { call in
      if let shape = call.site.integers(1) {
        let mayBeEmpty = shape.contains(-1) && (call.site.shape(0)?.contains { $0.size == 0 } ?? false)
        if mayBeEmpty { return .method(call[0], "reshape", [.ints(try call.site.resultSizes())]) }
        let sizes = shape.enumerated().map { axis, size -> TorchExpression in
          guard size == 0, !call[Reshape.allowZero] else { return .int(size) }
          return call.site.shape(0)?.dimensions[safe: axis]?.size.map { .int($0) } ?? .size(call[0], axis)
        }
        return .method(call[0], "reshape", call.spread(sizes))
      }
      return try call.call(.reshape, [call[0], .integers(call[1]), .bool(call[Reshape.allowZero])])
    }
    define(.flatten) { call in
      guard call[Flatten.axis] == 1, (call.site.rank(0) ?? 0) > 1 else { throw NotExpressible("other than after the first axis") }
      return .call("torch.flatten", [call[0], 1])
    }
    define(.transpose) { call in
      let order = try call[Transpose.permutation] ?? Array((0..<call.site.knownRank(0)).reversed())
      return .method(call[0], "permute", call.spread(order.map { .int($0) }))
    }
    define(.squeeze) { call in
      guard call.has(1) else { return .method(call[0], "squeeze", []) }
      let axes = try call.site.knownIntegers(1)
      if axes.isEmpty { return call[0] }
      return .method(
        call[0], "squeeze",
        [axes.count == 1 ? .int(axes[0]) : call.language == .python ? .name(NumpyCall.tuple(axes)) : .ints(axes)])
    }
    define(.unsqueeze) { call in
      let axes = try call.site.knownIntegers(1)
      let rank = axes.count == 1 ? 0 : try call.site.knownRank(0) + axes.count
      let places = axes.count == 1 ? axes : axes.map { call.site.axis($0, rank: rank) }.sorted()
      return places.reduce(call[0]) { .method($0, "unsqueeze", [.int($1)]) }
    }
    define(.expand) { call in
      if let sizes = call.site.resultType()?.shape?.sizes {
        return .method(call[0], "expand", call.spread(sizes.map { .int($0) }))
      }
      let shape = call.integers(1)
      return .either(
        python: "torch.broadcast_to(\(call[0].text(.python)), torch.broadcast_shapes(\(call[0].primary(.python)).shape, "
          + "\(shape.text(.python))))",
        cpp: "\(call[0].primary(.cpp)).expand(at::infer_size(\(call[0].primary(.cpp)).sizes(), "
          + (call.site.integers(1) == nil ? shape.text(.cpp) : "std::vector<int64_t>\(shape.text(.cpp))") + "))")
    }
    define(.concat) { .call("torch.cat", [.list($0.operands), .keyed("dim", .int($0[Concat.axis]))]) }
    define(.tile) { .method($0[0], "tile", [$0.integers(1)]) }
    define(.shape) { call in
      let (start, end) = (call[ShapeOperator.start], call[ShapeOperator.end])
      let range = start == 0 && end == nil ? "" : "[\(start == 0 ? "" : "\(start)"):\(end.map(String.init) ?? "")]"
      return .either(
        python: "torch.tensor(\(call[0].primary(.python)).shape\(range), dtype=torch.int64)",
        cpp: "sizes_of(\(call[0].text(.cpp)), \(start), \(end.map(String.init) ?? "INT64_MAX"))")
    }
  }
}

extension TorchCall {
  /// Sizes as Python's methods take them, one by one, and as C++ does, in a list.
  func spread(_ sizes: [TorchExpression]) -> [TorchExpression] {
    language == .python && !sizes.isEmpty ? sizes : [language == .python ? .name("()") : .list(sizes)]
  }
}

extension TorchFunction {
  static let reshape = TorchFunction(
    "reshape",
    python: """
      def reshape(x, shape, allow_zero=False):
          \"\"\"x.reshape, where 0 stands for the size that x has.\"\"\"
          sizes = [x.shape[i] if size == 0 and not allow_zero else size for i, size in enumerate(shape)]
          if -1 in sizes and x.numel() == 0:
              sizes[sizes.index(-1)] = 0
          return x.reshape(sizes)
      """,
    cpp: """
      // x.reshape, where 0 stands for the size that x has.
      at::Tensor reshape(const at::Tensor& x, std::vector<int64_t> sizes, bool allow_zero) {
        for (size_t i = 0; i < sizes.size(); ++i) {
          if (sizes[i] == 0 && !allow_zero) sizes[i] = x.size(i);
          if (sizes[i] == -1 && x.numel() == 0) sizes[i] = 0;
        }
        return x.reshape(sizes);
      }
      """)
}
