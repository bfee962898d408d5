import FXCore

extension TorchRows {
  mutating func addIndexing() {
    define(.gather) { call in
      let axis = call[Gather.axis]
      if call.site.rank(1) == 0, let index = call.site.integers(1)?.first {
        return .method(call[0], "select", [.int(axis), .int(index)])
      }
      let rank = try call.site.knownRank(0)
      let place = call.site.axis(axis, rank: rank)
      let indices = call.site.elementType(1) == .int64 ? call[1] : call[1].to(.int64)
      return .subscript_(call[0], Array(repeating: .all, count: place) + [.at(indices)])
    }
    define(.gatherElements) {
      .call("torch.gather", [$0[0], .int($0[GatherElements.axis]), try $0.wrapped($0[GatherElements.axis])])
    }
    define(.gatherND) { call in
      try call.call(.gatherND, [call[0], call[1], .int(call[GatherND.batchDims])])
    }
    define(.scatterElements) { call in
      let axis = call[ScatterElements.axis]
      let indices = try call.wrapped(axis)
      let reduction = call[ScatterElements.reduction]
      if reduction == "none" { return .call("torch.scatter", [call[0], .int(axis), indices, call[2]]) }
      let name = ["add": "sum", "mul": "prod", "min": "amin", "max": "amax"][reduction] ?? "sum"
      return .call("torch.scatter_reduce", [call[0], .int(axis), indices, call[2], .string(name)])
    }
    define(.scatterND) { call in
      try call.call(.scatterND, [call[0], call[1], call[2], .string(call[ScatterND.reduction])])
    }
    define(.nonzero) { .method(.call("torch.nonzero", [$0[0]]), "t", []) }
    self[.topK] = { call in
      .tuple(try call.call(.topK, [call[0], call.integer(1), .int(call[TopK.axis]), .bool(call[TopK.largest])]))
    }
    define(.range) { call in
      let type = call.site.elementType(0) ?? .int64
      let limits = (0..<3).map { index -> TorchExpression in
        if let integer = call.site.integers(index)?.first { return .int(integer) }
        return call.site.number(index).map { .number($0) } ?? .item(call[index], type)
      }
      return .call("torch.arange", limits + [.keyed("dtype", .type(type))])
    }
    define(.constantOfShape) { call in
      let type = call.site.resultType()?.elementType ?? .float32
      guard let value = try (call[ConstantOfShape.value] ?? Tensor(Float(0))).numbers().doubles.first else {
        throw NotExpressible("the value is no number")
      }
      let number: TorchExpression = type == .bool ? .bool(value != 0) : type.isInteger ? .int(Int(value)) : .number(value)
      let shape = call.integers(0)
      if value == 0, type != .bool { return .call("torch.zeros", [shape, .keyed("dtype", .type(type))]) }
      return .call("torch.full", [shape, number, .keyed("dtype", .type(type))])
    }
  }
}

extension TorchCall {
  /// Indices along an axis, counted from its start: PyTorch's functions take no others.
  fileprivate func wrapped(_ axis: Int) throws -> TorchExpression {
    let indices = site.elementType(1) == .int64 ? self[1] : self[1].to(.int64)
    if let known = site.integers(1), known.allSatisfy({ $0 >= 0 }) { return indices }
    return .call("torch.remainder", [indices, .size(self[0], axis)])
  }
}

extension TorchFunction {
  static let gatherND = TorchFunction(
    "gather_nd",
    python: """
      def gather_nd(x, indices, batch_dims=0):
          \"\"\"For each row of indices the part of x at these coordinates, after leading axes that both share.\"\"\"
          places = list(indices.unbind(-1))
          for axis in range(batch_dims):
              shape = [1] * places[-1].ndim if places else [1] * batch_dims
              shape[axis] = x.shape[axis]
              places.insert(axis, torch.arange(x.shape[axis]).reshape(shape))
          return x[tuple(places)]
      """,
    cpp: """
      // For each row of indices the part of x at these coordinates, after leading axes that both share.
      at::Tensor gather_nd(const at::Tensor& x, const at::Tensor& indices, int64_t batch_dims) {
        auto places = indices.unbind(-1);
        for (int64_t axis = 0; axis < batch_dims; ++axis) {
          std::vector<int64_t> shape(indices.dim() - 1, 1);
          shape[axis] = x.size(axis);
          places.insert(places.begin() + axis, at::arange(x.size(axis), at::kLong).reshape(shape));
        }
        return x.index(c10::List<std::optional<at::Tensor>>(std::vector<std::optional<at::Tensor>>(places.begin(), places.end())));
      }
      """)

  static let scatterND = TorchFunction(
    "scatter_nd",
    python: """
      def scatter_nd(x, indices, updates, reduction="none"):
          \"\"\"x with parts replaced by, or joined with, updates at the leading coordinates that rows of indices name.\"\"\"
          depth = indices.shape[-1]
          sizes = torch.tensor(x.shape[:depth])
          steps = torch.tensor([math.prod(x.shape[axis + 1 : depth]) for axis in range(depth)])
          rows = ((indices % sizes) * steps).sum(-1).reshape(-1)
          flat = x.reshape(math.prod(x.shape[:depth]), -1)
          parts = updates.reshape(len(rows), -1)
          rows = rows[:, None].expand(parts.shape)
          if reduction == "none":
              return flat.scatter(0, rows, parts).reshape(x.shape)
          join = {"add": "sum", "mul": "prod", "min": "amin", "max": "amax"}[reduction]
          return flat.scatter_reduce(0, rows, parts, join).reshape(x.shape)
      """,
    cpp: """
      // x with parts replaced by, or joined with, updates at the leading coordinates that rows of indices name.
      at::Tensor scatter_nd(const at::Tensor& x, const at::Tensor& indices, const at::Tensor& updates,
                            const std::string& reduction) {
        const int64_t depth = indices.size(-1);
        std::vector<int64_t> sizes, steps(depth, 1);
        for (int64_t axis = 0; axis < depth; ++axis) sizes.push_back(x.size(axis));
        for (int64_t axis = depth - 2; axis >= 0; --axis) steps[axis] = steps[axis + 1] * sizes[axis + 1];
        const auto places = at::remainder(indices, at::tensor(sizes, at::kLong)) * at::tensor(steps, at::kLong);
        auto rows = places.sum(-1).reshape({-1});
        const auto flat = x.reshape({c10::multiply_integers(sizes), -1});
        const auto parts = updates.reshape({rows.size(0), -1});
        rows = rows.unsqueeze(1).expand(parts.sizes());
        if (reduction == "none") return flat.scatter(0, rows, parts).reshape(x.sizes());
        const std::string join = reduction == "add" ? "sum" : reduction == "mul" ? "prod" : reduction == "min" ? "amin" : "amax";
        return flat.scatter_reduce(0, rows, parts, join).reshape(x.sizes());
      }
      """)

  static let topK = TorchFunction(
    "stable_topk",
    python: """
      def stable_topk(x, k, dim, largest=True):
          \"\"\"torch.topk, equal elements by index.\"\"\"
          values, indices = torch.sort(x, stable=True, dim=dim, descending=largest)
          return values.narrow(dim, 0, k), indices.narrow(dim, 0, k)
      """,
    cpp: """
      // at::topk, equal elements by index.
      std::tuple<at::Tensor, at::Tensor> stable_topk(const at::Tensor& x, int64_t k, int64_t dim, bool largest) {
        const auto [values, indices] = at::sort(x, /*stable=*/true, dim, largest);
        return {values.narrow(dim, 0, k), indices.narrow(dim, 0, k)};
      }
      """)
}
